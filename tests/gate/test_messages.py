"""What a message does in the very turn it arrives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from liftctl import ipc
from liftctl.gate.inputs import GateInput, RxFrame
from liftctl.gate.turn import GateTurnState, Outputs, turn
from safety.types import ALL_MOTIONS, Motion
from tests.gate.modes import MODES, Moment, run
from tests.gate.room import MS

Result = tuple[GateTurnState, Outputs]


def moment(mode: str, kind: str = "lift") -> Moment:
    return run(kind).moments[MODES[kind].index(mode)]


def with_message(mode: str, *messages: GateInput) -> Result:
    m = moment(mode)
    return turn(m.config, m.before, m.now_ns, (*m.given, *messages))


STOPS: dict[str, Callable[[int], GateInput]] = {
    "STOP by the owner": lambda now: ipc.StopPress("panel:1"),
    "STOP by another": lambda now: ipc.StopPress("panel:2"),
    "the link died": lambda now: ipc.StationGone("panel:1"),
    "let go": lambda now: ipc.Hold("panel:1", "s", 0, "", now, now),
    "another direction": lambda now: ipc.Hold("panel:1", "s", 99, "DOWN", now, now),
    "permission for nothing": lambda now: ipc.Permission(now, 0, 0, True),
    "the guard cuts": lambda now: ipc.GuardSays(now, "it lies"),
}


@pytest.mark.parametrize("name", STOPS)
def test_a_raise_ends_in_the_turn_of(name: str) -> None:
    m = moment("raising")
    assert m.out.verdict.moving is Motion.UP
    _, out = with_message("raising", STOPS[name](m.now_ns))
    assert not out.verdict.moving


def test_reset_clears_an_estop_that_was_let_go_and_release_a_technicians_latch() -> None:
    state, _ = with_message("estop", ipc.ResetPress("panel:1"))
    assert "estop" not in state.kernel.latched
    m = moment("ready")
    runaway = replace(m.before.kernel, latched=frozenset({"hoist_runaway"}))
    before = replace(m.before, kernel=runaway)
    for message, left in (
        (ipc.ReleaseLatch("hoist_runaway", "A. Technician"), {"quarantine"}),
        (ipc.ReleaseLatch("hoist_runaway", ""), {"hoist_runaway", "quarantine"}),
        (ipc.ResetPress("panel:1"), {"hoist_runaway", "quarantine"}),
    ):
        state, _ = turn(m.config, before, m.now_ns, (*m.given, message))
        assert state.kernel.latched == left


def test_a_plan_lowers_the_limit_until_it_ends() -> None:
    m = moment("ready")
    state, _ = with_message("ready", ipc.NewPlan(True, 60.0, 2, False))
    assert state.kernel.authority.plan is not None
    assert state.kernel.authority.plan.limit_kg == 60.0
    state, _ = turn(m.config, state, m.now_ns + 20 * MS, (ipc.NewPlan(False),))
    assert state.kernel.authority.plan is None


def test_a_recorder_that_cannot_write_lets_no_new_transfer_begin() -> None:
    m = moment("ready")
    between = ipc.Permission(m.now_ns, int(ALL_MOTIONS), 0, False)
    for healthy in (True, False):
        _, out = with_message("ready", between, ipc.RecorderSays(m.now_ns, healthy))
        assert ("recorder_lost" in out.verdict.active) is not healthy


HAND_CONTROL = 0x1A0


@pytest.mark.parametrize(("keys", "left"), [(0, Motion.UP), (1, Motion.NONE), (2, Motion.NONE)])
def test_a_key_of_the_hand_control_stops_what_a_panel_moves(keys: int, left: Motion) -> None:
    m = moment("raising")
    said = RxFrame(m.now_ns, "lift", HAND_CONTROL, bytes((0xFF, 0x80 | keys)))
    assert with_message("raising", said)[1].verdict.moving is left


@pytest.mark.parametrize(("keys", "told"), [(0, False), (1, False), (3, True)])
def test_two_keys_at_once_are_told_as_a_fault_of_the_hand_control(keys: int, told: bool) -> None:
    m = moment("ready")
    said = RxFrame(m.now_ns, "lift", HAND_CONTROL, bytes((0xFF, 0x80 | keys)))
    state, _ = with_message("ready", said)
    state, out = turn(m.config, state, m.now_ns + 20 * MS, ())
    assert ("hand_fault" in out.verdict.active) is told


def test_turns_that_move_and_events_are_counted() -> None:
    def more(mode: str, *messages: GateInput) -> dict[str, int]:
        before, after = moment(mode).before.counters, with_message(mode, *messages)[0].counters
        names = ("turns", "turns_moving", *(name for name in after if name.startswith("events_")))
        found = {name: after.get(name, 0) - before.get(name, 0) for name in names}
        return {name: n for name, n in found.items() if n}

    assert more("ready") == {"turns": 1}
    assert more("raising") == {"turns": 1, "turns_moving": 1}
    assert more("raising", ipc.StopPress("panel:1")) == {"turns": 1, "events_stop": 1}
