"""Every state against every trigger, and every state's mask."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from liftctl.controller import diagrams
from liftctl.controller.flow import Case, Fired
from liftctl.controller.flows import ACTIONS, FLOWS, Step, Trigger
from liftctl.controller.permissions import MASKS
from liftctl.controller.turn import FLOW_OF, LOCKING
from safety.types import LOWERING, Motion
from tests.controller.world import World

LIFT_EXPECTED = {
    # step: (empty, loaded); UDLRSX = up down left right stand sit, V = drive
    "idle": ("LRDX", "DX"),
    "planned": ("LRDX", "DX"),
    "checking": ("ULRDX", "DX"),
    "consent": ("ULRDX", "DX"),
    "hooking": ("ULRDX", "DX"),
    "raising": ("UDX", "UDX"),
    "tension_pause": ("DX", "DX"),
    "moving_up": ("ULRDX", "ULRDX"),
    "traversing": ("ULRDX", "ULRDX"),
    "lowering": ("ULRDX", "ULRDX"),
    "slack": ("DX", "DX"),
    "unhooking": ("DX", "DX"),
    "outcome": ("ULRDX", "DX"),
    "done": ("LRDX", "DX"),
}
CHAIR_EXPECTED = {
    "idle": ("VDX", "DX"),
    "planned": ("DX", "DX"),
    "checking": ("DX", "DX"),
    "consent": ("DX", "DX"),
    "standing_up": ("SDX", "SDX"),
    "standing": ("SDX", "SDX"),
    "sitting_down": ("SDX", "SDX"),
    "outcome": ("DX", "DX"),
    "done": ("VDX", "DX"),
}
EXPECTED = {"lift": LIFT_EXPECTED, "chair": CHAIR_EXPECTED}
LETTERS = dict(zip("UDLRSXV", (Motion(1 << n) for n in range(7)), strict=True))


def world_in(kind: str, step: str, loaded: bool) -> World:
    """A world whose transfer stands in `step`, by force."""
    world = World(kind)
    world.tick()
    if step != "idle":
        world.begin()
        world.tick()
        forced = replace(world.state.transfer, step=Step(step), carrying=loaded, confirmed_pickup=1)
        world.state = replace(world.state, transfer=forced)
    person = "aloft" if kind == "lift" else "standing"
    # A gate fact without a tick: the machine stays where it was put.
    seen = world.state.gate
    changed = {person: loaded, "pickup": 1}
    world.state = replace(world.state, gate=type(seen)(**{**_fields(seen), **changed}))
    world.turn()
    return world


def _fields(struct: object) -> dict[str, object]:
    return {name: getattr(struct, name) for name in struct.__struct_fields__}  # type: ignore[attr-defined]


CELLS = [
    (kind, step, loaded)
    for kind, rows in EXPECTED.items()
    for step, loaded in product(rows, (False, True))
]


@pytest.mark.parametrize(("kind", "step", "loaded"), CELLS)
def test_the_mask_of_each_state(kind, step, loaded):
    assert set(MASKS[kind]) == set(EXPECTED[kind])
    wanted = Motion.NONE
    for letter in EXPECTED[kind][step][loaded]:
        wanted |= LETTERS[letter]
    world = world_in(kind, step, loaded)
    assert world.mask == wanted
    if step not in ("idle", "done"):
        world.state = replace(world.state, transfer=replace(world.state.transfer, paused=True))
        world.turn()
        assert world.mask == LOWERING


@pytest.mark.parametrize(("kind", "step", "loaded"), CELLS)
def test_each_action_in_each_state_is_taken_or_refused(kind, step, loaded):
    for action, args in product(ACTIONS, ({}, {"outcome": "completed", "carers": "1"})):
        world = world_in(kind, step, loaded)
        shown = world.out.panels[-1].transfer if world.out.panels else None
        code = world.ask(action, **args)
        offered = shown is not None and action in shown.actions
        if action in LOCKING:  # no part of a transfer: only with nobody in the sling or standing
            assert (code == "") == (step == "idle" and not loaded)
        elif args and action not in ("begin", "ack_alarm", "cancel"):
            assert (code == "") == offered, (action, code)
        assert LOWERING in world.mask


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_the_machines_take_exactly_what_their_tables_say(flow):
    triggers = {*flow.machine.events, *(item.value for item in Trigger), "to_idle", "nonsense"}
    flags = list(product((False, True), repeat=3))
    for state, trigger, (loaded, paused, lasting) in product(flow.states, triggers, flags):
        case = Case(state, loaded, paused, 1, 1, lasting)
        expected = [
            edge for edge in flow.edges if edge.trigger == trigger and state in edge.sources
        ]
        taken = [edge for edge in expected if edge.guard is None or edge.guard(case)]
        fired = flow.fire(case, trigger)
        if not expected:
            assert fired is Fired.INVALID
        else:
            assert fired is (Fired.DONE if taken else Fired.GUARDED)
        assert case.state == ((taken[0].dest or state) if taken else state)


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_every_state_can_be_reached_and_left(flow):
    dests = {edge.dest for edge in flow.edges if edge.dest}
    sources = {source for edge in flow.edges if edge.dest for source in edge.sources}
    assert dests | {flow.states[0]} == set(flow.states) == sources


def test_unknown_actions_are_refused():
    for action in ("", "recorded", "load_gone", "written", "to_idle", "__init__", "planned"):
        assert World().ask(action) == "LC-FLOW-ACTION"


def test_the_tables_of_masks_cover_the_machines():
    for kind, flow in FLOW_OF.items():
        assert {str(step) for step in MASKS[kind]} == set(flow.states)


def test_the_drawn_machines_are_the_machines():
    assert diagrams.TARGET.read_text(encoding="utf-8") == diagrams.document(), (
        "run python -m liftctl.controller.diagrams"
    )
