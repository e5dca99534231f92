"""A gate ends for a new configuration only when nothing can be hurt by it, and only for support."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from config.schema import load
from drivers.registry import build
from liftctl import ipc
from liftctl.entry import Ending, Turnover
from liftctl.gate import turn as gate
from liftctl.gate.marker import MarkerFile
from liftctl.gate.shell import Shell
from liftctl.gate.turn import GateTurnState
from liftctl.gate.view import in_use
from safety.types import Plan
from safety.verdict import Marker
from tests.gate.modes import MODES, MOTIONS, run

LIFT = load(Path("config/sites/demo-lift.toml"))


@pytest.mark.parametrize("kind", MODES)
def test_no_gate_ends_while_anything_moves(kind: str) -> None:
    for mode, moment in zip(MODES[kind], run(kind).moments, strict=True):
        if moment.out.verdict.moving or moment.out.verdict.marker.in_flight:
            assert in_use(moment.after), mode
    moving = [m.mode for m in run(kind).moments if m.out.verdict.moving]
    assert set(moving) >= set(MOTIONS[kind]), "or nothing was looked at"


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    config = gate.configure(LIFT, tuple(build(spec, LIFT.limits) for spec in LIFT.device))
    state = gate.start(config, time.monotonic_ns(), Marker(0, False, (), 0))
    found = Shell(
        config, state, ipc.serve(tmp_path / "gate.sock"), MarkerFile(tmp_path / "m"), None, {}
    )
    wake, _ = os.pipe()
    found.listen(wake)
    yield found
    found.server.close()


def asked(shell: Shell, *roles: str) -> tuple[bool, list[ipc.AnyMessage]]:
    """Does it end, and what is answered; a caller may say hello more than once."""
    caller = ipc.connect(shell.server.path)
    assert caller is not None
    for role in roles:
        caller.send(ipc.Hello(role))
    caller.send(ipc.StandDown())
    for _ in range(2):
        for key, _ in shell.selector.select(0.2):
            key.data()
    ends = shell.stands_down()
    return ends, caller.receive()


def carrying(state: GateTurnState) -> GateTurnState:
    people = replace(state.kernel.people, aloft=True)
    return replace(state, kernel=replace(state.kernel, people=people))


def planned(state: GateTurnState) -> GateTurnState:
    authority = replace(state.kernel.authority, plan=Plan(140.0, 1, True))
    return replace(state, kernel=replace(state.kernel, authority=authority))


def test_an_idle_gate_ends_for_support_and_says_so(shell: Shell) -> None:
    assert asked(shell, "support") == (True, [ipc.StoodDown("")])


@pytest.mark.parametrize("roles", [(), ("panel",), ("remote",), ("desk",), ("remote", "support")])
def test_it_ends_for_nobody_else(shell: Shell, roles: tuple[str, ...]) -> None:
    assert asked(shell, *roles) == (False, [ipc.StoodDown("not yours to ask")])


@pytest.mark.parametrize("busy", [carrying, planned], ids=["somebody hangs", "a plan is active"])
def test_it_goes_on_while(shell: Shell, busy: object) -> None:
    assert callable(busy)
    shell.state = busy(shell.state)
    ends, answer = asked(shell, "support")
    assert not ends and isinstance(answer[0], ipc.StoodDown) and answer[0].why


def test_a_process_follows_a_gate_that_changes_and_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    ending, turnover = Ending(), Turnover("own")
    turnover.hear("other")
    turnover.hear("other")
    assert not ending.asked, "a file that was edited since is no reason to go"
    turnover.hear("own")
    turnover.hear("other")
    for number, handler in before.items():
        signal.signal(number, handler)
    assert ending.asked
