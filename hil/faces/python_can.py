"""The bench's own place on a real bus: any python-can adapter, opened once and watched.

Role: frames in and out for bridges and planes in real time. Must never: go on with an adapter that
died, or share a serial adapter with another process.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import can

from hil.vbus.frame import Frame
from hil.vbus.plugin import frame_of, message_of

# What python-can raises of its backends. The product's port has its own: no code is shared with it.
FAILURES = (can.CanError, OSError, ValueError, NotImplementedError)
REMEDIES = {
    "socketcan": "is it plugged in and up? ip link set {channel} up type can bitrate {bitrate}",
    "vbus": "no hub serves this bus; `liftctl up` or the plane that makes it has to run first",
    "slcan": "is the adapter plugged in? see /dev/serial/by-id",
}
WAIT_S = 0.05  # to hand a frame over; an adapter that takes longer is not keeping up


class AdapterError(Exception):
    """An adapter that cannot be used or died; the message is one line with the remedy."""


@dataclass(frozen=True, slots=True)
class Where:
    """Which adapter: python-can's interface, its channel, bit/s."""

    interface: str
    channel: str
    bitrate: int = 500_000

    @classmethod
    def parse(cls, text: str) -> Self:
        """`interface:channel` or `interface:channel@bitrate`; AdapterError."""
        head, _, rate = text.partition("@")
        interface, _, channel = head.partition(":")
        if not interface or not channel or (rate and not rate.isdigit()):
            raise AdapterError(
                f"'{text}' names no adapter; write interface:channel@bitrate, "
                "such as socketcan:can0@500000 or slcan:/dev/ttyACM0@500000"
            )
        return cls(interface, channel, int(rate or 500_000))

    def __str__(self) -> str:
        return f"{self.interface}:{self.channel}@{self.bitrate}"


class Adapter:
    """An open adapter; closes itself at the end of a `with`."""

    def __init__(self, where: Where) -> None:
        self.where = where
        self._lock = _only_one(where)
        try:
            self.bus: can.BusABC = can.Bus(
                interface=where.interface, channel=where.channel, bitrate=where.bitrate,
                ignore_config=True,
            )  # fmt: skip
        except (*FAILURES, can.CanInterfaceNotImplementedError) as error:
            self._unlock()
            remedy = REMEDIES.get(where.interface, "see python-can's list of interfaces")
            text = remedy.format(channel=where.channel, bitrate=where.bitrate)
            raise AdapterError(f"{where}: cannot be opened ({error}); {text}") from error

    def receive(self, timeout_s: float) -> list[Frame]:
        """Every frame that waits, or that comes within the time; AdapterError when it died."""
        found: list[Frame] = []
        try:
            while (message := self.bus.recv(0 if found else max(0.0, timeout_s))) is not None:
                with suppress(can.CanOperationError):  # FD and error frames are for nobody here
                    found.append(frame_of(message))
        except FAILURES as error:
            raise self._died(error) from error
        return found

    def send(self, frame: Frame) -> None:
        """Hand a frame over; AdapterError when the adapter does not take it."""
        try:
            self.bus.send(message_of(frame), timeout=WAIT_S)
        except FAILURES as error:
            raise self._died(error) from error

    def _died(self, error: Exception) -> AdapterError:
        return AdapterError(f"{self.where}: the adapter died ({error}); plug it in and run again")

    def close(self) -> None:
        """Leave the bus, also when the adapter is gone already."""
        try:
            self.bus.shutdown()
        except FAILURES:
            pass  # it died before; its lock goes all the same
        finally:
            self._unlock()

    def _unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _only_one(where: Where) -> int | None:
    """Two programs on one serial adapter would read each other's answers."""
    path = Path(where.channel)
    if not path.is_char_device():
        return None
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise AdapterError(f"{where}: {error.strerror}; may this user open {path}?") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise AdapterError(f"{where}: another program has it open; end that one") from error
    return descriptor
