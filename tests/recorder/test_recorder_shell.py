"""The process: its beat never waits for a disk, and what it acknowledged survives it."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from liftctl import ipc
from liftctl.blackbox.ring import Kind, RingWriter, create
from liftctl.blackbox.turnlog import encode_session, encode_turn
from liftctl.places import Places
from liftctl.recorder.reader import read_transfers, verify
from liftctl.recorder.shell import Recorder
from liftctl.recorder.task import LedgerTask
from liftctl.recorder.wallclock import Clock
from tests.recorder.test_transfers import gate_state

SITE = Path(__file__).parents[2] / "config" / "sites" / "demo-lift.toml"
CLOCK = Clock(time.monotonic_ns, time.time_ns)
PATIENCE_S = 10.0


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    monkeypatch.setenv("LIFTCTL_RUN", str(tmp_path / "run"))
    monkeypatch.setenv("LIFTCTL_DATA", str(tmp_path / "var"))
    found = Places("demo-lift")
    found.data.mkdir(parents=True)
    return found


class Gate:
    """A gate that only ticks and listens."""

    def __init__(self, places: Places) -> None:
        self.server = ipc.serve(places.sock("gate"))
        self.channel: ipc.Channel | None = None
        self.beats: dict[int, ipc.RecorderSays] = {}

    def tick(self, moving: str = "", **changes: Any) -> None:
        self.channel = self.channel or self.server.accept()
        if self.channel is not None:
            state = gate_state(moving, time.monotonic_ns())
            self.channel.send(msgspec.structs.replace(state, **changes))
        time.sleep(0.01)  # the rhythm of the ticks, not a wait for a result
        for said in self.channel.receive() if self.channel else ():
            if isinstance(said, ipc.RecorderSays):
                self.beats[said.echo_ns] = said

    def until(self, wanted: Callable[[], object], **changes: Any) -> None:
        end_s = time.monotonic() + PATIENCE_S
        while not wanted():
            assert time.monotonic() < end_s, self.last
            self.tick(**changes)

    @property
    def last(self) -> ipc.RecorderSays | None:
        return self.beats[max(self.beats)] if self.beats else None

    def healthy(self) -> bool:
        return self.last is not None and self.last.healthy


@pytest.fixture
def gate(places: Places) -> Iterator[Gate]:
    gate = Gate(places)
    yield gate
    gate.server.close()


class Slow:
    """A ledger task whose disk can hang."""

    def __init__(self, inner: LedgerTask) -> None:
        self.inner, self.free = inner, threading.Event()
        self.free.set()

    def run(self, jobs: deque[Any], done: Callable[[Any], None]) -> None:
        self.free.wait()
        self.inner.run(jobs, done)

    def close(self) -> None:
        self.inner.close()


@pytest.fixture
def inside(places: Places) -> Iterator[Slow]:
    """A recorder in a thread, with a ledger disk that can hang."""
    slow = Slow(LedgerTask(places, CLOCK))
    recorder = Recorder(places, CLOCK, ledger_task=slow)
    thread = threading.Thread(target=recorder.run)
    thread.start()
    yield slow
    slow.free.set()
    recorder.stop()
    thread.join(PATIENCE_S)
    assert not thread.is_alive()


def open_transfer(places: Places, name: str) -> ipc.Channel:
    channel = ipc.connect(places.sock("recorder"))
    assert channel is not None
    channel.send(ipc.Hello("controller"))
    channel.send(ipc.TransferOpened(name, time.monotonic_ns(), {"resident": "r"}))
    return channel


def written(gate: Gate, channel: ipc.Channel, kind: str, name: str) -> ipc.Written:
    found: list[ipc.Written] = []

    def look() -> bool:
        heard = [item for item in channel.receive() if isinstance(item, ipc.Written)]
        found.extend(item for item in heard if (item.kind, item.id) == (kind, name))
        return bool(found)

    gate.until(look)
    return found[0]


def test_the_beat_goes_on_while_the_disk_hangs_and_says_so(
    places: Places, gate: Gate, inside: Slow
) -> None:
    gate.until(gate.healthy)
    inside.free.clear()
    channel = open_transfer(places, "slow")
    gate.until(lambda: not gate.healthy())
    assert gate.last is not None
    assert "stuck" in gate.last.why
    assert not [item for item in channel.receive() if isinstance(item, ipc.Written)]
    hung = time.monotonic_ns()
    gate.until(lambda: sum(echo > hung for echo in gate.beats) >= 20)  # and the disk still hangs
    inside.free.set()
    written(gate, channel, "opened", "slow")
    gate.until(gate.healthy)


def test_a_full_ledger_disk_is_told_retried_and_recovers(
    places: Places, gate: Gate, inside: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate.until(gate.healthy)

    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr("liftctl.recorder.ledger.Ledger.append", full)
        channel = open_transfer(places, "t")
        gate.until(lambda: not gate.healthy())
        assert gate.last is not None
        assert "disk is full" in gate.last.why
    gate.until(gate.healthy)
    assert written(gate, channel, "opened", "t").seq == 2


@pytest.mark.usefixtures("inside")
def test_a_gate_restart_interrupts_and_the_lowering_is_linked(places: Places, gate: Gate) -> None:
    create(places.ring, 1 << 20)
    gate.until(gate.healthy)
    channel = open_transfer(places, "t")
    written(gate, channel, "opened", "t")
    ring = RingWriter(places.ring)
    ring.append(Kind.SESSION, encode_session({"mono_ns": time.monotonic_ns()}))
    written(gate, channel, "interrupted", "t")
    gate.tick(moving="DOWN")
    gate.until(lambda: read_transfers(places.ledger)[0].get("lowered_after"), moving="DOWN")
    channel.send(ipc.TransferOpened("next", time.monotonic_ns(), {}))
    channel.send(ipc.TransferClosed("next", time.monotonic_ns(), {"outcome": "completed"}))
    written(gate, channel, "closed", "next")
    newest, before = read_transfers(places.ledger)
    assert (newest["follows"], before["outcome"]) == ("t", "interrupted")
    assert len(before["lowered_after"]) == 1


@pytest.mark.usefixtures("inside")
def test_a_stop_is_frozen(places: Places, gate: Gate) -> None:
    create(places.ring, 1 << 20)
    ring = RingWriter(places.ring)
    ring.append(Kind.SESSION, encode_session({"mono_ns": 0}))
    ring.append(Kind.SNAPSHOT, b"")
    gate.until(gate.healthy)
    gate.tick(events=(("stop", "panel"),))
    later_ns = time.monotonic_ns() + 20 * 10**9  # the ring's clock runs ahead: no waiting here
    ring.append(Kind.TURN, encode_turn(time.monotonic_ns(), b"", (), ()))
    ring.append(Kind.TURN, encode_turn(later_ns, b"", (), ()))
    gate.until(lambda: list(places.blackbox.glob("freeze-*-stop-panel.lbb")))


def process() -> subprocess.Popen[bytes]:
    argv = [sys.executable, "-m", "liftctl.recorder", "--site", str(SITE)]
    return subprocess.Popen(argv, env=os.environ.copy(), stderr=subprocess.DEVNULL)


@pytest.mark.process
def test_kill_nine_then_the_orphan_is_closed_by_the_next_run(places: Places, gate: Gate) -> None:
    first = process()
    gate.until(gate.healthy)
    channel = open_transfer(places, "orphan")
    seq = written(gate, channel, "opened", "orphan").seq
    first.send_signal(signal.SIGKILL)
    first.wait()
    channel.close()
    gate.channel = None
    gate.beats.clear()
    second = process()
    gate.until(gate.healthy)
    later = open_transfer(places, "next")  # another transfer: the orphan is nobody's
    assert written(gate, later, "interrupted", "orphan").seq > seq
    second.send_signal(signal.SIGTERM)
    assert second.wait(PATIENCE_S) == 0
    assert verify(places.ledger).ok
    assert read_transfers(places.ledger)[0]["outcome"] == "interrupted"
