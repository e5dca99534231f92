"""A serial device on a pseudo-terminal: whoever opens the link talks to the simulator.

Both directions pass through a LineFaults each; a good line unless a test asks for more.
"""

from __future__ import annotations

import contextlib
import os
import time
import tty
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hil.line_faults import LineFaults, LineSpec


class SerialLine:
    """A symbolic link at `link` leads to the terminal; the simulator holds the other end."""

    def __init__(self, link: Path) -> None:
        self.link = link
        self.incoming, self.outgoing = LineFaults(1), LineFaults(2)
        link.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._ours, self._theirs = os.openpty()
        # the far end stays open here, else a reader that leaves would end the line
        tty.setraw(self._theirs)
        os.set_blocking(self._ours, False)
        self._target = os.ttyname(self._theirs)
        temporary = link.with_name(f"{link.name}.{os.getpid()}.tmp")
        temporary.symlink_to(self._target)
        temporary.replace(link)

    def fileno(self) -> int:
        """For select."""
        return self._ours

    def read(self) -> bytes:
        """What the controller wrote and the line let through; b"" when nothing waits."""
        data = b""
        with contextlib.suppress(BlockingIOError):
            data = os.read(self._ours, 4096)
        return self.incoming.carry(data, time.monotonic_ns())

    def write(self, data: bytes) -> None:
        """Send; what nobody reads is lost, as on a real line."""
        if arrived := self.outgoing.carry(data, time.monotonic_ns()):
            with contextlib.suppress(BlockingIOError):
                os.write(self._ours, arrived)

    @property
    def next_ns(self) -> int | None:
        """When delayed bytes are due, so that `read` and `write(b"")` must be called."""
        times = [t for t in (self.incoming.next_ns, self.outgoing.next_ns) if t is not None]
        return min(times, default=None)

    def command(self, request: Mapping[str, Any]) -> None:
        """{"do": "serial", "way": in|out|both, "drop": 0.1, ...}; raises ValueError."""
        spec, way = LineSpec.of(request), request.get("way", "both")
        if way not in ("in", "out", "both"):
            raise ValueError("'way' is in (to the device), out or both")
        for name, faults in (("in", self.incoming), ("out", self.outgoing)):
            if way in (name, "both"):
                faults.set(spec)

    def counted(self) -> dict[str, dict[str, int]]:
        """What the faults did so far, by direction."""
        return {"in": dict(self.incoming.counted), "out": dict(self.outgoing.counted)}

    def close(self) -> None:
        """Remove the link if it is still ours."""
        with contextlib.suppress(OSError):
            if os.readlink(self.link) == self._target:
                self.link.unlink()
        os.close(self._ours)
        os.close(self._theirs)
