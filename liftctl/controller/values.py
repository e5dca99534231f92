"""The controller's values: configuration, state, a transfer, what goes in and what comes out.

Role: frozen values only. Process: controller. Must never: hold a badge id, a name or a wall-clock
time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from config.plans import Register
from config.schema import Site
from liftctl.controller.flows import Mode, Signal, Step
from liftctl.ipc import (
    ControllerState,
    GateState,
    NewPlan,
    Permission,
    RecorderState,
    Refused,
    TransferClosed,
    TransferOpened,
    TransferPhase,
    Upkeep,
    Workflow,
    Written,
)
from liftctl.records import Helper, PlanPart, SlingPart, Stay

GATE_SILENT_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Config:
    """What the controller knows of its site. `priority_of`: row -> alarm priority or ""."""

    site: Site
    priority_of: Callable[[str], str]
    service_rows: frozenset[str] = frozenset()


# --- inputs --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Today:
    """The date entitlements are held against, ISO (the shell's clock)."""

    date: str


@dataclass(frozen=True, slots=True)
class Link:
    """A connection to "gate" or "recorder" came up or went down."""

    name: str
    up: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """A carer's step from `channel`. `fresh_id` names the transfer should this begin one."""

    channel: int
    workflow: Workflow
    fresh_id: str


Input = Today | Register | Link | Asked | GateState | RecorderState | Written


# --- state ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Alarm:
    """One alarm condition with its signal."""

    row: str
    priority: str
    signal: Signal


@dataclass(frozen=True, slots=True)
class Plan:
    """What was agreed before the first motion; frozen."""

    kind: str
    resident: str
    limit_kg: float
    carers: int
    carers_needed: int
    one_carer_allowed: bool
    badge_verified: bool
    follows: str
    sling_kg: float = 1000.0
    resident_kg: float = 0.0
    resident_ok: bool = True
    sling_ok: bool = True
    mobility_class: str = ""
    assessment: PlanPart = field(default_factory=PlanPart)
    sling: SlingPart | None = None
    barred: tuple[str, ...] = ()  # why its sling may begin no transfer

    @property
    def strays(self) -> tuple[str, ...]:
        """In what the transfer is out of plan before it has begun."""
        said = (("resident", self.resident_ok), ("sling", self.sling_ok))
        return tuple(name for name, fits in said if not fits) + self.barred


@dataclass(frozen=True, slots=True)
class Papers:
    """What the panel says of residents and slings; reckoned once a day and once a register."""

    residents: tuple[tuple[str, str, int], ...] = ()
    notices: dict[str, tuple[str, ...]] = field(default_factory=dict)
    slings: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Transfer:
    """A transfer, until its record is durable. Times in the entries are s from `begun_ns`."""

    id: str
    plan: Plan
    begun_ns: int
    step: Step = Step.PLANNED
    opened: bool = False
    carrying: bool = False
    paused: bool = False
    confirmed_pickup: int = 0
    pickup_height_mm: float | None = None
    height_mm: float | None = None
    along_mm: float | None = None
    raised_mm: float = 0.0
    traversed_mm: float = 0.0
    peak_load_kg: float | None = None
    zero_kg: float | None = None
    raw_kg: float | None = None
    asymmetry_pct: float | None = None
    peak_speed_mm_s: float | None = None
    battery_start_pct: float | None = None
    battery_end_pct: float | None = None
    presences: tuple[Stay, ...] = ()
    phases: tuple[tuple[str, float], ...] = ()
    blocks: tuple[dict[str, Any], ...] = ()
    alarms: tuple[dict[str, Any], ...] = ()
    pauses: tuple[dict[str, Any], ...] = ()
    consent: str = ""
    outcome: str = ""
    reason: str = ""
    out_of_plan_why: tuple[str, ...] = ()
    helper: Helper = field(default_factory=Helper)
    start_trigger: str = ""
    training: bool = False
    note: str = ""
    config_hash: str = ""
    version: str = ""

    @property
    def carers_now(self) -> int:
        return sum(item.left_s is None for item in self.presences)

    def at_s(self, now_ns: int) -> float:
        """Seconds since the transfer began."""
        return round((now_ns - self.begun_ns) / 1e9, 3)


@dataclass(frozen=True, slots=True)
class State:
    """Everything `turn` remembers. `orphan`: someone hangs or stands, no transfer is open."""

    mode: Mode = Mode.OFFLINE
    gate: GateState | None = None
    gate_seen_ns: int = 0
    booting_ns: int = 0  # since when the gate has been starting; 0: it is not
    recorder_up: bool = False
    today: str = ""
    records: str = ""  # what the recorder warns of
    upkeep: tuple[Upkeep, ...] = ()  # as the ledger has it
    register: Register = field(default_factory=Register)
    papers: Papers | None = None  # None: to be reckoned
    transfer: Transfer | None = None
    orphan: bool = False
    follows: str = ""
    alarms: tuple[Alarm, ...] = ()
    permission: Permission | None = None
    last_record: dict[str, Any] | None = None
    locks: frozenset[str] = frozenset()  # set by a person: cleaning, relocated


# --- outputs -------------------------------------------------------------------------------------

ToGate = Permission | NewPlan
ToRecorder = TransferOpened | TransferPhase | TransferClosed


@dataclass(slots=True)
class Outputs:
    """What the shell sends, each list in order."""

    gate: list[ToGate] = field(default_factory=list)
    recorder: list[ToRecorder] = field(default_factory=list)
    panels: list[ControllerState] = field(default_factory=list)
    replies: list[tuple[int, Refused]] = field(default_factory=list)
