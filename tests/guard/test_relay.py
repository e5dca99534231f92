"""The guard reads its relay back: a welded contact is found before it is needed (H1).

Role: tests of the read-back in the guard's turn, beside a gate and a simulated room. Must never:
open a port.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from drivers.frames import Frame
from hil.rig.lies import AXIS, FAST, Liar
from liftctl.guard.invariants import RELAY_OPEN_MS
from liftctl.guard.state import GuardInput, configure, start
from liftctl.guard.turn import turn
from tests.gate.room import Gate
from tests.guard.world import LIMIT_MM, MS, Pair, booted

SAYS_WITHIN_MS = RELAY_OPEN_MS + 150  # the node's report every 50 ms, and turns


@pytest.mark.parametrize("kind", ["lift", "chair"])
def test_a_relay_welded_before_the_start_is_never_enabled_and_named(kind: str) -> None:
    """H1: a latent fault, found while nobody moves."""
    pair = Pair(kind)
    pair.room.guard_io.welded = True
    for _ in range(150):
        pair.step()
        assert not pair.state.relay.toggles
    assert pair.outs[-1].cut == "relay_stuck"
    assert pair.stops() == 0, "nobody asks for anything: the drives stay awake"
    assert "guard_cut" in pair.gate.state.kernel.active
    pair.gate.press("UP" if kind == "lift" else "STAND")
    axis = "hoist" if kind == "lift" else "stander"
    assert pair.travel(axis, 1000) == 0, "an honest gate raises nobody then"


def test_lowering_survives_a_welded_relay() -> None:
    pair = Pair("lift")
    pair.room.guard_io.welded = True
    pair.run(3000)
    pair.gate.press("DOWN")
    assert pair.travel("hoist", 2000) > 30
    assert pair.stops() == 0


@pytest.mark.parametrize("kind", ["lift", "chair"])
def test_a_relay_that_welds_in_use_is_named_after_the_next_cut(kind: str) -> None:
    """The cut is read back, and found to be none."""
    pair = booted(kind)
    pair.room.guard_io.welded = True
    pair.run(1000)
    assert pair.state.cut == "", "while it toggles a closed relay is right"
    pair.state = replace(pair.state, cut="a test", cut_ns=pair.gate.now)
    said = pair.gate.now
    while pair.outs[-1].cut != "relay_stuck":
        pair.step()
        assert pair.gate.now - said <= SAYS_WITHIN_MS * MS
    pair.run(5000)
    assert pair.outs[-1].cut == "relay_stuck", "it stands until somebody looked"


@pytest.mark.parametrize(("kind", "way"), [("lift", "UP"), ("lift", "RIGHT"), ("chair", "STAND")])
def test_a_lie_behind_a_welded_relay_is_stopped_over_the_bus(kind: str, way: str) -> None:
    """H1: a finger on the arrow and a gate that ignores the cut: STOP again and again."""
    pair = booted(kind, Liar("uncut", AXIS[way], FAST[way]))
    pair.room.guard_io.welded = True
    pair.state = replace(pair.state, cut="a test", cut_ns=pair.gate.now)
    pair.run(1000)
    assert pair.outs[-1].cut == "relay_stuck"
    pair.gate.press(way)
    pair.gate.liar.lying = True  # type: ignore[union-attr]
    before = pair.stops()
    assert pair.travel(AXIS[way], 3000) <= LIMIT_MM[AXIS[way]] / 4
    assert pair.stops() - before > 100
    assert pair.outs[-1].cut == "relay_stuck"


def test_a_gap_of_its_own_is_no_welded_relay() -> None:
    """Thawed after a freeze, it reads seconds of old frames: what they say is not of now."""
    pair = booted("lift")
    pair.state = replace(pair.state, cut="a test", cut_ns=pair.gate.now)
    pair.step()
    closed = (pair.gate.now, Frame("lift", 0x1B0, b"\x07"))
    pair.gate.now += 2000 * MS
    pair.waiting += [(pair.gate.now, closed[1])]
    pair.step()
    assert pair.outs[-1].cut != "relay_stuck"


def test_without_a_report_of_its_relay_it_never_enables() -> None:
    config = configure(Gate("lift").config.site)
    state = start(config, 10**9)
    for n in range(1, 200):
        now = 10**9 + n * 20 * MS
        given: tuple[GuardInput, ...] = ((now, Frame("lift", 0x701, b"\x05")),)
        state, out = turn(config, state, now, given)
        assert not state.relay.toggles
        assert out.cut == ""


def test_heartbeats_without_a_turn_are_cut() -> None:
    """A loop that hangs behind a heartbeat that does not: its ticks stand still."""
    pair = booted("lift", Liar("no_turn", "hoist", b""))
    pair.run(200)
    pair.gate.liar.lying = True  # type: ignore[union-attr]
    for _ in range(20):
        pair.step()
        beats = [frame for frame in pair.gate.told if frame.id == 0x701]
        assert beats
    assert pair.state.cut == "no_turn"
    assert not pair.state.lasting, "a gate that comes back is believed again"
