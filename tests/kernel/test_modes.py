"""Every row in every mode: what it does to the motion that runs, in the very turn it trips.

Generated from the table; that the table is right is for tests/table. The fact is put in from
outside, so that each row can be seen alone.
"""

from __future__ import annotations

from functools import cache

import pytest

from safety import evaluate
from safety.evaluate import MOTIONS_OF
from safety.table import FOR_KIND, ROWS, Row
from safety.types import LOWERING, Act, Clear, Motion, Release, Reset
from safety.verdict import Cmd, Marker
from tests.kernel.trips import aloft, standing
from tests.kernel.world import World

M = Motion
MOVING = {
    "lift": (M.NONE, M.UP, M.DOWN, M.LEFT, M.RIGHT),
    "chair": (M.NONE, M.STAND, M.SIT),
}
CASES = [(kind, row) for kind, rows in FOR_KIND.items() for row in rows]
IDS = [f"{kind}-{row.id}" for kind, row in CASES]
honest = evaluate.truths


@cache
def moving(kind: str, motion: Motion) -> World:
    """Someone is carried, at full speed in this direction."""
    world = aloft() if kind == "lift" else standing()
    if motion:
        world.press(motion)
        world.run(1200)
        assert world.cmd(motion) is Cmd.MOVE
    return world


def put(patch: pytest.MonkeyPatch, row: Row, truth: bool | None) -> None:
    patch.setattr(evaluate, "truths", lambda scene: honest(scene) | {row.id: truth})


def reaction(row: Row, truth: bool | None, motion: Motion) -> Act:
    reactions = row.when_true if truth else row.when_unknown
    return max((r.act for r in reactions if r.motions & motion), default=Act.NONE)


@pytest.mark.parametrize(("kind", "row"), CASES, ids=IDS)
def test_a_row_acts_in_its_own_turn_and_nothing_starts_again_by_itself(
    kind: str, row: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared = {motion: moving(kind, motion) for motion in MOVING[kind]}  # before the patch
    for motion, healthy in prepared.items():
        before = {other: healthy.act(other) for other in MOTIONS_OF[kind]}
        for truth in (True, None):
            world = healthy.clone()
            put(monkeypatch, row, truth)
            world.step()
            for other, act in before.items():  # no more and no less: its ways out stay free
                expected = max(act, reaction(row, truth, other))
                assert world.act(other) == expected, (motion, truth, other)
            if motion:
                ended = told(world, motion, reaction(row, truth, motion))
                put(monkeypatch, row, False)
                world.run(600)
                assert (world.cmd(motion) is not Cmd.MOVE) or not ended, (motion, truth)


def told(world: World, motion: Motion, act: Act) -> bool:
    """What the axis must be told in this turn; True when the press has ended for ever."""
    cmd, ends = world.cmd(motion), act >= Act.HOLD or (act is Act.SLOW and bool(motion & LOWERING))
    if act is Act.ISOLATE:
        assert cmd is Cmd.ISOLATE
    elif act is Act.QUICK:
        assert cmd is Cmd.QUICK
    elif ends:
        assert cmd is Cmd.RAMP
    else:
        assert cmd is Cmd.MOVE
    return ends


@pytest.mark.parametrize(("kind", "row"), CASES, ids=IDS)
def test_what_a_row_leaves_can_be_done_by_a_fresh_press(
    kind: str, row: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    motion = M.DOWN if kind == "lift" else M.SIT
    healthy = moving(kind, M.NONE)  # before the patch
    for truth in (True, None):
        world = healthy.clone()
        put(monkeypatch, row, truth)
        world.run(60)
        world.press(motion)
        world.run(600)
        free = reaction(row, truth, motion) <= Act.SLOW
        assert (world.speed(motion) < 0) is free, truth


LATCHES = [(kind, row) for kind, row in CASES if row.clear is not Clear.AUTO]


@pytest.mark.parametrize(("kind", "row"), LATCHES, ids=[f"{k}-{r.id}" for k, r in LATCHES])
def test_a_latch_survives_a_restart_and_only_its_own_event_ends_it(
    kind: str, row: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = moving(kind, M.NONE).clone()
    put(monkeypatch, row, True)
    verdict = world.step()
    put(monkeypatch, row, False)
    assert row.id in verdict.marker.latched
    again = World(kind=kind, marker=Marker(9, True, verdict.marker.latched, 1))
    again.run(1000)
    assert row.id in again.state.latched
    assert not again.state.ready, "a latch keeps the gate faulted"
    own = Reset("panel:1") if row.clear is Clear.RESET else Release(row.id, "A. Technician")
    others = [Release(name, "A. Technician") for name in ROWS if name != row.id]
    foreign = Release(row.id, "A. Technician") if row.clear is Clear.RESET else Reset("panel:1")
    again.extra += [*others, foreign]
    again.step()
    assert row.id in again.state.latched
    put(monkeypatch, row, True)
    again.extra.append(own)
    again.step()
    put(monkeypatch, row, None)
    again.extra.append(own)
    again.step()
    put(monkeypatch, row, False)
    again.run(100)  # the event is an edge: it does not wait for the condition to go
    assert row.id in again.state.latched
    again.extra.append(own)
    again.step()
    assert row.id not in again.state.latched


def test_the_prepared_worlds_are_healthy() -> None:
    for kind, motions in MOVING.items():
        for motion in motions:
            world = moving(kind, motion).clone()
            world.step()
            held = [m for m in MOTIONS_OF[kind] if world.act(m) > Act.WARN]
            assert held == ([M.DRIVE] if kind == "chair" else []), "who stands does not drive"
