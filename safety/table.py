"""The interlock table: every hazard software can see, as rows of data (design rule 7).

Role: which fact forbids which motions, how hard, and what ends it. Everything else (reasons on the
panel, documents, tests) is made from these rows. Must never: hold logic; a row names a fact,
`facts.py` and `motion_facts.py` compute it.
"""

from __future__ import annotations

from dataclasses import dataclass

from safety import chair_facts as c
from safety import facts as f
from safety import load_facts as w
from safety.facts import Compute
from safety.motion_facts import AXES, ESTOP, of_axis
from safety.types import (
    ALL_MOTIONS,
    HOISTING,
    LOWERING,
    NEED_MARKER,
    NEED_PERMISSION,
    TRAVERSE,
    Act,
    Clear,
    Motion,
    Priority,
    SignalId,
)  # fmt: skip

LIFT = frozenset({"lift"})
CHAIR = frozenset({"chair"})
BOTH = LIFT | CHAIR


@dataclass(frozen=True, slots=True)
class Reaction:
    """One rung of the ladder for a set of motions."""

    act: Act
    motions: Motion


Reactions = tuple[Reaction, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One interlock. `when_true` / `when_unknown`: what it does. `needs`: it exists only where
    these signals are fitted.
    """

    id: str
    hazard: str
    fact: Compute
    when_true: Reactions
    when_unknown: Reactions
    priority: Priority = Priority.LOW
    clear: Clear = Clear.AUTO
    kinds: frozenset[str] = BOTH
    needs: frozenset[SignalId] = frozenset()


def _r(*pairs: tuple[Act, Motion]) -> Reactions:
    return tuple(Reaction(act, motions) for act, motions in pairs)


M, S = Motion, SignalId
HIGH, MEDIUM = Priority.HIGH, Priority.MEDIUM
AUTO, RESET, SERVICE = Clear.AUTO, Clear.RESET, Clear.SERVICE
WARN, SLOW, HOLD, QUICK, ISOLATE = Act.WARN, Act.SLOW, Act.HOLD, Act.QUICK, Act.ISOLATE
NOTHING: Reactions = ()
WARNING = _r((WARN, ALL_MOTIONS))
# Rule 5: what an unknown signal does. Lowering stays, slowly, on a fresh press.
LOWER_SLOWLY = _r((HOLD, NEED_PERMISSION), (SLOW, LOWERING))
STAND_SLOWLY = _r((HOLD, M.STAND | M.DRIVE), (SLOW, M.SIT))
HOLD_ALL, QUICK_ALL = _r((HOLD, ALL_MOTIONS)), _r((QUICK, ALL_MOTIONS))
ISOLATE_ALL = _r((ISOLATE, ALL_MOTIONS))
NO_NEW = _r((HOLD, NEED_MARKER))  # neither UP nor STAND
LOWER_ONLY = _r((HOLD, NEED_PERMISSION))
NO_RISE, NO_TRAVERSE = _r((HOLD, M.UP | TRAVERSE)), _r((HOLD, TRAVERSE))
NO_UP, NO_STAND = _r((HOLD, M.UP)), _r((HOLD, M.STAND))
WARN_DRIVE = _r((WARN, M.DRIVE))
NO_DRIVE, NO_CHAIR = _r((HOLD, M.DRIVE)), _r((HOLD, M.STAND | M.DRIVE))
QUICK_RISE, SLOW_TRAVERSE = _r((QUICK, M.UP | TRAVERSE)), _r((SLOW, TRAVERSE))


def _needs(*signals: SignalId) -> frozenset[SignalId]:
    return frozenset(signals)


GATES = (S.RAIL_GATE_A, S.RAIL_GATE_B)
KNEES, BELTS = (S.KNEE_A, S.KNEE_B), (S.BELT_A, S.BELT_B)
BUSES, EDGES = _needs(S.BUS_OK), _needs(S.PINCH_FREE)
VOLTS, RELAY, STRAPS = _needs(S.BATTERY_V), _needs(S.RUN_ENABLE), (S.LOAD_LEFT_KG, S.LOAD_RIGHT_KG)
sag, deep = (f.below(S.BATTERY_V, f"battery_{x}_v", "battery_v_ms") for x in ("sag", "deep"))
dead = f.below(S.BATTERY_V, "battery_dead_v")
pinched = _r((QUICK, LOWERING | TRAVERSE))
slack = _r((QUICK, M.DOWN), (HOLD, TRAVERSE))
strap_failed = _r((ISOLATE, HOISTING), (HOLD, TRAVERSE))

# fmt: off
_COMMON = (
    # id, hazard, fact, when true, when unknown, priority, clear, kinds, needs
    Row("estop", "H19", ESTOP, ISOLATE_ALL, LOWER_SLOWLY, HIGH, RESET),
    Row("estop_discrepancy", "H20", f.pair_differs(S.ESTOP_A, S.ESTOP_B, "estop_discrepancy_ms"),
        ISOLATE_ALL, NOTHING, HIGH, SERVICE),
    Row("lag_warn", "H33", f.lag("lag_warn_ms"), WARNING, WARNING),
    Row("lag_stop", "H33", f.lag("lag_stop_ms"), QUICK_ALL, QUICK_ALL, MEDIUM),
    Row("evidence_lost", "H2", lambda s: s.authority.evidence_lost, HOLD_ALL, HOLD_ALL, MEDIUM),
    Row("permission_lost", "H2", f.permission_lost, LOWER_SLOWLY, LOWER_SLOWLY, MEDIUM),
    Row("key_held", "H3", lambda s: s.authority.key_held, WARNING, WARNING),
    Row("boot_faulted", "H3", lambda s: not s.ready, LOWER_SLOWLY, LOWER_SLOWLY),
    Row("cleaning", "H3", f.for_new(f.locked("cleaning")), HOLD_ALL, NOTHING),
    Row("press_long", "H21", lambda s: s.authority.press_long, HOLD_ALL, HOLD_ALL, MEDIUM),
    Row("hand_fault", "H21", f.off(S.HAND_OK), WARNING, NOTHING, needs=_needs(S.HAND_OK)),
    Row("guard_lost", "H1", f.guard_lost, LOWER_SLOWLY, LOWER_SLOWLY, MEDIUM),
    Row("guard_cut", "H1", f.guard_cut, LOWER_SLOWLY, LOWER_SLOWLY, HIGH),
    Row("relay_welded", "H1", f.relay_welded, LOWER_SLOWLY, NOTHING, HIGH, SERVICE, needs=RELAY),
    Row("recorder_lost", "H37", f.recorder_lost, NO_NEW, NO_NEW, MEDIUM),
    Row("quarantine", "H37", f.quarantine, NO_NEW, NOTHING, MEDIUM, SERVICE),
    Row("overdue", "H36", f.for_new(f.locked("overdue")), NO_NEW, NO_NEW),
    Row("paused", "H27", f.locked("paused"), LOWER_ONLY, NOTHING),
    Row("config_fallback", "H34", lambda s: s.fallback, LOWER_SLOWLY, LOWER_SLOWLY, MEDIUM),
    Row("one_carer", "H26", f.plan_says(lambda p: p.carers < 2 and not p.one_carer_allowed), NO_NEW,
        NO_NEW, MEDIUM),
    Row("wrong_resident", "H26", f.plan_says(lambda p: not p.resident_ok), NO_NEW, NO_NEW, MEDIUM),
    Row("wrong_sling", "H26", f.plan_says(lambda p: not p.sling_ok), NO_NEW, NO_NEW, MEDIUM),
    Row("battery_reserve", "H14", f.for_new(f.below(S.BATTERY_PCT, "battery_reserve_pct")), NO_NEW,
        NO_NEW, MEDIUM),
    Row("battery_sag", "H14", f.for_new(sag), NO_NEW, NO_NEW, MEDIUM, needs=VOLTS),
    Row("battery_critical", "H16", f.below(S.BATTERY_PCT, "battery_critical_pct"), LOWER_ONLY,
        LOWER_SLOWLY, HIGH),
    Row("deep_discharge", "H16", deep, LOWER_ONLY, LOWER_SLOWLY, HIGH, needs=VOLTS),
    Row("power_lost", "H15", dead, LOWER_SLOWLY, LOWER_SLOWLY, HIGH, needs=VOLTS),
    Row("duty", "H18", f.duty, NO_NEW, NO_NEW),
    Row("temperature", "H18", f.for_new(f.above(S.MOTOR_TEMP, "motor_temp_c")), NO_NEW, NO_NEW,
        needs=_needs(S.MOTOR_TEMP)),
    Row("bus_off", "H23", f.off(S.BUS_OK), LOWER_SLOWLY, LOWER_SLOWLY, HIGH, needs=BUSES),
    Row("boot_deadline", "H23", f.boot_deadline, LOWER_SLOWLY, LOWER_SLOWLY, MEDIUM),
    Row("pinch", "H9", f.off(S.PINCH_FREE), pinched, LOWER_SLOWLY, HIGH, needs=EDGES),
)

_LIFT = (
    Row("upper_limit", "H10", f.off(S.UPPER_FREE), _r((QUICK, M.UP)), LOWER_SLOWLY, kinds=LIFT),
    Row("height_fence", "H10", f.above(S.HOIST_POS, "hoist_top_mm"), NO_UP, NO_UP, kinds=LIFT),
    Row("lower_limit", "H8", w.agrees(S.LOWER_FREE, True), _r((QUICK, M.DOWN)), LOWER_SLOWLY,
        kinds=LIFT),
    Row("lower_limit_disputed", "H24", w.agrees(S.LOWER_FREE, False), LOWER_SLOWLY, NOTHING, MEDIUM,
        kinds=LIFT),
    Row("slack", "H8", w.agrees(S.STRAP_TIGHT, True), slack, LOWER_SLOWLY, MEDIUM, kinds=LIFT),
    Row("slack_disputed", "H24", w.agrees(S.STRAP_TIGHT, False), LOWER_SLOWLY, NOTHING, MEDIUM,
        kinds=LIFT),
    Row("slack_rise", "H8", w.slack_rise, NO_UP, NO_UP, MEDIUM, kinds=LIFT),
    Row("blind", "H24", w.blind, HOLD_ALL, HOLD_ALL, HIGH, kinds=LIFT),
    Row("rail_left", "H11", f.off(S.RAIL_LEFT_FREE), _r((QUICK, M.LEFT)), LOWER_SLOWLY, kinds=LIFT),
    Row("rail_right", "H11", f.off(S.RAIL_RIGHT_FREE), _r((QUICK, M.RIGHT)), LOWER_SLOWLY,
        kinds=LIFT),
    Row("fence_left", "H11", f.below(S.TRAVERSE_POS, "rail_min_mm"), _r((HOLD, M.LEFT)),
        NO_TRAVERSE, kinds=LIFT),
    Row("fence_right", "H11", f.above(S.TRAVERSE_POS, "rail_max_mm"), _r((HOLD, M.RIGHT)),
        NO_TRAVERSE, kinds=LIFT),
    Row("rail_gate", "H11", f.pair_open(*GATES), NO_TRAVERSE, LOWER_SLOWLY, MEDIUM, AUTO, LIFT,
        _needs(*GATES)),
    Row("rail_gate_discrepancy", "H11", f.pair_differs(*GATES, "rail_gate_ms"), NO_TRAVERSE,
        NO_TRAVERSE, MEDIUM, RESET, LIFT, _needs(*GATES)),
    Row("over_joint", "H11", w.over_joint, NO_UP, NO_UP, kinds=LIFT),
    Row("person_low", "H12", w.person_low, SLOW_TRAVERSE, SLOW_TRAVERSE, kinds=LIFT),
    Row("motor_latch", "H13", f.off(S.MOTOR_LATCHED), NO_RISE, LOWER_SLOWLY, HIGH, AUTO, LIFT,
        _needs(S.MOTOR_LATCHED)),
    Row("relocated", "H13", f.locked("relocated"), NO_UP, NO_UP, MEDIUM, kinds=LIFT),
    Row("charger_up", "H17", f.charger_up, NO_UP, NOTHING, kinds=LIFT),
    Row("overload_warn", "H4", w.over_limit(), WARNING, NOTHING, kinds=LIFT),
    Row("overload", "H4", w.over_limit("overload_stop_ratio", "overload_filter_ms"), NO_RISE,
        NOTHING, MEDIUM, kinds=LIFT),
    Row("overload_hard", "H4", w.over_limit("overload_hard_ratio"), QUICK_RISE, LOWER_SLOWLY, HIGH,
        kinds=LIFT),
    Row("load_drift", "H25", w.load_drift, WARNING, NOTHING, kinds=LIFT),
    Row("load_vanished", "H24", lambda s: s.people.vanished, LOWER_SLOWLY, NOTHING, HIGH, RESET,
        LIFT),
    Row("load_frozen", "H24", w.load_frozen, LOWER_SLOWLY, NOTHING, MEDIUM, RESET, LIFT),
    Row("load_disputed", "H24", w.load_disputed, LOWER_SLOWLY, NOTHING, MEDIUM, RESET, LIFT,
        _needs(S.HOIST_CURRENT)),
    Row("loops_unconfirmed", "H5", lambda s: s.people.aloft and not s.people.confirmed, NO_TRAVERSE,
        NO_TRAVERSE, kinds=LIFT),
    Row("tension_pause", "H5", w.tension_pause, NO_RISE, NO_RISE, kinds=LIFT),
    Row("asymmetry", "H5", w.asymmetry, NO_RISE, LOWER_SLOWLY, HIGH, AUTO, LIFT, _needs(*STRAPS)),
    Row("load_step", "H5", w.load_step, QUICK_RISE, NOTHING, HIGH, RESET, LIFT),
    Row("load_gone", "H6", w.load_gone, strap_failed, NOTHING, HIGH, SERVICE, LIFT),
    Row("load_rise", "H9", w.load_rise, _r((QUICK, M.UP)), NOTHING, HIGH, kinds=LIFT),
)

_CHAIR = (
    Row("brakes", "H28", f.off(S.BRAKES_ON), NO_STAND, STAND_SLOWLY, MEDIUM, kinds=CHAIR),
    Row("pitch", "H28", c.pitch, NO_STAND, STAND_SLOWLY, MEDIUM, kinds=CHAIR),
    Row("knee_block", "H29", f.pair_open(*KNEES), NO_STAND, STAND_SLOWLY, HIGH, kinds=CHAIR),
    Row("knee_discrepancy", "H29", f.pair_differs(*KNEES, "pair_discrepancy_ms"), STAND_SLOWLY,
        STAND_SLOWLY, MEDIUM, kinds=CHAIR),
    Row("chest_belt", "H29", f.pair_open(*BELTS), NO_STAND, STAND_SLOWLY, HIGH, kinds=CHAIR),
    Row("belt_discrepancy", "H29", f.pair_differs(*BELTS, "pair_discrepancy_ms"), STAND_SLOWLY,
        STAND_SLOWLY, MEDIUM, kinds=CHAIR),
    Row("feet", "H30", f.below(S.FEET_KG, "feet_kg"), NO_STAND, STAND_SLOWLY, HIGH, kinds=CHAIR),
    Row("castor_lock", "H31", c.castor_lock, NO_STAND, STAND_SLOWLY, HIGH, AUTO, CHAIR,
        _needs(S.CASTORS_LOCKED)),
    Row("charger", "H17", f.off(S.CHARGER_ABSENT), NO_CHAIR, STAND_SLOWLY, kinds=CHAIR),
    Row("current_stuck", "H24", c.current_stuck, STAND_SLOWLY, NOTHING, MEDIUM, AUTO, CHAIR,
        _needs(S.STAND_CURRENT)),
    Row("sit_obstructed", "H9", c.sit_obstructed, _r((QUICK, M.SIT)), NOTHING, HIGH, AUTO, CHAIR,
        _needs(S.STAND_CURRENT)),
    Row("stand_vanished", "H24", lambda s: s.people.vanished, STAND_SLOWLY, NOTHING, HIGH, RESET,
        CHAIR),
    Row("drive_waits", "H3", lambda s: s.drive_waits, WARN_DRIVE, NOTHING, kinds=CHAIR),
    Row("stood", "H32", c.stood, NO_DRIVE, NO_DRIVE, kinds=CHAIR),
    Row("drive_moving", "H32", c.drive_moving, NO_STAND, NO_STAND, MEDIUM, kinds=CHAIR),
    Row("drive_fault", "H23", f.on(S.DRIVE_FAULT), NO_DRIVE, NO_CHAIR, kinds=CHAIR),
    Row("drive_unverified", "H33", f.off(S.DRIVE_VERIFIED), NO_CHAIR, NO_CHAIR, kinds=CHAIR),
)
# fmt: on


def _axis_rows(name: str, others: Motion, kinds: frozenset[str]) -> tuple[Row, ...]:
    """The rows every driven axis has. `others`: what stops too (lowering: slows) when it cannot be
    trusted.

    A runaway traverse isolates itself, not the hoist: the person can still be lowered (rule 4).
    """
    motions, fact = AXES[name].motions, of_axis(name)
    own, lower = _r((HOLD, motions | others)), motions & LOWERING
    beside = HOISTING if motions == TRAVERSE else others
    degraded = _r((HOLD, (motions | others) & ~lower), (SLOW, lower))
    cut = _r((ISOLATE, motions), (HOLD, beside & ~LOWERING), (SLOW, beside & LOWERING))
    specs: tuple[tuple[str, str, Reactions, Reactions, Priority, Clear], ...] = (
        ("fault", "H23", own, degraded, MEDIUM, AUTO),
        ("unverified", "H23", own, own, MEDIUM, AUTO),
        ("lost", "H23", own, own, HIGH, AUTO),
        ("feedback", "H24", degraded, degraded, MEDIUM, AUTO),
        ("disputed", "H24", degraded, NOTHING, MEDIUM, RESET),
        ("runaway", "H1", cut, NOTHING, HIGH, SERVICE),
        ("overspeed", "H7", cut, NOTHING, HIGH, SERVICE),
        ("wrong_way", "H1", cut, NOTHING, HIGH, SERVICE),
        ("no_effect", "H6", own, NOTHING, MEDIUM, AUTO),
    )
    return tuple(
        Row(f"{name}_{what}", hazard, fact[what], yes, unknown, priority, clear, kinds)
        for what, hazard, yes, unknown, priority, clear in specs
    )


_AXES = (
    *_axis_rows("hoist", TRAVERSE, LIFT),
    *_axis_rows("traverse", M.NONE, LIFT),
    *_axis_rows("stand", M.DRIVE, CHAIR),
)

# What the controller's lease may name as a lock (set by a person, or by the calendar).
LOCKS = frozenset({"cleaning", "overdue", "paused", "relocated"})
# The row whose mask comes from the lease: a motion the controller did not name.
NOT_PERMITTED = "not_permitted"

ROWS: dict[str, Row] = {row.id: row for row in (*_COMMON, *_LIFT, *_CHAIR, *_AXES)}
FOR_KIND = {kind: tuple(row for row in ROWS.values() if kind in row.kinds) for kind in sorted(BOTH)}
