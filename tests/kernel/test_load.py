"""What hangs on the strap: a loop slips, a strap fails, an edge is caught, a cell lies (H4-H9,
H24, H25).
"""

from __future__ import annotations

import pytest

from safety.bounds import Params
from safety.types import Act, Motion, Plan, PlanSet, Reset, SignalId
from tests.kernel.trips import NEVER, aloft, free, lowers, trips_after
from tests.kernel.world import World

S, M, P = SignalId, Motion, Params()
UP_AND_SIDE = M.UP | M.LEFT | M.RIGHT


def reset(world: World) -> None:
    world.extra.append(Reset("panel:1"))
    world.run(60)


# --- a loop slips, a strap fails


@pytest.mark.parametrize(("left_kg", "trips"), [(56.5, False), (55.9, True)])
def test_a_fifth_gone_at_once_is_a_slipped_loop(left_kg: float, trips: bool) -> None:
    world = aloft(70.0)
    world.press(M.UP)
    world.run(600)
    world.values[S.LOAD_KG] = left_kg
    assert (trips_after(world, "load_step", 1000) == P.load_window_ms) is trips
    assert (world.act(M.UP) == Act.QUICK) is trips
    if trips:
        assert world.speed(M.UP) == 0
        assert lowers(world)


def test_the_same_loss_over_half_a_second_is_no_slip() -> None:
    world = aloft(70.0)
    for kg in range(70, 50, -1):
        world.values[S.LOAD_KG] = float(kg)
        world.run(60)
    assert "trip:load_step" not in world.events()


def test_the_window_of_a_sudden_loss_ends() -> None:
    world = aloft(70.0)
    world.values[S.LOAD_KG] = 62.0
    world.run(240)  # longer than the window
    world.values[S.LOAD_KG] = 56.0
    world.run(240)
    assert "trip:load_step" not in world.events()


def test_being_lowered_onto_a_bed_is_no_slipped_loop() -> None:
    world = aloft(70.0)
    world.press(M.DOWN)
    world.run(600)
    world.values[S.LOAD_KG] = 30.0
    world.run(200)
    world.release()
    world.run(600)  # still settling
    world.values[S.LOAD_KG] = 0.0
    world.run(1000)
    assert "trip:load_step" not in world.events()


def test_a_second_after_the_descent_a_loss_counts_again() -> None:
    world = aloft(70.0)
    world.press(M.DOWN)
    world.run(600)
    world.release()
    world.run(1400)
    world.values[S.LOAD_KG] = 50.0
    assert trips_after(world, "load_step", 400) == P.load_window_ms


def test_a_person_half_set_down_may_stir() -> None:
    """Less than eight tenths of the weight hangs: no free hanging person, no slip."""
    world = aloft(70.0)
    world.press(M.DOWN)
    world.run(400)
    world.values[S.LOAD_KG] = 50.0
    world.run(100)
    world.release()
    world.run(2000)
    world.values[S.LOAD_KG] = 35.0
    world.run(400)
    assert "trip:load_step" not in world.events()


def test_unconfirmed_loops_are_held_low_and_may_still_settle() -> None:
    world = aloft(70.0, rise_mm=60.0, confirmed=False)
    world.values[S.LOAD_KG] = 40.0
    world.run(400)
    assert "trip:load_step" not in world.events()


def test_a_slip_stays_until_a_reset_and_sends_the_lift_into_quarantine() -> None:
    world = aloft(70.0)
    world.values[S.LOAD_KG] = 50.0
    world.run(5100)
    assert world.state.latched == {"load_step"}
    world.run(200)  # five seconds later it is still short
    assert world.state.latched == {"load_step", "quarantine"}
    reset(world)
    assert world.state.latched == {"quarantine"}
    assert free(world) == M.DOWN | M.LEFT | M.RIGHT, "the person may be brought over a bed"


def test_a_swing_that_comes_back_is_no_reason_for_quarantine() -> None:
    world = aloft(70.0)
    world.values[S.LOAD_KG] = 50.0
    world.run(280)
    world.values[S.LOAD_KG] = 70.0
    world.run(1000)
    assert world.state.latched == {"load_step"}
    reset(world)
    assert not world.state.latched
    assert free(world) & M.UP


@pytest.mark.parametrize(("tight", "latched"), [(0.0, "load_gone"), (1.0, "load_step")])
def test_strap_and_load_together_say_that_the_strap_failed(tight: float, latched: str) -> None:
    """One sensor alone never takes lowering away."""
    world = aloft(70.0)
    world.values |= {S.LOAD_KG: 0.0, S.STRAP_TIGHT: tight}
    world.run(300)
    assert latched in world.state.latched
    assert ("load_gone" in world.state.latched) is (tight == 0.0)
    assert (world.act(M.DOWN) == Act.ISOLATE) is (tight == 0.0)


def test_an_unknown_load_or_strap_never_says_that_the_strap_failed() -> None:
    for gone in ({S.LOAD_KG: None, S.STRAP_TIGHT: 0.0}, {S.LOAD_KG: 0.0, S.STRAP_TIGHT: None}):
        world = aloft(70.0)
        world.values |= gone
        world.run(600)
        assert "load_gone" not in world.state.latched


def test_three_quarters_gone_with_a_slack_strap_is_a_slip_not_a_failure() -> None:
    world = aloft(70.0)
    world.values |= {S.LOAD_KG: 16.0, S.STRAP_TIGHT: 0.0}
    world.run(300)
    assert world.state.latched == {"load_step"}


# --- uneven straps, caught edges, slack


@pytest.mark.parametrize(("left", "right", "trips"), [(43.7, 26.3, False), (43.8, 26.2, True)])
def test_uneven_straps(left: float, right: float, trips: bool) -> None:
    world = aloft(70.0)
    world.by_hand = {S.LOAD_LEFT_KG, S.LOAD_RIGHT_KG}
    world.values |= {S.LOAD_LEFT_KG: left, S.LOAD_RIGHT_KG: right}
    assert trips_after(world, "asymmetry", 1000) == (200 if trips else NEVER)
    assert free(world) & (M.UP | M.DOWN) == (M.DOWN if trips else M.UP | M.DOWN)


def test_uneven_straps_of_an_empty_sling_say_nothing() -> None:
    world = World().ready()
    world.by_hand = {S.LOAD_LEFT_KG, S.LOAD_RIGHT_KG}
    world.values |= {S.LOAD_LEFT_KG: 3.0, S.LOAD_RIGHT_KG: 0.0}
    assert trips_after(world, "asymmetry", 1000) == NEVER
    world.values |= {S.LOAD_LEFT_KG: None}
    assert trips_after(world, "asymmetry?", 1000) == NEVER


@pytest.mark.parametrize("gone", [S.LOAD_LEFT_KG, S.LOAD_RIGHT_KG])
def test_a_strap_that_is_not_weighed_stops_the_raise(gone: SignalId) -> None:
    world = aloft(70.0)
    world.values[gone] = None
    world.run(400)
    assert "asymmetry?" in world.state.active
    assert free(world) == M.DOWN


@pytest.mark.parametrize(("load_kg", "more_kg", "trips"), [
    (70.0, 17.0, False), (70.0, 18.0, True), (30.0, 9.9, False), (30.0, 10.5, True),
])  # fmt: skip
def test_a_load_that_jumps_up_while_raising_is_a_caught_edge(
    load_kg: float, more_kg: float, trips: bool
) -> None:
    world = aloft(load_kg)
    world.press(M.UP)
    world.run(800)
    world.values[S.LOAD_KG] = load_kg + more_kg
    assert (trips_after(world, "load_rise", 100) == 0) is trips
    assert (world.speed(M.UP) == 0) is trips
    assert lowers(world)


def test_a_load_that_jumps_up_at_rest_or_going_down_is_no_caught_edge() -> None:
    world = aloft(70.0)
    world.values[S.LOAD_KG] = 100.0
    assert trips_after(world, "load_rise", 400) == NEVER
    world.press(M.DOWN)
    world.run(400)
    world.values[S.LOAD_KG] = 150.0
    assert trips_after(world, "load_rise", 400) == NEVER


def test_a_raise_without_a_load_signal_says_nothing_of_edges() -> None:
    world = aloft(70.0)
    world.press(M.UP)
    world.run(400)
    world.values[S.LOAD_KG] = None
    world.run(160)  # the signal goes stale while the axis still ramps
    assert "load_rise" not in world.state.active
    assert "trip:load_rise" not in world.events()


def test_raising_on_with_a_slack_strap_ends_after_a_hand_width() -> None:
    world = World().ready()
    world.values[S.STRAP_TIGHT] = 0.0
    world.press(M.UP)
    start = float(world.values[S.HOIST_POS] or 0)
    assert trips_after(world, "slack_rise", 4000) != NEVER
    rose = float(world.values[S.HOIST_POS] or 0) - start
    assert P.slack_rise_mm < rose < P.slack_rise_mm + 3
    assert world.speed(M.UP) == 0
    world.release()
    world.values[S.STRAP_TIGHT] = 1.0
    world.run(100)
    assert "slack_rise" not in world.state.active
    world.values[S.STRAP_TIGHT] = 0.0
    world.run(100)
    assert "slack_rise" not in world.state.active, "the hand's width starts anew"


def test_a_bar_that_sinks_while_slack_may_rise_from_there() -> None:
    world = World().ready()
    world.values[S.STRAP_TIGHT] = 0.0
    world.run(60)
    world.values[S.HOIST_POS] = 1000.0
    world.run(60)
    world.values[S.HOIST_POS] = 1000.0 + P.slack_rise_mm
    world.run(60)
    assert "slack_rise" not in world.state.active
    world.values[S.HOIST_POS] = 1001.0 + P.slack_rise_mm
    world.run(60)
    assert "slack_rise" in world.state.active


def test_slack_without_a_height_is_unknown() -> None:
    world = World().ready()
    world.values |= {S.STRAP_TIGHT: 0.0, S.HOIST_POS: None}
    world.run(400)
    assert "slack_rise?" in world.state.active
    world.values[S.STRAP_TIGHT] = None
    world.run(400)
    assert "slack_rise?" in world.state.active


# --- limits, drift, and the load cell against the motor


@pytest.mark.parametrize(("params", "plan", "limit"), [
    (Params(), None, 200.0),
    (Params(rail_swl_kg=150), None, 150.0),
    (Params(spreader_swl_kg=140), None, 140.0),
    (Params(), Plan(120, 2, True, resident_ok=True, sling_ok=True), 120.0),
    (Params(), Plan(400, 2, True, sling_kg=110, resident_ok=True, sling_ok=True), 110.0),
    (Params(swl_kg=100), Plan(400, 2, True, resident_ok=True, sling_ok=True), 100.0),
])  # fmt: skip
def test_the_least_of_all_limits_counts(params: Params, plan: Plan | None, limit: float) -> None:
    world = World(params=params).ready()
    world.extra.append(PlanSet(plan))
    world.values[S.LOAD_KG] = limit - 0.5
    world.run(400)
    assert "overload_warn" not in world.state.active
    world.values[S.LOAD_KG] = limit + 0.5
    world.run(60)
    assert "overload_warn" in world.state.active
    assert free(world) & M.UP
    world.values[S.LOAD_KG] = limit * 1.1 + 0.5
    assert trips_after(world, "overload", 1000) == P.overload_filter_ms
    assert free(world) == M.DOWN


def test_a_plan_in_mid_transfer_may_narrow_the_sling_never_widen_it() -> None:
    world = World().ready()
    world.extra.append(PlanSet(Plan(180, 2, True, 150.0, resident_ok=True, sling_ok=True)))
    world.run(60)
    world.values[S.LOAD_KG] = 140.0
    world.run(400)
    for sling, over in ((190.0, False), (120.0, True)):
        world.extra.append(PlanSet(Plan(180, 2, True, sling, resident_ok=True, sling_ok=True)))
        world.run(60)
        assert ("overload_warn" in world.state.active) is over


@pytest.mark.parametrize(("kg", "trips"), [(4.9, False), (5.1, True), (-5.1, True), (-4.9, False)])
def test_an_empty_sling_that_weighs_something_has_drifted(kg: float, trips: bool) -> None:
    world = World().ready()
    world.values[S.LOAD_KG] = kg
    assert trips_after(world, "load_drift", 8000) == (5000 if trips else NEVER)
    assert free(world) & M.UP, "it only warns"


def test_a_drifted_cell_costs_a_tenth_of_the_limit() -> None:
    world = World().ready()
    world.values[S.LOAD_KG] = 8.0
    world.run(5400)
    assert "load_drift" in world.state.active
    plan = Plan(200, 2, True, resident_kg=70, resident_ok=True, sling_ok=True)
    world = aloft(182.0)
    assert "overload_warn" not in world.state.active
    world.extra.append(PlanSet(plan))  # on record: 70 kg
    world.run(5400)
    assert {"load_drift", "overload_warn"} <= set(world.state.active)


@pytest.mark.parametrize(("known", "trips"), [(0.0, False), (64.0, False), (63.0, True),
                                              (78.5, True), (77.5, False)])  # fmt: skip
def test_a_weight_unlike_the_one_on_record_is_told(known: float, trips: bool) -> None:
    world = aloft(70.0)
    plan = Plan(200, 2, True, resident_kg=known, resident_ok=True, sling_ok=True)
    world.extra.append(PlanSet(plan))
    assert (trips_after(world, "load_drift", 8000) == 5000) is trips


def test_a_cell_that_repeats_itself_in_motion_is_frozen() -> None:
    world = aloft(70.0, rise_mm=100.0)
    world.by_hand = {S.LOAD_KG}  # no noise any more
    assert trips_after(world, "load_frozen", 4000) == NEVER, "at rest that is no proof"
    world.press(M.UP)
    assert 2000 <= trips_after(world, "load_frozen", 4000) <= 2100
    assert world.speed(M.UP) == 0 or world.cmd(M.UP) != "move"
    assert free(world) == M.DOWN
    assert lowers(world)
    assert "load_frozen" in world.state.latched


def test_a_cell_with_its_noise_is_not_frozen() -> None:
    world = aloft(70.0, rise_mm=100.0)
    world.press(M.UP)
    assert trips_after(world, "load_frozen", 6000) == NEVER


@pytest.mark.parametrize(("kg_by_motor", "trips"), [(115.0, False), (116.0, True), (24.0, True),
                                                    (25.0, False)])  # fmt: skip
def test_motor_current_and_load_cell_tell_of_one_load(kg_by_motor: float, trips: bool) -> None:
    world = aloft(70.0)
    world.by_hand = {S.HOIST_CURRENT}
    world.values[S.HOIST_CURRENT] = 6 + 0.55 * kg_by_motor
    assert trips_after(world, "load_disputed", 1000) == NEVER, "at rest there is no current"
    world.press(M.UP)
    waited = trips_after(world, "load_disputed", 2000)
    assert (waited != NEVER) is trips
    if trips:
        assert 500 + P.overload_filter_ms <= waited < 1400
        assert free(world) == M.DOWN
        assert world.state.latched == {"load_disputed"}
        assert lowers(world)


def test_a_motor_current_that_is_not_measured_is_unknown_not_disputed() -> None:
    world = aloft(70.0)
    world.press(M.UP)
    world.run(1200)
    world.values[S.HOIST_CURRENT] = None
    world.run(400)
    assert "load_disputed" not in world.state.active


# --- where it hangs


def test_a_person_just_off_the_bed_travels_slowly() -> None:
    world = aloft(70.0, rise_mm=149.0)
    assert world.act(M.LEFT) == Act.SLOW
    world.press(M.LEFT)
    world.run(1000)
    assert world.speed(M.LEFT) == -P.traverse_docking_mm_s
    world = aloft(70.0, rise_mm=150.0)
    assert world.act(M.LEFT) < Act.SLOW
    world = World().ready()
    assert world.act(M.LEFT) < Act.SLOW, "nobody hangs"


FENCES = [
    (Params(hoist_top_mm=1500), S.HOIST_POS, 1500.0, 1501.0, "height_fence", M.UP),
    (Params(rail_min_mm=100), S.TRAVERSE_POS, 100.0, 99.0, "fence_left", M.LEFT),
    (Params(rail_max_mm=900), S.TRAVERSE_POS, 900.0, 901.0, "fence_right", M.RIGHT),
    (Params(joint_from_mm=500, joint_to_mm=600), S.TRAVERSE_POS, 499.0, 500.0, "over_joint", M.UP),
    (Params(joint_from_mm=500, joint_to_mm=600), S.TRAVERSE_POS, 601.0, 600.0, "over_joint", M.UP),
]


@pytest.mark.parametrize(("params", "signal", "inside", "outside", "row", "held"), FENCES)
def test_a_fence_holds_one_direction(
    params: Params, signal: SignalId, inside: float, outside: float, row: str, held: Motion
) -> None:
    world = World(params=params).ready()
    world.values[signal] = inside
    world.run(1600)
    assert row not in world.state.active
    world.values[signal] = outside
    world.run(1600)
    assert row in world.state.active
    assert free(world) == (M.UP | M.DOWN | M.LEFT | M.RIGHT) & ~held
    world.values[signal] = None
    world.run(400)
    assert f"{row}?" in world.state.active
    assert not free(world) & held


def test_a_rail_without_joints_asks_for_no_position() -> None:
    world = World().ready()
    world.values[S.TRAVERSE_POS] = None
    world.run(400)
    assert "over_joint?" not in world.state.active


def test_one_false_zero_in_mid_air_is_no_set_down() -> None:
    world = aloft(70.0)
    pickup = world.state.people.pickup
    world.values[S.LOAD_KG] = 0.0
    world.step()
    world.values[S.LOAD_KG] = 70.0
    world.run(400)
    assert world.state.people.pickup == pickup
    assert world.state.people.confirmed, "the loops need not be confirmed again near the ceiling"


def test_a_bounce_after_a_hard_stop_is_no_slip() -> None:
    """A brake that falls in at full speed lets a light person swing by a third (the simulated
    room: 40 kg, 0.64 to 1.09 of the weight), and nobody has lost a loop.
    """
    world = aloft(70.0)
    for kg in (76.0, 45.0, 75.0, 50.0, 73.0, 60.0, 70.0):
        world.values[S.LOAD_KG] = kg
        world.run(60)
    assert "trip:load_step" not in world.events()
