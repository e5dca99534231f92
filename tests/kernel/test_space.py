"""Lowering decided over the whole abstract state space, not sampled.

The state space is {true, false, unknown} for every row. It is decided by composition: the ladder of
any two row states is the maximum of their own ladders (checked for all pairs), so by induction the
ladder of any set is the maximum over its members; then the only states without lowering are those
that hold a row which takes it away alone, and these are listed by hand in
test_rows.MAY_STOP_LOWERING.
"""

from __future__ import annotations

from itertools import combinations, product

import pytest

from safety.evaluate import MOTIONS_OF, active_rows, ladder
from safety.signals import SPECS
from safety.table import FOR_KIND
from safety.types import ALL_MOTIONS, LOWERING, Act, Motion, SignalId
from safety.verdict import Cmd, Marker
from tests.kernel.test_rows import MAY_STOP_LOWERING
from tests.kernel.world import World

pytestmark = pytest.mark.no_cover  # long
S = SignalId
KINDS = ("lift", "chair")
State = tuple[str, bool | None]


def acts(kind: str, *states: State) -> dict[Motion, Act]:
    facts: dict[str, bool | None] = {row.id: False for row in FOR_KIND[kind]} | dict(states)
    return {m.motion: m.act for m in ladder(kind, active_rows(kind, facts, ()), ALL_MOTIONS)}


def states_of(kind: str) -> list[State]:
    return [(row.id, truth) for row in FOR_KIND[kind] for truth in (True, None)]


def lowering(kind: str) -> Motion:
    return next(motion for motion in MOTIONS_OF[kind] if motion & LOWERING)


@pytest.mark.parametrize("kind", KINDS)
def test_ladder_of_any_two_states_is_the_maximum_of_both(kind: str) -> None:
    alone = {state: acts(kind, state) for state in states_of(kind)}
    for one, other in combinations(alone, 2):
        if one[0] == other[0]:
            continue
        both = acts(kind, one, other)
        assert both == {m: max(alone[one][m], alone[other][m]) for m in both}, (one, other)


@pytest.mark.parametrize("kind", KINDS)
def test_only_the_listed_rows_take_lowering_away(kind: str) -> None:
    takes = {state[0] for state in states_of(kind) if acts(kind, state)[lowering(kind)] > Act.SLOW}
    listed = {row.id for row in FOR_KIND[kind]} & set(MAY_STOP_LOWERING)
    assert takes == listed


def carrying(kind: str) -> World:
    """Someone hangs or stands, after a restart in the middle of it."""
    world = World(kind=kind, marker=Marker(5, True, (), 1))
    world.values[S.LOAD_KG if kind == "lift" else S.STAND_POS] = 70.0
    return world


def lowers(world: World) -> bool:
    """Neutral, and then a fresh press at a live station."""
    motion = lowering(world.kind)
    world.run(1300)
    world.press(motion)
    world.run(160)
    return world.cmd(motion) is Cmd.MOVE and world.speed(motion) < 0


def exempt(world: World) -> bool:
    """A listed row stands, and only such a row (unknown or true) may explain a refusal."""
    assert world.verdict is not None
    blocked = next(m for m in world.verdict.motions if m.motion == lowering(world.kind))
    return blocked.act > Act.SLOW and any(r.rstrip("?") in MAY_STOP_LOWERING for r in blocked.rows)


@pytest.mark.parametrize("kind", KINDS)
def test_lowering_with_any_two_signals_gone(kind: str) -> None:
    for lost in combinations(SPECS[kind], 2):
        world = carrying(kind)
        world.values |= dict.fromkeys(lost)
        world.follow = False
        assert lowers(world) or exempt(world), (lost, world.state.active)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("signal", [None, S.LOAD_KG, S.BATTERY_PCT, S.STAND_SPEED, S.FEET_KG])
def test_lowering_with_every_set_of_dead_processes(kind: str, signal: SignalId | None) -> None:
    if signal is not None and signal not in SPECS[kind]:
        signal = S.ESTOP_A
    for dead in product((True, False), repeat=4):
        world = carrying(kind)
        world.controller, world.guard, world.recorder, world.disk = dead
        world.follow = False
        if signal is not None:
            world.values[signal] = None
        assert lowers(world), (dead, signal, world.state.active)


def allowed(world: World) -> Motion:
    world.run(1300)
    assert world.verdict is not None
    free = Motion.NONE
    for item in world.verdict.motions:
        free |= item.motion if item.act <= Act.SLOW else Motion.NONE
    return free & ~LOWERING


@pytest.mark.parametrize("kind", KINDS)
def test_a_second_fault_never_adds_a_permission(kind: str) -> None:
    signals = list(SPECS[kind])
    alone = {}
    for signal in signals:
        world = World(kind=kind).ready()
        world.values[signal] = None
        alone[signal] = allowed(world)
    for one, other in combinations(signals, 2):
        world = World(kind=kind).ready()
        world.values |= {one: None, other: None}
        assert not allowed(world) & ~(alone[one] & alone[other]), (one, other)
