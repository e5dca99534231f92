"""Evidence, permission, ownership, STOP, restart: design rules 2, 6, 9, 10, in virtual time."""

from __future__ import annotations

import pytest

from safety.bounds import Params
from safety.types import Act, Beat, GuardBeat, Motion, Release, Reset, SignalId, Stop
from safety.verdict import Cmd, Marker
from tests.kernel.world import PERIOD_NS, World

S, M = SignalId, Motion
P = Params()


def lifting(motion: Motion = M.UP) -> World:
    world = World(kind="lift" if motion in M.UP | M.DOWN | M.LEFT | M.RIGHT else "chair").ready()
    world.press(motion)
    world.run(400)
    assert world.speed(motion) != 0
    return world


def stopped(world: World, motion: Motion) -> bool:
    return world.cmd(motion) is not Cmd.MOVE and world.speed(motion) == 0


@pytest.mark.parametrize("motion", [M.UP, M.DOWN, M.LEFT, M.RIGHT, M.STAND, M.SIT])
def test_release_stops_within_one_turn(motion: Motion) -> None:
    world = lifting(motion)
    world.release()
    world.step()
    assert stopped(world, motion)


@pytest.mark.parametrize("motion", [M.UP, M.DOWN, M.LEFT, M.STAND, M.SIT])
def test_frozen_panel_stops_within_the_evidence_bound_and_thaws_dead(motion: Motion) -> None:
    world = lifting(motion)
    world.frozen_stations.add("panel:1")
    start = world.now_ns
    while not stopped(world, motion):
        world.step()
    assert (world.now_ns - start) / 1e6 <= P.evidence_ms + 20
    world.frozen_stations.clear()  # thawed: the same press goes on beating
    world.run(3000)
    assert stopped(world, motion)
    world.release()
    world.run(100)
    world.press(motion)
    world.run(400)
    assert world.speed(motion) != 0


def driving(world: World) -> Beat:
    """What no station may ask for, from a page that is alive."""
    now = world.now_ns + PERIOD_NS
    return Beat("panel:1", "s-panel:1", 10**6, M.DRIVE, now, now)


def test_a_beat_that_asks_to_drive_makes_no_press_younger() -> None:
    world = World(kind="chair").ready()
    world.frozen_stations.add("panel:1")
    echo_ns = world.now_ns
    for n in range(20):
        world.extra += [driving(world)] if n == 2 else []
        now = world.now_ns + PERIOD_NS
        world.extra.append(Beat("panel:1", "s-panel:1", 1, M.SIT, echo_ns, now))
        world.step()
        age_ms = (world.now_ns - echo_ns) / 1e6
        assert (world.speed(M.SIT) != 0) == (age_ms <= P.evidence_ms), age_ms


def test_a_beat_that_asks_to_drive_is_no_press_and_owns_nothing() -> None:
    world = World(kind="chair").ready()
    world.extra.append(driving(world))
    assert world.step().owner == ""
    assert not any(event.startswith("press") for event in world.events())


def test_stale_burst_after_a_stall_moves_nothing() -> None:
    world = World().ready()
    old = world.now_ns
    world.frozen_stations.add("panel:1")
    world.run(400)
    world.extra += [Beat("panel:1", "s-panel:1", 0, M.NONE, old, world.now_ns)]
    world.extra += [Beat("panel:1", "s-panel:1", 9, M.UP, old, world.now_ns) for _ in range(8)]
    world.step()
    assert stopped(world, M.UP)


def test_controller_death_stops_up_and_leaves_docking_down() -> None:
    world = lifting(M.UP)
    world.controller = False
    start = world.now_ns
    while not stopped(world, M.UP):
        world.step()
    assert (world.now_ns - start) / 1e6 <= P.permission_ms + 20
    world.release()
    world.run(600)
    world.press(M.DOWN)
    world.run(600)
    assert -P.hoist_docking_mm_s <= world.speed(M.DOWN) < 0
    world.release()
    world.run(400)
    world.press(M.UP)
    world.run(200)
    assert stopped(world, M.UP)


@pytest.mark.parametrize("who", ["guard", "controller"])
def test_running_descent_stops_first_then_goes_on_slowly_on_a_fresh_press(who: str) -> None:
    world = lifting(M.DOWN)
    setattr(world, who, False)
    world.run(260)
    assert stopped(world, M.DOWN)
    world.run(2000)
    assert stopped(world, M.DOWN)
    world.release()
    world.run(60)
    world.press(M.DOWN)
    world.run(600)
    assert world.speed(M.DOWN) == -P.hoist_docking_mm_s


def test_recorder_death_finishes_this_transfer_and_refuses_a_new_one() -> None:
    world = lifting(M.UP)
    world.in_transfer = True
    world.run(40)
    world.recorder = False
    world.run(2000)
    assert world.speed(M.UP) > 0
    world.release()
    world.in_transfer = False
    world.run(2000)
    world.press(M.UP)
    world.run(200)
    assert stopped(world, M.UP)
    assert "recorder_lost" in world.state.active


def test_stop_is_an_edge_kills_the_press_and_latches_nothing() -> None:
    world = lifting(M.UP)
    world.extra.append(Stop("panel:2"))
    world.step()
    assert stopped(world, M.UP)
    assert world.cmd(M.UP) is Cmd.QUICK
    world.run(1000)
    assert stopped(world, M.UP)
    assert not world.state.latched
    world.release()
    world.run(60)
    world.press(M.UP)
    world.run(300)
    assert world.speed(M.UP) > 0


def test_second_station_stops_but_does_not_take_over() -> None:
    world = lifting(M.UP)
    world.keys["panel:2"] = (0, M.NONE)
    world.run(40)
    world.press(M.DOWN, "panel:2")
    world.step()
    assert stopped(world, M.UP)
    world.run(500)
    assert stopped(world, M.DOWN)
    assert world.verdict is not None and world.verdict.owner == "panel:1"


def test_hand_control_outranks_a_panel() -> None:
    world = lifting(M.UP)
    world.keys["hand"] = (0, M.NONE)
    world.run(40)
    world.press(M.DOWN, "hand")
    world.run(400)
    assert stopped(world, M.UP) and stopped(world, M.DOWN)
    assert world.verdict is not None and world.verdict.owner == "hand"
    world.release("hand")
    world.run(40)
    world.press(M.DOWN, "hand")
    world.run(300)
    assert world.speed(M.DOWN) < 0


def test_ownership_lapses_after_two_seconds_of_neutral_and_at_once_with_the_link() -> None:
    world = lifting(M.UP)
    world.keys["panel:2"] = (0, M.NONE)
    world.release()
    world.run(int(P.ownership_ms) + 60)
    assert world.verdict is not None and world.verdict.owner == ""
    world.press(M.DOWN, "panel:2")
    world.run(200)
    assert world.verdict.owner == "panel:2"
    world.frozen_stations.add("panel:2")
    world.run(int(P.evidence_ms) + 60)
    assert world.verdict.owner == ""


def test_key_held_at_start_is_ignored_until_neutral() -> None:
    world = World()
    world.press(M.DOWN)
    world.run(1000)
    assert stopped(world, M.DOWN)
    assert "key_held" in world.state.active
    world.release()
    world.run(100)
    world.press(M.DOWN)
    world.run(200)
    assert world.speed(M.DOWN) < 0


def test_row_that_clears_does_not_restart_the_press() -> None:
    world = lifting(M.UP)
    world.values[S.UPPER_FREE] = 0.0
    world.step()
    assert stopped(world, M.UP)
    world.values[S.UPPER_FREE] = 1.0
    world.run(2000)
    assert stopped(world, M.UP)


def test_blocked_arrow_gives_its_reason_and_dies() -> None:
    world = World().ready()
    world.values[S.UPPER_FREE] = 0.0
    world.run(60)
    world.press(M.UP)
    world.run(60)
    assert "refused:upper_limit" in world.events()
    world.values[S.UPPER_FREE] = 1.0
    world.run(500)
    assert stopped(world, M.UP)


def test_up_waits_for_the_marker_and_gives_up() -> None:
    world = World().ready()
    world.disk = False
    world.press(M.UP)
    world.run(int(P.marker_wait_ms) - 60)
    assert stopped(world, M.UP)
    world.run(200)
    assert "refused:marker" in world.events()
    world.release()
    world.run(60)
    world.press(M.DOWN)
    world.run(300)
    assert world.speed(M.DOWN) < 0, "lowering never waits for a disk"


def test_own_lag_stops_everything_and_needs_a_fresh_press() -> None:
    world = lifting(M.UP)
    world.step(gap_ns=int((P.lag_stop_ms + 5) * 1e6))
    assert stopped(world, M.UP)
    assert world.cmd(M.UP) is Cmd.QUICK
    world.run(1000)
    assert stopped(world, M.UP)


def test_estop_isolates_latches_and_only_a_reset_after_release_clears_it() -> None:
    world = lifting(M.UP)
    world.values[S.ESTOP_A] = world.values[S.ESTOP_B] = 0.0
    world.step()
    assert world.cmd(M.UP) is Cmd.ISOLATE
    world.extra.append(Reset("panel:1"))
    world.run(100)
    assert world.state.latched == {"estop"}
    world.values[S.ESTOP_A] = world.values[S.ESTOP_B] = 1.0
    world.run(100)
    assert world.state.latched == {"estop"}
    world.release()
    world.extra.append(Reset("panel:1"))
    world.run(100)
    assert not world.state.latched
    world.press(M.UP)
    world.run(300)
    assert world.speed(M.UP) > 0


def test_estop_channels_that_disagree_need_a_technician_with_a_name() -> None:
    world = World().ready()
    world.values[S.ESTOP_B] = 0.0
    world.run(600)
    assert "estop_discrepancy" in world.state.latched
    world.values[S.ESTOP_B] = 1.0
    world.run(60)
    world.extra += [Reset("panel:1"), Release("estop_discrepancy", "  ")]
    world.run(60)
    assert world.state.latched == {"estop_discrepancy"}
    world.extra.append(Release("estop_discrepancy", "A. Technician"))
    world.run(60)
    assert not world.state.latched


@pytest.mark.parametrize(
    ("speed", "row"),
    [(-12.0, "hoist_runaway"), (170.0, "hoist_overspeed"), (20.0, "hoist_runaway")],
)
def test_motion_without_authority_isolates_and_latches(speed: float, row: str) -> None:
    world = World().ready()
    world.follow = False
    world.values[S.HOIST_SPEED] = speed
    world.run(160)
    assert row in world.state.latched
    assert world.cmd(M.DOWN) is Cmd.ISOLATE
    world.values[S.HOIST_SPEED] = 0.0
    world.run(100)
    world.press(M.DOWN)
    world.run(200)
    assert stopped(world, M.DOWN)


def test_overspeed_wrong_way_and_no_effect_while_moving() -> None:
    for factor, row in (
        (1.6, "hoist_overspeed"),
        (-0.5, "hoist_wrong_way"),
        (0.0, "hoist_no_effect"),
    ):
        world = lifting(M.UP)
        world.run(400)  # at full speed
        world.follow = False
        world.values[S.HOIST_SPEED] = world.speed(M.UP) * factor
        world.run(900)
        assert f"trip:{row}" in world.events(), row
        assert stopped(world, M.UP)


def test_red_strap_with_estop_is_emergency_lowering_not_a_runaway() -> None:
    world = World().ready()
    world.follow = False
    world.values[S.ESTOP_A] = world.values[S.ESTOP_B] = 0.0
    world.run(60)
    world.values[S.HOIST_SPEED] = -40.0
    world.run(2000)
    assert world.state.latched == {"estop"}


def test_restart_in_the_air_assumes_aloft_and_lowers_slowly() -> None:
    for marker in (Marker(7, True, (), 3), None):
        world = World(marker=marker)
        world.values[S.LOAD_KG] = None
        world.run(200)
        assert world.state.people.aloft
        assert "boot_faulted" in world.state.active
        world.press(M.DOWN)
        world.run(400)
        assert world.speed(M.DOWN) == -P.hoist_docking_mm_s
        world.release()
        world.run(400)
        world.press(M.UP)
        world.run(200)
        assert stopped(world, M.UP)


def test_latches_survive_a_restart() -> None:
    world = World(marker=Marker(3, False, ("hoist_runaway",), 1))
    world.run(400)
    assert not world.state.ready
    world.press(M.DOWN)
    world.run(200)
    assert stopped(world, M.DOWN)


def test_fallback_configuration_only_lowers() -> None:
    world = World(fallback=True).ready()
    assert world.act(M.UP) >= Act.HOLD
    world.press(M.DOWN)
    world.run(600)
    assert world.speed(M.DOWN) == -P.hoist_docking_mm_s


def test_tension_pause_stops_until_the_loops_of_this_pickup_are_confirmed() -> None:
    world = lifting(M.UP)
    world.values[S.LOAD_KG] = 70.0
    height = world.values[S.HOIST_POS]
    assert height is not None
    world.run(4000)
    assert stopped(world, M.UP)
    assert "tension_pause" in world.state.active
    risen = (world.values[S.HOIST_POS] or 0) - height
    assert P.tension_pause_mm <= risen <= P.tension_pause_mm + 10
    world.confirmed = world.state.people.pickup - 1  # yesterday's confirmation is none
    world.run(100)
    assert "tension_pause" in world.state.active
    world.confirmed = world.state.people.pickup
    world.release()
    world.run(100)
    world.press(M.UP)
    world.run(600)
    assert world.speed(M.UP) == P.hoist_loaded_mm_s


def test_future_guard_beat_is_no_guard() -> None:
    world = World().ready()
    world.guard = False
    world.extra.append(GuardBeat(world.now_ns + 10**12, ""))
    world.run(60)
    assert "guard_lost" in world.state.active


def test_reversal_waits_until_the_axis_is_at_rest() -> None:
    world = lifting(M.UP)
    world.release()
    world.step()
    world.press(M.DOWN)
    speeds = []
    for _ in range(60):
        world.step()
        speeds.append(
            (world.state.axes[next(iter(world.state.axes))].may_have_mm_s, world.speed(M.DOWN))
        )
    assert speeds[0][1] == 0
    assert speeds[-1][1] < 0


def test_speed_never_exceeds_its_cap_or_its_ramp() -> None:
    world = World().ready()
    world.press(M.UP)
    before = 0.0
    for _ in range(100):
        world.step()
        now = world.speed(M.UP)
        assert now - before <= P.hoist_accel_mm_s2 * PERIOD_NS / 1e9 + 1e-9
        assert now <= P.hoist_empty_mm_s
        before = now


def test_a_station_that_connects_anew_loses_its_press_and_needs_neutral() -> None:
    """Another session under the same name: the old one is gone (a page was loaded again)."""
    world = World().ready()
    world.press(M.UP)
    world.run(400)
    now = world.now_ns + 20 * 1_000_000
    world.frozen_stations = {"panel:1"}
    world.extra.append(Beat("panel:1", "another", 99, M.UP, now, now))
    world.step()
    assert "stop:station_gone" in world.events()
    assert stopped(world, M.UP)
    assert world.state.authority.stations.owner == ""
    now += 20 * 1_000_000
    world.extra.append(Beat("panel:1", "another", 0, M.NONE, now, now))
    world.step()
    now += 20 * 1_000_000
    world.extra.append(Beat("panel:1", "another", 100, M.UP, now, now))
    world.step()
    assert world.state.authority.stations.owner == "panel:1"


def test_a_lost_finger_is_told_as_a_stop_even_before_anything_moved() -> None:
    world = World().ready()
    world.disk = False  # UP waits for the marker
    world.press(M.UP)
    world.run(40)
    world.frozen_stations.add("panel:1")
    world.run(300)
    assert "stop:evidence_lost" in world.events()
    assert "refused:evidence_lost" not in world.events()


@pytest.mark.parametrize("why", ["no_neutral", "two_stations"])
def test_who_is_refused_at_a_second_station_is_told_why(why: str) -> None:
    world = World().ready()
    if why == "two_stations":  # it was seen at neutral, but somebody else holds a key
        world.keys["panel:2"] = (0, M.NONE)
        world.press(M.DOWN)
    world.run(100)
    world.keys["panel:2"] = (9, M.DOWN)
    world.run(100)
    assert f"refused:{why}" in world.events()
