"""Gates that lie in every way we know: the plant's own travel stays within the stopping limits.

Role: property tests of the guard's turn beside a lying gate, real drives' deadmen and a simulated
plant, in virtual time (H1, H2). Must never: believe what the gate says about itself.
"""

from __future__ import annotations

import struct
from dataclasses import replace

import pytest

from hil.rig.lies import AXIS, FAST, LIES, Liar
from liftctl import ipc
from liftctl.guard.invariants import LASTING
from tests.guard.world import LIMIT_MM, OPPOSITE, Pair, booted

PRESSED = ("goes_on", "wrong_way", "ignores_stop", "stale_echo", "no_turn")
WAYS = {"lift": ("UP", "DOWN", "RIGHT"), "chair": ("STAND",)}
CREEP_MM = 0.5
CELLS = [(kind, way, lie) for kind, ways in WAYS.items() for way in ways for lie in LIES]


def begin(kind: str, way: str, lie: str) -> Pair:
    """A booted pair; where the lie needs a press, one that moves."""
    fast = FAST[OPPOSITE[way] if lie == "wrong_way" else way]
    if (way, lie) == ("DOWN", "uncut"):
        fast = struct.pack("<Hi", 0x0F, -500)  # at docking speed it would be no lie
    pair = booted(kind, Liar(lie, AXIS[way], fast))
    if lie == "uncut":
        pair.state = replace(pair.state, cut="a test", cut_ns=pair.gate.now, cuts=1)
        pair.run(400)
    if lie in PRESSED:
        pair.gate.press(way)
        pair.run(3000 if kind == "chair" else 1000)  # far enough to have a way back
        assert pair.gate.out and pair.gate.out.verdict.moving
    return pair


def lie_now(pair: Pair, way: str) -> None:
    """The gate begins to lie, at the moment that makes it one."""
    liar = pair.gate.liar
    assert liar is not None
    liar.lying = True
    if liar.kind == "goes_on":
        pair.gate.press("")
    elif liar.kind == "ignores_stop":
        pair.gate.extra.append(ipc.StopPress("panel:2"))
    elif liar.kind == "stale_echo":
        pair.gate.panel = False
    elif liar.kind == "uncut":
        pair.gate.press(way)


@pytest.mark.parametrize(("kind", "way", "lie"), CELLS)
def test_a_lie_moves_nobody_further_than_a_stop_may(kind: str, way: str, lie: str) -> None:
    """H1, H2: it moves by itself, or goes on, because the gate says what is not so."""
    pair = begin(kind, way, lie)
    axis = AXIS[way]
    lie_now(pair, way)
    far = pair.travel(axis, 1500)
    assert far <= LIMIT_MM[axis]
    assert far > 0 or lie == "uncut", "it told no lie"
    assert pair.state.cuts >= 1
    assert pair.state.lasting == (lie != "stale_echo"), pair.state.cut
    assert pair.travel(axis, 1500) <= CREEP_MM, "and it goes on lying"


@pytest.mark.parametrize("way", ["UP", "DOWN", "RIGHT", "STAND"])
@pytest.mark.parametrize(("on", "off"), [(1, 1), (6, 10), (7, 2)])
def test_short_pulses_add_up_however_long_the_pauses(way: str, on: int, off: int) -> None:
    """H1: each is shorter than every grace; waiting forgives nothing."""
    kind, axis = "chair" if way == "STAND" else "lift", AXIS[way]
    pair = booted(kind, Liar("unasked", axis, FAST[way]))
    liar, start, far = pair.gate.liar, pair.position(axis), 0.0
    assert liar is not None
    for n in range(250):
        liar.lying = n % (on + off) < on
        pair.step()
        far = max(far, abs(pair.position(axis) - start))
    assert pair.state.cut == "no_evidence"
    assert far <= LIMIT_MM[axis]


@pytest.mark.parametrize("kind", ["lift", "chair"])
def test_whoever_lets_go_very_often_owes_nothing(kind: str) -> None:
    """Jogging: each release overhangs by a turn, each press pays for it."""
    pair = booted(kind)
    for n in range(600):
        if n % 4 == 0:
            pair.gate.press("" if pair.gate.hold[0] else WAYS[kind][0])
        pair.step()
        assert pair.state.cut == ""


@pytest.mark.parametrize("lie", ["goes_on", "pulses", "unasked", "ignores_stop"])
def test_the_drives_are_left_alone_when_the_lie_is_over(lie: str) -> None:
    """A STOP that goes on keeps them from ever being lowered again by a press (rule 4)."""
    pair = begin("lift", "UP", lie)
    lie_now(pair, "UP")
    pair.run(1000)
    assert pair.state.cut in LASTING
    pair.gate.liar.lying = False  # type: ignore[union-attr]
    pair.gate.press("")
    pair.run(1000)
    before = pair.stops()
    pair.run(1000)
    assert pair.stops() == before > 0


@pytest.mark.parametrize("kind", ["lift", "chair"])
def test_after_a_lie_somebody_can_still_be_lowered_by_a_press(kind: str) -> None:
    """Docking DOWN or SIT is the last to go (rule 4), behind a cut that lasts."""
    up, down = ("UP", "DOWN") if kind == "lift" else ("STAND", "SIT")
    pair = begin(kind, up, "ignores_stop")
    lie_now(pair, up)
    pair.run(1000)
    assert pair.state.cut in LASTING
    pair.gate.press("")
    pair.run(8000)  # the gate wakes the stopped drives and reads their deadmen back
    for press in (down, "", down):
        pair.gate.press(press)
        far = pair.travel(AXIS[down], 1500)
        assert (far > 5) == bool(press), (press, pair.gate.state.kernel.active)
    assert pair.state.lasting
