"""The four tables: lift transfer, chair transfer, device mode, alarm signal.

Role: the words and edges of every machine of the service; `docs/states.md` is drawn from here.
Process: controller. Must never: hold an edge that keeps a person from being lowered (lowering
asks no machine).
"""

from __future__ import annotations

from enum import StrEnum

from config.plans import MAX_CARERS
from liftctl.controller.flow import Case, Edge, Flow


class Step(StrEnum):
    """Where a transfer stands. The lift's and the chair's share their beginning and end."""

    IDLE = "idle"
    PLANNED = "planned"
    CHECKING = "checking"
    CONSENT = "consent"
    HOOKING = "hooking"
    RAISING = "raising"
    TENSION_PAUSE = "tension_pause"
    MOVING_UP = "moving_up"
    TRAVERSING = "traversing"
    LOWERING = "lowering"
    SLACK = "slack"
    UNHOOKING = "unhooking"
    STANDING_UP = "standing_up"
    STANDING = "standing"
    SITTING_DOWN = "sitting_down"
    OUTCOME = "outcome"
    DONE = "done"


class Trigger(StrEnum):
    """A carer's step or a measured fact of a transfer."""

    # the carer's (Workflow.action)
    BEGIN = "begin"
    CHECKS_OK = "checks_ok"
    CONSENT_YES = "consent_yes"
    CONSENT_NO = "consent_no"
    HOOKED = "hooked"
    LOOPS_OK = "loops_ok"
    UNHOOKED = "unhooked"
    CARER_JOINED = "carer_joined"
    CARER_LEFT = "carer_left"
    HELPER_CALLED = "helper_called"
    PAUSE = "pause"
    RESUME = "resume"
    FINISH = "finish"
    CANCEL = "cancel"
    ACK_ALARM = "ack_alarm"
    CLEANING_ON = "cleaning_on"
    CLEANING_OFF = "cleaning_off"
    PULL_TEST_OK = "pull_test_ok"
    # facts
    RECORDED = "recorded"
    LOAD_TAKEN = "load_taken"
    HELD_FOR_LOOPS = "held_for_loops"
    LOAD_GONE = "load_gone"
    MOVED_UP = "moved_up"
    MOVED_SIDE = "moved_side"
    MOVED_DOWN = "moved_down"
    MOVED_STAND = "moved_stand"
    MOVED_SIT = "moved_sit"
    STOOD_STILL = "stood_still"
    WRITTEN = "written"


ACTIONS = tuple(Trigger)[: tuple(Trigger).index(Trigger.RECORDED)]


class Mode(StrEnum):
    """What the device as a whole is good for."""

    OFFLINE = "offline"
    STARTING = "starting"
    READY = "ready"
    IN_USE = "in_use"
    DEGRADED = "degraded"
    FAULTED = "faulted"
    LOWERING_ONLY = "lowering_only"
    MAINTENANCE = "maintenance"


class Signal(StrEnum):
    """State of an alarm signal (IEC 60601-1-8 words as SDC writes them)."""

    OFF = "off"
    ON = "on"
    LATCH = "latch"  # the condition is gone, nobody has acknowledged
    ACK = "ack"  # the condition stands, acknowledged


def loaded(case: Case) -> bool:
    return case.loaded


def unloaded(case: Case) -> bool:
    return not case.loaded


def enough_carers(case: Case) -> bool:
    return case.carers >= case.carers_needed


def held_by_enough(case: Case) -> bool:
    return case.loaded and enough_carers(case)


def leaves_too_few(case: Case) -> bool:
    """Nobody hangs or stands yet, and who stays may not begin it (H26)."""
    return not case.loaded and 0 < case.carers <= case.carers_needed


def running(case: Case) -> bool:
    return not case.paused


def paused(case: Case) -> bool:
    return case.paused


def carer_free(case: Case) -> bool:
    """The last carer stays while a person hangs or stands."""
    return case.carers > 1 or (case.carers == 1 and not case.loaded)


def room_for_carer(case: Case) -> bool:
    return case.carers < MAX_CARERS


def lasting(case: Case) -> bool:
    return case.lasting


def passing(case: Case) -> bool:
    return not case.lasting


S, T = Step, Trigger


def _common(open_steps: tuple[Step, ...], body: tuple[Step, ...]) -> tuple[Edge, ...]:
    """Carers, pauses and withdrawal (`body`), the end, and the way out while nobody hangs."""
    abandonable = tuple(step for step in open_steps if step is not S.OUTCOME)
    return (
        Edge(T.CONSENT_NO, (S.CONSENT,), S.DONE, unloaded),
        Edge(T.CONSENT_NO, body, None, running),
        Edge(T.PAUSE, body, None, running),
        Edge(T.RESUME, open_steps, None, paused),
        Edge(T.CARER_JOINED, open_steps, None, room_for_carer),
        Edge(T.CARER_LEFT, open_steps, None, carer_free),
        Edge(T.HELPER_CALLED, abandonable, None, room_for_carer),
        Edge(T.FINISH, (S.OUTCOME,), S.DONE, unloaded),
        Edge(T.CANCEL, abandonable, S.DONE, unloaded),
        Edge(T.WRITTEN, (S.DONE,), S.IDLE),
    )


_AIR = (S.MOVING_UP, S.TRAVERSING, S.LOWERING)
_CARRYING = (S.RAISING, S.TENSION_PAUSE, *_AIR)
LANDED = (S.SLACK, S.UNHOOKING)
_BEGINNING = (S.PLANNED, S.CHECKING, S.CONSENT)
_LIFT_OPEN = (*_BEGINNING, S.HOOKING, *_CARRYING, *LANDED, S.OUTCOME)

LIFT = Flow(
    "Lift transfer",
    (S.IDLE, *_LIFT_OPEN, S.DONE),
    (
        Edge(T.BEGIN, (S.IDLE,), S.PLANNED),
        Edge(T.RECORDED, (S.PLANNED,), S.CHECKING, unloaded),
        # Begun over a hanging resident (our predecessor died): the loops are the question.
        Edge(T.RECORDED, (S.PLANNED,), S.TENSION_PAUSE, loaded),
        Edge(T.CHECKS_OK, (S.CHECKING,), S.CONSENT),
        Edge(T.CONSENT_YES, (S.CONSENT,), S.HOOKING),
        Edge(T.HOOKED, (S.HOOKING,), S.RAISING, enough_carers),
        Edge(T.HOOKED, LANDED, S.RAISING, enough_carers),
        Edge(T.LOOPS_OK, (S.TENSION_PAUSE,), S.MOVING_UP, held_by_enough),
        Edge(T.CARER_LEFT, (S.RAISING,), S.HOOKING, leaves_too_few),
        Edge(T.UNHOOKED, LANDED, S.OUTCOME, unloaded),
        Edge(T.LOAD_TAKEN, _CARRYING, None),
        Edge(T.LOAD_TAKEN, LANDED, S.RAISING, enough_carers),
        # Too few carers: the load may only be lowered, until somebody joins and hooks on.
        Edge(T.LOAD_TAKEN, LANDED, None),
        Edge(T.HELD_FOR_LOOPS, (S.RAISING, *_AIR), S.TENSION_PAUSE),
        Edge(T.LOAD_GONE, _CARRYING, S.SLACK),
        Edge(T.LOAD_GONE, LANDED, None),
        Edge(T.MOVED_UP, (S.RAISING,), None),
        Edge(T.MOVED_UP, (S.TRAVERSING, S.LOWERING), S.MOVING_UP),
        Edge(T.MOVED_SIDE, (S.MOVING_UP, S.LOWERING), S.TRAVERSING),
        Edge(T.MOVED_DOWN, (S.MOVING_UP, S.TRAVERSING), S.LOWERING),
        Edge(T.STOOD_STILL, (S.SLACK,), S.UNHOOKING),
        *_common(_LIFT_OPEN, (S.HOOKING, *_CARRYING)),
    ),
)

_UPRIGHT = (S.STANDING_UP, S.STANDING, S.SITTING_DOWN)
_CHAIR_OPEN = (*_BEGINNING, *_UPRIGHT, S.OUTCOME)

CHAIR = Flow(
    "Chair transfer",
    (S.IDLE, *_CHAIR_OPEN, S.DONE),
    (
        Edge(T.BEGIN, (S.IDLE,), S.PLANNED),
        Edge(T.RECORDED, (S.PLANNED,), S.CHECKING, unloaded),
        Edge(T.RECORDED, (S.PLANNED,), S.STANDING, loaded),
        Edge(T.CHECKS_OK, (S.CHECKING,), S.CONSENT),
        # From `outcome`: seated again, stands once more in the same transfer.
        Edge(T.CONSENT_YES, (S.CONSENT, S.OUTCOME), S.STANDING_UP, enough_carers),
        Edge(T.CARER_LEFT, (S.STANDING_UP,), S.CONSENT, leaves_too_few),
        Edge(T.LOAD_TAKEN, _UPRIGHT, None),
        Edge(T.LOAD_GONE, _UPRIGHT, S.OUTCOME),
        Edge(T.MOVED_STAND, (S.STANDING_UP,), None),
        Edge(T.MOVED_STAND, (S.STANDING, S.SITTING_DOWN), S.STANDING_UP),
        Edge(T.MOVED_SIT, (S.STANDING_UP, S.STANDING), S.SITTING_DOWN, loaded),
        Edge(T.STOOD_STILL, (S.STANDING_UP, S.SITTING_DOWN), S.STANDING, loaded),
        *_common(_CHAIR_OPEN, _UPRIGHT),
    ),
)

_LIVE = tuple(mode for mode in Mode if mode is not Mode.OFFLINE)
_BARRED = (Mode.STARTING, Mode.FAULTED, Mode.LOWERING_ONLY, Mode.MAINTENANCE)


def _into(trigger: str, mode: Mode) -> Edge:
    return Edge(trigger, tuple(source for source in _LIVE if source is not mode), mode)


DEVICE = Flow(
    "Device mode",
    Mode,
    (
        Edge("lost", _LIVE, Mode.OFFLINE),
        Edge("seen", (Mode.OFFLINE,), Mode.STARTING),
        _into("quarantine", Mode.MAINTENANCE),
        _into("fault", Mode.FAULTED),
        _into("lower_only", Mode.LOWERING_ONLY),
        Edge("recover", _BARRED, Mode.READY),
        Edge("use", (Mode.READY, Mode.DEGRADED), Mode.IN_USE),
        Edge("free", (Mode.IN_USE,), Mode.READY),
        Edge("degrade", (Mode.READY,), Mode.DEGRADED),
        Edge("restore", (Mode.DEGRADED,), Mode.READY),
    ),
)

ALARM = Flow(
    "Alarm signal",
    Signal,
    (
        Edge("rises", (Signal.OFF, Signal.LATCH), Signal.ON),
        Edge("falls", (Signal.ON,), Signal.LATCH, lasting),
        Edge("falls", (Signal.ON,), Signal.OFF, passing),
        Edge("falls", (Signal.ACK,), Signal.OFF),
        Edge("acknowledge", (Signal.ON,), Signal.ACK),
        Edge("acknowledge", (Signal.LATCH,), Signal.OFF),
    ),
)

FLOWS = (LIFT, CHAIR, DEVICE, ALARM)
