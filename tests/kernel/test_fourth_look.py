"""A fourth look at the kernel: restarts and power, by what a person would meet."""

from __future__ import annotations

from dataclasses import replace

import pytest

from safety.types import Beat, Lease, MarkerDurable, Motion, Reset, SignalId
from safety.verdict import Cmd
from tests.kernel.trips import aloft, free, lowers, standing
from tests.kernel.world import World

S, M, MS = SignalId, Motion, 1_000_000


def restarted(world: World, **values: float | None) -> World:
    """The gate's process anew with the marker it had asked for (and had made durable)."""
    again = World(kind=world.kind, marker=world.state.marker)
    again.values = dict(world.values)
    again.values |= {S[name]: value for name, value in values.items()}
    again.confirmed = world.confirmed
    return again


def hanging() -> World:
    """70 kg hang 300 mm above the bed, and nobody presses anything."""
    world = aloft(70.0)
    world.release()
    world.run(400)
    return world


# --- gateway and devices lose their supply together


def test_a_scale_that_tared_itself_at_power_on_sets_nobody_down() -> None:
    """H24, H25: the cell begins with what hangs there as zero."""
    world = hanging()
    assert world.state.marker.in_flight
    again = restarted(world, LOAD_KG=0.0)
    again.confirmed = 0  # the controller knows of no transfer any more
    again.run(3000)
    again.press(M.LEFT)
    again.run(1500)
    across = again.speed(M.LEFT)
    again.release()
    again.run(1500)
    again.press(M.DOWN)
    again.run(1500)
    assert again.state.people.aloft, f"forgotten; LEFT {across:.0f}, DOWN {again.speed(M.DOWN):.0f}"


def test_an_actuator_that_begins_at_zero_at_power_on_makes_nobody_sit() -> None:
    """H32: somebody stands (stroke 200 mm) through a power cut that takes the zero away."""
    world = standing(200.0)
    assert world.state.marker.in_flight
    again = restarted(world, STAND_POS=0.0, STAND_SPEED=0.0)
    again.run(2000)
    stood = again.state.people.standing
    again.extra.append(Reset("panel:1"))
    again.run(200)
    assert again.cmd(M.DRIVE) is not Cmd.MOVE, "one Reset, and the chair drives with them standing"
    assert stood


def test_a_load_that_vanished_has_not_come_down_by_a_restart() -> None:
    """H24: the row is remembered, and so is whom it is about."""
    world = aloft(70.0)
    world.values[S.LOAD_KG] = None
    world.run(1000)
    world.values[S.LOAD_KG] = 0.0
    world.run(1000)
    assert world.state.people.aloft
    assert world.state.latched == {"load_vanished"}
    again = restarted(world)
    again.run(2000)
    assert again.state.latched == {"load_vanished"}
    assert again.state.people.aloft
    assert again.state.marker.in_flight


def test_a_scale_whose_supply_dipped_sets_nobody_down() -> None:
    """As load_vanished, and silent for 160 ms only: shorter than the window."""
    world = hanging()
    world.values[S.LOAD_KG] = None
    world.run(160)
    world.values[S.LOAD_KG] = 0.0
    world.run(1000)
    world.press(M.DOWN)
    world.run(1500)
    assert world.state.people.aloft, f"forgotten; DOWN {world.speed(M.DOWN):.0f} mm/s"


# --- suspicions and latches


def test_a_slipped_loop_is_not_forgiven_by_a_restart() -> None:
    """H5, H37: "switch it off and on again" within five seconds of the slip."""
    world = aloft(70.0)
    world.values[S.LOAD_KG] = 50.0
    world.run(1000)
    assert world.state.latched == {"load_step"}
    again = restarted(world)
    again.run(8000)
    again.extra.append(Reset("panel:1"))
    again.run(400)
    assert "quarantine" in again.state.latched, f"free again: {free(again)!r}"


def test_loops_hooked_while_the_gate_was_dead_are_looked_at_again() -> None:
    """H5: the strap lowered them, somebody hooked them (or another) anew, and the power is back."""
    world = hanging()
    assert world.state.people.confirmed
    again = restarted(world)
    again.run(2000)
    assert again.confirmed == world.confirmed, "the controller lived, and still names the old one"
    assert not again.state.people.confirmed
    assert free(again) == M.DOWN
    again.confirmed = again.state.people.pickup
    again.run(400)
    assert free(again) & M.UP


# --- the devices alone lose their supply, the gateway has its own battery


@pytest.mark.parametrize("silent_ms", [400, 3000])
def test_a_lift_that_lost_its_supply_and_its_tare_sets_nobody_down(silent_ms: int) -> None:
    """H24: drive and cell are silent together: a speed nobody knows is no proof of a lowering."""
    world = hanging()
    silent = (S.LOAD_KG, S.HOIST_SPEED, S.HOIST_POS)
    world.values |= dict.fromkeys(silent)
    world.values[S.HOIST_VERIFIED] = 0.0
    world.run(silent_ms)
    world.values |= {S.LOAD_KG: 0.0, S.HOIST_SPEED: 0.0, S.HOIST_POS: 0.0, S.HOIST_VERIFIED: 1.0}
    world.run(3000)
    world.press(M.LEFT)
    world.run(1500)
    assert world.state.people.aloft, f"forgotten; LEFT {world.speed(M.LEFT):.0f} mm/s"


# --- tried, and it held


def test_a_late_answer_for_an_older_marker_raises_nobody() -> None:
    world = World().ready()
    world.disk = False
    world.press(M.UP)
    world.run(1200)
    first = world.state.marker.seq
    world.release()
    world.run(600)
    world.press(M.UP)
    world.run(100)
    assert world.state.marker.seq > first
    world.extra += [MarkerDurable(n, True) for n in range(world.state.marker.seq)]
    world.extra.append(MarkerDurable(world.state.marker.seq, False))
    world.run(600)
    assert world.speed(M.UP) == 0


def test_a_smaller_clock_a_stale_page_and_an_old_lease_move_nothing() -> None:
    old = aloft(70.0)
    world = restarted(old)
    world.keys, world.controller = {}, False
    beat = Beat("panel:9", "s", 5, M.DOWN, old.now_ns, 0)
    lease = Lease(old.now_ns, M.UP | M.DOWN, 1, True)
    for _ in range(int(old.now_ns / 20e6) + 100):  # until the clock passes the old numbers
        now = world.now_ns + 20 * MS
        world.extra += [replace(beat, rx_ns=now), lease]
        world.step()
        assert world.verdict is not None
        assert not world.verdict.moving


@pytest.mark.parametrize("kind", ["lift", "chair"])
def test_a_fallback_with_an_unreadable_marker_lowers(kind: str) -> None:
    world = World(kind=kind, marker=None, fallback=True)
    world.values[S.LOAD_KG if kind == "lift" else S.STAND_POS] = 70.0
    world.run(1000)
    assert world.state.people.aloft or world.state.people.standing
    assert lowers(world)
    assert free(world) == (M.DOWN if kind == "lift" else M.SIT)
