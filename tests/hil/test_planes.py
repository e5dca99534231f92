"""Planes of real processes, kernels and hardware: what is refused, and what stays unknown."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import can
import pytest
from typer.testing import CliRunner

from hil.cli import app
from hil.faces.python_can import Adapter, AdapterError, Where
from hil.faults.hardware import NODES
from hil.kernel.smoke import NEEDED, Smoke, Step
from hil.kernel.wire import FrameLostError, KernelBench
from hil.planes import Unavailable, hardware, socketcan, unseen
from hil.planes.jitter import Jitter, refuse
from hil.planes.log import flat
from hil.planes.processes import ProcessesPlane
from hil.rooms.chair import ChairRoom
from hil.rooms.lift import LiftRoom
from hil.run import Bench, Ran, cannot, ended
from hil.scenario.load import FOLDER, load
from hil.scenario.model import Scenario
from hil.timeline import Result, Timeline, Verdict
from hil.vbus.frame import Frame

NIGHTLY = bool(os.environ.get("LIFTCTL_NIGHTLY"))
MS = 1_000_000
TEXT = """
hil: 1
id: HW-1
title: It travels while an arrow is held, and stops when it is not
hazards: [H2]
rig: lift
planes: [virtual, hardware, socketcan]
steps:
  - press: RIGHT
  - until: {that: "x_speed > 50 mm/s", within: 9 s}
  - release: panel:1
  - wait: 1200 ms
expect:
  - within: {that: moving == none, of: release, limit: 2 s}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "hw.yaml"
    found.write_text(TEXT, "utf-8")
    return found


@pytest.fixture
def scenario(path: Path) -> Scenario:
    return load(path)[0]


# --- what really is there ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rig", "room"), [("lift", LiftRoom()), ("chair", ChairRoom())], ids=["lift", "chair"]
)
def test_what_a_present_node_hides_are_fields_of_the_truth(
    rig: str, room: LiftRoom | ChairRoom
) -> None:
    truth = flat(room.truth()) | {"contact_guard_estop_a": 1, "contact_guard_estop_b": 1}
    for name in unseen.ON[rig]:
        strange = unseen.UNKNOWN[name] - truth.keys()
        assert name == "guard_io" or not strange, f"{name}: {strange}"
    assert {name for names in unseen.ON.values() for name in names} == NODES.keys()


def test_the_twin_of_a_present_node_hears_and_follows_but_says_nothing() -> None:
    room = LiftRoom()
    room.present = frozenset({0x10})
    said = [frame.can_id & 0x7F for _, frame in room.advance(300 * MS)]
    assert set(said) == {0x11, 0x20, 0x21, 0x30}
    assert not [f for _, f in room.on_frame(Frame(0, b"\1\0"), 301 * MS) if f.can_id & 0x7F == 0x10]
    assert room.hoist.state.name == "OPERATIONAL"


def told(line: Timeline, verdict: Verdict) -> Ran:
    return Ran(Result("HW-1", "", verdict, reasons=("as judged",)), line)


def event(line: int, kind: str = "failed") -> Timeline:
    found = Timeline()
    found.add(0, "expect", kind, line=line)
    return found


def test_a_pass_that_nobody_saw_is_inconclusive_and_says_what_was_not_seen(
    scenario: Scenario,
) -> None:
    unknown = unseen.fields(("scale",))
    ran = unseen.doubt(told(Timeline(), Verdict.PASS), scenario, unknown, told=True)
    assert ran.result.verdict is Verdict.INCONCLUSIVE
    assert ran.result.reasons == ("oracle: rises_overloaded: what it needs to see really is there",)
    excused = replace(scenario, excused={"rises_overloaded": "a test weight hangs there"})
    ran = unseen.doubt(told(Timeline(), Verdict.PASS), excused, unknown, told=True)
    assert ran.result.verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("present", "line", "played", "expected"),
    [
        ("scale", 14, True, Verdict.FAIL),  # what the gate said was seen
        ("traverse", 14, True, Verdict.FAIL),
        ("scale", 14, False, Verdict.INCONCLUSIVE),  # the story was never told
    ],
)
def test_what_was_seen_to_fail_stays_a_failure(
    scenario: Scenario, present: str, line: int, played: bool, expected: Verdict
) -> None:
    unknown = unseen.fields((present,))
    ran = unseen.doubt(told(event(line), Verdict.FAIL), scenario, unknown, told=played)
    assert ran.result.verdict is expected


def test_an_expectation_on_an_unknown_truth_decides_nothing(path: Path) -> None:
    path.write_text(TEXT + "  - within: {that: still, of: release, limit: 2 s}\n", "utf-8")
    unknown = unseen.fields(("traverse",))
    ran = unseen.doubt(told(event(15), Verdict.FAIL), load(path)[0], unknown, told=True)
    assert ran.result.verdict is Verdict.INCONCLUSIVE
    assert "line 15: within needs the truth of x_speed_mm_s" in ran.result.reasons


def test_harm_that_was_seen_before_the_bus_went_stays_a_failure(scenario: Scenario) -> None:
    line = Timeline()
    line.add(0, "oracle", "violated", rule="minted_outside_whitelist")
    ran = ended(scenario, line, Verdict.INCONCLUSIVE, "the adapter died", "hardware")
    assert ran.result.verdict is Verdict.FAIL
    assert ran.result.reasons[-1] == "the adapter died"


@pytest.mark.parametrize(
    ("steps", "present", "says"),
    [
        ("- act: {do: estop, with: {value: true}}", ("hoist",), "line 9: estop would have"),
        ("- fault: {id: L0.charger}", ("contacts",), "line 9: L0.charger would have"),
        ("- fault: {id: L0.charger}", ("scale",), ""),
        ("- fault: {id: L9.freeze, with: {process: gate}}", ("hoist", "contacts"), ""),
        ("- act: {do: runaway, with: {axis: hoist}}", ("scale",), "line 9: runaway would have"),
        ("- press: {motion: UP, station: hand}", ("contacts",), "line 9: a key of the hand"),
    ],
)
def test_hands_and_faults_cannot_reach_what_really_is_there(
    path: Path, steps: str, present: tuple[str, ...], says: str
) -> None:
    path.write_text(TEXT.replace("steps:\n", f"steps:\n  {steps}\n"), "utf-8")
    found = unseen.beyond(load(path)[0], unseen.fields(present))
    assert found.startswith(says) if says else not found


def test_frame_faults_and_other_planes_scenarios_do_not_apply() -> None:
    by_id = {run.id: run for run in load(FOLDER / "h24-frame-faults.yaml")[:1]}
    for run in by_id.values():
        assert cannot(run, "hardware")
        assert cannot(run, "socketcan")
    assert not cannot(load(FOLDER / "h19-estop.yaml")[0], "socketcan")


# --- who is on the bus -------------------------------------------------------------------------


@pytest.fixture
def wire(request: pytest.FixtureRequest) -> Iterator[tuple[Adapter, can.BusABC]]:
    channel = f"hw-{os.getpid()}-{request.node.name}"
    with Adapter(Where("virtual", channel)) as ours, can.Bus(channel, "virtual") as theirs:
        yield ours, theirs


@pytest.mark.parametrize(
    ("heard", "present", "says"),
    [
        ([0x590], set(), "a node hoist answers on the bus"),
        ([0x710], set(), "a node hoist answers on the bus"),
        ([], {"scale"}, "--present scale: no answer"),
        ([0x5A1, 0x5B1], {"scale", "guard_io"}, ""),
    ],
)
def test_who_is_on_the_bus_has_to_be_who_was_named(
    wire: tuple[Adapter, can.BusABC], monkeypatch: pytest.MonkeyPatch,
    heard: list[int], present: set[str], says: str,
) -> None:  # fmt: skip
    monkeypatch.setattr(hardware, "ASK_S", 0.05)
    ours, theirs = wire
    for can_id in heard:
        theirs.send(can.Message(arbitration_id=can_id, data=bytes(8), is_extended_id=False))
    found = hardware.who_answers(ours)
    asked = {message.arbitration_id for _ in range(7) if (message := theirs.recv(0))}
    assert asked == {0x610, 0x611, 0x613, 0x620, 0x621, 0x622, 0x630}
    if not says:
        hardware._agree(ours.where, present, found)
        return
    with pytest.raises(AdapterError, match=says):
        hardware._agree(ours.where, present, found)


SAFE = ("--plane", "hardware", "--nobody-in-the-sling", "--adapter")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--plane", "hardware", "--adapter", "slcan:/dev/nosuch"), "say --nobody-in-the-sling"),
        ((*SAFE, "slcan:/dev/nosuch"), "is the adapter plugged in?"),
        ((*SAFE, ""), "write interface:channel@bitrate"),
        ((*SAFE, "slcan:/dev/nosuch", "--present", "hoist,mast"), "--present mast: no such node"),
        (("--plane", "socketcan", "--adapter", "slcan:/dev/x"), "use --plane hardware"),
        (("--plane", "virtual", "--smoke"), "--smoke belongs to --plane socketcan"),
        (("--plane", "socketcan", "--smoke"), "--smoke runs no scenarios"),
        (("--plane", "moon"), "planes: virtual, processes, socketcan, hardware, dut"),
    ],
)
def test_what_cannot_or_must_not_start_is_one_line_and_status_two(
    path: Path, words: tuple[str, ...], says: str
) -> None:
    done = CliRunner().invoke(app, ["run", str(path), *words])
    assert done.exit_code == 2
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


def test_an_interface_with_a_wire_behind_it_is_not_for_the_plane_socketcan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socketcan, "has_can", lambda: True)
    assert not socketcan.own("nosuch0")
    tool = tmp_path / "ip"
    tool.write_text('#!/bin/sh\necho \'[{"linkinfo": {"info_kind": "can"}}]\'\n', "utf-8")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(Unavailable, match="lo is can, not vcan"):
        socketcan.own("lo")


# --- kernels -----------------------------------------------------------------------------------


def smoked(*needed: str) -> Smoke:
    return Smoke(True, (Step("bus-off", 8000, {"errors": 32}),), 9.0, needed)


def test_a_smoke_is_a_run_of_the_report_and_without_bus_off_it_concludes_nothing() -> None:
    whole, own = smoked(*NEEDED), smoked("done")
    assert socketcan.result("booted", whole, [whole])[0].verdict is Verdict.PASS
    assert socketcan.result("own", own, [own, whole])[0].verdict is Verdict.PASS
    result, line = socketcan.result("own", own, [own])
    assert result.verdict is Verdict.INCONCLUSIVE
    assert result.reasons[0].startswith("bus-off was not tried")
    assert [e["name"] for e in line.lane("meta", "mark")] == ["bus-off"]


def test_a_scenario_with_every_frame_through_ports_has_the_timeline_of_the_virtual_plane(
    scenario: Scenario,
) -> None:
    bench = KernelBench(f"virtual:wire-{os.getpid()}")
    ran, same = bench(scenario), Bench()(scenario)
    assert ran.result.verdict is Verdict.PASS
    assert ran.result.plane == "socketcan"
    assert ran.result.timeline_hash == same.result.timeline_hash


def test_a_frame_that_a_kernel_swallows_is_an_error_and_no_verdict(scenario: Scenario) -> None:
    bench = KernelBench(f"virtual:lost-{os.getpid()}")
    plane = bench._plane(scenario)
    plane.run(50 * MS)
    assert bench._way
    bench._way.ports["guard"].close()
    with pytest.raises(FrameLostError, match="frames for the guard never came"):
        plane.run(1000 * MS)
    bench.close()


# --- how late this machine is ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lane", "fields", "expected"),
    [
        ("alarm", {"kind": "on", "row": "evidence_lost"}, Verdict.INCONCLUSIVE),
        ("gate", {"kind": "event", "what": "trip", "detail": "lag_stop"}, Verdict.INCONCLUSIVE),
        ("gate", {"kind": "event", "what": "clear", "detail": "lag_stop"}, Verdict.FAIL),
        ("fault", {"kind": "armed", "id": "L9.freeze"}, Verdict.FAIL),  # that is what was asked
        ("oracle", {"kind": "violated", "rule": "person_falls"}, Verdict.FAIL),
    ],
)
def test_a_press_that_a_late_machine_let_die_concludes_nothing(
    lane: str, fields: dict[str, str], expected: Verdict
) -> None:
    line = Timeline()
    line.add(0, "meta", "mark", name="start")
    if lane in ("fault", "oracle"):
        line.add(5, "alarm", "on", row="evidence_lost")
    kind = fields.pop("kind")
    line.add(6, lane, kind, **fields)
    result = Result("S", "", Verdict.FAIL, reasons=("waited in vain",))
    assert refuse(result, line, Jitter([1.0])).verdict is expected


@pytest.mark.parametrize(
    ("late_ms", "expected"), [(20.0, Verdict.FAIL), (400.0, Verdict.INCONCLUSIVE)]
)
def test_a_gate_that_never_gets_ready_fails_unless_this_machine_was_late(
    late_ms: float, expected: Verdict
) -> None:
    line = Timeline()
    line.add(1, "gate", "event", what="trip", detail="lag_stop")  # as every gate at its first turn
    result = Result("S", "", Verdict.FAIL, reasons=("waited in vain",))
    assert refuse(result, line, Jitter([late_ms])).verdict is expected


@pytest.mark.parametrize(
    ("start_s", "away_s", "expected"),
    [
        (30, None, Verdict.INCONCLUSIVE),
        (6, 5, Verdict.INCONCLUSIVE),
        (30, 2, Verdict.FAIL),
        (2, None, Verdict.FAIL),  # it had the time
        (1, 5, Verdict.FAIL),
    ],
)
def test_a_killed_gate_gets_the_time_that_this_machine_takes_to_start_one(
    start_s: int, away_s: int | None, expected: Verdict
) -> None:
    line = Timeline()
    line.add(start_s * 1000 * MS, "gate", "change", mode="faulted")
    line.add(40_000 * MS, "fault", "armed", id="L9.kill")
    if away_s is not None:
        line.add((40 + away_s) * 1000 * MS, "gate", "change", mode="faulted")
    line.add(50_000 * MS, "human", "release")
    result = Result("S", "", Verdict.FAIL, reasons=("UP moves on a fresh press",))
    assert refuse(result, line, Jitter([1.0])).verdict is expected


def test_what_the_bench_started_ends_when_the_bench_is_killed() -> None:
    text = (
        "import subprocess, time; from hil.orphan import ends_with_parent\n"
        "print(subprocess.Popen(['sleep', '600'], preexec_fn=ends_with_parent).pid, flush=True)\n"
        "time.sleep(600)"
    )
    bench = subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE)
    assert bench.stdout is not None
    child = int(bench.stdout.readline())
    bench.kill()
    bench.communicate()
    for _ in range(1000):
        if not _words(child):
            return
        time.sleep(0.01)
    os.kill(child, 9)
    raise AssertionError("it lives on")


def _words(pid: int) -> bytes:
    """Nothing for a process that has ended and waits to be reaped."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


# --- the whole thing, on a bus that looks like hardware ----------------------------------------


Far = tuple[Path, "subprocess.Popen[bytes]"]  # where the adapter is, and the adapter


@pytest.fixture
def far(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Far]:
    """Another bus of this machine with a real scale on it, behind a serial adapter."""
    monkeypatch.setenv("LIFTCTL_RUN", str(tmp_path))
    others = ",".join(str(number) for number in (0x10, 0x11, 0x20, 0x30))
    started = []
    for words, made in (
        (["hil.vbus.hub", "--bus", "far:500000"], tmp_path / "vbus" / "far.sock"),
        (["hil.ward", "--room", "lift", "--bus", "far", "--present", others, "--control",
          str(tmp_path / "far")], tmp_path / "far"),
        (["hil.faces.slcan_server", "--bus", "far", "--link", str(tmp_path / "tty")],
         tmp_path / "tty"),
    ):  # fmt: skip
        started.append(subprocess.Popen([sys.executable, "-m", *words], stderr=subprocess.DEVNULL))
        while not made.exists():
            assert started[-1].poll() is None
            os.sched_yield()
    yield (tmp_path / "tty").resolve(), started[-1]
    for popen in reversed(started):
        popen.terminate()
        popen.wait()


if NIGHTLY:

    @pytest.mark.process
    def test_a_real_node_on_a_real_adapter_is_left_its_voice_and_its_secrets(
        far: Far, path: Path, tmp_path: Path
    ) -> None:
        out = tmp_path / "out"
        where = [*SAFE, f"slcan:{far[0]}"]
        done = CliRunner().invoke(app, ["run", str(path), *where])
        assert done.exit_code == 2
        assert "a node scale answers" in done.stderr
        words = ["run", str(path), *where, "--present", "scale", "--out", str(out)]
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 3, done.output
        assert "rises_overloaded" in done.output
        events = next(out.glob("runs/*/events.jsonl")).read_text("utf-8")
        assert '"load_kg"' not in events
        assert '"x_mm"' in events

    @pytest.mark.process
    def test_an_adapter_that_is_pulled_in_mid_run_concludes_nothing(
        far: Far, scenario: Scenario, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(ProcessesPlane, "know", lambda _plane: far[1].terminate())
        runner = hardware.Hardware(f"slcan:{far[0]}", "scale", nobody_in_the_sling=True)
        result = runner(scenario).result
        assert result.verdict is Verdict.INCONCLUSIVE
        assert result.reasons[0].startswith("bridge: the adapter is gone")
