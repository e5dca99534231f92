"""From a disturbed signal to the rows and the motions that remain, in the whole kernel."""

from __future__ import annotations

from math import inf, nan

import pytest

from safety.bounds import Params
from safety.signals import SPECS, Reading, Spec, accept, quality
from safety.types import Act, Motion, Quality, Sample, SignalId
from tests.kernel.world import World

S, M = SignalId, Motion

# (kind, changes, row that must be active, motions that must be held, motions that must remain)
TABLE = [
    ("lift", {S.ESTOP_A: 0.0}, "estop", M.UP | M.DOWN | M.LEFT | M.RIGHT, M.NONE),
    ("lift", {S.ESTOP_B: 0.0}, "estop", M.UP | M.DOWN | M.LEFT | M.RIGHT, M.NONE),
    ("lift", {S.UPPER_FREE: 0.0}, "upper_limit", M.UP, M.DOWN | M.LEFT | M.RIGHT),
    ("lift", {S.LOWER_FREE: 0.0}, "lower_limit", M.DOWN, M.UP | M.LEFT | M.RIGHT),
    ("lift", {S.LOWER_FREE: 0.0, S.LOAD_KG: 70.0}, "lower_limit_disputed", M.UP, M.DOWN),
    ("lift", {S.STRAP_TIGHT: 0.0}, "slack", M.DOWN | M.LEFT | M.RIGHT, M.UP),
    ("lift", {S.STRAP_TIGHT: 0.0, S.LOAD_KG: 70.0}, "slack_disputed", M.UP, M.DOWN),
    ("lift", {S.STRAP_TIGHT: None}, "slack?", M.UP | M.LEFT | M.RIGHT, M.DOWN),
    ("lift", {S.STRAP_TIGHT: None, S.LOAD_KG: None}, "blind", M.UP | M.DOWN, M.NONE),
    ("lift", {S.RAIL_LEFT_FREE: 0.0}, "rail_left", M.LEFT, M.UP | M.DOWN | M.RIGHT),
    ("lift", {S.RAIL_RIGHT_FREE: 0.0}, "rail_right", M.RIGHT, M.UP | M.DOWN | M.LEFT),
    ("lift", {S.LOAD_KG: 230.0}, "overload", M.UP | M.LEFT | M.RIGHT, M.DOWN),
    ("lift", {S.LOAD_KG: 260.0}, "overload_hard", M.UP | M.LEFT | M.RIGHT, M.DOWN),
    ("lift", {S.LOAD_KG: None}, "overload_hard?", M.UP | M.LEFT | M.RIGHT, M.DOWN),
    ("lift", {S.BATTERY_PCT: 15.0}, "battery_reserve", M.UP, M.DOWN | M.LEFT),
    ("lift", {S.BATTERY_PCT: 5.0}, "battery_critical", M.UP | M.LEFT, M.DOWN),
    ("lift", {S.HOIST_FAULT: 1.0}, "hoist_fault", M.UP | M.DOWN | M.LEFT, M.NONE),
    ("lift", {S.TRAVERSE_FAULT: 1.0}, "traverse_fault", M.LEFT | M.RIGHT, M.UP | M.DOWN),
    ("lift", {S.HOIST_VERIFIED: 0.0}, "hoist_unverified", M.UP | M.DOWN, M.NONE),
    ("lift", {S.HOIST_SPEED: None}, "hoist_feedback", M.UP | M.LEFT, M.DOWN),
    ("lift", {S.HOIST_SPEED: None, S.HOIST_POS: None}, "hoist_lost", M.UP | M.DOWN, M.NONE),
    ("chair", {S.KNEE_A: 0.0}, "knee_block", M.STAND, M.SIT),
    ("chair", {S.BELT_B: 0.0}, "chest_belt", M.STAND, M.SIT),
    ("chair", {S.BRAKES_ON: 0.0}, "brakes", M.STAND, M.SIT),
    ("chair", {S.FEET_KG: 2.0}, "feet", M.STAND, M.SIT),
    ("chair", {S.PITCH_DEG: 4.0}, "pitch", M.STAND, M.SIT),
    ("chair", {S.ROLL_DEG: -4.0}, "pitch", M.STAND, M.SIT),
    ("chair", {S.CHARGER_ABSENT: 0.0}, "charger", M.STAND | M.DRIVE, M.SIT),
    ("chair", {S.STAND_POS: 60.0}, "stood", M.DRIVE, M.SIT | M.STAND),
    ("chair", {S.BATTERY_PCT: 15.0}, "battery_reserve", M.STAND, M.SIT),
    ("chair", {S.STAND_FAULT: 1.0}, "stand_fault", M.STAND | M.SIT, M.NONE),
    ("chair", {S.FEET_KG: None}, "feet?", M.STAND | M.DRIVE, M.SIT),
    ("chair", {S.DRIVE_SPEED: 20.0}, "drive_moving", M.STAND, M.SIT),
]


@pytest.mark.parametrize(
    ("kind", "changes", "row", "held", "remains"),
    TABLE,
    ids=[f"{t[2]}-{n}" for n, t in enumerate(TABLE)],
)
def test_disturbed_signal(
    kind: str, changes: dict[SignalId, float | None], row: str, held: Motion, remains: Motion
) -> None:
    world = World(kind=kind).ready()
    world.confirmed = 1  # the loops of this pick-up are confirmed: no tension pause in the way
    world.values |= changes
    verdict = world.run(1400)
    assert row in verdict.active
    for motion in held:
        assert world.act(motion) >= Act.HOLD, motion
    for motion in remains:
        assert world.act(motion) <= Act.SLOW, motion


def test_aloft_has_hysteresis_and_survives_an_unknown_load() -> None:
    world = World().ready()
    for load, aloft in ((14.0, False), (16.0, True), (12.0, True), (9.0, False), (12.0, False)):
        world.values[S.LOAD_KG] = load
        world.run(240)  # a whole window says so: one false zero in mid-air is no set-down
        assert world.state.people.aloft is aloft, load
    world.values[S.LOAD_KG] = 70.0
    world.step()
    world.values[S.LOAD_KG] = None
    world.run(2000)
    assert world.state.people.aloft


def test_plan_can_only_narrow() -> None:
    from safety.types import Plan, PlanSet

    world = World().ready()
    world.confirmed = 1
    world.values[S.LOAD_KG] = 160.0
    for limit in (140.0, 400.0):  # the second comes in mid-transfer
        world.extra.append(PlanSet(Plan(limit, 1, True)))
        world.run(400)
        assert world.act(Motion.UP) >= Act.HOLD
    world.extra.append(PlanSet(None))
    world.run(100)
    assert world.act(Motion.UP) >= Act.HOLD, "a plan does not end in mid-transfer"
    world.set_down()
    world.run(100)
    wide = Plan(400.0, 1, True, resident_ok=True, sling_ok=True)
    world.extra.append(PlanSet(wide))
    world.values[S.LOAD_KG] = 160.0
    world.run(400)
    assert world.act(Motion.UP) < Act.HOLD


def test_overload_is_filtered_but_the_hard_one_is_not() -> None:
    world = World().ready()
    world.values[S.LOAD_KG] = 225.0
    world.run(160)
    assert "overload" not in world.state.active
    world.run(100)
    assert "overload" in world.state.active
    world = World().ready()
    world.values[S.LOAD_KG] = 251.0
    world.step()
    assert "overload_hard" in world.state.active


def test_samples_of_another_kind_are_ignored() -> None:
    world = World().ready()
    world.extra.append(Sample(S.KNEE_A, 0.0, world.now_ns))
    world.step()
    assert S.KNEE_A not in world.state.readings


@pytest.mark.parametrize(
    ("reading", "expected"),
    [
        (None, Quality.MISSING),
        (Reading(70.0, 10**9 + 1, True), Quality.FUTURE),
        (Reading(70.0, 10**9 + 1, False), Quality.FUTURE),
        (Reading(70.0, 10**9, False), Quality.CORRUPT),
        (Reading(70.0, 0, True), Quality.STALE),
        (Reading(70.0, 10**9, True), Quality.FRESH),
    ],
)
def test_why_a_reading_may_not_be_used_is_told(reading: Reading | None, expected: Quality) -> None:
    assert quality(reading, SPECS["lift"][S.LOAD_KG], 10**9, Params()) is expected


@pytest.mark.parametrize(("value", "source_ok", "kept"), [
    (-5.0, True, Reading(-5.0, 7, True)), (9.0, True, Reading(9.0, 7, True)),
    (9.0, False, Reading(9.0, 7, False)),
    (-5.1, True, Reading(0.0, 7, False)), (9.1, True, Reading(0.0, 7, False)),
    (nan, True, Reading(0.0, 7, False)), (inf, True, Reading(0.0, 7, False)),
    (-inf, True, Reading(0.0, 7, False)),
])  # fmt: skip
def test_what_cannot_be_is_kept_as_nothing(value: float, source_ok: bool, kept: Reading) -> None:
    """0 is what the slow zone takes for the ground."""
    assert accept(Spec("io_ms", -5.0, 9.0), value, 7, source_ok) == kept
