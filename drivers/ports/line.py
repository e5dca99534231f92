"""A serial line: raw, exclusive, never blocking.

Role: port, and the byte pipe below the slcan port. Process: gate, CLI. Must never: wait, translate
a byte, or send half a command and then another one.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
from pathlib import Path

import serial

from drivers.device import Chunk
from drivers.ports.base import Link, LinkEvent, PortError

_READ_LIMIT = 65536
_VIRTUAL = "vserial:"


def run_dir() -> Path:
    """Where a running `liftctl up` keeps its sockets and lines."""
    named = os.environ.get("LIFTCTL_RUN")
    if named:
        return Path(named)
    home = Path(f"/run/user/{os.getuid()}")
    return home / "liftctl" if home.is_dir() else Path(f"/tmp/liftctl-{os.getuid()}")  # noqa: S108


def resolve(port: str) -> Path:
    """The device path of a port word: itself, or the simulated line `vserial:NAME`."""
    name = port.removeprefix(_VIRTUAL)
    return run_dir() / "serial" / name if name != port else Path(port)


class RawLine:
    """An open tty. `read` and `write` raise OSError when the link is dead."""

    def __init__(self, name: str, port: str, baudrate: int) -> None:
        self._path = resolve(port)
        self._pending = b""
        try:
            self._tty = serial.Serial(str(self._path), baudrate, timeout=0, exclusive=True)
        except (serial.SerialException, OSError, ValueError) as error:
            text = _remedy(error, port)
            raise PortError(f"line {name} ({self._path}): {text}") from error

    def fileno(self) -> int:
        """For select."""
        return int(self._tty.fileno())

    def read(self) -> bytes:
        """What waits, possibly nothing."""
        # The tty is set up to return nothing at once, which alone would look like an end of file.
        if not select.select([self.fileno()], [], [], 0)[0]:
            return b""
        data = os.read(self.fileno(), _READ_LIMIT)
        if not data:
            raise OSError(errno.EIO, "end of file")
        return data

    def write(self, data: bytes) -> bool:
        """All of it is taken (a rest is kept and goes first), or False and none of it."""
        self._flush()
        if self._pending:
            return False
        self._pending = data
        self._flush()
        return True

    def _flush(self) -> None:
        # Not serial.write(): with a zero timeout it spins on a full buffer.
        if self._pending:
            with contextlib.suppress(BlockingIOError):
                self._pending = self._pending[os.write(self.fileno(), self._pending) :]

    def close(self) -> None:
        """Close the tty."""
        with contextlib.suppress(OSError):
            self._tty.close()


def _remedy(error: Exception, port: str) -> str:
    number = getattr(error, "errno", None)
    if number == errno.ENOENT:
        if port.startswith(_VIRTUAL):
            return "there is no such simulated line; `liftctl up` starts it"
        return "there is no such line; plug the adapter in and see /dev/serial/by-id"
    if number in (errno.EACCES, errno.EPERM):
        return "no permission; add the user to the group dialout"
    if number == errno.EAGAIN:
        return "another process uses it; stop that one"
    return f"{error}; name a serial line in the site file"


class SerialPort:
    """A serial line with a name."""

    def __init__(self, name: str, port: str, baudrate: int) -> None:
        self.name = name
        self.refused = 0
        self._where = (name, port, baudrate)
        self._events: list[Chunk | LinkEvent] = []
        self._line: RawLine | None = RawLine(*self._where)

    def fileno(self) -> int:
        """For select; -1 when the link is down."""
        return -1 if self._line is None else self._line.fileno()

    def receive(self) -> list[Chunk | LinkEvent]:
        """Everything that waits."""
        found, self._events = self._events, []
        if self._line is not None:
            try:
                data = self._line.read()
            except OSError as error:
                self._lost(found, error)
            else:
                found += [Chunk(self.name, data)] * bool(data)
        return found

    def send(self, chunk: Chunk) -> bool:
        """Queue bytes."""
        taken = False
        if self._line is not None:
            try:
                taken = self._line.write(chunk.data)
            except OSError as error:
                self._lost(self._events, error)
        self.refused += not taken
        return taken

    def _lost(self, events: list[Chunk | LinkEvent], error: OSError) -> None:
        self.close()
        events.append(LinkEvent(self.name, Link.DOWN, str(error)))

    def reopen(self) -> bool:
        """Try again after `down`."""
        self.close()
        try:
            self._line = RawLine(*self._where)
        except PortError:
            return False
        return True

    def close(self) -> None:
        """Close the line."""
        line, self._line = self._line, None
        if line is not None:
            line.close()
