"""The gate's shell against dying peers and buses, and configurations that must not be accepted.

The docstring of a test says what went wrong before.
"""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

import pytest

from config.schema import ConfigError, load, parse
from drivers.frames import Frame
from liftctl import ipc
from liftctl.accept import check
from liftctl.gate.inputs import Link
from safety.bounds import Params
from safety.types import (
    Motion,
    SignalId,
)
from safety.verdict import Marker

S, M, P, MS = SignalId, Motion, Params(), 1_000_000
SITES = Path("config/sites")
LIFT = load(SITES / "demo-lift.toml")


# --- F6, F7, F8 the shells --------------------------------------------------------------------


def _shell(tmp_path: Path, ports: dict[str, object] | None = None):
    from drivers.registry import build
    from liftctl.gate import turn as gate
    from liftctl.gate.marker import MarkerFile
    from liftctl.gate.shell import Shell

    config = gate.configure(LIFT, tuple(build(d, LIFT.limits) for d in LIFT.device))
    state = gate.start(config, time.monotonic_ns(), Marker(0, False, (), 0))
    server = ipc.serve(tmp_path / "gate.sock")
    shell = Shell(config, state, server, MarkerFile(tmp_path / "m"), None, ports or {})
    wake, _ = os.pipe()
    shell.listen(wake)
    return shell


def _turn_loop(shell, times: int = 1) -> None:
    for _ in range(times):
        for key, _ in shell.selector.select(0.05):
            key.data()


def test_a_peer_that_dies_at_the_wrong_moment_does_not_kill_the_gate(tmp_path: Path) -> None:
    """broadcast -> send -> EPIPE -> Channel.close() without selector.unregister: the next accept
    gets the same descriptor number and register() raises KeyError out of the gate's loop.
    """
    shell = _shell(tmp_path)
    peer = ipc.connect(tmp_path / "gate.sock")
    assert peer is not None
    _turn_loop(shell)
    from liftctl.gate.turn import turn as gate_turn

    peer.sock.close()  # dies after the gate's select returned, before its broadcast
    now = time.monotonic_ns()
    shell.state, out = gate_turn(shell.config, shell.state, now, ())
    shell._publish(out, now)
    again = ipc.connect(tmp_path / "gate.sock")
    assert again is not None
    _turn_loop(shell)  # KeyError: already registered
    assert len(shell.server.channels) == 1


def test_a_bus_that_fails_in_send_is_reopened(tmp_path: Path) -> None:
    """CanPort.send -> _lost() closes the descriptor and leaves DOWN in the port's own queue, which
    only receive() hands out; nobody calls receive() on a closed descriptor: deaf and mute for ever.
    """
    from drivers.ports.canbus import CanPort

    class Bus:
        def __init__(self) -> None:
            self.a, self.b = socket.socketpair()

        def fileno(self) -> int:
            return self.a.fileno()

        def recv(self, timeout: float = 0) -> None:
            return None

        def send(self, message: object, timeout: float = 0) -> None:
            raise OSError(100, "Network is down")

        def shutdown(self) -> None:
            self.a.close()

    port = CanPort.__new__(CanPort)
    port.name, port.malformed, port.refused, port._events = "lift", 0, 0, []
    port._where, port._listen_only, port._bus = ("socketcan", "nocan9", 1), False, Bus()
    port._fd = port._bus.fileno()
    shell = _shell(tmp_path, {"lift": port})
    for _ in range(5):
        shell._send(Frame("lift", 0x210, bytes(6)), time.monotonic_ns())
        _turn_loop(shell)
    assert port.fileno() < 0
    assert "lift" in shell.down, "never tried again"
    kinds = [item.kind for item in shell.waiting if isinstance(item, Link)]
    assert kinds == ["refused", "down"], "the turn is told, once"
    assert port.receive() == [], "or the reopened bus would be taken for dead"


def test_one_read_takes_a_bounded_number_of_messages(tmp_path: Path) -> None:
    """A peer that writes as fast as we read must not stop the turns: the rest waits."""
    server = ipc.serve(tmp_path / "gate.sock")
    peer = ipc.connect(tmp_path / "gate.sock")
    assert peer is not None
    channel = server.accept()
    assert channel is not None
    for _ in range(200):
        peer.send(ipc.ResetPress(station="x"))
    sizes = [len(channel.receive()) for _ in range(5)]
    assert sizes == [64, 64, 64, 8, 0]


def test_a_second_gate_does_not_take_a_living_gates_socket(tmp_path: Path) -> None:
    """ipc.serve unlinks whatever is there; no lock anywhere: two gates command one bus."""
    first = ipc.serve(tmp_path / "gate.sock")
    try:
        second = ipc.serve(tmp_path / "gate.sock")
    except OSError:
        return
    second.close()
    first.sock.close()
    pytest.fail("two servers on one path")


# --- F28.. configuration ----------------------------------------------------------------------


@pytest.mark.parametrize("node", ["0x10", "0x30", "0x01", "0x02"])
def test_two_nodes_with_one_address_are_refused(node: str) -> None:
    """Duplicate node, the guard's own node (rule 14: no frame of the gate maps it), gate, guard."""
    text = (SITES / "demo-lift.toml").read_text().replace("node = 0x11", f"node = {node}")
    with pytest.raises(ConfigError):
        check(parse(text, "x"))


def test_the_fallback_is_found_whatever_the_file_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """accept() stores under site.name, load_or_fall_back() looks under the file's stem."""
    from liftctl import accept

    monkeypatch.setenv("LIFTCTL_DATA", str(tmp_path / "data"))
    file = tmp_path / "room1.toml"
    file.write_text((SITES / "demo-lift.toml").read_text())
    accept.accept(load(file))
    file.write_text(file.read_text().replace("swl_kg = 200", "swl_kg = 9000"))
    _, fallback, _ = accept.load_or_fall_back(file)
    assert fallback


def test_a_marker_that_was_lost_is_no_first_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """H37: `liftctl up` wrote a fresh marker where the old one had been: nobody aloft, no latch."""
    from liftctl.gate.marker import load as load_marker
    from liftctl.places import Places
    from liftctl.up import init

    monkeypatch.setenv("LIFTCTL_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("LIFTCTL_RUN", str(tmp_path / "run"))
    places = Places(LIFT.name)
    init(LIFT)
    assert load_marker(places.marker) == Marker(0, False, (), 0)
    places.gate_lock.touch()  # a gate has run here
    places.marker.unlink()
    init(LIFT)
    assert load_marker(places.marker) is None
