"""What a second review of the whole kernel demonstrated: each by what a person would have met."""

from __future__ import annotations

import pytest

from safety.types import Motion, Release, Reset, SignalId
from tests.kernel.trips import NEVER, aloft, free, lowers, standing, trips_after
from tests.kernel.world import World

S, M = SignalId, Motion


# --- a scale that was silent and then says nobody hangs there (H24, H25)


def vanished() -> World:
    """A confirmed person hangs; the scale reboots and takes its zero anew."""
    world = aloft(75.0)
    world.press(M.UP)
    world.run(1000)
    world.release()
    world.run(1500)
    world.values[S.LOAD_KG] = None
    world.run(1000)
    world.values[S.LOAD_KG] = 0.0
    return world


def test_a_scale_that_lost_its_zero_in_silence_makes_nobody_invisible() -> None:
    world = vanished()
    world.log.clear()
    world.step()
    assert "load_vanished" in world.state.latched
    world.run(5000)
    assert world.state.people.aloft
    assert world.state.marker.in_flight
    assert not [event for event in world.events() if event.startswith("setdown")]
    assert free(world) == M.DOWN
    assert lowers(world)
    world.run(1000)
    assert world.speed(M.DOWN) == -world.params.hoist_docking_mm_s


@pytest.mark.parametrize("how", ["reset", "slack", "load"])
def test_who_vanished_is_set_down_by_a_reset_or_a_slack_strap_and_found_by_the_load(
    how: str,
) -> None:
    world = vanished()
    world.run(1000)
    if how == "reset":
        world.extra.append(Reset("panel:1"))
    elif how == "slack":
        world.values[S.STRAP_TIGHT] = 0.0
    else:
        world.values[S.LOAD_KG] = 75.0
    world.run(400)
    assert world.state.people.aloft is (how == "load")
    assert ("load_vanished" in world.state.latched) is (how != "reset"), "a latch waits for a Reset"


@pytest.mark.parametrize("how", ["told", "by hand"])
def test_who_was_lowered_while_the_scale_was_silent_has_not_vanished(how: str) -> None:
    world = aloft(75.0)
    world.values[S.LOAD_KG] = None
    world.run(400)
    if how == "told":
        world.press(M.DOWN)
        world.run(400)
        world.release()
    else:
        world.values[S.HOIST_SPEED] = -20.0
        world.follow = False
    world.run(1000)
    world.values[S.LOAD_KG] = 0.0
    world.run(400)
    assert "load_vanished" not in world.state.latched
    assert not world.state.people.aloft


def test_a_short_gap_is_no_vanishing() -> None:
    world = aloft(75.0)
    for load in (None, 75.0, None, 74.0):
        world.values[S.LOAD_KG] = load
        world.run(160)
    assert world.state.people.aloft
    world.values[S.LOAD_KG] = None
    world.run(1000)
    world.values[S.LOAD_KG] = 12.0  # less, and still more than nobody
    world.run(1000)
    assert "load_vanished" not in world.state.latched


def test_nobody_is_set_down_before_a_whole_window_says_so() -> None:
    world = aloft(75.0)
    world.press(M.DOWN)
    world.run(200)
    world.values[S.LOAD_KG] = None
    world.run(1000)
    world.values[S.LOAD_KG] = 0.0
    world.run(180)
    assert world.state.people.aloft
    world.run(80)
    assert not world.state.people.aloft


def test_a_person_below_a_scale_that_says_nothing_hangs_there_is_noticed_by_the_motor() -> None:
    """The tolerance of a loaded bar would have hidden 45 kg, and no loops had been asked for."""
    world = World().ready()
    world.by_hand = {S.HOIST_CURRENT}
    world.press(M.UP)
    start, rose = world.values[S.HOIST_POS] or 0.0, 0.0
    for _ in range(200):
        weight = 40.0 if world.speed(M.UP) > 0 else 0.0
        world.values[S.HOIST_CURRENT] = 6 + 0.55 * weight if weight else 0.0
        world.step()
        rose = (world.values[S.HOIST_POS] or 0.0) - start
    assert "load_disputed" in world.state.latched
    assert rose < 80


def test_a_scale_that_reads_a_person_right_may_be_off_by_more() -> None:
    world = aloft(70.0)
    world.by_hand = {S.HOIST_CURRENT}
    world.press(M.UP)
    world.values[S.HOIST_CURRENT] = 6 + 0.55 * 70 + 20
    assert trips_after(world, "load_disputed", 3000) == NEVER


# --- a current that is high at rest (H24): one stuck sensor strands nobody who stands


def test_a_current_that_reads_high_at_rest_lets_a_person_sit_slowly() -> None:
    world = standing(200.0)
    world.values[S.STAND_CURRENT] = 30.0
    assert 900 <= trips_after(world, "current_stuck", 2000) <= 1100
    assert free(world) == M.SIT
    assert lowers(world)
    world.run(2000)
    assert world.speed(M.SIT) == -world.params.stand_docking_mm_s
    assert "sit_obstructed" not in world.state.active
    world.release()
    world.values[S.STAND_CURRENT] = None
    world.run(1000)
    assert "current_stuck" in world.state.active, "silence is no proof that it is well"
    world.values[S.STAND_CURRENT] = 1.0
    world.run(100)
    assert "current_stuck" not in world.state.active
    world.press(M.SIT)
    world.run(400)
    world.values[S.STAND_CURRENT] = 30.0
    assert trips_after(world, "sit_obstructed", 1000) != NEVER, "it is a measurement again"


def test_a_current_that_is_unknown_at_rest_is_not_stuck() -> None:
    world = standing(200.0)
    world.values[S.STAND_CURRENT] = None
    assert trips_after(world, "current_stuck", 3000) == NEVER


# --- restart, locks


def test_after_an_unreadable_marker_the_loops_can_be_confirmed() -> None:
    """Rule 9 assumes somebody aloft; a pick-up numbered 0 could never be confirmed. H37: which
    latches were lost with the file nobody knows, so a technician looks before it raises again.
    """
    world = World(marker=None)
    world.values[S.LOAD_KG] = 75.0
    world.values[S.HOIST_POS] = 1500.0
    world.run(1500)
    world.confirmed = world.state.people.pickup
    world.run(500)
    assert world.state.people.confirmed
    assert world.state.latched == {"quarantine"}
    assert lowers(world)
    world.extra.append(Reset("panel:1"))
    world.run(500)
    assert not free(world) & M.UP
    world.release()
    world.extra.append(Release("quarantine", "technician"))
    world.run(1500)
    assert free(world) & M.UP


def test_a_cleaning_lock_dies_with_the_controller() -> None:
    """A dead controller's lock would have held a person under the bar in place."""
    world = World().ready()
    world.locks = frozenset({"cleaning"})
    world.run(200)
    assert free(world) == M.NONE
    world.controller = False
    world.run(400)
    assert free(world) == M.DOWN
    assert lowers(world)


# --- a drive that nobody hears, and one that does not follow (H6, H24)


@pytest.mark.parametrize(
    ("kind", "motion", "row"), [("lift", M.DOWN, "hoist"), ("chair", M.SIT, "stand")]
)
@pytest.mark.parametrize("follows", [True, False])
def test_without_a_speed_the_position_tells_that_a_drive_does_not_follow(
    kind: str, motion: Motion, row: str, follows: bool
) -> None:
    world = aloft() if kind == "lift" else standing()
    speed = S.HOIST_SPEED if kind == "lift" else S.STAND_SPEED
    world.values[speed] = None
    world.run(200)
    world.press(motion)
    world.run(400)
    world.follow = follows
    assert (trips_after(world, f"{row}_no_effect", 3000) != NEVER) is not follows


def test_a_drive_without_speed_and_position_is_not_called_idle() -> None:
    """`lost` speaks for it; a fact that is unknown is no fact."""
    world = aloft()
    world.values |= {S.HOIST_SPEED: None, S.HOIST_POS: None}
    world.press(M.DOWN)
    assert trips_after(world, "hoist_no_effect", 2000) == NEVER
