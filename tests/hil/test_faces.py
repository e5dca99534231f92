"""Faces of the bus: the serial adapter's firmware, its terminal, a bridge to any adapter."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import can
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.schema import BusSpec
from drivers.frames import Frame as PortFrame
from drivers.ports.base import FramePort, Link, LinkEvent
from drivers.ports.opening import open_bus
from hil.control import WardControl
from hil.faces.adapter import AdapterOnBus
from hil.faces.slcan import SlcanFirmware, encode, parse
from hil.vbus.bus import BusCore
from hil.vbus.frame import Frame
from hil.vbus.physics import ErrorKind, ErrorSpec
from hil.vbus.status import state_of, status_frame
from tests.hil.test_bus import frames
from tests.hil.test_vbus import start_hub

S = 1_000_000_000


def taken(sent: list[Frame]) -> Callable[[Frame], bool]:
    def take(frame: Frame) -> bool:
        sent.append(frame)
        return True

    return take


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        (b"S6\rO\r", b"\r\r"),
        (b"S6\rL\r", b"\r\r"),
        (b"O\r", b"\a"),  # no bit rate yet
        (b"S9\r", b"\a"),
        (b"S6\rO\rO\r", b"\r\r\a"),
        (b"S6\rO\rS5\r", b"\r\r\a"),
        (b"C\r", b"\r"),
        (b"\r", b"\r"),
        (b"V\r", b"V1013\r"),
        (b"X\r", b"\a"),
        (b"t1230\r", b"\a"),  # closed
        (b"S6\rO\rt1232AABB\r", b"\r\rz\r"),
        (b"S6\rO\rT18FF101310A\r", b"\r\rZ\r"),
        (b"S6\rO\rt1232AAB\r", b"\r\r\a"),
        (b"S6\rO\rt8000\r", b"\r\r\a"),
        (b"S6\rO\rt12390011223344556677\r", b"\r\r\a"),
        (b"S6\rO\rt 121AA\r", b"\r\r\a"),
        (b"S6\rL\rt1230\r", b"\r\r\a"),
        (b"S6\rO\r" + b"t" * 200 + b"\r", b"\r\r\a"),
    ],
)
def test_the_firmware_answers_as_the_manual_says(command: bytes, answer: bytes) -> None:
    assert SlcanFirmware().on_bytes(command, lambda _frame: True) == answer


def test_a_refused_frame_is_never_answered_with_yes() -> None:
    firmware = SlcanFirmware()
    assert firmware.on_bytes(b"S6\rO\rt1230\r", lambda _frame: False) == b"\r\r\a"
    assert (firmware.taken, firmware.refused) == (0, 1)


@settings(deadline=None)
@given(frames())
def test_a_frame_survives_the_line(frame: Frame) -> None:
    assert parse(encode(frame).decode("ascii").strip()) == frame


@settings(deadline=None)
@given(st.binary(max_size=60), st.integers(1, 7))
def test_no_bytes_break_it_and_pieces_do_not_matter(data: bytes, size: int) -> None:
    whole, pieces = SlcanFirmware(), SlcanFirmware()
    sent: tuple[list[Frame], list[Frame]] = ([], [])
    head = b"S6\rO\r"
    first = whole.on_bytes(head + data, taken(sent[0]))
    parts = [(head + data)[n : n + size] for n in range(0, len(head + data), size)]
    assert b"".join(pieces.on_bytes(part, taken(sent[1])) for part in parts) == first
    assert sent[0] == sent[1]


@pytest.mark.parametrize(("tec", "rec"), [(0, 0), (96, 0), (0, 100), (128, 3), (5, 200)])
def test_a_state_survives_its_error_frame(tec: int, rec: int) -> None:
    core = BusCore(500_000)
    core.attach(1)
    confinement = core._wire.nodes[1].confinement
    confinement.tec, confinement.rec = tec, rec
    state = core.counters(1).state
    assert state_of(status_frame(state, tec, rec)) == (state, tec, rec)


def adapter(core: BusCore) -> AdapterOnBus:
    found = AdapterOnBus(core, 1)
    found.on_bytes(b"S6\rO\r", 0)
    return found


def test_a_lone_adapter_tells_ack_errors_and_passive_but_not_bus_off() -> None:
    core = BusCore(500_000, ideal=False)
    plug = adapter(core)
    assert plug.on_bytes(b"t1230\r", 0) == b"z\r"
    core.advance(S)
    lines = b"".join(plug.on_event(event) for event in core.events()).split(b"\r")
    assert lines.count(b"e1a") > 100
    assert [line for line in lines if line.startswith(b"s")] == [b"sw000096", b"sp000128"]


def test_thirty_two_errors_are_told_as_bus_off_and_reopening_recovers() -> None:
    core = BusCore(500_000, ideal=False)
    plug = adapter(core)
    core.attach(2)
    core.inject(ErrorSpec(ErrorKind.BIT, sender=1, count=32))
    plug.on_bytes(b"t1230\r", 0)
    core.advance(S)
    assert b"".join(plug.on_event(event) for event in core.events()).endswith(b"sb000256\r")
    assert plug.on_bytes(b"t1240\r", S) == b"\a"
    assert plug.on_bytes(b"C\rS6\rO\rt1250\r", S) == b"\r\r\rz\r"
    assert [d.frame.can_id for d in core.advance(2 * S)] == [0x125]


def test_an_adapter_hears_others_and_not_itself() -> None:
    core = BusCore(500_000, ideal=False)
    plug = adapter(core)
    core.submit(2, Frame(0x321, b"\xab"), 0)
    plug.on_bytes(b"t1230\r", 0)
    assert b"".join(plug.on_delivery(d) for d in core.advance(S)) == b"t3211AB\r"


def test_an_adapter_at_the_wrong_rate_hears_nothing() -> None:
    core = BusCore(500_000, ideal=False)
    plug = AdapterOnBus(core, 1)
    plug.on_bytes(b"S5\rO\r", 0)
    core.attach(3)
    for number in range(30):
        core.submit(2, Frame(number), 0)
    assert b"".join(plug.on_delivery(d) for d in core.advance(S)) == b""
    assert b"sp" in b"".join(plug.on_event(event) for event in core.events())


# through a terminal --------------------------------------------------------------------------


@pytest.fixture
def run_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LIFTCTL_RUN", str(tmp_path))
    return tmp_path


@pytest.fixture
def hub(run_dir: Path) -> Iterator[WardControl]:
    process = start_hub("lift:500000", "far:500000", options=("--control", str(run_dir)))
    with WardControl(run_dir / "lift.bus") as control:
        yield control
    process.terminate()
    assert process.wait(5) == 0


@pytest.fixture
def tty(hub: WardControl, run_dir: Path) -> Iterator[Path]:
    link = run_dir / "adapter"
    command = [sys.executable, "-m", "hil.faces.slcan_server", "--bus", "lift", "--link", str(link)]
    process = subprocess.Popen(command)
    while not link.exists():
        assert process.poll() is None
        os.sched_yield()
    yield link
    process.terminate()
    assert process.wait(5) == 0


def until(port: FramePort, wanted: Callable[[PortFrame | LinkEvent], bool]) -> None:
    while True:
        assert select.select([port], [], [], 5)[0], "the port is silent"
        if any(wanted(item) for item in port.receive()):
            return


@pytest.mark.process
def test_our_own_port_meets_it_and_hears_of_bus_off(hub: WardControl, tty: Path) -> None:
    port = open_bus(BusSpec(name="lift", port=f"slcan:{tty}", bitrate=500_000))
    with can.Bus(interface="vbus", channel="lift", ignore_config=True) as peer:
        deadline = time.monotonic() + 5
        while not port.send(PortFrame("lift", 0x123, b"\1\2")):
            port.receive()
            assert time.monotonic() < deadline
            os.sched_yield()
        got = peer.recv(60)
        assert got is not None
        assert bytes(got.data) == b"\1\2"
        peer.send(can.Message(arbitration_id=0x321, is_extended_id=False, data=b"\3"))
        until(port, lambda item: isinstance(item, PortFrame) and item.id == 0x321)
        node = next(n["node"] for n in hub.state()["nodes"] if n["pid"] != os.getpid())
        hub.do("inject", kind="bit", node=node, count=32)
        assert port.send(PortFrame("lift", 0x124, b""))
        until(port, lambda item: isinstance(item, LinkEvent) and item.kind is Link.BUS_OFF)
        assert port.malformed == 0
    port.close()


@pytest.mark.process
def test_python_can_s_slcan_meets_it(hub: WardControl, tty: Path) -> None:
    with (
        can.Bus(
            interface="slcan",
            channel=str(tty),
            bitrate=500_000,
            sleep_after_open=0,
            ignore_config=True,
        ) as serial_bus,
        can.Bus(interface="vbus", channel="lift", ignore_config=True) as peer,
    ):
        serial_bus.send(can.Message(arbitration_id=0x18FF1013, is_extended_id=True, data=[7]))
        got = peer.recv(60)
        assert got is not None
        assert (got.arbitration_id, got.is_extended_id, bytes(got.data)) == (
            0x18FF1013,
            True,
            b"\7",
        )
        peer.send(can.Message(arbitration_id=5, is_extended_id=False))
        found = serial_bus.recv(60)
        assert found is not None
        assert found.arbitration_id == 5


@pytest.mark.process
def test_a_bridge_joins_two_buses_once_each_way(hub: WardControl) -> None:
    command = [sys.executable, "-m", "hil.faces.bridge", "--bus", "lift"]
    bridge = subprocess.Popen(
        [*command, "--interface", "vbus", "--channel", "far"], stdout=subprocess.PIPE, text=True
    )
    while not hub.state()["nodes"]:
        assert bridge.poll() is None
        os.sched_yield()
    with (
        can.Bus(interface="vbus", channel="lift", ignore_config=True) as near,
        can.Bus(interface="vbus", channel="far", ignore_config=True) as far,
    ):
        near.send(can.Message(arbitration_id=0x10, is_extended_id=False))
        far.send(can.Message(arbitration_id=0x20, is_extended_id=False))
        got = far.recv(60), near.recv(60)
        assert [m.arbitration_id for m in got if m] == [0x10, 0x20]
        near.send(can.Message(arbitration_id=0x11, is_extended_id=False))
        last = far.recv(60)
        assert last is not None
        assert last.arbitration_id == 0x11
        assert near.recv(0) is None
    bridge.send_signal(signal.SIGTERM)
    out, _ = bridge.communicate(timeout=60)
    assert '"out": 2' in out
    assert '"in": 1' in out


@pytest.mark.process
def test_a_dead_adapter_is_one_sentence(run_dir: Path) -> None:
    command = [sys.executable, "-m", "hil.faces.bridge", "--interface", "vbus", "--channel", "no"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("bridge: vbus:no@500000: cannot be opened (no hub for bus 'no'")
    assert done.stderr.count("\n") == 1
