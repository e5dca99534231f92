"""Lowering decided over the whole abstract state space, not sampled.

The state space is {true, false, unknown} for every row. It is decided by composition: the ladder of
any two row states is the maximum of their own ladders (checked for all pairs), so by induction the
ladder of any set is the maximum over its members; then the only states without lowering are those
that hold a row which takes it away alone, and these are listed by hand in
test_rows.MAY_STOP_LOWERING. The other half of the state (who owned and pressed, what an axis was
told, lease and disk) is gone through whole, with all signals good.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, product

import pytest

from safety.evaluate import MOTIONS_OF, active_rows, ladder
from safety.facts import AxisMemory
from safety.signals import KNOWN
from safety.stations import Station, Stations
from safety.table import FOR_KIND
from safety.types import ALL_MOTIONS, AXIS_OF, LOWERING, Act, Motion, SignalId
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
    world.follow = False
    return world


def lowers(world: World) -> bool:
    """Neutral, and then a fresh press at a live station."""
    motion = lowering(world.kind)
    world.run(1320, gap_ms=40)
    world.press(motion)
    world.run(160, gap_ms=40)
    return world.cmd(motion) is Cmd.MOVE and world.speed(motion) < 0


def exempt(world: World) -> bool:
    """A listed row stands, and only such a row (unknown or true) may explain a refusal."""
    assert world.verdict is not None
    blocked = next(m for m in world.verdict.motions if m.motion == lowering(world.kind))
    return blocked.act > Act.SLOW and any(r.rstrip("?") in MAY_STOP_LOWERING for r in blocked.rows)


@pytest.mark.parametrize("kind", KINDS)
def test_lowering_with_any_two_signals_gone(kind: str) -> None:
    for lost in combinations(KNOWN[kind], 2):
        world = carrying(kind)
        world.values |= dict.fromkeys(lost)
        assert lowers(world) or exempt(world), (lost, world.state.active)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("signal", [None, S.LOAD_KG, S.BATTERY_PCT, S.STAND_SPEED, S.FEET_KG])
def test_lowering_with_every_set_of_dead_processes(kind: str, signal: SignalId | None) -> None:
    if signal is not None and signal not in KNOWN[kind]:
        signal = S.ESTOP_A
    for dead in product((True, False), repeat=4):
        world = carrying(kind)
        world.controller, world.guard, world.recorder, world.disk = dead
        if signal is not None:
            world.values[signal] = None
        assert lowers(world), (dead, signal, world.state.active)


ME, OTHER, HAND = "panel:1", "panel:2", "hand"
# What the books may say when a carer comes to the panel: who owns, who presses what, what each axis
# was told last and may still have, what the controller and the disk say.
OWNERS = ("", ME, OTHER, HAND)
# What an axis may have been told: at rest without speed, ramping out of one, moving either way.
TOLD = ((Cmd.REST, 0.0), (Cmd.ISOLATE, 0.0), (Cmd.RAMP, 20.0), (Cmd.QUICK, -20.0),
        (Cmd.MOVE, 20.0), (Cmd.MOVE, -20.0))  # fmt: skip
LEASES = (ALL_MOTIONS, Motion.NONE, None)


def books(kind: str) -> Iterator[World]:
    """Every abstract state of authority and command, with all signals good and someone carried."""
    settled = carrying(kind)
    settled.run(1200, gap_ms=40)
    for owner, pressed, neutral in product(OWNERS, (True, False), (True, False)):
        if pressed and not owner:
            continue
        for cmd, speed in TOLD:
            for ready, lease, durable in product((True, False), LEASES, (True, False)):
                yield written(settled, owner, pressed, neutral, cmd, speed, ready, lease, durable)


def written(
    settled: World, owner: str, pressed: bool, neutral: bool, cmd: Cmd, speed: float, ready: bool,
    lease: Motion | None, durable: bool,
) -> World:  # fmt: skip
    world, now = settled.clone(), settled.now_ns
    up = Motion.UP if world.kind == "lift" else Motion.STAND
    names = {
        name: Station(
            f"s-{name}", press=7 if pressed and name == owner else 0,
            motion=up if pressed and name == owner else Motion.NONE, press_ns=now, last_press=7,
            neutral=neutral, echo_ns=now, rx_ns=now,
        )
        for name in (ME, OTHER, HAND)
    }  # fmt: skip
    state, axis = world.state, AXIS_OF[up]
    authority = replace(
        state.authority, stations=Stations(names, owner, now), durable_seq=10**6 if durable else 0
    )
    world.state = replace(
        state, authority=authority, ready=ready, cmds={**state.cmds, axis: cmd},
        axes={**state.axes, axis: AxisMemory(speed, abs(speed))},
    )  # fmt: skip
    world.presses, world.controller, world.disk = 7, lease is not None, durable
    world.lease = lease or Motion.NONE
    return world


@pytest.mark.parametrize("kind", KINDS)
def test_lowering_from_every_state_of_the_books(kind: str) -> None:
    """Who owned, pressed or ramped before does not matter: let go, press, and it lowers."""
    count = 0
    motion = lowering(kind)
    for world in books(kind):
        world.run(2080, gap_ms=80)  # longer than an ownership without a live press lasts
        world.press(motion)
        world.run(160, gap_ms=40)
        told = world.cmd(motion) is Cmd.MOVE and world.speed(motion) < 0
        assert told, (world.state.authority, world.state.cmds, world.state.active)
        count += 1
    assert count == 14 * len(TOLD) * 12


def allowed(world: World) -> Motion:
    world.run(1320, gap_ms=40)
    assert world.verdict is not None
    free = Motion.NONE
    for item in world.verdict.motions:
        free |= item.motion if item.act <= Act.SLOW else Motion.NONE
    return free & ~LOWERING


@pytest.mark.parametrize("kind", KINDS)
def test_a_second_fault_never_adds_a_permission(kind: str) -> None:
    ready = World(kind=kind).ready()

    def without(*lost: SignalId) -> Motion:
        world = ready.clone()
        world.values |= dict.fromkeys(lost)
        return allowed(world)

    alone = {signal: without(signal) for signal in KNOWN[kind]}
    for one, other in combinations(alone, 2):
        assert not without(one, other) & ~(alone[one] & alone[other]), (one, other)
