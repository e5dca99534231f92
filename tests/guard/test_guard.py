"""The guard's turn: a correct gate is never cut, a lying one always, and it can only ever cut.

Role: property tests of `liftctl.guard.turn` beside a real gate turn and a simulated room. Must
never: open a port or a socket.
"""

from __future__ import annotations

import itertools
import random
import struct

import pytest

from drivers.frames import Frame
from hil.rig.lies import FAST, Liar
from liftctl import ipc
from liftctl.guard.invariants import GRACE_MS
from liftctl.guard.state import GuardInput, configure, start
from liftctl.guard.turn import turn
from tests.gate.room import OWN, Gate
from tests.guard.world import MS, Pair, booted


@pytest.mark.parametrize("kind", ["lift", "chair"])
def test_a_correct_gate_is_never_cut(kind: str) -> None:
    """Presses, releases, reversals and STOP at random; the guard's loop late by up to 80 ms."""
    rng, pair = random.Random(11), Pair(kind)
    pair.run(4000)
    assert pair.state.cut == ""
    late = moved = 0
    for _ in range(2500):
        if rng.random() < (0.03 if pair.gate.hold[0] else 0.2):
            pair.gate.press("" if pair.gate.hold[0] else rng.choice(OWN[kind]))
        if rng.random() < 0.01:
            pair.gate.extra.append(ipc.StopPress("panel:1"))
        late = late - 1 if late else rng.choice((0,) * 30 + (1, 2, 4))
        pair.step(late=late > 0)
        assert pair.state.cut == ""
        moved += bool(pair.gate.out and pair.gate.out.verdict.moving)
    assert moved > 400


@pytest.mark.parametrize(("way", "speed"), [("UP", 600), ("DOWN", -500)])
def test_motion_without_a_finger_is_cut_within_its_allowance(way: str, speed: int) -> None:
    pair = Pair("lift")
    pair.run(4000)
    lie = Frame("lift", 0x210, struct.pack("<Hi", 0x0F, speed))
    begun = pair.gate.now
    for _ in range(12):
        pair.waiting.append((pair.gate.now, lie))
        given, pair.waiting = tuple(pair.waiting), []
        pair.gate.now += 20 * MS
        pair.state, out = turn(pair.config, pair.state, pair.gate.now, given)
        if out.cut:
            break
    assert out.cut == "no_evidence"
    assert pair.gate.now - begun <= (GRACE_MS + 40) * MS
    toggles = {frame.data for frame in out.frames if frame.id == 0x230}
    assert toggles == {b"\x00"}


def test_evidence_of_another_direction_is_none() -> None:
    config = configure(Gate("lift").config.site)
    state = start(config, 10**9)
    for n in range(1, 40):
        now = 10**9 + n * 20 * MS
        given: tuple[GuardInput, ...] = (
            (now, Frame("lift", 0x701, b"\x05")),
            (now, Frame("lift", 0x210, struct.pack("<Hi", 0x0F, 300))),
            ipc.Hold("panel:1", "s", 1, "DOWN", now),
            ipc.Hold("panel:2", "s", 1, "UP", now + 10**9),
            ipc.Hold("panel:3", "s", 1, "UP", now - 10**9),
        )
        state, out = turn(config, state, now, given)
    assert out.cut == "no_evidence"


def test_the_relay_bit_toggles_in_each_turn_and_rests_when_cut() -> None:
    pair = Pair("lift")
    pair.run(4000)
    bits = [frame.data[0] for out in pair.outs[-50:] for frame in out.frames if frame.id == 0x230]
    assert all(a != b for a, b in itertools.pairwise(bits))


@pytest.mark.parametrize("kind", ["lift", "chair"])
def test_whatever_it_hears_it_only_says_its_own(kind: str) -> None:
    """Never raises; only run enable, heartbeat, start of its own node, stop of the drives."""
    rng, pair = random.Random(5), Pair(kind)
    config, state, now = pair.config, pair.state, pair.gate.now
    ids = [*config.watched.commands, *config.watched.feedback, 0x701, 0, 0x7FF]
    words = ("", "UP", "SIT", "NONE", "\x00", "hand", "panel:1")
    for _ in range(3000):
        now += rng.choice((1, 20, 20, 150, 400)) * MS
        frame = Frame(kind, rng.choice(ids), rng.randbytes(rng.randrange(9)))
        hold = ipc.Hold(rng.choice(words), "s", -1, rng.choice(words), rng.choice((now, -1, 2**63)))
        given: tuple[GuardInput, ...] = ((now, frame), hold, ipc.StopPress(rng.choice(words)))
        state, out = turn(config, state, now, given)
        for sent in out.frames:
            own = {0x200 + config.node: 1, 0x702: 1, 0: 2}
            assert own[sent.id] == len(sent.data)
            nodes = config.watched.nodes if sent.data[0] == 2 else (config.node,)
            assert sent.id != 0 or sent.data[1] in nodes


@pytest.mark.parametrize("first", ["stop", "key"])
def test_a_key_pressed_in_the_moment_of_a_stop_is_no_lie(first: str) -> None:
    """H22: bus and socket are read in any order; a cut that lasts would have ended the day."""
    pair = booted("lift")
    pair.run(2500)  # nobody owns
    pair.gate.extra.append(ipc.StopPress("panel:1"))
    pair.step(late=True)
    pair.gate.room.hand = frozenset({"up"})
    pair.step(late=True)
    stops = [item for item in pair.waiting if isinstance(item, ipc.StopPress)]
    rest = [item for item in pair.waiting if not isinstance(item, ipc.StopPress)]
    pair.waiting = stops + rest if first == "stop" else rest + stops
    pair.run(600)
    assert pair.gate.out and pair.gate.out.verdict.moving
    assert pair.state.cut == ""


def test_a_press_that_a_stop_ended_stays_ended() -> None:
    pair = booted("lift", Liar("ignores_stop", "hoist", FAST["UP"]))
    pair.gate.press("UP")
    pair.run(1000)
    pair.gate.liar.lying = True  # type: ignore[union-attr]
    pair.gate.extra.append(ipc.StopPress("panel:2"))
    pair.run(1000)
    assert pair.state.cut == "no_evidence"
