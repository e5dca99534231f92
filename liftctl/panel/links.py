"""A channel to another process that comes back by itself.

Role: client side of `liftctl.ipc` on asyncio. Process: panel and desk. Must never: queue while
the peer is away.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from liftctl import ipc

RETRY_S = 0.2


class Link:
    """Says hello, hands over what arrives, and connects again after `RETRY_S`."""

    def __init__(self, path: Path, role: str, take: Callable[[ipc.AnyMessage], None]) -> None:
        self._path, self._role, self._take = path, role, take
        self._channel: ipc.Channel | None = None
        self._fd = -1
        self._timer: asyncio.TimerHandle | None = None

    @property
    def up(self) -> bool:
        return self._channel is not None

    def start(self) -> None:
        """Connect now or soon; needs a running loop."""
        loop = asyncio.get_running_loop()
        self._channel = ipc.connect(self._path)
        if self._channel is None:
            self._timer = loop.call_later(RETRY_S, self.start)
            return
        self._fd = self._channel.fileno()
        loop.add_reader(self._fd, self._read)
        self.send(ipc.Hello(role=self._role))

    def send(self, message: ipc.Message) -> bool:
        """One message, now or never."""
        if self._channel is None:
            return False
        sent = self._channel.send(message)
        self._check()
        return sent

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._channel is not None:
            asyncio.get_running_loop().remove_reader(self._fd)
            self._channel.close()
            self._channel = None

    def _read(self) -> None:
        if self._channel is None:
            return
        for message in self._channel.receive():
            self._take(message)
        self._check()

    def _check(self) -> None:
        if self._channel is not None and self._channel.closed:
            loop = asyncio.get_running_loop()
            loop.remove_reader(self._fd)
            self._channel = None
            self._timer = loop.call_later(RETRY_S, self.start)
