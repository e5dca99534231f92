"""The ward as a process: bus, control socket, truth lines, serial line, page, freeze and thaw."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import struct
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import serial

from hil.control import ControlError, WardControl
from hil.vbus.client import HubClient
from hil.vbus.frame import Frame, Received
from hil.vbus.paths import bus_socket, is_served
from tests.hil.bench import drive_frame

pytestmark = pytest.mark.process


class WardProcess:
    """A started ward with its control client and the reading end of its truth."""

    def __init__(self, room: str, directory: Path, *extra: str) -> None:
        truth_r, truth_w = os.pipe()
        path = directory / f"{room}.control"
        command = [sys.executable, "-m", "hil.ward", "--room", room, "--control", str(path)]
        self.process = subprocess.Popen(
            [*command, "--truth-fd", str(truth_w), "--web", "0", *extra],
            pass_fds=[truth_w],
            stderr=subprocess.PIPE,
            text=True,
        )
        os.close(truth_w)
        self.truth = os.fdopen(truth_r, encoding="ascii")
        assert self.process.stderr is not None
        page = re.search(r"http://127\.0\.0\.1:(\d+)/", self.process.stderr.readline())
        assert page is not None
        self.url = page.group(0)
        self.control = WardControl(path)

    def truth_until(self, condition: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
        lines = []
        for line in self.truth:
            lines.append(json.loads(line))
            if condition(lines[-1]):
                return lines
        raise AssertionError("the truth ended early")

    def close(self) -> None:
        self.control.close()
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        assert self.process.wait(10) == 0
        self.truth.close()
        assert self.process.stderr is not None
        self.process.stderr.close()


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("LIFTCTL_RUN", str(tmp_path))
    command = [
        sys.executable,
        "-m",
        "hil.vbus.hub",
        "--bus",
        "lift:500000",
        "--bus",
        "chair:500000",
    ]
    process = subprocess.Popen(command)
    while not is_served(bus_socket("chair")):
        assert process.poll() is None
        os.sched_yield()
    yield tmp_path
    process.terminate()
    process.wait(10)


@pytest.fixture
def lift(hub: Path) -> Iterator[WardProcess]:
    ward = WardProcess("lift", hub)
    yield ward
    ward.close()


@pytest.fixture
def chair(hub: Path) -> Iterator[WardProcess]:
    ward = WardProcess("chair", hub, "--serial-link", str(hub / "roboteq"))
    yield ward
    ward.close()


def receive(client: HubClient, wanted: Callable[[Received], bool]) -> Received:
    while True:
        assert select.select([client], [], [], 10)[0], "the bus is silent"
        received = client.receive()
        if received and wanted(received):
            return received


def test_without_a_hub_it_says_what_to_do(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hil.ward", "--room", "lift"],
        env=os.environ | {"LIFTCTL_RUN": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "start one: python -m hil.vbus.hub --bus lift:500000" in done.stderr


def test_control_and_truth(lift: WardProcess) -> None:
    plant = lift.control.state()
    assert (plant["height_mm"], plant["x_mm"], plant["hooked"]) == (1400.0, 400.0, False)
    assert lift.control.do("mass", kg=82.5)["mass_kg"] == 82.5
    with pytest.raises(ControlError, match="too high"):
        lift.control.do("hook")
    with pytest.raises(ControlError, match="unknown request"):
        lift.control.do("fly")
    lift.control.do("strap", value=True)
    lines = lift.truth_until(lambda t: t["speed_mm_s"] < -39.9)
    assert {b["t_ns"] - a["t_ns"] for a, b in pairwise(lines)} == {10_000_000}
    lift.control.do("strap", value=False)
    lift.truth_until(lambda t: t["speed_mm_s"] == 0.0)


def drive_up(client: HubClient, ward: WardProcess, speed_mm_s: float) -> int:
    """Play gate and guard until the hoist rises; the hub's time of the last heartbeat."""
    client.send(Frame(0x000, b"\1\0"))
    for index, sub, value in ((0x1016, 1, b"\xc8\0\1\0"), (0x6007, 0, b"\3\0\0\0")):
        command = 0x23 if index == 0x1016 else 0x2B
        client.send(Frame(0x610, struct.pack("<BHB4s", command, index, sub, value)))
    words = [0x06, 0x07, 0x0F]
    for turn in range(10_000):
        # the drive's own status frame paces this loop: no wall clock in the test
        receive(client, lambda r: r.frame.can_id == 0x190 and not r.is_echo)
        client.send(Frame(0x701, b"\5"))
        client.send(Frame(0x230, bytes([turn & 1])))
        word = words[min(turn // 3, 2)]
        client.send(drive_frame(0x210, word, speed_mm_s if word == 0x0F else 0))
        if turn > 20 and ward.control.state()["speed_mm_s"] > 0.9 * speed_mm_s:
            client.send(Frame(0x701, b"\5"))
            return receive(client, lambda r: r.is_echo and r.frame.can_id == 0x701).t_ns
    raise AssertionError("the hoist does not rise")


def wait_for_boot(client: HubClient) -> None:
    receive(client, lambda r: r.frame.can_id == 0x710 and r.frame.data == b"\x7f")


def test_a_frozen_ward_fakes_no_travel(lift: WardProcess) -> None:
    client = HubClient("lift")
    wait_for_boot(client)
    drive_up(client, lift, 60.0)
    lift.process.send_signal(signal.SIGSTOP)
    client.send(Frame(0x701, b"\5"))
    client.send(Frame(0x7F0))  # a sender's frames keep their order: after this one none is ours
    beats: list[Received] = []
    receive(client, lambda r: r.is_echo and (beats.append(r) or r.frame.can_id == 0x7F0))
    last = next(r for r in reversed(beats) if r.frame.can_id == 0x701)
    subprocess.run(["sleep", "1"], check=True)  # the freeze itself, longer than every deadman
    lift.process.send_signal(signal.SIGCONT)
    lines = lift.truth_until(lambda t: t["t_ns"] > last.t_ns + 1_000_000_000)
    before = next(t for t in reversed(lines) if t["t_ns"] <= last.t_ns)
    travel_mm = lines[-1]["height_mm"] - before["height_mm"]
    assert lines[-1]["speed_mm_s"] == 0.0
    assert 0 < travel_mm <= 60 * (0.200 + 0.015 + 0.010) + 60**2 / (2 * 600)
    client.close()


def test_a_dead_hub_is_a_cut_cable(lift: WardProcess, hub: Path) -> None:
    client = HubClient("lift")
    wait_for_boot(client)
    drive_up(client, lift, 40.0)
    client.close()
    lift.truth_until(lambda t: t["speed_mm_s"] == 0.0 and t["hoist_brake"])


def test_roboteq_line(chair: WardProcess, hub: Path) -> None:
    with serial.Serial(str(hub / "roboteq"), 115200, timeout=5) as line:
        line.write(b"^ECHOF 1\r")
        assert line.read_until(b"+\r") == b"^ECHOF 1\r+\r"
        line.write(b"~RWD\r")
        assert line.read_until(b"\r") == b"RWD=1000\r"
        line.write(b"!EX\r")
        assert line.read_until(b"\r") == b"+\r"
        assert chair.control.state()["drive_estop"]


def test_a_bad_serial_line_is_asked_for_and_counted(chair: WardProcess, hub: Path) -> None:
    with serial.Serial(str(hub / "roboteq"), 115200, timeout=5) as line:
        chair.control.do("serial", way="out", flip=1.0, count=3)
        line.write(b"~RWD\r")
        assert line.read(3) != b"~RW"
        assert line.read_until(b"\r") == b"D\r"
        assert chair.control.state()["serial"]["out"] == {"flip": 3}
        with pytest.raises(ControlError, match="'drop' is a share"):
            chair.control.do("serial", drop=2)
        chair.control.do("serial", delay_ms=20)
        line.reset_input_buffer()
        line.write(b"?FF\r")
        assert line.read_until(b"FF=0\r").endswith(b"FF=0\r")
        assert chair.control.state()["serial"]["in"] == {"delayed": 4}


def ask(url: str, data: bytes | None = None, **headers: str) -> tuple[int, bytes]:
    request = urllib.request.Request(url, data, headers)
    try:
        with urllib.request.urlopen(request, timeout=5) as reply:
            return reply.status, reply.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_page(chair: WardProcess) -> None:
    status, page = ask(chair.url)
    assert status == 200
    assert b"Simulator" in page
    assert b"{{room}}" not in page
    assert not re.search(rb"(src|href)=.?https?:", page)
    assert ask(chair.url + "do", b'{"do": "estop", "value": true}')[0] == 200
    state = json.loads(ask(chair.url + "state")[1])
    assert state["plant"]["estop"] is True
    assert ask(chair.url + "do", b'{"do": "fly"}')[0] == 409
    assert ask(chair.url + "do", b"no json")[0] == 409
    assert ask(chair.url + "do", b"{}", Origin="http://evil.example")[0] == 403
    assert ask(chair.url + "do", b"{}", Host="evil.example")[0] == 403
    assert ask(chair.url + "elsewhere")[0] == 404
