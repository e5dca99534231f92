"""What every port promises.

Role: the words between ports and their users; no library in it. Process: gate, guard, CLI. Must
never: let a port block or raise while it is in use; what goes wrong is a LinkEvent or a False.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from drivers.device import Chunk
from drivers.frames import Frame

RECEIVE_LIMIT = 1000  # frames taken in one call; more wait for the next


class Link(StrEnum):
    """What a port may report about its link."""

    DOWN = "down"  # nothing will come any more until reopen()
    MALFORMED = "malformed"  # input that is no frame; dropped
    OVERRUN = "overrun"  # frames were lost on our side
    WARNING = "error-warning"
    PASSIVE = "error-passive"
    BUS_OFF = "bus-off"
    RESTARTED = "restarted"
    ERROR = "error"  # another error frame
    REFUSED = "refused"  # the adapter did not take a frame


@dataclass(frozen=True, slots=True)
class LinkEvent:
    """Something about the link named `port`; `detail` is for people."""

    port: str
    kind: Link
    detail: str = ""


class PortError(Exception):
    """A port that cannot be opened: one line with the remedy."""


class FramePort(Protocol):
    """A CAN bus. `malformed` and `refused` count since opening."""

    name: str
    malformed: int
    refused: int

    def fileno(self) -> int:
        """For select; -1 where there is none or the link is down."""
        ...

    def receive(self) -> list[Frame | LinkEvent]:
        """Everything that waits; never blocks, never raises."""
        ...

    def send(self, frame: Frame) -> bool:
        """Hand a frame to the controller. False: not taken (and counted)."""
        ...

    def reopen(self) -> bool:
        """Try again after `down`; True when it is open."""
        ...

    def close(self) -> None:
        """Leave the bus."""
        ...


class LinePort(Protocol):
    """A serial line; as FramePort, with bytes."""

    name: str
    refused: int

    def fileno(self) -> int:
        """For select; -1 when the link is down."""
        ...

    def receive(self) -> list[Chunk | LinkEvent]:
        """Everything that waits; never blocks, never raises."""
        ...

    def send(self, chunk: Chunk) -> bool:
        """Queue bytes. False: earlier ones still wait, so that none of these were taken."""
        ...

    def reopen(self) -> bool:
        """Try again after `down`; True when it is open."""
        ...

    def close(self) -> None:
        """Close the line."""
        ...
