"""A serial device on a pseudo-terminal: whoever opens the link talks to the simulator."""

from __future__ import annotations

import contextlib
import os
import tty
from pathlib import Path


class SerialLine:
    """A symbolic link at `link` leads to the terminal; the simulator holds the other end."""

    def __init__(self, link: Path) -> None:
        self.link = link
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
        """What the controller wrote; b"" when nothing waits."""
        with contextlib.suppress(BlockingIOError):
            return os.read(self._ours, 4096)
        return b""

    def write(self, data: bytes) -> None:
        """Send; what nobody reads is lost, as on a real line."""
        with contextlib.suppress(BlockingIOError):
            os.write(self._ours, data)

    def close(self) -> None:
        """Remove the link if it is still ours."""
        with contextlib.suppress(OSError):
            if os.readlink(self.link) == self._target:
                self.link.unlink()
        os.close(self._ours)
        os.close(self._theirs)
