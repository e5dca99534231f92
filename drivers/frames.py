"""Frames as values, and the one strict check on what came off a wire.

Role: the only frame type that gate, guard, drivers and replay know. Process: all that touch a bus.
Must never: accept what python-can's `Message` accepts by default (ids out of range, length and data
that differ).
"""

from __future__ import annotations

from dataclasses import dataclass

MAX_STANDARD_ID = 0x7FF
MAX_EXTENDED_ID = 0x1FFFFFFF


class FrameError(ValueError):
    """A frame that cannot exist on a classic CAN bus."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A classic CAN data, remote or error frame on the bus named `bus` (the site's own name)."""

    bus: str
    id: int
    data: bytes
    extended: bool = False
    remote: bool = False
    error: bool = False

    def __post_init__(self) -> None:
        limit = MAX_EXTENDED_ID if self.extended or self.error else MAX_STANDARD_ID
        if not 0 <= self.id <= limit:
            raise FrameError(f"id {self.id:X} is outside 0..{limit:X}")
        if len(self.data) > 8:
            raise FrameError(f"{len(self.data)} data bytes, at most 8")
