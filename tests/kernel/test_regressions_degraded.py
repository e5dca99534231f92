"""Kernel defects under degraded signals, restarts and stalls that a review found.

The docstring of a test says what went wrong before.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from config.schema import load
from safety.bounds import Params
from safety.types import (
    Act,
    Beat,
    Gone,
    Motion,
    Plan,
    PlanSet,
    Release,
    Reset,
    SignalId,
    Stop,
)
from safety.verdict import Cmd, Marker
from tests.kernel.world import World

S, M, P, MS = SignalId, Motion, Params(), 1_000_000
SITES = Path("config/sites")
LIFT = load(SITES / "demo-lift.toml")


def hanging(**more: object) -> World:
    world = World(**more).ready()  # type: ignore[arg-type]
    world.values[S.LOAD_KG] = 70.0
    world.run(100)
    world.confirmed = world.state.people.pickup
    world.run(100)
    return world


def test_a_run_enable_that_was_off_and_fell_silent_does_not_permit_up() -> None:
    """_guard_cut: bool(None). Making a signal unknown adds UP, LEFT, RIGHT."""
    world = World().ready()
    world.values[S.RUN_ENABLE] = 0.0
    world.run(300)
    assert world.act(M.UP) >= Act.HOLD
    world.values[S.RUN_ENABLE] = None
    world.run(600)
    assert world.act(M.UP) >= Act.HOLD


@pytest.mark.parametrize("half_ms", [20, 60])
def test_a_chattering_contact_does_not_strand_anybody(half_ms: int) -> None:
    """Each onset of a SLOW row kills the DOWN press although it already runs at docking speed:
    5 mm in 30 s. Rule 4: one stuck switch strands nobody; a loose one does.
    """
    world = hanging()
    start = world.values[S.HOIST_POS]
    for i in range(1500):
        world.values[S.STRAP_TIGHT] = float(i * 20 // half_ms % 2)
        if i % 50 == 0:
            world.release()
        if i % 50 == 5:
            world.press(M.DOWN)
        world.step()
    assert start is not None
    assert start - (world.values[S.HOIST_POS] or 0) > 300  # of about 800 possible


def test_no_traverse_with_unconfirmed_loops_below_the_pause() -> None:
    """tension_pause is False until 80 mm were risen, so TRAVERSE is free with nobody having looked
    at the loops: 75 mm off the bed and away (H5). Only the controller's mask forbids it.
    """
    world = World().ready()
    world.values[S.LOAD_KG] = 70.0
    world.run(200)
    assert world.state.people.aloft and not world.state.people.confirmed
    assert world.act(M.LEFT) >= Act.HOLD


def test_a_plan_cannot_be_widened_in_mid_transfer() -> None:
    """Rule 7: frozen, and can only narrow. A second PlanSet (or NaN as its limit) widens it."""
    world = hanging()
    world.extra = [PlanSet(Plan(60.0, 1, True))]
    world.run(400)
    assert world.act(M.UP) >= Act.HOLD
    world.extra = [PlanSet(Plan(float("nan"), 1, True))]
    world.run(400)
    assert world.act(M.UP) >= Act.HOLD


def test_stations_do_not_pile_up() -> None:
    """A beat without any value as evidence still makes an entry, and nothing ever removes one."""
    world = World().ready()
    world.extra = [Beat(f"x{n}", "s", 0, M.NONE, 0, 0) for n in range(1000)]
    world.run(10_000)
    assert len(world.state.authority.stations.by_name) < 100


def test_a_dead_press_id_stays_dead_after_its_link_was_gone() -> None:
    """gone() (and a second session) forgets last_press."""
    world = hanging()
    world.press(M.DOWN)
    world.run(200)
    dead = world.keys["panel:1"]
    world.extra = [Stop("panel:2")]
    world.step()
    world.extra = [Gone("panel:1")]
    world.release()
    world.run(600)
    world.keys["panel:1"] = dead
    world.run(200)
    assert world.speed(M.DOWN) == 0


def test_drive_is_inhibited_by_stop_and_does_not_come_back_by_itself() -> None:
    """DRIVE ignored STOP; after one turn without a lease `!MG` followed by itself while the
    joystick might still be deflected.
    """
    world = World(kind="chair").ready()
    world.run(200)
    assert world.cmd(M.DRIVE) is Cmd.MOVE
    world.extra = [Stop("panel:1")]
    world.step()
    assert world.cmd(M.DRIVE) is not Cmd.MOVE
    world.extra = [Reset("panel:1")]
    world.run(600)
    assert "drive_waits" not in world.state.active
    world.run(5000)
    assert world.cmd(M.DRIVE) is not Cmd.MOVE, "a Reset in the first second is for something else"
    assert "drive_waits" in world.state.active
    world.extra = [Reset("panel:1")]
    world.values[S.DRIVE_SPEED] = 5.0
    world.run(400)
    assert world.cmd(M.DRIVE) is not Cmd.MOVE, "it must be still"
    world.values[S.DRIVE_SPEED] = 0.0
    world.free_joystick()
    assert world.cmd(M.DRIVE) is Cmd.MOVE
    assert "drive_waits" not in world.state.active


def test_a_chair_whose_speed_is_not_known_is_not_known_to_be_still() -> None:
    """A speed that had been 0 before its frames stopped was taken for standing still."""
    world = World(kind="chair").ready()
    world.extra = [Stop("panel:1")]
    world.step()
    world.values[S.DRIVE_SPEED] = None
    world.free_joystick()
    assert world.cmd(M.DRIVE) is not Cmd.MOVE
    world.values[S.DRIVE_SPEED] = 0.0
    world.step()
    assert world.cmd(M.DRIVE) is Cmd.MOVE


def test_a_latch_of_a_row_that_no_longer_exists_can_be_released() -> None:
    """A renamed row in the marker: never ready again, and no release reaches it."""
    world = World(marker=Marker(1, False, ("row_of_an_older_version",), 0))
    world.run(400)
    world.extra = [Release("row_of_an_older_version", "A. Technician")]
    world.run(200)
    assert world.state.ready


def test_a_short_stall_is_no_overspeed() -> None:
    """coast() lets the allowance fall for the whole stall although the axis was told to run all
    that time: with one turn of latency and the configured ramp a 160 ms stall latches H7.
    """
    world = hanging()
    world.press(M.DOWN)
    world.run(2000)
    world.follow = False
    speed = abs(world.speed(M.DOWN))
    world.step(gap_ns=160 * MS)
    for n in range(40):
        if n >= 2:
            speed = max(0.0, speed - P.hoist_decel_mm_s2 * 0.02)
        world.values[S.HOIST_SPEED] = -speed
        world.step()
    assert not world.state.latched


def test_a_gate_that_restarts_while_the_hoist_still_stops_does_not_latch() -> None:
    """boot() allowed no speed at all: 120 ms of coasting after a restart was H1."""
    world = World(marker=Marker(7, True, (), 3))
    world.values[S.LOAD_KG], world.follow = 70.0, False
    for n in range(30):
        world.values[S.HOIST_SPEED] = -max(0.0, 50 - n * 20 * 0.3)
        world.step()
    assert not world.state.latched


def test_an_unknown_knee_contact_permits_no_more_than_a_disagreeing_one() -> None:
    """Found by the walk (chair, seed 99). A closed, B open: discrepancy, DRIVE held. A unknown, B
    open: "knee_block" is true (STAND only), the discrepancy unknown and without reaction.
    """
    world = World(kind="chair").ready()
    world.values[S.KNEE_B] = 0.0
    world.run(800)
    assert world.act(M.DRIVE) >= Act.HOLD
    world.values[S.KNEE_A] = None
    world.run(400)
    assert world.act(M.DRIVE) >= Act.HOLD
