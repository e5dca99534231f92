"""The interlock table: every hazard software can see, as rows of data (design rule 7).

Role: which fact forbids which motions, how hard, and what ends it. Everything else (reasons on the
panel, documents, tests) is made from these rows. Must never: hold logic; a row names a fact,
`facts.py` computes it.
"""

from __future__ import annotations

from dataclasses import dataclass

from safety.types import (
    ALL_MOTIONS,
    HOISTING,
    LOWERING,
    NEED_MARKER,
    NEED_PERMISSION,
    STANDING,
    TRAVERSE,
    Act,
    Clear,
    Motion,
    Priority,
)

LIFT = frozenset({"lift"})
CHAIR = frozenset({"chair"})
BOTH = LIFT | CHAIR


@dataclass(frozen=True, slots=True)
class Reaction:
    """One rung of the ladder for a set of motions."""

    act: Act
    motions: Motion


Reactions = tuple[Reaction, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One interlock; `id` also names its fact. `when_true` / `when_unknown`: what it does."""

    id: str
    hazard: str
    when_true: Reactions
    when_unknown: Reactions
    clear: Clear = Clear.AUTO
    priority: Priority = Priority.LOW
    kinds: frozenset[str] = BOTH


def _r(act: Act, motions: Motion) -> Reaction:
    return Reaction(act, motions)


M = Motion
NOTHING: Reactions = ()
WARN = (_r(Act.WARN, ALL_MOTIONS),)
# Rule 5: what an unknown signal does. Lowering stays, slowly, on a fresh press.
LOWER_SLOWLY = (_r(Act.HOLD, NEED_PERMISSION), _r(Act.SLOW, LOWERING))
HOLD_ALL = (_r(Act.HOLD, ALL_MOTIONS),)
QUICK_ALL = (_r(Act.QUICK, ALL_MOTIONS),)
ISOLATE_ALL = (_r(Act.ISOLATE, ALL_MOTIONS),)
STOP_RISE = (_r(Act.HOLD, M.UP | TRAVERSE),)
STOP_STAND = (_r(Act.HOLD, M.STAND),)
STAND_SLOWLY = (_r(Act.HOLD, M.STAND | M.DRIVE), _r(Act.SLOW, M.SIT))
HIGH, MEDIUM, LOW = Priority.HIGH, Priority.MEDIUM, Priority.LOW

_COMMON = (
    Row(id="estop", hazard="H19", when_true=ISOLATE_ALL, when_unknown=LOWER_SLOWLY,
        clear=Clear.RESET, priority=HIGH),
    Row(id="estop_discrepancy", hazard="H20", when_true=ISOLATE_ALL,
        when_unknown=NOTHING, clear=Clear.SERVICE, priority=HIGH),
    Row(id="lag_warn", hazard="H33", when_true=WARN, when_unknown=WARN),
    Row(id="lag_stop", hazard="H33", when_true=QUICK_ALL, when_unknown=QUICK_ALL,
        priority=MEDIUM),
    Row(id="evidence_lost", hazard="H2", when_true=HOLD_ALL,
        when_unknown=HOLD_ALL, priority=MEDIUM),
    Row(id="key_held", hazard="H3", when_true=WARN, when_unknown=WARN),
    Row(id="permission_lost", hazard="H2", when_true=LOWER_SLOWLY,
        when_unknown=LOWER_SLOWLY, priority=MEDIUM),
    Row(id="guard_lost", hazard="H1", when_true=LOWER_SLOWLY,
        when_unknown=LOWER_SLOWLY, priority=MEDIUM),
    Row(id="guard_cut", hazard="H1", when_true=LOWER_SLOWLY,
        when_unknown=LOWER_SLOWLY, priority=HIGH),
    Row(id="recorder_lost", hazard="H37", when_true=(_r(Act.HOLD, NEED_MARKER),),
        when_unknown=(_r(Act.HOLD, NEED_MARKER),), priority=MEDIUM),
    Row(id="boot_faulted", hazard="H3", when_true=LOWER_SLOWLY,
        when_unknown=LOWER_SLOWLY),
    Row(id="config_fallback", hazard="H34", when_true=LOWER_SLOWLY,
        when_unknown=LOWER_SLOWLY, priority=MEDIUM),
    Row(id="one_carer", hazard="H26", when_true=(_r(Act.HOLD, NEED_MARKER),),
        when_unknown=(_r(Act.HOLD, NEED_MARKER),), priority=MEDIUM),
    Row(id="battery_reserve", hazard="H14",
        when_true=(_r(Act.HOLD, NEED_MARKER),), when_unknown=(_r(Act.HOLD, NEED_MARKER),),
        priority=MEDIUM),
    Row(id="battery_critical", hazard="H16",
        when_true=(_r(Act.HOLD, NEED_PERMISSION),), when_unknown=LOWER_SLOWLY, priority=HIGH),
)  # fmt: skip

_LIFT = (
    Row(id="upper_limit", hazard="H10", when_true=(_r(Act.QUICK, M.UP),),
        when_unknown=LOWER_SLOWLY, kinds=LIFT),
    Row(id="lower_limit", hazard="H8", when_true=(_r(Act.QUICK, M.DOWN),),
        when_unknown=LOWER_SLOWLY, kinds=LIFT),
    Row(id="lower_limit_disputed", hazard="H24",
        when_true=LOWER_SLOWLY, when_unknown=NOTHING, kinds=LIFT, priority=MEDIUM),
    Row(id="slack", hazard="H8",
        when_true=(_r(Act.QUICK, M.DOWN), _r(Act.HOLD, TRAVERSE)),
        when_unknown=LOWER_SLOWLY, kinds=LIFT, priority=MEDIUM),
    Row(id="slack_disputed", hazard="H24", when_true=LOWER_SLOWLY,
        when_unknown=NOTHING, kinds=LIFT, priority=MEDIUM),
    Row(id="blind", hazard="H24", when_true=HOLD_ALL, when_unknown=HOLD_ALL, kinds=LIFT,
        priority=HIGH),
    Row(id="rail_left", hazard="H11", when_true=(_r(Act.QUICK, M.LEFT),),
        when_unknown=LOWER_SLOWLY, kinds=LIFT),
    Row(id="rail_right", hazard="H11", when_true=(_r(Act.QUICK, M.RIGHT),),
        when_unknown=LOWER_SLOWLY, kinds=LIFT),
    Row(id="overload_warn", hazard="H4", when_true=WARN, when_unknown=NOTHING,
        kinds=LIFT),
    Row(id="overload", hazard="H4", when_true=STOP_RISE, when_unknown=NOTHING,
        kinds=LIFT, priority=MEDIUM),
    Row(id="overload_hard", hazard="H4",
        when_true=(_r(Act.QUICK, M.UP | TRAVERSE),), when_unknown=LOWER_SLOWLY, kinds=LIFT,
        priority=HIGH),
    Row(id="loops_unconfirmed", hazard="H5", when_true=(_r(Act.HOLD, TRAVERSE),),
        when_unknown=(_r(Act.HOLD, TRAVERSE),), kinds=LIFT),
    Row(id="tension_pause", hazard="H5", when_true=STOP_RISE,
        when_unknown=STOP_RISE, kinds=LIFT),
)  # fmt: skip

_CHAIR = (
    Row(id="brakes", hazard="H28", when_true=STOP_STAND, when_unknown=STAND_SLOWLY,
        kinds=CHAIR, priority=MEDIUM),
    Row(id="knee_block", hazard="H29", when_true=STOP_STAND, when_unknown=STAND_SLOWLY,
        kinds=CHAIR, priority=HIGH),
    Row(id="knee_discrepancy", hazard="H29", when_true=STAND_SLOWLY,
        when_unknown=STAND_SLOWLY, kinds=CHAIR, priority=MEDIUM),
    Row(id="chest_belt", hazard="H29", when_true=STOP_STAND, when_unknown=STAND_SLOWLY,
        kinds=CHAIR, priority=HIGH),
    Row(id="belt_discrepancy", hazard="H29", when_true=STAND_SLOWLY,
        when_unknown=STAND_SLOWLY, kinds=CHAIR, priority=MEDIUM),
    Row(id="feet", hazard="H30", when_true=STOP_STAND, when_unknown=STAND_SLOWLY,
        kinds=CHAIR, priority=HIGH),
    Row(id="pitch", hazard="H28", when_true=(_r(Act.HOLD, M.STAND),),
        when_unknown=STAND_SLOWLY, kinds=CHAIR, priority=MEDIUM),
    Row(id="charger", hazard="H17", when_true=(_r(Act.HOLD, M.STAND | M.DRIVE),),
        when_unknown=STAND_SLOWLY, kinds=CHAIR),
    Row(id="stood", hazard="H32", when_true=(_r(Act.HOLD, M.DRIVE),),
        when_unknown=(_r(Act.HOLD, M.DRIVE),), kinds=CHAIR),
    Row(id="drive_fault", hazard="H23", when_true=(_r(Act.HOLD, M.DRIVE),),
        when_unknown=(_r(Act.HOLD, M.DRIVE | M.STAND),), kinds=CHAIR),
    Row(id="drive_unverified", hazard="H33",
        when_true=(_r(Act.HOLD, M.DRIVE | M.STAND),),
        when_unknown=(_r(Act.HOLD, M.DRIVE | M.STAND),), kinds=CHAIR),
    Row(id="drive_moving", hazard="H32", when_true=STOP_STAND,
        when_unknown=STOP_STAND, kinds=CHAIR, priority=MEDIUM),
)  # fmt: skip


def _axis_rows(
    axis: str, motions: Motion, others: Motion, kinds: frozenset[str]
) -> tuple[Row, ...]:
    """The rows every driven axis has. `others`: what stops too (lowering: slows) when it cannot be
    trusted.

    A runaway traverse isolates itself, not the hoist: the person can still be lowered (rule 4).
    """

    own, lower = (_r(Act.HOLD, motions | others),), motions & LOWERING
    beside = HOISTING if motions == TRAVERSE else others
    degraded = (_r(Act.HOLD, (motions | others) & ~lower), _r(Act.SLOW, lower))
    cut = (
        _r(Act.ISOLATE, motions),
        _r(Act.HOLD, beside & ~LOWERING),
        _r(Act.SLOW, beside & LOWERING),
    )
    danger = {"clear": Clear.SERVICE, "priority": HIGH, "when_true": cut}
    specs: tuple[tuple[str, str, dict[str, object]], ...] = (
        ("fault", "H23", {"when_true": own, "when_unknown": degraded, "priority": MEDIUM}),
        ("unverified", "H23", {"when_true": own, "when_unknown": own, "priority": MEDIUM}),
        ("feedback", "H24", {"when_true": degraded, "when_unknown": degraded, "priority": MEDIUM}),
        ("lost", "H23", {"when_true": own, "when_unknown": own, "priority": HIGH}),
        ("runaway", "H1", {**danger, "when_unknown": NOTHING}),
        ("overspeed", "H7", {**danger, "when_unknown": NOTHING}),
        ("wrong_way", "H1", {**danger, "when_unknown": NOTHING}),
        ("no_effect", "H6", {"when_true": own, "when_unknown": NOTHING, "priority": MEDIUM}),
    )
    return tuple(
        Row(id=f"{axis}_{name}", hazard=hazard, kinds=kinds, **more)  # type: ignore[arg-type]
        for name, hazard, more in specs
    )


_AXES = (
    *_axis_rows("hoist", HOISTING, TRAVERSE, LIFT),
    *_axis_rows("traverse", TRAVERSE, M.NONE, LIFT),
    *_axis_rows("stand", STANDING, M.DRIVE, CHAIR),
)

# Rows whose mask comes from the lease: a motion the controller did not name.
NOT_PERMITTED = "not_permitted"

ROWS: dict[str, Row] = {row.id: row for row in (*_COMMON, *_LIFT, *_CHAIR, *_AXES)}
FOR_KIND = {kind: tuple(row for row in ROWS.values() if kind in row.kinds) for kind in sorted(BOTH)}
