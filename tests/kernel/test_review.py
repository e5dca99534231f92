"""What a second look at the kernel found: time that was not watched, and ordinary situations that
looked like faults (H4-H6, H14, H24).
"""

from __future__ import annotations

import pytest

from config.languages import texts
from safety.types import Motion, SignalId
from tests.kernel.trips import NEVER, aloft, standing, trips_after
from tests.kernel.world import World

S, M = SignalId, Motion


# --- the red strap, while the drive says nothing


def test_a_person_brought_down_by_hand_while_the_drive_is_silent_has_not_slipped() -> None:
    """H5, H24: nobody knows whether it sinks; an unknown speed must not become a slipped loop."""
    world = aloft(70.0)
    world.values |= {S.HOIST_SPEED: None, S.HOIST_POS: None}
    world.run(2000)
    for kg in range(70, -1, -2):
        world.values[S.LOAD_KG] = float(kg)
        world.step()
    world.run(1000)
    assert not world.state.latched


# --- time in which a signal was unknown does not count


def test_a_load_that_was_unknown_for_a_while_is_not_frozen() -> None:
    """H24: 1.2 s of the same reading, then none at all, then 0.2 s of it again."""
    world = aloft(70.0)
    world.by_hand = {S.LOAD_KG}
    world.press(M.DOWN)
    world.run(1200)
    world.values[S.LOAD_KG] = None
    world.run(400)
    world.release()
    world.run(400)
    world.press(M.DOWN)
    world.run(1200)
    assert world.speed(M.DOWN) < 0
    world.values[S.LOAD_KG] = 70.0
    world.run(200)
    assert "load_frozen" not in world.state.latched


def test_a_motor_current_that_was_unknown_is_disputed_only_after_the_whole_time() -> None:
    """H24."""
    world = aloft(70.0)
    world.by_hand = {S.HOIST_CURRENT}
    world.values[S.HOIST_CURRENT] = 6 + 0.55 * 70
    world.press(M.UP)
    world.run(1000)
    world.values[S.HOIST_CURRENT] = 100.0
    world.run(20)
    world.values[S.HOIST_CURRENT] = None
    world.run(600)
    world.values[S.HOIST_CURRENT] = 100.0
    world.run(20)
    assert "load_disputed" not in world.state.latched


# --- a debounce begins with what it is about


def test_straps_that_were_uneven_at_the_last_set_down_say_nothing_of_the_next_pick_up() -> None:
    """H5: the filter starts anew with each person."""
    world = aloft(70.0)
    world.by_hand = {S.LOAD_LEFT_KG, S.LOAD_RIGHT_KG}
    world.values |= {S.LOAD_LEFT_KG: 14.0, S.LOAD_RIGHT_KG: 2.0}
    world.run(100)
    world.set_down()
    world.run(2000)
    world.values[S.LOAD_KG] = 30.0
    world.run(100)
    assert "asymmetry" not in world.state.active


def test_a_sag_at_the_last_pick_up_is_not_carried_over_to_the_next() -> None:
    """H14: what is looked at only while nobody hangs still needs its filter."""
    world = World().ready()
    world.values[S.BATTERY_V] = 21.0
    world.run(100)
    world.values |= {S.BATTERY_V: 25.0, S.LOAD_KG: 70.0}
    world.run(4000)
    world.values[S.BATTERY_V] = 21.0
    world.set_down()
    world.run(100)
    assert "battery_sag" not in world.state.active


# --- what hung steadily


def test_one_spike_before_a_gap_in_the_load_is_nobody_s_weight() -> None:
    """H5: with a weight that never hung there a real slip would go unseen."""
    world = aloft(70.0)
    world.values[S.LOAD_KG] = 120.0
    world.step()
    world.values[S.LOAD_KG] = None
    world.run(600)
    world.values[S.LOAD_KG] = 70.0
    world.run(1000)
    assert world.state.people.carried_kg == pytest.approx(70.0, abs=0.1)


# --- what is read beside it


@pytest.mark.parametrize("code", ["da", "en"])
def test_what_goes_with_over_speed_does_not_send_anybody_down(code: str) -> None:
    """H7: nobody lowers. Quarantine always stands beside it on the panel."""
    world = aloft(70.0)
    world.by_hand = {S.HOIST_SPEED}
    world.follow = False
    world.values[S.HOIST_SPEED] = -200.0
    world.run(400)
    assert {"hoist_overspeed", "quarantine"} <= world.state.latched
    lower = {"da": "du kan sænke", "en": "you can lower"}[code]
    said = texts(code)
    for row in world.state.latched:
        assert lower not in said[f"row.{row}"].lower()


@pytest.mark.parametrize(("kind", "way"), [("lift", "red_strap"), ("chair", "manual_sit")])
def test_the_way_down_by_hand_as_the_panel_tells_it_is_no_runaway(kind: str, way: str) -> None:
    """H1: a healthy drive that sinks without a command is one, unless the e-stop was pressed."""
    told = [text for key, text in texts("en").items() if key.startswith(f"lower.{way}.")]
    world = aloft() if kind == "lift" else standing()
    if any("Press the emergency stop" in text for text in told):
        world.values |= {S.ESTOP_A: 0.0, S.ESTOP_B: 0.0}
    world.run(100)
    world.follow = False
    world.values[S.HOIST_SPEED if kind == "lift" else S.STAND_SPEED] = -10.0
    world.run(1000)
    assert world.state.latched == {"estop"}


@pytest.mark.parametrize(("stroke_mm", "trips"), [(0.0, False), (100.0, True)])
def test_holding_sit_until_the_person_sits_is_no_broken_motor(
    stroke_mm: float, trips: bool
) -> None:
    """H6: below the stroke of standing the end of the way down is reached, nothing has failed."""
    world = standing(100.0)
    while (world.values[S.STAND_POS] or 0.0) > stroke_mm:
        world.values[S.STAND_POS] = (world.values[S.STAND_POS] or 0.0) - 2.0
        world.run(100)
    world.follow = False
    world.press(M.SIT)
    assert (trips_after(world, "stand_no_effect", 2000) != NEVER) is trips
