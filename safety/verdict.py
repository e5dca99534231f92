"""What a step decides: commands per axis, the ladder per motion, events, the marker.

Role: values only, read by whoever carries a verdict out or shows it. Process: the gate, and replay.
Must never: read a clock, do I/O, or import anything but the standard library.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from safety.types import Act, Axis, Motion


class Cmd(StrEnum):
    """What an axis is told this turn."""

    REST = "rest"  # brake on, power stage off
    MOVE = "move"
    RAMP = "ramp"  # speed 0, still enabled
    QUICK = "quick"
    ISOLATE = "isolate"


@dataclass(frozen=True, slots=True)
class AxisCommand:
    """The verdict for one axis. `speed_mm_s` is signed and 0 unless MOVE."""

    axis: Axis
    cmd: Cmd
    speed_mm_s: float = 0.0


@dataclass(frozen=True, slots=True)
class MotionVerdict:
    """May this motion be started now, and if not, because of which rows."""

    motion: Motion
    act: Act
    rows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Marker:
    """What a restart must remember."""

    seq: int
    in_flight: bool
    latched: tuple[str, ...]
    pickup: int


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in this step: `kind` is a stable word, `detail` names a row,
    station.
    """

    kind: str
    detail: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Everything one step decided."""

    commands: tuple[AxisCommand, ...]
    motions: tuple[MotionVerdict, ...]
    active: tuple[str, ...]
    latched: tuple[str, ...]
    owner: str
    moving: Motion
    events: tuple[Event, ...]
    marker: Marker
