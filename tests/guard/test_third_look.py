"""A third look at the guard: its own link, and what it takes for a lie."""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from config.schema import ConfigError, Site, load
from drivers.frames import Frame
from drivers.ports.slcan import WINDOW, SlcanPort
from drivers.registry import build
from hil.nodes.electrak import Fault
from hil.rooms.lift import LiftRoom
from liftctl import ipc
from liftctl.accept import check
from liftctl.entry import Turnover
from liftctl.gate.turn import configure as gate_of
from liftctl.guard.shell import RETRY_NS, Shell
from liftctl.guard.state import GuardInput, configure, start
from liftctl.guard.turn import turn
from liftctl.places import Places
from tests.gate.room import Gate
from tests.guard.world import Pair, booted, hang

MS = 1_000_000
LIFT = load(Path("config/sites/demo-lift.toml"))


@pytest.fixture
def adapted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Shell, int]]:
    """A guard on a slcan adapter that was set up, and the adapter's end of the line."""
    monkeypatch.setenv("LIFTCTL_RUN", str(tmp_path / "run"))
    far, near = os.openpty()
    port = SlcanPort("lift", os.ttyname(near), 500_000)
    os.read(far, 4096)
    os.write(far, b"\r\r\r\r")  # closed, closed, bit rate, open
    places, config = Places(LIFT.name), configure(LIFT)
    state, server = start(config, time.monotonic_ns()), ipc.serve(places.sock("guard"))
    shell = Shell(config, state, server, port, places, Turnover(LIFT.hash))
    shell.listen()
    woken(shell)
    assert port.is_open
    yield shell, far
    server.close()
    port.close()
    os.close(far)
    os.close(near)


def woken(shell: Shell) -> None:
    for key, _ in shell.selector.select(1):
        key.data()


def test_the_guard_survives_an_adapter_that_stops_answering(adapted: tuple[Shell, int]) -> None:
    """H23: noticed in sending, when no descriptor wakes anybody. The old one stayed registered,
    the new one had its number: the guard died of it and was restarted into the same end.
    """
    shell, far = adapted
    now_ns = time.monotonic_ns()
    for _ in range(WINDOW + 5):  # the adapter is silent from now on; as in `loop`
        now_ns += 20 * MS
        shell.decide(now_ns)
        if shell.port.fileno() >= 0:
            os.read(far, 4096)
    assert shell.port.fileno() < 0, "noticed by sending"
    shell._links(now_ns + 2 * RETRY_NS)
    os.write(far, b"\r\r\r\r")
    woken(shell)
    assert shell.port.is_open  # type: ignore[attr-defined]


def test_the_guard_survives_a_line_that_ends_while_it_reads(adapted: tuple[Shell, int]) -> None:
    """The other way to lose it: the number is free for the next descriptor, too."""
    shell, _ = adapted
    shell.port._lost([], "pulled")  # type: ignore[attr-defined]  # as `receive` does
    shell._read_port()
    shell.decide(time.monotonic_ns())
    shell._links(time.monotonic_ns() + 2 * RETRY_NS)
    assert shell.port.fileno() >= 0


# --- what moves though nobody asked ---------------------------------------------------------------

ENABLED, READY, FAULT, FAULT_REACTION = 0x1637, 0x1231, 0x1218, 0x121F
DRIVES = {"hoist": 0x190, "traverse": 0x191}


def cut_of(axis: str, speed: int, word: int, permille: int = 0, estop: bool = False) -> str:
    """The cut after five seconds in which a drive says this, while nobody asks for anything."""
    config, now = configure(LIFT), 10**9
    state = start(config, now)
    for n in range(400):
        now += 20 * MS
        runs = n > 150
        relay = (0 if runs and estop else 6) | state.relay.toggles
        told = struct.pack("<Hih", word, speed, permille) if runs else bytes(8)
        given: tuple[GuardInput, ...] = (
            ipc.Hold("panel:1", "s", 0, "", now - 20 * MS),
            (now, Frame("lift", 0x701, b"\5")),
            (now, Frame("lift", DRIVES[axis] + 0x80, struct.pack("<Hi", 0x06, 0))),
            (now, Frame("lift", 0x1B0, bytes([relay]))),
            (now, Frame("lift", DRIVES[axis], told)),
        )
        state, _ = turn(config, state, now, given)
    assert state.relay.toggles == (state.cut == "")
    return state.cut


@pytest.mark.parametrize("speed", [1500, -1500])
def test_a_trolley_that_runs_left_is_cut_as_one_that_runs_right(speed: int) -> None:
    """H1, H19: a drive whose torque is not off though the e-stop is pressed. "What sinks is the
    strap or the lever" holds for hoist and stander; a rail has no way down.
    """
    assert cut_of("traverse", speed, ENABLED, estop=True) == "uncommanded"


def test_the_red_strap_with_the_estop_pressed_is_the_way_down() -> None:
    """Decision 9, as the kernel has it; upwards no strap goes."""
    assert cut_of("hoist", -420, ENABLED, estop=True) == ""
    assert cut_of("hoist", 420, ENABLED, estop=True) == "uncommanded"


def in_fault(kind: str) -> Pair:
    """Somebody hangs or stands, and the drive is in fault."""
    pair = booted(kind)
    if isinstance(pair.room, LiftRoom):
        pair.room.hoist.machine.fault()
    else:
        pair.gate.press("STAND")
        pair.run(8000)
        pair.gate.press("")
        pair.room.actuator.faults |= Fault.TEMPERATURE
    pair.run(1000)
    return pair


@pytest.mark.parametrize(
    ("kind", "axis", "means"), [("lift", "hoist", "strap"), ("chair", "stander", "sit_lever")]
)
def test_a_rescue_below_a_drive_in_fault_is_no_lie_of_the_gate(
    kind: str, axis: str, means: str
) -> None:
    """H23, decision 9: "Lower by hand", says the panel, and nobody has to press the e-stop first.
    The kernel excuses what sinks then; the guard called the gate a liar until somebody started it
    anew: no raising, no travel.
    """
    pair = in_fault(kind)
    assert {"hoist_fault", "stand_fault"} & set(pair.gate.state.kernel.active)
    for _ in range(3):
        pair.room.command({"do": means, "value": True})
        assert pair.travel(axis, 2000) > 15
        pair.room.command({"do": means, "value": False})
        pair.run(500)
    assert not pair.gate.state.kernel.latched, "the kernel's own word"
    pair.run(3000)
    assert pair.state.cut == ""


@pytest.mark.parametrize(
    ("axis", "speed", "word", "permille"),
    [
        ("hoist", -420, READY, 0),  # a brake that slips, or a strap that nobody needed
        ("hoist", -420, ENABLED, 0),
        ("hoist", -420, FAULT_REACTION, 0),  # it brakes, and has power
        ("hoist", -420, FAULT, 300),  # the word is frozen or a lie: the motor runs
        ("hoist", -420, FAULT, -300),
        ("hoist", 420, FAULT, 0),  # no strap goes up
        ("traverse", -1500, FAULT, 0),  # and none along the rail
        ("hoist", -1500, FAULT, 0),  # nor so fast
    ],
)
def test_a_drive_in_fault_excuses_nothing_else(
    axis: str, speed: int, word: int, permille: int
) -> None:
    """H1: a second look that believes one word of a drive is none."""
    assert cut_of(axis, speed, word, permille) in ("uncommanded", "overspeed")


# --- docking speed without the guard --------------------------------------------------------------

CHAIR = load(Path("config/sites/demo-chair.toml"))


def docking(site: Site, mm_s: float) -> Site:
    key = "hoist_docking_mm_s" if site.kind == "lift" else "stand_docking_mm_s"
    return replace(site, limits=replace(site.limits, **{key: mm_s}))


@pytest.mark.parametrize(
    ("site", "mm_s", "said"),
    [
        (LIFT, 31, "limits.hoist_docking_mm_s is 31 and hoist .* lets 30 mm/s .* to 30 or less"),
        (LIFT, 50, "limits.hoist_docking_mm_s"),
        (CHAIR, 6.1, "limits.stand_docking_mm_s is 6.1 and stander .* lets 6 mm/s .* 6 or less"),
        (CHAIR, 8, "limits.stand_docking_mm_s"),
    ],
)
def test_a_docking_speed_that_the_drive_bars_without_the_guard_is_refused(
    site: Site, mm_s: float, said: str
) -> None:
    """Rules 4, 10, 14: inside its bounds, and the drive quick-stops at every press."""
    with pytest.raises(ConfigError, match=said):
        check(docking(site, mm_s))


@pytest.mark.parametrize(("site", "mm_s"), [(LIFT, 30), (LIFT, 10), (CHAIR, 6), (CHAIR, 4)])
def test_whoever_hangs_or_stands_is_lowered_without_the_guard(site: Site, mm_s: float) -> None:
    """At every docking speed that is accepted: the relay is open."""
    site = docking(site, mm_s)
    check(site)
    gate = Gate(site.kind)
    gate.config = gate_of(site, tuple(build(spec, site.limits) for spec in site.device))
    if isinstance(gate.room, LiftRoom):
        hang(gate.room)
    gate.run(3000)
    if site.kind == "chair":
        gate.press("STAND")
        gate.run(8000)
        gate.press("")
    without_guard(gate)
    gate.run(1000)
    began = height_mm(gate)
    gate.press("DOWN" if site.kind == "lift" else "SIT")
    gate.run(4000)
    assert began - height_mm(gate) > 3 * mm_s, gate.state.kernel.active


def without_guard(gate: Gate) -> None:
    """It neither toggles the run enable nor says that it lives."""
    others = gate.beats
    gate.enable = lambda: None  # type: ignore[method-assign]
    gate.beats = lambda: [  # type: ignore[method-assign]
        item for item in others() if not isinstance(item, ipc.GuardSays)
    ]


def height_mm(gate: Gate) -> float:
    """Of the bar, or the stroke."""
    plant = gate.room.plant
    return plant.hoist.position_mm if gate.kind == "lift" else plant.actuator.position_mm
