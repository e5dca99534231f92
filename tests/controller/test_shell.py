"""The shell against a gate, a recorder and a panel on real sockets."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from config.plans import Register, ResidentSpec
from liftctl.controller.shell import Shell
from liftctl.ipc import (
    Channel,
    ControllerState,
    Hello,
    NewPlan,
    Permission,
    Refused,
    Server,
    TransferOpened,
    Workflow,
    Written,
    connect,
    serve,
)
from liftctl.places import Places
from liftctl.register import store
from safety.types import Motion
from tests.controller.world import ALONE, SITES, gate_state, site

PLACES = Places("demo-lift")
BEGIN = Workflow("p", "begin", {"kind": "bed-chair", "resident": ALONE, "carers": "1"})


@pytest.fixture(autouse=True)
def run_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("LIFTCTL_RUN", str(tmp_path))
    monkeypatch.setenv("LIFTCTL_DATA", str(tmp_path / "data"))
    PLACES.run.mkdir()


def until(pump: Callable[[], object], find: Callable[[], Any], seconds: float = 10) -> Any:
    end_ns = time.monotonic_ns() + int(seconds * 1e9)
    while time.monotonic_ns() < end_ns:
        pump()
        found = find()
        if found:
            return found
    raise AssertionError("nothing came")


class Peers:
    """The other ends; `seen` keeps all that the controller said to each."""

    def __init__(self) -> None:
        self.gate, self.recorder = serve(PLACES.sock("gate")), serve(PLACES.sock("recorder"))
        self.panel: Channel | None = None
        self.seen: dict[str, list[Any]] = {"gate": [], "recorder": [], "panel": []}

    def listen(self) -> None:
        for name, server in (("gate", self.gate), ("recorder", self.recorder)):
            server.accept()
            for channel in server.channels:
                self.seen[name] += channel.receive()
        if self.panel is None:
            self.panel = connect(PLACES.sock("controller"))
        if self.panel is not None:
            self.seen["panel"] += self.panel.receive()

    def tick(self, **facts: Any) -> int:
        tick_ns = time.monotonic_ns()
        self.gate.broadcast(gate_state("lift", tick_ns=tick_ns, **facts))
        return tick_ns

    def of(self, name: str, kind: type[Any]) -> list[Any]:
        return [item for item in self.seen[name] if isinstance(item, kind)]

    def leave(self) -> None:
        for server in (self.gate, self.recorder):
            Server.close(server)
        if self.panel:
            self.panel.close()


@pytest.fixture
def peers():
    found = Peers()
    yield found
    found.leave()


def test_the_screen_stays_locked_for_wiping_over_a_restart(peers):
    """Who wipes it must not move the lift because a process died (H3)."""

    def asked(action: str) -> frozenset[str]:
        shell = Shell(site("lift"))
        at_start = shell.state.locks

        def pump() -> None:
            peers.tick()
            shell.step(0.01)
            peers.listen()

        until(pump, lambda: peers.panel and peers.of("panel", ControllerState))
        peers.panel.send(Workflow("p", action))
        until(pump, lambda: shell.state.locks != at_start)
        shell.close()
        peers.panel = None
        return at_start

    assert asked("cleaning_on") == frozenset()
    assert asked("cleaning_off") == {"cleaning"}
    assert Shell(site("lift")).state.locks == frozenset()


def test_ticks_steps_records_and_deaths_over_sockets(peers):
    shell = Shell(site("lift"))

    def pump() -> None:
        shell.step(0.01)
        peers.listen()

    until(pump, lambda: peers.of("gate", Hello) and peers.of("recorder", Hello) and peers.panel)
    tick_ns = peers.tick()
    lease = until(pump, lambda: peers.of("gate", Permission))[-1]
    assert lease.echo_ns == tick_ns
    assert not lease.in_transfer

    def ticking() -> None:
        """A gate that is silent for a second is lost, however busy this machine is."""
        peers.tick()
        pump()

    peers.panel.send(Workflow("p", "hooked"))
    assert until(ticking, lambda: peers.of("panel", Refused))[0].code == "LC-FLOW-STEP"
    peers.panel.send(BEGIN)
    opened = until(ticking, lambda: peers.of("recorder", TransferOpened))[0]
    peers.recorder.broadcast(Written(opened.id, "opened", 1, "h"))
    until(ticking, lambda: any(item.active for item in peers.of("gate", NewPlan)))
    last = until(ticking, lambda: [x for x in peers.of("gate", Permission) if x.in_transfer])[-1]
    assert Motion.UP in Motion(last.motions)
    assert peers.of("panel", ControllerState)[-1].transfer.step == "checking"
    peers.gate.channels[0].close()
    peers.gate.channels.clear()
    until(pump, lambda: peers.of("panel", ControllerState)[-1].mode == "offline")
    until(pump, lambda: len(peers.of("gate", Hello)) == 2)
    assert peers.of("gate", NewPlan)[-1].active
    peers.panel.close()
    for _ in range(3):
        pump()
    shell.close()


@pytest.mark.process
def test_the_process_starts_answers_and_ends(peers):
    command = [sys.executable, "-m", "liftctl.controller", "--site", SITES / "demo-lift.toml"]
    process = subprocess.Popen(command)
    try:
        until(peers.listen, lambda: peers.of("gate", Hello))
        peers.tick()
        until(peers.listen, lambda: peers.of("gate", Permission))
    finally:
        process.terminate()
    assert process.wait(60) == 0
    assert not PLACES.sock("controller").exists()


@pytest.mark.process
def test_a_site_that_cannot_be_read_is_exit_2():
    command = [sys.executable, "-m", "liftctl.controller", "--site", "nowhere.toml"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 2
    assert "name an existing site file" in done.stderr


def test_the_register_is_read_when_it_changes_and_a_broken_one_is_said(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("LIFTCTL_DATA", str(tmp_path / "var"))
    shell = Shell(site("lift"))

    def residents() -> list[str]:
        shell.register_ns = 0
        shell.step(0)
        return [item.label for item in shell.state.register.resident]

    try:
        assert residents() == []
        resident = ResidentSpec(token="r-1", label="Resident C", limit_kg=100)
        store.save(PLACES.register, Register(resident=(resident,)))
        assert residents() == ["Resident C"]
        PLACES.register.write_text('{"version": 1, "resident": [{"token": "r-1"}]}')
        assert residents() == ["Resident C"]
        assert "'label' is missing" in capsys.readouterr().err
        PLACES.register.unlink()
        assert residents() == []
    finally:
        shell.close()
