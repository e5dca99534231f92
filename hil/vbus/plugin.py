"""python-can's face of the virtual bus: `can.Bus(interface="vbus", channel="lift")`.

Runs in whatever process uses python-can. Never UDP: frames stay on this machine.
"""

from __future__ import annotations

import select
import time
from typing import Any

import can
from can.typechecking import AutoDetectedConfig, CanFilters

from hil.vbus.client import HubClient, HubGoneError, HubMissingError
from hil.vbus.frame import Frame, MalformedRecordError, Received
from hil.vbus.paths import run_dir


class VirtualCanBus(can.BusABC):
    """A participant of a hub's bus; `channel` is the bus name or the path of its socket.

    `send(timeout=None)` does not wait, as with SocketCAN: a full queue raises CanOperationError.
    `timestamp_offset_ns` turns CLOCK_MONOTONIC into the wall-clock-like message timestamps.
    """

    def __init__(
        self,
        channel: Any = None,
        can_filters: CanFilters | None = None,
        receive_own_messages: bool = False,
        **kwargs: Any,
    ) -> None:
        name = str(channel or "lift")
        try:
            self._client = HubClient(name)
        except (HubMissingError, ValueError) as error:
            raise can.CanInitializationError(str(error)) from error
        self.channel_info = f"vbus {name}"
        self.receive_own_messages = receive_own_messages
        self.timestamp_offset_ns = time.time_ns() - time.monotonic_ns()
        self._can_protocol = can.CanProtocol.CAN_20
        super().__init__(channel=name, can_filters=can_filters, **kwargs)

    def _recv_internal(self, timeout: float | None) -> tuple[can.Message | None, bool]:
        try:
            received = self._client.receive()
            if received is None and self._wait(timeout):
                received = self._client.receive()
        except (HubGoneError, MalformedRecordError) as error:
            raise can.CanOperationError(str(error)) from error
        if received is None or (received.is_echo and not self.receive_own_messages):
            return None, False
        return self._message(received), False

    def _wait(self, timeout: float | None) -> bool:
        return bool(select.select([self._client], [], [], timeout)[0])

    def _message(self, received: Received) -> can.Message:
        timestamp = (received.t_ns + self.timestamp_offset_ns) / 1e9
        return message_of(received.frame, timestamp, is_rx=not received.is_echo)

    def send(self, msg: can.Message, timeout: float | None = None) -> None:
        """Queue a classic frame; raises CanOperationError if the hub is gone or the queue full."""
        frame = frame_of(msg)
        try:
            sent = self._client.send(frame)
            if not sent and timeout and select.select([], [self._client], [], timeout)[1]:
                sent = self._client.send(frame)
        except HubGoneError as error:
            raise can.CanOperationError(str(error)) from error
        if not sent:
            raise can.CanOperationError("transmit queue full")

    def fileno(self) -> int:
        """The socket, for select and event loops."""
        return self._client.fileno()

    def shutdown(self) -> None:
        """Leave the bus."""
        super().shutdown()
        self._client.close()

    @staticmethod
    def _detect_available_configs() -> list[AutoDetectedConfig]:
        sockets = sorted((run_dir() / "vbus").glob("*.sock"))
        return [AutoDetectedConfig(interface="vbus", channel=path.stem) for path in sockets]


def message_of(frame: Frame, timestamp: float = 0.0, *, is_rx: bool = True) -> can.Message:
    """python-can's form of a frame."""
    return can.Message(
        timestamp=timestamp,
        arbitration_id=frame.can_id,
        is_extended_id=frame.is_extended,
        is_remote_frame=frame.is_remote,
        is_error_frame=frame.is_error,
        dlc=frame.dlc,
        data=None if frame.is_remote else frame.data,
        is_rx=is_rx,
    )


def frame_of(msg: can.Message) -> Frame:
    """A frame as a controller takes it; raises CanOperationError for what none would."""
    limit = 0x1FFFFFFF if msg.is_extended_id else 0x7FF
    length_wrong = not msg.is_remote_frame and len(msg.data) != msg.dlc
    if msg.is_fd or msg.is_error_frame or msg.dlc > 8 or length_wrong:
        raise can.CanOperationError("only classic data and remote frames of 0..8 bytes can be sent")
    if not 0 <= msg.arbitration_id <= limit:
        raise can.CanOperationError(f"id {msg.arbitration_id:X} does not fit the frame format")
    return Frame(
        msg.arbitration_id,
        b"" if msg.is_remote_frame else bytes(msg.data),
        msg.is_extended_id,
        msg.is_remote_frame,
        remote_dlc=msg.dlc if msg.is_remote_frame else 0,
    )
