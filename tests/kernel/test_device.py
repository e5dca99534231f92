"""The device and whoever looks after it: power, duty, buses, relay, hand control, locks, the plan,
and the chair's own dangers (H1, H3, H9, H13-H18, H21, H23, H24, H26, H27, H31, H36, H37).
"""

from __future__ import annotations

import pytest

from safety.bounds import Params
from safety.signals import KNOWN
from safety.types import (
    ALL_MOTIONS,
    Act,
    GuardBeat,
    Lease,
    Motion,
    Plan,
    PlanSet,
    Release,
    Reset,
    SignalId,
)
from tests.kernel.trips import NEVER, aloft, free, lowers, standing, trips_after
from tests.kernel.world import World

S, M, P = SignalId, Motion, Params()
LIFT = M.UP | M.DOWN | M.LEFT | M.RIGHT
CHAIR = M.STAND | M.SIT | M.DRIVE


def carried(kind: str) -> World:
    return aloft() if kind == "lift" else standing()


def lowering(kind: str) -> Motion:
    return M.DOWN if kind == "lift" else M.SIT


def held(kind: str) -> Motion:
    """What needs a marker: the raise that begins a transfer."""
    return M.UP if kind == "lift" else M.STAND


# --- what is refused before it begins is finished once it has begun

NEW_ONLY = [
    ({S.BATTERY_V: 21.4}, {S.BATTERY_V: 21.5}, "battery_sag", P.battery_v_ms),
    ({S.BATTERY_PCT: 19.9}, {S.BATTERY_PCT: 20.0}, "battery_reserve", 0),
    ({S.MOTOR_TEMP: 80.1}, {S.MOTOR_TEMP: 80.0}, "temperature", 0),
]


@pytest.mark.parametrize("kind", ["lift", "chair"])
@pytest.mark.parametrize(("bad", "good", "row", "after_ms"), NEW_ONLY)
def test_a_new_lift_is_refused_a_begun_one_is_finished(
    kind: str,
    bad: dict[SignalId, float],
    good: dict[SignalId, float],
    row: str,
    after_ms: float,
) -> None:
    world = World(kind=kind).ready()
    world.values |= good
    assert trips_after(world, row, 2000) == NEVER
    world.values |= bad
    assert trips_after(world, row, 2000) == after_ms
    assert free(world) == (LIFT if kind == "lift" else CHAIR) & ~held(kind)
    world = carried(kind)
    world.values |= bad
    assert trips_after(world, row, 2000) == NEVER
    assert free(world) & held(kind)


VOLTS = [
    (20.5, 20.4, "deep_discharge", P.battery_v_ms),
    (12.0, 11.9, "power_lost", 0),
]


@pytest.mark.parametrize("kind", ["lift", "chair"])
@pytest.mark.parametrize(("good", "bad", "row", "after_ms"), VOLTS)
def test_without_power_only_lowering_remains(
    kind: str, good: float, bad: float, row: str, after_ms: float
) -> None:
    world = carried(kind)
    world.values[S.BATTERY_V] = good
    assert trips_after(world, row, 2000) == NEVER
    world.values[S.BATTERY_V] = bad
    assert trips_after(world, row, 2000) == after_ms
    assert free(world) == lowering(kind)
    assert lowers(world)


def test_a_lift_on_charge_may_rise_unless_its_maker_says_no() -> None:
    for flag, up in ((0.0, M.UP), (1.0, M.NONE)):
        world = World(params=Params(charger_stops_up=flag)).ready()
        world.values[S.CHARGER_ABSENT] = 0.0
        world.run(400)
        assert free(world) & M.UP == up
        assert ("charger_up" in world.state.active) is (flag == 1.0)
        assert free(world) & M.DOWN
    world = World(params=Params(charger_stops_up=1.0)).ready()
    assert "charger_up" not in world.state.active


@pytest.mark.no_cover  # long
def test_the_motor_rests_after_its_duty() -> None:
    """Ten percent: after 30 s of raising, half of it has gone two and a quarter minutes later."""
    world = World(params=Params(duty_s=30, duty_ratio=0.10)).ready()
    world.values[S.HOIST_POS] = -400.0
    world.press(M.UP)
    waited = trips_after(world, "duty", 40000)
    assert 29900 <= waited <= 30100
    world.run(60)
    assert world.speed(M.UP) < 80
    world.release()
    world.run(1000)
    assert free(world) == LIFT & ~M.UP
    assert lowers(world)
    world.release()
    world.run(130000)
    assert "duty" in world.state.active
    world.run(6000)
    assert free(world) == LIFT
    world.values[S.HOIST_POS] = -400.0
    world.press(M.UP)
    assert 14000 < trips_after(world, "duty", 40000) < 16500, "half rested, half the time"


def test_lowering_and_travel_cost_no_duty_and_someone_aloft_goes_on() -> None:
    world = World(params=Params(duty_s=30)).ready()
    for motion in (M.LEFT, M.RIGHT, M.LEFT, M.RIGHT):
        world.press(motion)
        world.run(10000)
        world.release()
        world.run(1500)
    assert "trip:duty" not in world.events()
    world = aloft(rise_mm=100.0)
    world.state = world.state.__class__(
        **{**{f: getattr(world.state, f) for f in world.state.__slots__},
           "kept": {**world.state.kept, "heat_ns": 10**12}}
    )  # fmt: skip
    world.run(100)
    assert free(world) & M.UP


# --- buses, nodes, relay


def test_a_broken_bus_leaves_slow_lowering() -> None:
    world = aloft()
    world.values[S.BUS_OK] = 0.0
    world.step()
    assert "bus_off" in world.state.active
    assert free(world) == M.DOWN
    assert world.act(M.DOWN) == Act.SLOW


@pytest.mark.parametrize("kind", ["lift", "chair"])
def test_a_node_that_never_came_is_told_after_the_boot_deadline(kind: str) -> None:
    for signal in KNOWN[kind]:
        world = World(kind=kind, params=Params(boot_ms=2000))
        world.values[signal] = None
        world.by_hand = {signal}
        assert trips_after(world, "boot_deadline", 4000) == 2000, signal
        assert not world.state.ready
        assert not free(world) & held(kind)


def test_what_is_not_fitted_is_not_awaited() -> None:
    from dataclasses import replace

    for fitted in (frozenset[SignalId](), frozenset({S.BATTERY_V, S.RUN_ENABLE})):
        world = World()
        world.config = replace(world.config, fitted=fitted)
        for signal in (S.PINCH_FREE, S.MOTOR_TEMP, S.RAIL_GATE_A, S.LOAD_LEFT_KG, S.BUS_OK):
            world.values[signal] = None
        world.run(11000)
        assert world.state.ready
        assert not {"boot_deadline", "pinch?", "temperature?"} & set(world.state.active)
    world.values[S.BATTERY_V] = None
    world.run(2000)
    assert "power_lost?" in world.state.active


def test_a_relay_that_stays_closed_after_a_cut_is_welded() -> None:
    world = aloft()
    world.guard = False

    def cut() -> None:
        world.extra.append(GuardBeat(world.now_ns, "no_evidence"))

    for n in range(40):
        cut()
        world.step()
        assert ("relay_welded" in world.state.active) is (n * 20 >= P.guard_ms + P.io_ms), n
    assert free(world) == M.DOWN
    assert world.state.latched == {"relay_welded", "quarantine"}


def test_a_relay_that_opens_after_a_cut_is_whole() -> None:
    world = aloft()
    world.guard = False
    world.values[S.RUN_ENABLE] = 0.0
    for _ in range(40):
        world.extra.append(GuardBeat(world.now_ns, "no_evidence"))
        world.step()
    assert "relay_welded" not in world.state.latched


def test_a_relay_that_opens_without_a_word_is_a_cut() -> None:
    world = aloft()
    world.values[S.RUN_ENABLE] = 0.0
    assert trips_after(world, "guard_cut", 1000) == 100
    assert free(world) == M.DOWN


# --- hand control and long presses


def test_a_key_that_never_lets_go_ends() -> None:
    world = World(params=Params(press_max_ms=30000)).ready()
    world.values[S.HOIST_POS] = 3000.0
    world.press(M.DOWN)
    world.run(29980)
    assert world.speed(M.DOWN) < 0
    world.run(60)
    assert "trip:press_long" in world.events()
    assert "stop:press_long" in world.events()
    world.run(600)
    assert world.speed(M.DOWN) == 0
    assert lowers(world)


def test_two_keys_of_the_hand_control_are_told() -> None:
    world = World().ready()
    world.values[S.HAND_OK] = 0.0
    world.run(60)
    assert "hand_fault" in world.state.active
    assert free(world) == LIFT


# --- locks and the plan

LOCKED = [
    ("cleaning", "lift", M.NONE, M.NONE),
    ("cleaning", "chair", M.NONE, M.NONE),
    ("overdue", "lift", LIFT & ~M.UP, M.NONE),
    ("overdue", "chair", CHAIR & ~M.STAND, M.NONE),
    ("relocated", "lift", LIFT & ~M.UP, LIFT & ~M.UP),
    ("paused", "lift", M.DOWN, M.DOWN),
    ("paused", "chair", M.SIT, M.SIT),
]


@pytest.mark.parametrize(("lock", "kind", "empty", "with_someone"), LOCKED)
def test_a_lock_holds_what_it_says(
    lock: str, kind: str, empty: Motion, with_someone: Motion
) -> None:
    world = World(kind=kind).ready()
    world.locks = frozenset({lock})
    world.run(60)
    assert lock in world.state.active
    assert free(world) == empty
    world.locks = frozenset()
    world.run(1400)
    assert free(world) == (LIFT if kind == "lift" else CHAIR)
    world = carried(kind)
    before = free(world)
    world.locks = frozenset({lock})
    world.run(60)
    assert free(world) == (with_someone or before), "what began is finished"


def test_without_a_controller_no_lock_strands_anybody() -> None:
    world = aloft()
    world.controller = False
    world.extra.append(Lease(world.now_ns, ALL_MOTIONS, 1, True, 0, frozenset({"cleaning"})))
    world.run(400)
    assert lowers(world)


@pytest.mark.parametrize("kind", ["lift", "chair"])
@pytest.mark.parametrize(
    ("plan", "row"),
    [
        (Plan(100, 1, False, resident_ok=True, sling_ok=True), "one_carer"),
        (Plan(100, 1, True, resident_ok=False, sling_ok=True), "wrong_resident"),
        (Plan(100, 1, True, resident_ok=True, sling_ok=False), "wrong_sling"),
    ],
)
def test_a_plan_that_does_not_fit_refuses_the_raise(kind: str, plan: Plan, row: str) -> None:
    world = World(kind=kind).ready()
    world.extra.append(PlanSet(plan))
    world.run(60)
    assert row in world.state.active
    assert free(world) == (LIFT if kind == "lift" else CHAIR) & ~held(kind)
    world.extra.append(PlanSet(Plan(100, 2, False, resident_ok=True, sling_ok=True)))
    world.run(60)
    assert not {"one_carer", "wrong_resident", "wrong_sling"} & set(world.state.active)


# --- edges, castors, sitting down


@pytest.mark.parametrize("kind", ["lift", "chair"])
def test_a_touched_edge_blocks_all_but_the_way_up(kind: str) -> None:
    world = carried(kind)
    world.press(lowering(kind))
    world.run(400)
    world.values[S.PINCH_FREE] = 0.0
    world.step()
    assert world.cmd(lowering(kind)) == "quick"
    world.run(60)
    assert free(world) & ~M.DRIVE == held(kind)
    world.values[S.PINCH_FREE] = 1.0
    world.run(200)
    assert lowers(world)


def test_castors_that_do_not_lock_end_the_stand() -> None:
    world = World(kind="chair").ready()
    world.values[S.CASTORS_LOCKED] = 0.0
    assert trips_after(world, "castor_lock", 4000) == NEVER, "before a stand they may roll"
    world.press(M.STAND)
    waited = trips_after(world, "castor_lock", 4000)
    assert P.castor_ms <= waited <= P.castor_ms + 100
    assert not free(world) & M.STAND
    assert lowers(world)


def test_castors_that_lock_in_time_do_not() -> None:
    world = World(kind="chair").ready()
    world.values[S.CASTORS_LOCKED] = 0.0
    world.press(M.STAND)
    world.run(1000)
    world.values[S.CASTORS_LOCKED] = 1.0
    assert trips_after(world, "castor_lock", 4000) == NEVER


def test_something_under_the_seat_stops_the_sitting_down_for_a_moment() -> None:
    world = standing(200.0)
    world.values[S.STAND_CURRENT] = 30.0
    assert trips_after(world, "sit_obstructed", 600) == NEVER, "not sitting down"
    world.press(M.SIT)
    waited = trips_after(world, "sit_obstructed", 1000)
    assert P.sit_current_ms <= waited <= P.sit_current_ms + 60
    assert world.cmd(M.SIT) == "quick"
    world.values[S.STAND_CURRENT] = 3.0
    world.run(200)
    assert free(world) & M.SIT
    assert lowers(world)


@pytest.mark.parametrize("current", [12.0, None])
def test_an_ordinary_or_unknown_current_lets_sit(current: float | None) -> None:
    world = standing(200.0)
    world.values[S.STAND_CURRENT] = current
    world.press(M.SIT)
    assert trips_after(world, "sit_obstructed", 2000) == NEVER
    assert world.speed(M.SIT) < 0


# --- rail gates


@pytest.mark.parametrize("contact", [S.RAIL_GATE_A, S.RAIL_GATE_B])
def test_an_open_rail_gate_holds_the_traverse(contact: SignalId) -> None:
    world = aloft()
    world.values[contact] = 0.0
    world.run(180)
    assert "rail_gate" in world.state.active
    assert "rail_gate_discrepancy" not in world.state.active
    assert free(world) == M.UP | M.DOWN
    world.run(80)
    assert world.state.latched == {"rail_gate_discrepancy"}, "the other contact says closed"
    world.values[contact] = 1.0
    world.run(1400)
    assert free(world) == M.UP | M.DOWN
    world.extra.append(Reset("panel:1"))
    world.run(60)
    assert free(world) == LIFT


def test_a_motor_that_is_not_latched_to_its_trolley_does_not_lift() -> None:
    world = aloft()
    world.values[S.MOTOR_LATCHED] = 0.0
    world.run(60)
    assert free(world) == M.DOWN


# --- position against speed

AXES = [
    ("lift", M.UP, S.HOIST_SPEED, S.HOIST_POS, "hoist_disputed", 80, M.DOWN),
    ("lift", M.RIGHT, S.TRAVERSE_SPEED, S.TRAVERSE_POS, "traverse_disputed", 150, M.UP | M.DOWN),
    ("chair", M.STAND, S.STAND_SPEED, S.STAND_POS, "stand_disputed", 15, M.SIT),
]


@pytest.mark.parametrize(("kind", "motion", "speed", "position", "row", "full", "left"), AXES)
def test_an_encoder_that_stands_still_while_the_motor_runs(
    kind: str,
    motion: Motion,
    speed: SignalId,
    position: SignalId,
    row: str,
    full: float,
    left: Motion,
) -> None:
    world = World(kind=kind).ready()
    world.press(motion)
    world.run(1000)
    assert abs(world.speed(motion)) == full
    world.stuck = True
    waited = trips_after(world, row, 2000)
    assert P.slip_ms <= waited <= P.slip_ms + 100
    world.run(200)
    assert free(world) == left
    world.stuck = False
    world.run(3000)
    assert row in world.state.latched
    world.extra.append(Reset("panel:1"))
    world.run(60)
    assert row not in world.state.latched


@pytest.mark.parametrize(("kind", "motion", "speed", "position", "row", "full", "left"), AXES)
def test_an_encoder_that_jumps_or_is_silent_for_a_while(
    kind: str,
    motion: Motion,
    speed: SignalId,
    position: SignalId,
    row: str,
    full: float,
    left: Motion,
) -> None:
    far = full * P.slip_ms / 1000
    for jump, trips in ((far * 0.9, False), (far * 1.1, True), (-far * 1.1, True)):
        world = World(kind=kind).ready()
        world.left_at[position] = None if trips else world.left_at[position]
        at = float(world.values[position] or 0)
        world.settle_encoders = lambda: None  # type: ignore[method-assign]
        world.values[position] = at + jump
        assert (trips_after(world, row, 400) == 0) is trips
    world = World(kind=kind).ready()
    world.settle_encoders = lambda: None  # type: ignore[method-assign]
    world.values[position] = None
    world.run(400)
    world.values[position] = 50.0  # unknown in between: where it is now is where it is
    world.run(400)
    assert row not in world.state.latched


def test_a_tenth_of_wrong_scale_is_no_dispute() -> None:
    world = World().ready()
    world.values[S.HOIST_POS] = -400.0
    world.press(M.UP)
    world.run(1000)
    world.follow = False
    world.values[S.HOIST_SPEED] = 80.0 * 1.1
    assert trips_after(world, "hoist_disputed", 8000) == NEVER


# --- after a grave event


@pytest.mark.parametrize("row", ["hoist_runaway", "hoist_overspeed", "traverse_wrong_way"])
def test_a_grave_event_needs_two_releases_with_a_name(row: str) -> None:
    from dataclasses import replace

    world = World().ready()
    world.state = replace(world.state, latched=frozenset({row}))
    world.step()
    assert world.state.latched == {row, "quarantine"}
    world.extra.append(Release("quarantine", "A. Technician"))
    world.step()
    assert "quarantine" in world.state.latched, "the event itself still stands"
    world.extra.append(Release(row, "A. Technician"))
    world.run(40)
    assert world.state.latched == {"quarantine"}
    assert free(world) == LIFT & ~M.UP
    world.extra.append(Release("quarantine", "A. Technician"))
    world.run(40)
    assert free(world) == LIFT


def test_an_emergency_stop_is_no_grave_event() -> None:
    world = World().ready()
    world.values |= {S.ESTOP_A: 0.0, S.ESTOP_B: 0.0}
    world.run(400)
    assert world.state.latched == {"estop"}
