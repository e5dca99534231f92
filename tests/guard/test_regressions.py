"""Guard defects that a review found: false cuts, missed lies, stranded drives.

The docstring of a test says what went wrong before.
"""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from config.schema import load
from drivers.frames import Frame
from liftctl import ipc
from liftctl.guard.invariants import LASTING
from liftctl.guard.state import GuardInput, GuardOutputs, configure, start
from liftctl.guard.turn import turn
from safety.bounds import Params
from safety.types import (
    Motion,
    SignalId,
)
from tests.drivers.nodes import run as driver_run

S, M, P, MS = SignalId, Motion, Params(), 1_000_000
SITES = Path("config/sites")
LIFT = load(SITES / "demo-lift.toml")


# --- F2 NMT stop strands the drives -----------------------------------------------------------


@pytest.mark.parametrize("profile", ["cia402_hoist", "thomson_electrak_hd_canopen"])
def test_a_node_stopped_by_the_guard_comes_back(profile: str) -> None:
    """CiA 301: a STOPPED node answers no SDO. boot.py insists on the SDO dialogue before NMT start
    and never sends enter-pre-operational, so DOWN/SIT is gone until a power cycle.
    """
    it = driver_run(profile, operational=True)
    it.turns(200)
    assert it.verified == 1.0
    it.node.deaf, it.node.operational = True, False  # NMT stop
    sent: list[Frame] = []
    for _ in range(1000):  # 20 s
        it.hear(Frame("bus", 0x700 + it.node.node, b"\x04"))
        frames = it.turn()
        sent += [f for f in frames if f.id == 0]
        if any(f.data[0] in (0x01, 0x80, 0x81, 0x82) for f in sent):
            it.node.deaf = False
    assert sent, "20 s of SDO requests to a node that cannot answer; not one NMT frame"


def test_docking_down_survives_an_nmt_stop_of_the_hoist() -> None:
    """The same end to end: real gate turn, simulated drive, one NMT stop, 20 s, press DOWN."""
    from hil.vbus.frame import Frame as BusFrame
    from tests.gate.room import booted

    gate = booted("lift")
    gate.room.on_frame(BusFrame(0, bytes((2, 0x10))), gate.room.t_ns)
    gate.run(20_000)
    gate.press("DOWN")
    gate.run(1000)
    assert gate.out.verdict.moving, gate.state.kernel.active


# --- F3, F4, F5 the guard ---------------------------------------------------------------------


class Guarded:
    def __init__(self) -> None:
        self.config = configure(LIFT)
        self.now = 10**9
        self.state = start(self.config, self.now)
        self.gate = True
        self.command = 0.0
        self.hold: tuple[int, str] | None = (0, "")
        self.frames: list[Frame] = []
        self.extra: list[GuardInput] = []

    def step(self) -> GuardOutputs:
        self.now += 20 * MS
        given: list[GuardInput] = []
        if self.hold is not None:
            press, motion = self.hold
            given.append(ipc.Hold("panel:1", "s", press, motion, self.now - 20 * MS))
        if self.gate:
            word = 0x0F if self.command else 0x06
            data = struct.pack("<Hi", word, round(self.command * 10))
            given += [
                (self.now, Frame("lift", 0x701, b"\5")),
                (self.now, Frame("lift", 0x210, data)),
            ]
            relay = 0x06 | self.state.relay.toggles
            given.append((self.now, Frame("lift", 0x1B0, bytes([relay]))))
        given += self.extra
        self.extra = []
        self.state, out = turn(self.config, self.state, self.now, tuple(given))
        self.frames = [f for f in out.frames if f.id == 0 and f.data[0] == 2]
        return out

    def run(self, ms: int) -> list[Frame]:
        stops = []
        for _ in range(ms // 20):
            self.step()
            stops += self.frames
        return stops


def test_letting_go_of_docking_down_while_cut_does_not_nmt_stop_the_drives() -> None:
    """guard/turn._frames: the burst needs only a *pending* lasting name while any cut stands; the
    grace of 150 ms is skipped. With F2 the first release of a docking descent ends all descents.
    """
    it = Guarded()
    it.run(3000)
    it.gate = False
    it.run(400)  # a gate stall: "gate_silent", not lasting, relay off for 2 s
    it.gate = True
    it.hold, it.command = (1, "DOWN"), -30.0
    assert not it.run(500)
    it.hold = (0, "")  # the finger lifts; the gate's zero comes one turn later
    it.step()
    assert not it.frames, "NMT stop to both drives at an ordinary release"


def lasting() -> Guarded:
    it = Guarded()
    it.run(3000)
    it.command = 60.0  # a gate that lies once
    it.run(400)
    assert it.state.cut == "no_evidence"
    it.command = 0.0
    it.run(1000)
    return it


def test_the_same_behind_a_lasting_cut() -> None:
    """Still so with the repair of 12:2x (burst only behind a lasting cut): the first release of a
    docking descent, and the turn before the first Hold is seen, stop the drives without any grace.
    """
    it = lasting()
    it.hold, it.command = (1, "DOWN"), -30.0
    assert not it.run(500)
    it.hold = (0, "")
    it.step()
    assert not it.frames


def test_gate_dies_while_the_finger_lifts() -> None:
    """A command counted as living for longer than the grace: crash plus release was lasting."""
    it = Guarded()
    it.run(3000)
    it.hold, it.command = (1, "UP"), 60.0
    it.run(1000)
    it.gate, it.hold = False, (0, "")
    it.run(1500)
    it.gate, it.command = True, 0.0
    it.run(4000)
    assert it.state.cut == ""


def test_guard_restarting_during_a_docking_descent_does_not_cut_for_good() -> None:
    """Rule 10: guard dead -> docking DOWN. A guard that comes back in mid-descent has no evidence
    until the panel reconnects (links.RETRY_S 0.2 s + one beat): lasting cut and NMT stop at once.
    """
    it = Guarded()
    it.hold, it.command = None, -30.0
    stops = it.run(240)
    it.hold = (1, "DOWN")
    it.run(200)
    assert not stops
    assert it.state.cut not in LASTING


def test_death_of_the_gate_in_mid_motion_is_not_a_lasting_cut() -> None:
    """The last command is believed for ever: 250+150 ms after the gate died "no_evidence" turns the
    passing "gate_silent" into a cut that stands until someone restarts the guard.
    """
    it = Guarded()
    it.run(3000)
    it.hold, it.command = (1, "UP"), 60.0
    it.run(1000)
    it.gate, it.hold = False, None
    it.run(1500)
    it.gate, it.hold, it.command = True, (0, ""), 0.0
    it.run(4000)
    assert it.state.cut == ""


def test_stop_ends_the_guards_evidence_of_every_station() -> None:
    """STOP of panel:2 while panel:1 keeps holding: a gate that goes on moving is never cut."""
    it = Guarded()
    it.run(3000)
    it.hold, it.command = (1, "UP"), 60.0
    it.run(500)
    it.extra.append(ipc.StopPress("panel:2"))
    it.run(2000)  # the lying gate goes on
    assert it.state.cut == "no_evidence"


def test_stale_estop_contacts_of_the_guards_node_do_not_excuse_a_descent() -> None:
    """contacts_ns is not looked at in _broken: e-stop open once, node dead, falling unseen."""
    it = Guarded()
    it.run(3000)
    it.extra.append((it.now, Frame("lift", 0x1B0, b"\x01")))
    it.step()
    for _ in range(500):
        it.now += 20 * MS
        data = struct.pack("<Hih", 0x0027, -600, 0)
        zero = struct.pack("<Hi", 6, 0)
        given = (
            (it.now, Frame("lift", 0x701, b"\5")),
            (it.now, Frame("lift", 0x210, zero)),
            (it.now, Frame("lift", 0x190, data)),
        )
        it.state, _ = turn(it.config, it.state, it.now, given)
    assert it.state.cut == "uncommanded"
