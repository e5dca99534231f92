"""A foreign controller under test: the bench is its plant, its bus and the hands in the room."""

from __future__ import annotations

import json
import os
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import can
import pytest
from typer.testing import CliRunner

from hil import oracle
from hil.cli import app
from hil.faces.python_can import Adapter, AdapterError, Where
from hil.planes.dut import DutPlane, NotHere
from hil.planes.foreign import ForeignBench
from hil.planes.jitter import Jitter, refuse
from hil.scenario.load import FOLDER, load
from hil.timeline import Result, Timeline, Verdict

MS = 1_000_000
RIGHT, PRESENT = 0x08, 0x80


class Foreign(threading.Thread):
    """Somebody else's controller: 40 lines, of one axis. `deaf` goes on after the key is up."""

    def __init__(self, channel: str, deaf: bool = False) -> None:
        super().__init__(daemon=True)
        self.bus = can.Bus(interface="virtual", channel=channel)
        self.deaf, self.over = deaf, threading.Event()
        self.keys = self.status = self.bit = 0
        self.pressed = False

    def run(self) -> None:
        self.send(0x000, bytes((1, 0)))
        while not self.over.wait(0.01):
            while (frame := self.bus.recv(0)) is not None:
                self.hear(frame)
            self.bit ^= 1
            self.send(0x230, bytes((self.bit,)))
            self.command()

    def hear(self, frame: can.Message) -> None:
        if frame.arbitration_id == 0x1A0:
            self.keys = frame.data[1]
            self.pressed |= bool(self.keys & RIGHT)
        elif frame.arbitration_id == 0x191:
            self.status = struct.unpack("<H", frame.data[:2])[0]
        elif frame.arbitration_id > 0x700 and frame.data[0] in (0, 0x7F):
            self.send(0x000, bytes((1, frame.arbitration_id & 0x7F)))

    def command(self) -> None:
        wants = self.pressed if self.deaf else bool(self.keys & RIGHT)
        word = {0x21: 0x07, 0x23: 0x0F, 0x27: 0x0F}.get(self.status & 0x6F, 0x06) if wants else 0x06
        speed = 2000 if wants and self.status & 0x6F == 0x27 else 0
        self.send(0x211, struct.pack("<Hi", word, speed))

    def send(self, can_id: int, data: bytes) -> None:
        self.bus.send(can.Message(arbitration_id=can_id, data=data, is_extended_id=False))

    def end(self) -> None:
        self.over.set()
        self.join(5)
        self.bus.shutdown()


@pytest.fixture
def drive(request: pytest.FixtureRequest) -> Iterator[DutPlane]:
    channel = f"dut-{os.getpid()}-{request.node.name}"
    foreign = Foreign(channel, deaf=getattr(request, "param", False))
    with Adapter(Where("virtual", channel)) as adapter:
        plane = DutPlane("lift", adapter, 75.0, 1)
        foreign.start()
        yield plane
        foreign.end()


def until(plane: DutPlane, that: Callable[[], bool]) -> None:
    """Let real time pass until it is so; this machine may be slow."""
    for _ in range(150):
        if that():
            return
        plane.run(100 * MS)
    raise AssertionError("it did not come within 15 s")


def starved(jitter: dict[str, float]) -> bool:
    """This machine kept bench and controller waiting: what they did says nothing."""
    return jitter["max"] > 100.0


def rail_speed(plane: DutPlane) -> float:
    return float(plane.now["plant"]["x_speed_mm_s"])


def press_until_it_travels(plane: DutPlane) -> None:
    plane.run(300 * MS)
    plane.press("hand", "RIGHT")
    until(plane, lambda: rail_speed(plane) > 50)
    plane.release("hand")


def test_a_foreign_controller_drives_the_plant_and_is_judged_on_its_truth(drive: DutPlane) -> None:
    press_until_it_travels(drive)
    until(drive, lambda: rail_speed(drive) == 0)
    assert not oracle.violations(drive.timeline) or starved(drive.jitter.figures())
    assert drive.jitter.figures().keys() == {"median", "p99", "max"}
    assert {e["kind"] for e in drive.timeline.lane("bus")} == {"rx", "tx"}


@pytest.mark.parametrize("drive", [True], indirect=True)
def test_a_foreign_controller_that_ignores_the_release_is_caught(drive: DutPlane) -> None:
    press_until_it_travels(drive)
    until(drive, lambda: bool(oracle.violations(drive.timeline)))
    found = oracle.violations(drive.timeline)
    assert {item.rule for item in found} == {"traverse_without_evidence"}


def test_what_the_bench_cannot_do_there_is_said(drive: DutPlane) -> None:
    for call in (
        lambda: drive.press("panel:2", "UP"),
        lambda: drive.stop("panel:1"),
        lambda: drive.reset("panel:1"),
        lambda: drive.workflow("panel:1", "begin", {}),
        lambda: drive.technician("estop", "x"),
    ):
        with pytest.raises(NotHere):
            call()


def judged(value: float, high: float, unit: str, passed: bool, late_ms: float) -> Result:
    line = Timeline()
    line.add(0, "plant", "sample", speed_mm_s=100.0)
    told = {"name": "stop", "value": value, "unit": unit, "min": None, "max": high}
    line.add(1, "expect", "passed" if passed else "failed", value=value, unit=unit, high=high)
    verdict = Verdict.PASS if passed else Verdict.FAIL
    result = Result("S", "", verdict, plane="dut", measurements=(told,), reasons=("it was 12",))
    return refuse(result, line, Jitter([0.1, late_ms]))


@pytest.mark.parametrize(
    ("value", "high", "unit", "passed", "late_ms", "expected"),
    [
        (100.0, 250.0, "ms", True, 5.0, Verdict.PASS),
        (240.0, 250.0, "ms", True, 5.0, Verdict.INCONCLUSIVE),  # 15 ms uncertain
        (255.0, 250.0, "ms", False, 5.0, Verdict.INCONCLUSIVE),
        (300.0, 250.0, "ms", False, 5.0, Verdict.FAIL),
        (100.0, 250.0, "ms", True, 200.0, Verdict.INCONCLUSIVE),
        (10.0, 20.0, "mm", True, 5.0, Verdict.PASS),  # 1.5 mm uncertain
        (19.0, 20.0, "mm", True, 5.0, Verdict.INCONCLUSIVE),
        (99.0, 100.0, "mm/s", True, 5.0, Verdict.PASS),  # the plant's own figure
    ],
)
def test_a_verdict_tighter_than_the_jitter_is_refused(
    value: float, high: float, unit: str, passed: bool, late_ms: float, expected: Verdict
) -> None:
    result = judged(value, high, unit, passed, late_ms)
    assert result.verdict == expected
    assert ("uncertainty of" in result.reasons[0]) == (expected is Verdict.INCONCLUSIVE)


def test_a_violated_invariant_stays_a_failure_however_late_the_machine() -> None:
    line = Timeline()
    line.add(0, "oracle", "violated", rule="x", why="y")
    told = {"name": "a", "value": 9.0, "max": 10.0, "unit": "ms"}
    result = Result("S", "", Verdict.FAIL, measurements=(told,), reasons=("oracle: x",))
    assert refuse(result, line, Jitter([50.0])).reasons == ("oracle: x",)


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ("socketcan:nosuch0", "ip link set nosuch0 up type can bitrate 500000"),
        ("nosuch:0", "python-can"),
        ("slcan:/dev/nosuch@250000", "/dev/serial/by-id"),
        ("can0", "write interface:channel@bitrate"),
        ("socketcan:can0@fast", "write interface:channel@bitrate"),
    ],
)
def test_an_adapter_that_is_not_there_is_refused_with_the_remedy(where: str, says: str) -> None:
    with pytest.raises(AdapterError, match=says) as error:
        Adapter(Where.parse(where))
    assert "\n" not in str(error.value)


def test_a_serial_adapter_that_another_program_has_open_is_refused() -> None:
    ours, theirs = os.openpty()
    name = os.ttyname(theirs)
    try:
        with (
            Adapter(Where("slcan", name)),
            pytest.raises(AdapterError, match="another program has it open"),
        ):
            Adapter(Where("slcan", name))
    finally:
        os.close(ours)
        os.close(theirs)


def test_an_adapter_that_dies_in_mid_run_is_named() -> None:
    ours, theirs = os.openpty()
    with Adapter(Where("slcan", os.ttyname(theirs))) as adapter:
        os.close(theirs)
        os.close(ours)
        with pytest.raises(AdapterError, match="the adapter died"):
            DutPlane("lift", adapter, 75.0, 1).run(1000 * MS)


TEXT = """
hil: 1
id: DUT-1
title: It travels while a key is held, and stops when it is not
hazards: [H{number}]
rig: lift
planes: [dut]
steps:
  - press: RIGHT
  - until: {{that: "x_speed > 50 mm/s", within: 9 s}}
  - release: panel:1
  - wait: 1200 ms
expect:
  - within: {{that: still, of: release, limit: 9 s}}
  - measure: {{name: way, value: x, of: change, from: press, max: 900 mm}}
"""


def test_a_scenario_is_run_against_a_foreign_controller(tmp_path: Path) -> None:
    path, channel = tmp_path / "dut.yaml", f"dut-{os.getpid()}-run"
    path.write_text(TEXT.format(number=2), "utf-8")
    foreign = Foreign(channel)
    foreign.start()
    words = ["run", str(path), str(FOLDER / "h02-release.yaml"), "--plane", "dut", "--json"]
    words += ["--adapter", f"virtual:{channel}", "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(app, words)
    foreign.end()
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text("utf-8"))
    assert manifest["jitter_ms"]["max"] > 0
    assert done.exit_code == 0 or starved(manifest["jitter_ms"]), done.output
    ours, *others = json.loads(done.stdout)["scenarios"]
    assert ours["plane"] == "dut"
    assert ours["verdict"] == "PASS" or starved(manifest["jitter_ms"])
    assert [item["uncertainty"] > 0 for item in ours["measurements"]] == [True, True]
    assert {item["verdict"] for item in others} == {"NOT_APPLICABLE"}
    assert "only our service has" in others[0]["reasons"][0]


def test_a_controller_that_is_not_there_concludes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "dut.yaml"
    path.write_text(TEXT.format(number=2) + "start: {situation: standing}\n", "utf-8")
    text = path.read_text("utf-8").replace("rig: lift", "rig: chair").replace("RIGHT", "STAND")
    path.write_text(text.replace("value: x", "value: stroke"), "utf-8")
    (scenario,) = load(path)
    bench = ForeignBench(f"virtual:dut-{os.getpid()}-none")
    try:
        result = bench(scenario).result
    finally:
        bench.close()
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "it never began" in result.reasons[0]
