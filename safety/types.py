"""The kernel's words: motions, signals, stations, inputs and verdicts.

Role: values only, shared by every part of the kernel and by whoever feeds it. Process: the gate
(and replay). Must never: read a clock, do I/O, or import anything but the standard library.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag, StrEnum


class Motion(IntFlag):
    """One direction of one axis. A set of motions is a mask."""

    NONE = 0
    UP = 1
    DOWN = 2
    LEFT = 4
    RIGHT = 8
    STAND = 16
    SIT = 32
    DRIVE = 64


HOISTING = Motion.UP | Motion.DOWN
TRAVERSE = Motion.LEFT | Motion.RIGHT
STANDING = Motion.STAND | Motion.SIT
LOWERING = Motion.DOWN | Motion.SIT
ALL_MOTIONS = HOISTING | TRAVERSE | STANDING | Motion.DRIVE
# Design rule 2: these need the controller's permission as well as evidence.
NEED_PERMISSION = ALL_MOTIONS & ~LOWERING
# Design rule 9: these wait until the in-flight marker is durable.
NEED_MARKER = Motion.UP | Motion.STAND


class Axis(StrEnum):
    HOIST = "hoist"
    TRAVERSE = "traverse"
    STANDER = "stander"
    DRIVE = "drive"


AXIS_OF = {
    Motion.UP: Axis.HOIST,
    Motion.DOWN: Axis.HOIST,
    Motion.LEFT: Axis.TRAVERSE,
    Motion.RIGHT: Axis.TRAVERSE,
    Motion.STAND: Axis.STANDER,
    Motion.SIT: Axis.STANDER,
    Motion.DRIVE: Axis.DRIVE,
}
# Sign of the commanded speed.
SIGN = {
    Motion.UP: 1,
    Motion.DOWN: -1,
    Motion.RIGHT: 1,
    Motion.LEFT: -1,
    Motion.STAND: 1,
    Motion.SIT: -1,
}


class SignalId(StrEnum):
    """Every measurement the kernel may use. Booleans are 1.0 for the healthy or pressed state."""

    # both kinds of device; from BUS_OK on only where fitted
    ESTOP_A = "estop_a_closed"
    ESTOP_B = "estop_b_closed"
    BATTERY_PCT = "battery_pct"
    CHARGER_ABSENT = "charger_absent"
    BUS_OK = "bus_ok"  # the gate's own word on its buses
    BATTERY_V = "battery_v"
    MOTOR_TEMP = "motor_temp_c"
    PINCH_FREE = "pinch_edge_free"
    HAND_PRESENT = "hand_control_present"  # decoded by the gate, like the next
    HAND_OK = "hand_control_ok"
    RUN_ENABLE = "run_enable"  # the guard's relay, seen by the devices behind it
    # ceiling lift
    UPPER_FREE = "upper_limit_free"
    LOWER_FREE = "lower_limit_free"
    STRAP_TIGHT = "strap_tight"
    RAIL_LEFT_FREE = "rail_left_free"
    RAIL_RIGHT_FREE = "rail_right_free"
    LOAD_KG = "load_kg"
    HOIST_SPEED = "hoist_speed_mm_s"
    HOIST_POS = "hoist_height_mm"
    HOIST_CURRENT = "hoist_current_pct"
    HOIST_FAULT = "hoist_drive_fault"
    HOIST_VERIFIED = "hoist_deadman_verified"
    TRAVERSE_SPEED = "traverse_speed_mm_s"
    TRAVERSE_POS = "traverse_pos_mm"
    TRAVERSE_FAULT = "traverse_drive_fault"
    TRAVERSE_VERIFIED = "traverse_deadman_verified"
    LOAD_LEFT_KG = "load_left_kg"
    LOAD_RIGHT_KG = "load_right_kg"
    RAIL_GATE_A = "rail_gate_a_closed"
    RAIL_GATE_B = "rail_gate_b_closed"
    MOTOR_LATCHED = "motor_latched"
    # standing chair
    KNEE_A = "knee_block_a_closed"
    KNEE_B = "knee_block_b_closed"
    BELT_A = "chest_belt_a_closed"
    BELT_B = "chest_belt_b_closed"
    BRAKES_ON = "brakes_applied"
    FEET_KG = "feet_load_kg"
    PITCH_DEG = "pitch_deg"
    ROLL_DEG = "roll_deg"
    STAND_SPEED = "stand_speed_mm_s"
    STAND_POS = "stand_stroke_mm"
    STAND_CURRENT = "stand_current_a"
    STAND_FAULT = "stand_actuator_fault"
    STAND_VERIFIED = "stand_deadman_verified"
    DRIVE_SPEED = "drive_speed_rpm"
    DRIVE_FAULT = "drive_motor_fault"
    DRIVE_VERIFIED = "drive_deadman_verified"
    CASTORS_LOCKED = "castors_locked"


class Quality(StrEnum):
    """Why a reading may or may not be used."""

    FRESH = "fresh"
    STALE = "stale"
    MISSING = "missing"
    CORRUPT = "corrupt"
    FUTURE = "future"


class Act(IntEnum):
    """The ladder; the highest active rung wins, separately for each motion (design rule 4)."""

    NONE = 0
    WARN = 1
    SLOW = 2  # docking speed only
    HOLD = 3  # the motion is refused or ramped to a stop (stop category 2, then the brake)
    QUICK = 4  # quick stop (category 1)
    ISOLATE = 5  # power stage off, the brake holds


class Clear(StrEnum):
    """What ends a row that has tripped."""

    AUTO = "auto"  # the condition clears
    RESET = "reset"  # condition gone and a reset edge at a station
    SERVICE = "service"  # condition gone and a technician's release with a name


class Priority(StrEnum):
    """Alarm priorities of IEC 60601-1-8."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class Sample:
    """One measurement. `t_ns`: monotonic receive time; `ok` False: the source said it is
    invalid.
    """

    signal: SignalId
    value: float
    t_ns: int
    ok: bool = True


@dataclass(frozen=True, slots=True)
class Beat:
    """One hold-evidence beat of a station.

    `session` is unique per connection, `press` counts up within it and is 0 at neutral. `echo_ns`
    is the newest gate tick the station had seen, `rx_ns` when the gate received it.
    """

    station: str
    session: str
    press: int
    motion: Motion
    echo_ns: int
    rx_ns: int


@dataclass(frozen=True, slots=True)
class Stop:
    """A STOP edge from a station. Never subject to any check."""

    station: str


@dataclass(frozen=True, slots=True)
class Gone:
    """A station's link died."""

    station: str


@dataclass(frozen=True, slots=True)
class Lease:
    """The controller's permission: echoes the newest tick, dies 100 ms* after that tick."""

    echo_ns: int
    motions: Motion
    confirmed_pickup: int  # the pick-up whose loops were confirmed at the tension pause
    in_transfer: bool
    slow_below_mm: int = 0  # DOWN is docking speed below this height
    locks: frozenset[str] = frozenset()  # rows set by a person or the calendar: safety/table.LOCKS


@dataclass(frozen=True, slots=True)
class Plan:
    """What this transfer may do; handed over at its start and frozen. It can only narrow.

    `resident_kg`: the weight on record, 0 when none. `resident_ok`, `sling_ok`: what was scanned or
    confirmed is what the plan names.
    """

    limit_kg: float  # the resident's assessed limit
    carers: int
    one_carer_allowed: bool  # the entitlement, in force today
    sling_kg: float = 1000.0
    resident_kg: float = 0.0
    resident_ok: bool = False
    sling_ok: bool = False


@dataclass(frozen=True, slots=True)
class PlanSet:
    """A new plan (None ends it)."""

    plan: Plan | None


@dataclass(frozen=True, slots=True)
class GuardBeat:
    """The guard's beat: echoes the newest tick; `cut` names why it has cut, or is empty."""

    echo_ns: int
    cut: str


@dataclass(frozen=True, slots=True)
class RecorderBeat:
    """The recorder's beat; `healthy` False: it cannot write (full disk)."""

    echo_ns: int
    healthy: bool


@dataclass(frozen=True, slots=True)
class Reset:
    """A reset edge at a station: clears tripped rows whose condition is gone."""

    station: str


@dataclass(frozen=True, slots=True)
class Release:
    """A technician's release of a latched row, with a name."""

    row: str
    by: str


@dataclass(frozen=True, slots=True)
class MarkerDurable:
    """The helper thread confirms that marker record `seq` is on disk (or that it failed)."""

    seq: int
    ok: bool


KernelInput = (
    Sample
    | Beat
    | Stop
    | Gone
    | Lease
    | PlanSet
    | GuardBeat
    | RecorderBeat
    | Reset
    | Release
    | MarkerDurable
)
