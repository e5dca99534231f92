"""The python-can plugin and the bus tools against a real hub process."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import can
import pytest

from drivers.frames import Frame as PortFrame
from drivers.ports.base import Link, LinkEvent
from drivers.ports.canbus import CanPort
from hil.control import WardControl
from hil.vbus.bus import BusCore
from hil.vbus.client import HubClient
from hil.vbus.frame import CAN_ERR_CRTL, Frame, pack, unpack
from hil.vbus.hub import Client
from hil.vbus.paths import bus_socket, connect, is_served
from hil.vbus.requests import BusFaults

pytestmark = pytest.mark.process


def start_hub(*buses: str, options: tuple[str, ...] = ()) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "hil.vbus.hub", *options]
    hub = subprocess.Popen([*command, *(x for bus in buses for x in ("--bus", bus))])
    names = [bus.partition(":")[0] for bus in buses]
    while not all(is_served(bus_socket(name)) for name in names):
        assert hub.poll() is None
        os.sched_yield()
    return hub


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[subprocess.Popen[bytes]]:
    deep = tmp_path_factory.mktemp("a_run_directory_" + "far_too_long_for_a_socket_address_" * 4)
    os.environ["LIFTCTL_RUN"] = str(deep)
    process = start_hub("lift:500000", "observed:250000")
    yield process
    process.terminate()
    assert process.wait(5) == 0
    del os.environ["LIFTCTL_RUN"]


@pytest.fixture
def pair(hub: object) -> Iterator[tuple[can.BusABC, can.BusABC]]:
    with (
        can.Bus(interface="vbus", ignore_config=True) as a,
        can.Bus(interface="vbus", channel="lift", ignore_config=True) as b,
    ):
        yield a, b


def test_frames_reach_the_others_but_not_the_sender(pair: tuple[can.BusABC, can.BusABC]) -> None:
    a, b = pair
    a.send(can.Message(arbitration_id=0x123, data=b"\1\2\3", is_extended_id=False))
    got = b.recv(60)
    assert got is not None
    assert (got.arbitration_id, bytes(got.data), got.is_rx) == (0x123, b"\1\2\3", True)
    assert not got.is_extended_id
    assert a.recv(0) is None


def test_own_messages_come_back_marked(hub: object) -> None:
    with can.Bus(interface="vbus", receive_own_messages=True, ignore_config=True) as bus:
        bus.send(can.Message(arbitration_id=0x18FF1013, is_extended_id=True, data=[7]))
        got = bus.recv(60)
    assert got is not None
    assert got.is_extended_id
    assert not got.is_rx


def test_filters_work_in_software(pair: tuple[can.BusABC, can.BusABC]) -> None:
    a, b = pair
    b.set_filters([{"can_id": 0x200, "can_mask": 0x7FF, "extended": False}])
    for can_id in (0x100, 0x200):
        a.send(can.Message(arbitration_id=can_id, is_extended_id=False))
    got = b.recv(60)
    assert got is not None
    assert got.arbitration_id == 0x200


def test_what_no_classic_controller_can_send_is_refused(
    pair: tuple[can.BusABC, can.BusABC],
) -> None:
    for message in (
        can.Message(arbitration_id=1, is_fd=True, data=b"\0" * 12),
        can.Message(arbitration_id=0x9999, is_extended_id=False),
        can.Message(arbitration_id=1, dlc=8, data=b"\0" * 3),
    ):
        with pytest.raises(can.CanOperationError):
            pair[0].send(message)


def test_a_malformed_record_closes_only_its_client(pair: tuple[can.BusABC, can.BusABC]) -> None:
    with connect(bus_socket("lift")) as rogue:
        rogue.send(b"nonsense")
        rogue.settimeout(5)
        assert rogue.recv(64) == b""
    pair[0].send(can.Message(arbitration_id=5, is_extended_id=False))
    assert pair[1].recv(60) is not None


def test_a_missing_hub_names_the_remedy(hub: object) -> None:
    with pytest.raises(can.CanInitializationError, match=r"python -m hil\.vbus\.hub"):
        can.Bus(interface="vbus", channel="nowhere", ignore_config=True)


def test_a_second_hub_of_the_same_bus_is_refused(hub: object) -> None:
    command = [sys.executable, "-m", "hil.vbus.hub", "--bus", "lift:500000"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "already has a hub" in done.stderr


def test_a_dead_hub_is_an_operation_error(hub: object) -> None:
    other = start_hub("dying:500000")
    with can.Bus(interface="vbus", channel="dying", ignore_config=True) as bus:
        other.send_signal(signal.SIGKILL)
        other.wait()
        with pytest.raises(can.CanOperationError):
            bus.recv(60)
    start_again = start_hub("dying:500000")
    HubClient("dying").close()
    start_again.terminate()
    start_again.wait()


def test_a_slow_reader_learns_of_its_loss() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    client = Client(ours, 1)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    record = pack(Frame(1), 1)
    while not client.dropped:
        client.deliver(record)
    client.deliver(record)
    assert client.dropped == 2
    theirs.setblocking(False)
    with pytest.raises(BlockingIOError):
        while theirs.recv(64):
            pass
    client.report_overflow(2)
    client.deliver(record)
    loss = unpack(theirs.recv(64)).frame
    assert loss.is_error
    assert loss.can_id == CAN_ERR_CRTL
    assert loss.data[1] == 1
    assert unpack(theirs.recv(64)).frame == Frame(1)


def test_logger_and_player_simply_work(hub: object, tmp_path: Path) -> None:
    log = tmp_path / "frames.log"
    source = tmp_path / "source.log"
    source.write_text(
        "".join(f"(1700000000.{n * 2000:06d}) observed 18FF10{n:02X}#{n:04X}\n" for n in range(20))
    )
    logger = subprocess.Popen(
        [sys.executable, "-m", "can.logger", "-i", "vbus", "-c", "observed", "-f", str(log)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert logger.stdout is not None
    assert "Connected to" in logger.stdout.readline()
    player = [sys.executable, "-m", "can.player", "-i", "vbus", "-c", "observed", str(source)]
    with can.Bus(interface="vbus", channel="observed", ignore_config=True) as witness:
        subprocess.run(player, check=True, capture_output=True, timeout=60)
        heard = [witness.recv(60) for _ in range(20)]
    logger.send_signal(signal.SIGINT)
    logger.wait(60)
    assert [m.arbitration_id & 0xFF for m in heard if m] == list(range(20))
    assert log.read_text().count("18FF10") == 20


@pytest.fixture
def faulty(hub: object, tmp_path: Path) -> Iterator[WardControl]:
    process = start_hub("faulty:500000", options=("--control", str(tmp_path), "--copper"))
    with WardControl(tmp_path / "faulty.bus") as control:
        yield control
    process.terminate()
    assert process.wait(5) == 0


def own(control: WardControl) -> dict[str, Any]:
    """Our newest connection as the hub sees it."""
    nodes = [n for n in control.state()["nodes"] if n["pid"] == os.getpid()]
    newest: dict[str, Any] = nodes[-1]
    return newest


def test_errors_on_request_reach_the_port_as_bus_off_and_back(faulty: WardControl) -> None:
    port = CanPort("faulty", "vbus", "faulty", 500_000)
    with can.Bus(interface="vbus", channel="faulty", ignore_config=True) as peer:
        node = faulty.state()["nodes"][0]["node"]
        faulty.do("inject", kind="bit", node=node, count=32)
        assert port.send(PortFrame("faulty", 0x123, b"\1"))
        seen = [item.kind for item in links(port, Link.BUS_OFF)]
        assert seen == [Link.WARNING, Link.PASSIVE, Link.BUS_OFF]
        assert faulty.state()["hits"] == [32]
        faulty.do("restart", node=node)
        assert links(port, Link.RESTARTED)
        assert port.send(PortFrame("faulty", 0x124, b"\2"))
        got = peer.recv(60)
        assert got is not None
        assert got.arbitration_id == 0x124
    port.close()


def links(port: CanPort, last: Link) -> list[LinkEvent]:
    found: list[LinkEvent] = []
    while not found or found[-1].kind is not last:
        assert select.select([port], [], [], 5)[0]
        found += [item for item in port.receive() if isinstance(item, LinkEvent)]
    return found


def test_a_lone_client_on_copper_hears_no_echo_and_stays(faulty: WardControl) -> None:
    with can.Bus(
        interface="vbus", channel="faulty", receive_own_messages=True, ignore_config=True
    ) as bus:
        bus.send(can.Message(arbitration_id=1, is_extended_id=False))
        while own(faulty)["state"] != "error passive":
            os.sched_yield()
        assert own(faulty)["tec"] == 128
        with can.Bus(interface="vbus", channel="faulty", ignore_config=True) as peer:
            assert peer.recv(60) is not None


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        ({"do": "fly"}, "unknown request"),
        ({"do": "inject", "kind": "evil"}, "'kind' is one of: bit"),
        ({"do": "inject", "kind": "crc", "count": 0}, "count 0"),
        ({"do": "cut", "node": 77}, "no node 77"),
        ({"do": "cut"}, "needs 'pid'"),
        ({"do": "babble", "pid": 1}, "process 1"),
        ({"do": "stick", "level": "up"}, "dominant, recessive or null"),
    ],
)
def test_a_wrong_fault_request_is_refused_in_words(request_: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        BusFaults(BusCore(500_000)).execute(request_, 0)
