"""A client's end of the virtual bus: frames in and out of one SEQPACKET socket, never blocking."""

from __future__ import annotations

import socket
from pathlib import Path

from hil.vbus.frame import RECORD, Frame, Received, pack, unpack
from hil.vbus.paths import bus_socket, connect


class HubMissingError(OSError):
    """No hub serves this bus."""


class HubGoneError(OSError):
    """The hub closed the connection."""


class HubClient:
    """One participant of a bus; also sees its own frames, marked `is_echo`."""

    def __init__(self, channel: str = "lift") -> None:
        self.path: Path = bus_socket(channel)
        try:
            self._socket = connect(self.path)
        except OSError as error:
            raise HubMissingError(
                f"no hub for bus '{channel}' at {self.path} ({error.strerror});"
                f" start one: python -m hil.vbus.hub --bus {self.path.stem}:500000"
            ) from error
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)

    def fileno(self) -> int:
        """For select; readable when a frame or the end of the hub waits."""
        return self._socket.fileno()

    def send(self, frame: Frame) -> bool:
        """Queue a frame; False when the transmit queue is full. Raises HubGoneError."""
        try:
            self._socket.send(pack(frame))
        except BlockingIOError:
            return False
        except OSError as error:
            raise HubGoneError(f"the hub of {self.path} is gone ({error.strerror})") from error
        return True

    def receive(self) -> Received | None:
        """The next frame, or None when none waits. Raises HubGoneError."""
        try:
            record = self._socket.recv(RECORD.size + 1)
        except BlockingIOError:
            return None
        except OSError as error:
            raise HubGoneError(f"the hub of {self.path} is gone ({error.strerror})") from error
        if not record:
            raise HubGoneError(f"the hub of {self.path} is gone (end of file)")
        return unpack(record)

    def close(self) -> None:
        """Leave the bus."""
        self._socket.close()
