"""A fifth look at the kernel: one word of a drive, hands on the bed rail, another sling."""

from __future__ import annotations

from pathlib import Path

import pytest

from liftctl.gate import marker as marker_file
from safety.types import Motion, Reset, SignalId
from safety.verdict import Marker
from tests.kernel.trips import aloft, free
from tests.kernel.world import World

S, M = SignalId, Motion


# --- what was added to a load and taken away again is no slipped loop (H5, H37)


@pytest.mark.parametrize("held_ms", [400, 2000])
@pytest.mark.parametrize("how", ["bed rail", "bed rail twice", "leaned on"])
def test_who_holds_on_to_the_bed_and_lets_go_sends_no_lift_into_quarantine(
    held_ms: int, how: str
) -> None:
    world = aloft(70.0)
    if how != "leaned on":  # raised while a hand holds the rail: load_rise stops UP, as it should
        world.press(M.UP)
        world.run(600)
    world.values[S.LOAD_KG] = 92.0
    world.run(held_ms)
    world.release()
    if how == "bed rail twice":  # the carer presses again, the hand pulls harder
        world.run(400)
        world.press(M.UP)
        world.run(240)
        world.values[S.LOAD_KG] = 120.0
        world.run(held_ms)
        world.release()
    world.values[S.LOAD_KG] = 70.0  # and lets go: all of the person hangs, in all four loops
    world.run(6000)
    world.extra.append(Reset("panel:1"))
    world.run(400)
    assert "quarantine" not in world.state.latched, "a technician would have to come"
    assert free(world) & M.UP


def test_a_loop_that_slips_after_a_rise_is_still_seen() -> None:
    """Confirmed with half the weight on the sling, raised free of the bed: all of it counts."""
    world = aloft(35.0)
    world.press(M.UP)
    for kg in range(35, 71):
        world.values[S.LOAD_KG] = float(kg)
        world.run(20)
    world.run(600)
    world.release()
    world.run(1500)
    world.values[S.LOAD_KG] = 70.0 * 0.7
    world.run(400)
    assert "load_step" in world.state.latched


def test_who_pulled_at_the_loops_to_look_at_them_hides_no_slip() -> None:
    """At the pause a carer hangs on the loops, lets go, and confirms them."""
    world = aloft(70.0, confirmed=False)
    world.values[S.LOAD_KG] = 95.0
    world.run(1000)
    world.values[S.LOAD_KG] = 70.0
    world.run(1000)
    world.confirmed = world.state.people.pickup
    world.run(2000)
    world.values[S.LOAD_KG] = 50.0
    world.run(400)
    assert "load_step" in world.state.latched


# --- one sample is a moment, not a duration (rule 5: H1, H6, H7, H20 never latch on silence)


@pytest.mark.parametrize(("speed", "row"), [(200.0, "hoist_overspeed"), (-6.0, "hoist_runaway")])
def test_a_drives_last_word_before_it_falls_silent_latches_nothing(speed: float, row: str) -> None:
    """Its supply dips: one wrong speed, then nothing."""
    world = aloft(70.0)
    world.follow = False
    world.values[S.HOIST_SPEED] = speed
    world.step()
    world.values[S.HOIST_SPEED] = world.values[S.HOIST_POS] = None
    world.run(400)
    assert row not in world.state.latched


@pytest.mark.parametrize(("speed", "row"), [(200.0, "hoist_overspeed"), (-6.0, "hoist_runaway")])
def test_the_same_word_again_and_again_does(speed: float, row: str) -> None:
    world = aloft(70.0)
    world.follow = False
    world.values[S.HOIST_SPEED] = speed
    world.run(200)
    assert row in world.state.latched


# --- loops that may have been unhooked are looked at again (H5)


@pytest.mark.parametrize("drift_kg", [12.0, 16.0])
def test_a_scale_that_has_drifted_does_not_pass_the_next_persons_loops(drift_kg: float) -> None:
    """Set down, the strap is slack, but the scale never says below 10 kg: still "aloft"."""
    world = aloft(70.0)
    world.press(M.DOWN)
    world.run(1000)
    world.values[S.LOAD_KG] = 40.0
    world.run(100)
    world.values[S.LOAD_KG] = drift_kg
    world.values[S.STRAP_TIGHT] = 0.0
    world.run(300)
    world.release()
    world.run(20_000)  # unhooked, and the next sling hooked
    world.values[S.STRAP_TIGHT] = 1.0
    world.values[S.LOAD_KG] = 70.0 + drift_kg
    world.run(400)
    hooked = world.values[S.HOIST_POS] or 0.0
    world.press(M.UP)
    world.run(3000)
    rose = (world.values[S.HOIST_POS] or 0.0) - hooked
    assert rose <= 100, f"{rose:.0f} mm up, nobody has looked at these loops"
    assert not free(world) & M.LEFT


def test_a_contact_that_says_slack_below_a_whole_person_asks_for_no_new_look() -> None:
    world = aloft(70.0)
    world.release()
    world.values[S.STRAP_TIGHT] = 0.0
    world.run(1000)
    world.values[S.STRAP_TIGHT] = 1.0
    world.run(1000)
    assert world.state.people.confirmed
    assert free(world) & M.UP


# --- a torn marker may have held a latch (rule 9, H37)


def test_a_slot_that_cannot_be_read_means_quarantine_as_an_unreadable_file_does(
    tmp_path: Path,
) -> None:
    """The newer marker held a latch that was being written when the supply went."""
    path = tmp_path / "marker"
    old = marker_file._pack(Marker(7, True, ("motor_latch",), 1))
    new = marker_file._pack(Marker(8, True, ("hoist_overspeed",), 1))
    raw = bytearray(2 * marker_file.SLOT)
    for start in (0, marker_file.SLOT):
        raw[start : start + len(old)] = old
    raw[:30] = new[:30]
    path.write_bytes(raw)
    found = marker_file.load(path)
    assert found == Marker(7, True, ("motor_latch", "quarantine"), 1)
    again = World(marker=found)
    again.values[S.LOAD_KG] = 70.0
    again.run(2000)
    again.confirmed = again.state.people.pickup
    again.run(600)
    assert not free(again) & M.UP, "raised by a lift whose over-speed was forgotten"
    assert free(again) & M.DOWN


def test_an_older_confirmation_is_none_for_loops_hooked_while_the_gate_was_dead() -> None:
    """The disk hung: the durable marker is a pick-up older than what the controller confirmed."""
    again = World(marker=Marker(7, True, (), 4))
    again.values[S.LOAD_KG] = 70.0
    again.confirmed = 5
    again.run(2000)
    assert not again.state.people.confirmed
