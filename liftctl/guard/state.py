"""What a turn of the guard is given, keeps and says. Values only.

Role: the types of the guard and its configuration. Process: the guard. Must never: decide anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from config.schema import Site
from drivers.frames import Frame
from liftctl.guard.watch import Contacts, Watched, watched
from liftctl.ipc import GateState, Hold, StationGone, StopPress
from safety.bounds import Params

MS = 1_000_000
HAND = "hand"
WAYS = {
    "hoist": ("UP", "DOWN"),
    "traverse": ("RIGHT", "LEFT"),
    "stander": ("STAND", "SIT"),
}


@dataclass(frozen=True, slots=True)
class GuardConfig:
    """The site's numbers and ids, as the guard reads them."""

    bus: str
    node: int
    watched: Watched
    params: Params
    top_mm_s: Mapping[str, float]
    decel_mm_s2: Mapping[str, float]
    free_down_mm_s: Mapping[str, float]  # docking: accepted only where the drive lets it pass


@dataclass(frozen=True, slots=True)
class Seen:
    """The newest command and speed of an axis, the speed it may still have, and what it owes:
    travel that nobody asked for, paid back only by travel that somebody did ask for.
    """

    command_mm_s: float = 0.0
    command_ns: int = 0
    speed_mm_s: float = 0.0
    speed_ns: int = 0
    heard_ns: int = 0  # how long speeds stood that were heard since the last turn
    limp: bool = False  # said with the speed, and as old
    may_have_mm_s: float = 0.0
    owed_mm: Mapping[str, float] = field(default_factory=dict)  # by the invariant it broke


@dataclass(frozen=True, slots=True)
class Held:
    """What a station holds; presses up to `spent` were ended by a STOP and are nothing any more."""

    motion: str
    t_ns: int
    session: str = ""
    press: int = 0
    spent: int = 0
    since_ns: int = 0  # when this press was first heard


@dataclass(frozen=True, slots=True)
class Relay:
    """The run enable: whether we toggle it, since when not, and whether it was read open then."""

    toggles: bool = False
    off_ns: int = 0
    opened: bool = False
    bit: bool = False


@dataclass(frozen=True, slots=True)
class GuardTurnState:
    """Everything a turn hands to the next."""

    last_ns: int
    axes: Mapping[str, Seen]
    relay: Relay
    evidence: Mapping[str, Held] = field(default_factory=dict)
    gate_ns: int = 0
    tick_ns: int = 0
    contacts: Contacts | None = None
    contacts_ns: int = 0
    due: Mapping[str, int] = field(default_factory=dict)
    cut: str = ""
    lasting: bool = False
    cut_ns: int = 0
    cuts: int = 0
    checks: int = 0


GuardInput = tuple[int, Frame] | GateState | Hold | StationGone | StopPress


@dataclass(frozen=True, slots=True)
class GuardOutputs:
    """Frames for the guard's own bus, and its beat for the gate."""

    frames: tuple[Frame, ...]
    echo_ns: int
    cut: str


def configure(site: Site) -> GuardConfig:
    """The guard's configuration of a site."""
    p = site.limits
    return GuardConfig(
        bus=site.guard.bus,
        node=site.guard.node,
        watched=watched(site),
        params=p,
        top_mm_s={
            "hoist": max(p.hoist_loaded_mm_s, p.hoist_empty_mm_s, p.hoist_down_mm_s),
            "traverse": p.traverse_mm_s,
            "stander": p.stand_mm_s,
        },
        decel_mm_s2={
            "hoist": p.hoist_decel_mm_s2,
            "traverse": p.traverse_decel_mm_s2,
            "stander": p.stand_decel_mm_s2,
        },
        free_down_mm_s={
            "hoist": p.hoist_docking_mm_s,
            "traverse": 0.0,
            "stander": p.stand_docking_mm_s,
        },
    )


def start(config: GuardConfig, now_ns: int) -> GuardTurnState:
    """Nothing seen: no run enable until the gate is heard and the relay was read open."""
    return GuardTurnState(now_ns, {axis: Seen() for axis in WAYS}, Relay(off_ns=now_ns))
