"""Kernel defects that a review found, each with its scenario.

The docstring of a test says what went wrong before.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from config.schema import load
from safety.bounds import Params
from safety.types import (
    Beat,
    Motion,
    SignalId,
    Stop,
)
from safety.verdict import Cmd, Marker
from tests.kernel.world import PERIOD_NS, World

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


# --- F1 the kernel raises ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "motion"),
    [("lift", M.SIT), ("lift", M.STAND), ("lift", M.DRIVE), ("chair", M.DOWN), ("chair", M.LEFT)],
)
def test_a_press_of_the_other_kinds_motion_does_not_raise(kind: str, motion: Motion) -> None:
    """step._moving looks up an axis this kind does not have: KeyError, the gate process dies."""
    world = World(kind=kind).ready()
    world.press(motion)
    world.run(1200)


# --- F10.. the kernel -------------------------------------------------------------------------


@pytest.mark.parametrize("between", [False, True])
def test_no_motion_in_the_turn_of_a_stop(between: bool) -> None:
    """absorb() kills at the STOP and digests what follows in the same turn: press, or release and
    press, after it in the queue moves at once (and at full speed, without any quick stop).
    """
    world = hanging()
    if between:
        world.press(M.DOWN)
        world.run(600)
    n = world.now_ns + PERIOD_NS
    world.keys.pop("panel:1")
    world.extra = [
        Stop("panel:2"),
        Beat("panel:1", "s-panel:1", 0, M.NONE, n, n),
        Beat("panel:1", "s-panel:1", 99, M.DOWN, n, n),
    ]
    world.step()
    assert world.cmd(M.DOWN) is not Cmd.MOVE


def test_a_fresh_press_of_a_non_owner_stops_even_before_its_neutral() -> None:
    """Rule 6: any press by a non-owner stops. _press returns before _fresh_press when the station
    was not seen neutral (a page that reconnects under the finger, a hand control plugged in).
    """
    world = hanging()
    world.press(M.DOWN)
    world.run(300)
    world.keys["panel:2"] = (99, M.UP)
    world.run(60)
    assert world.cmd(M.DOWN) is not Cmd.MOVE


def test_up_is_possible_after_a_restart_in_the_air() -> None:
    """boot() numbers the marker seq+1 but nobody writes that record: durable_seq never reaches it,
    UP is refused ("marker") until the person has been set down.
    """
    world = World(marker=Marker(7, True, (), 3))
    world.values[S.LOAD_KG] = 70.0
    world.run(400)
    world.confirmed = world.state.people.pickup  # the loops were looked at again
    world.run(100)
    assert world.state.ready
    world.press(M.UP)
    world.run(3000)
    assert any(v.moving == M.UP for v in world.log)


def test_the_first_marker_after_a_restart_does_not_overwrite_the_newest_slot(
    tmp_path: Path,
) -> None:
    """seq+1 unwritten, then seq+2: the same slot as the newest record. Torn there, the older slot
    (nobody aloft, no latch) is believed.
    """
    from liftctl.gate.marker import SLOT, MarkerFile, init
    from liftctl.gate.marker import load as load_marker

    path = tmp_path / "marker"
    init(path)
    file = MarkerFile(path)
    file.open(os.open(os.devnull, os.O_WRONLY))
    file._store(Marker(1, True, ("hoist_runaway",), 4))
    world = World(marker=load_marker(path))
    before = world.state.marker
    while (marker := world.step().marker) == before:
        world.press(M.DOWN)
    torn = (marker.seq % 2) * SLOT
    raw = bytearray(path.read_bytes())
    raw[torn + 8 : torn + 20] = bytes(12)  # power lost half way through this write
    path.write_bytes(raw)
    found = load_marker(path)
    assert found is None or set(found.latched) >= {"hoist_runaway"}, found


@pytest.mark.parametrize("estop", [1.0, None])
def test_the_red_strap_is_not_a_runaway(estop: float | None) -> None:
    """The panel tells the carer to pull the strap after a drive fault or a dead node, and nowhere
    to press the e-stop first: -40 mm/s without command latches H1 with SERVICE release.
    """
    world = hanging()
    world.follow = False
    world.values[S.ESTOP_A] = world.values[S.ESTOP_B] = estop
    world.values[S.HOIST_FAULT] = 1.0
    world.run(300)
    world.values[S.HOIST_SPEED] = -40.0
    world.run(400)
    assert not world.state.latched


def test_the_standers_own_minimum_speed_is_seen_as_motion() -> None:
    """still_mm_s 5 and the margin of 10 mm/s are hoist numbers: the Electrak creeps at 4 mm/s (its
    20 %) without command and nothing trips; 15 instead of docking 6 mm/s while sitting neither.
    """
    world = World(kind="chair").ready()
    world.follow = False
    world.values[S.STAND_SPEED] = 4.0
    world.run(2000)
    assert "stand_runaway" in world.state.latched


def test_the_stander_over_its_full_speed_is_overspeed() -> None:
    world = World(kind="chair").ready()
    world.values[S.STAND_POS] = 250.0
    world.press(M.SIT)
    world.run(1000)
    world.follow = False
    world.values[S.STAND_SPEED] = -1.9 * abs(world.speed(M.SIT))  # 28 mm/s instead of 15
    world.run(300)
    assert "stand_overspeed" in world.state.latched
