"""Frames to the log files other CAN tools read, through python-can's own writers.

Role: export of a black box. Process: a person's shell. Must never: be imported by gate or guard.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import can

from drivers.frames import Frame

SUFFIXES = (".log", ".blf")


def export(frames: Iterable[tuple[float, Frame]], path: Path) -> int:
    """Write (seconds, frame) pairs as candump `.log` or `.blf`; returns how many.

    ValueError for another suffix.

    BLF numbers its channels: buses get 0, 1, ... in order of first appearance.
    """
    if path.suffix not in SUFFIXES:
        raise ValueError(f"{path}: unknown suffix; use one of {', '.join(SUFFIXES)}")
    numbers: dict[str, int] = {}
    writer = can.CanutilsLogWriter(path) if path.suffix == ".log" else can.BLFWriter(path)
    count = 0
    with writer:
        for seconds, frame in frames:
            number = numbers.setdefault(frame.bus, len(numbers))
            channel = frame.bus if path.suffix == ".log" else number
            writer.on_message_received(_message(seconds, frame, channel))
            count += 1
    return count


def _message(seconds: float, frame: Frame, channel: str | int) -> can.Message:
    return can.Message(
        timestamp=seconds,
        arbitration_id=frame.id,
        data=None if frame.remote else frame.data,
        dlc=len(frame.data),
        is_extended_id=frame.extended,
        is_remote_frame=frame.remote,
        is_error_frame=frame.error,
        channel=channel,
        check=not frame.error,
    )
