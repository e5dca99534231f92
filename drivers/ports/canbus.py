"""A CAN bus through python-can (SocketCAN, the virtual bus), checked strictly at the boundary.

Role: port. Process: gate, guard, CLI. Must never: use python-can's Notifier or periodic tasks (both
go on after their owner hung), read its configuration files, or let one of its messages through
unchecked.
"""

from __future__ import annotations

import errno
import select

import can

from drivers.frames import Frame, FrameError
from drivers.ports.base import RECEIVE_LIMIT, Link, LinkEvent, PortError

_BUS_OFF, _CONTROLLER, _RESTARTED = 0x040, 0x004, 0x100  # linux/can/error.h
_CONTROLLER_BITS = ((0x03, Link.OVERRUN), (0x30, Link.PASSIVE), (0x0C, Link.WARNING))
_FAILURES = (can.CanError, OSError, ValueError, NotImplementedError)
_UP = "ip link set {0} up type can bitrate {1}"
_REMEDIES = {
    errno.ENODEV: "there is no such CAN interface; plug the adapter in and bring it up: " + _UP,
    errno.EPERM: "no permission; run it as a user who may open CAN sockets",
    errno.EACCES: "no permission; run it as a user who may open CAN sockets",
    errno.ENETDOWN: "the interface is down; bring it up: " + _UP,
}
_VBUS_REMEDY = "no hub serves this bus; `liftctl up` starts it"


class CanPort:
    """One participant of a bus. `listen_only` refuses every send."""

    def __init__(
        self, name: str, interface: str, channel: str, bitrate: int, *, listen_only: bool = False
    ) -> None:
        self.name = name
        self.malformed = 0
        self.refused = 0
        self._where = (interface, channel, bitrate)
        self._listen_only = listen_only
        self._fd = -1
        self._events: list[Frame | LinkEvent] = []
        self._bus: can.BusABC | None = None
        self._open()

    def _open(self) -> None:
        interface, channel, bitrate = self._where
        try:
            self._bus = can.Bus(channel=channel, interface=interface, ignore_config=True)
        except (*_FAILURES, can.CanInterfaceNotImplementedError) as error:
            remedy = _VBUS_REMEDY if interface == "vbus" else _remedy(error)
            text = remedy.format(channel, bitrate)
            raise PortError(f"bus {self.name} ({interface}:{channel}): {text}") from error
        try:
            self._fd = self._bus.fileno()
        except NotImplementedError:
            self._fd = -1

    def fileno(self) -> int:
        """For select; -1 where there is none or the link is down."""
        return self._fd

    def receive(self) -> list[Frame | LinkEvent]:
        """Everything that waits."""
        found, self._events = self._events, []
        for _ in range(RECEIVE_LIMIT):
            message = self._next(found)
            if message is None:
                break
            found.append(self._checked(message))
        return found

    def _next(self, found: list[Frame | LinkEvent]) -> can.Message | None:
        # recv() says None for a frame it filtered (an echo of ours) although more may wait.
        for _ in range(RECEIVE_LIMIT):
            if self._bus is None:
                return None
            try:
                message = self._bus.recv(timeout=0)
            except _FAILURES as error:
                self._lost(found, error)
                return None
            if message is not None or self._fd < 0 or not select.select([self._fd], [], [], 0)[0]:
                return message
        return None

    def _checked(self, message: can.Message) -> Frame | LinkEvent:
        if message.is_error_frame:
            return LinkEvent(self.name, *_error_kind(message))
        try:
            return _frame(self.name, message)
        except FrameError as error:
            self.malformed += 1
            return LinkEvent(self.name, Link.MALFORMED, str(error))

    def send(self, frame: Frame) -> bool:
        """Hand a frame over; False when it was not taken. Error frames are not for sending."""
        if self._bus is None or self._listen_only or frame.error:
            self.refused += 1
            return False
        try:
            self._bus.send(_message(frame), timeout=0)
        except _FAILURES as error:
            self.refused += 1
            # Without an error number the queue was full, which says nothing about the link.
            if isinstance(error, OSError) or getattr(error, "error_code", None) not in (
                None,
                errno.ENOBUFS,
            ):
                self._lost(self._events, error)
            return False
        return True

    def _lost(self, events: list[Frame | LinkEvent], error: Exception) -> None:
        self.close()
        events.append(LinkEvent(self.name, Link.DOWN, str(error)))

    def reopen(self) -> bool:
        """Try again after `down`."""
        self.close()
        try:
            self._open()
        except PortError:
            return False
        return True

    def close(self) -> None:
        """Leave the bus."""
        bus, self._bus, self._fd = self._bus, None, -1
        if bus is not None:
            try:
                bus.shutdown()
            except _FAILURES as error:
                self._events.append(LinkEvent(self.name, Link.DOWN, str(error)))


def _remedy(error: Exception) -> str:
    number = getattr(error, "errno", None) or getattr(error, "error_code", None)
    return _REMEDIES.get(number or 0, f"{error}; check the port of this bus in the site file")


def _message(frame: Frame) -> can.Message:
    return can.Message(
        arbitration_id=frame.id,
        is_extended_id=frame.extended,
        is_remote_frame=frame.remote,
        dlc=0 if frame.remote else len(frame.data),
        data=None if frame.remote else frame.data,
        check=True,
    )


def _frame(bus: str, message: can.Message) -> Frame:
    """A checked frame; FrameError for what cannot have been on a classic bus."""
    if message.is_fd:
        raise FrameError("CAN FD frame on a classic bus")
    data = bytes(message.data)
    if not 0 <= message.dlc <= 8 or (not message.is_remote_frame and message.dlc != len(data)):
        raise FrameError(f"length code {message.dlc} with {len(data)} data bytes")
    if message.is_remote_frame and data:
        raise FrameError("remote frame with data")
    return Frame(bus, message.arbitration_id, data, message.is_extended_id, message.is_remote_frame)


def _error_kind(message: can.Message) -> tuple[Link, str]:
    bits, data = message.arbitration_id, bytes(message.data)
    detail = f"{bits:X} {data.hex()}"
    if bits & _BUS_OFF:
        return Link.BUS_OFF, detail
    if bits & _CONTROLLER and len(data) > 1:
        for mask, kind in _CONTROLLER_BITS:
            if data[1] & mask:
                return kind, detail
    return Link.RESTARTED if bits & _RESTARTED else Link.ERROR, detail
