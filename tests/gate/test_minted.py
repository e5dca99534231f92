"""Every frame that leaves a gate, in every mode, is on the wiring's list, and nothing else can.

Role: long scripted runs, devices that say anything, and the whole id space through the whitelist.
Must never: take an expectation from a device or a profile.
"""

from __future__ import annotations

import random
from itertools import product

import pytest

from drivers.device import Chunk, Wire
from drivers.frames import Frame
from liftctl.gate.inputs import GateInput, RxBytes, RxFrame
from liftctl.gate.turn import _whitelist as whitelist
from liftctl.gate.turn import turn
from tests.gate.modes import KINDS, every_mode, run
from tests.gate.room import MS
from tests.gate.wiring import ALIKE, HEARD, LENGTHS, NIGHTLY, NODES, SENT, SERIAL, WIDE

pytestmark = pytest.mark.no_cover  # long
EVIDENCE_NS = 250 * MS


def assert_wired(kind: str, wire: Wire) -> None:
    if isinstance(wire, Chunk):
        assert (kind, wire.line) == ("chair", "motors")
        assert wire.data in SERIAL
        return
    assert wire.bus == kind
    assert not (wire.extended or wire.remote or wire.error)
    assert (wire.id, len(wire.data)) in SENT[kind]
    if wire.id == 0:
        assert wire.data[0] in (0x01, 0x80), "start and wake, nothing else"
        assert wire.data[1] in NODES[kind], "one node of ours, never all, never the guard's"


@pytest.mark.parametrize("kind", KINDS)
def test_only_wired_frames_leave_in_any_mode_and_all_of_them_do(kind: str) -> None:
    wires = [wire for out in run(kind).sent for wire in out.wires]
    for wire in wires:
        assert_wired(kind, wire)
    frames = [wire for wire in wires if isinstance(wire, Frame)]
    assert {(frame.id, len(frame.data)) for frame in frames} == SENT[kind]
    started = {frame.data[1] for frame in frames if frame.id == 0 and frame.data[0] == 1}
    assert started == set(NODES[kind])
    assert any(frame.id == 0 and frame.data[0] == 0x80 for frame in frames)
    said = {wire.data for wire in wires if isinstance(wire, Chunk)}
    assert said == (SERIAL if kind == "chair" else set())


@every_mode
def test_only_wired_frames_leave_whatever_the_devices_say(kind: str, n: int) -> None:
    """Known ids of the right length with noise inside, from every mode on."""
    m, rng = run(kind).moments[n], random.Random(n)
    state, now = m.after, m.now_ns
    for _ in range(3000 if NIGHTLY else 40):
        now += 20 * MS
        heard: list[GateInput] = [
            RxFrame(now, kind, can_id, rng.choice((rng.randbytes(length), bytes(length))))
            for can_id, length in rng.sample(sorted(HEARD[kind].items()), 5)
        ]
        heard.append(RxBytes(now, "motors", rng.choice((rng.randbytes(9), b"RWD=200\rFF=16\r"))))
        state, out = turn(m.config, state, now, tuple(heard))
        assert out.refused == ()
        assert not out.verdict.moving or now - m.now_ns <= EVIDENCE_NS, "nobody presses"
        for wire in out.wires:
            assert_wired(kind, wire)


def payload(kind: str, can_id: int, length: int) -> bytes:
    """What would be an order: of NMT, the start of a node of ours."""
    return bytes((1, NODES[kind][0])) if (can_id, length) == (0, 2) else b"\x01" * length


@pytest.mark.parametrize("kind", KINDS)
def test_the_whitelist_lets_pass_what_is_wired_and_nothing_else(kind: str) -> None:
    """Every 11-bit id and every used 29-bit id, each length, on every bus."""
    config = run(kind).moments[0].config
    buses = (kind, "observed", "nowhere")
    short = product(buses, range(2048), LENGTHS, (False, True))
    wires = [
        Frame(bus, can_id, payload(kind, can_id, length), extended)
        for bus, can_id, length, extended in short
    ]
    wide = {can_id for can_id in (*WIDE, *ALIKE) if can_id > 0x7FF}
    lengths = LENGTHS if NIGHTLY else (2, 8)
    wires += [Frame(kind, can_id, bytes(length), True) for can_id in wide for length in lengths]
    for can_id, length in SENT[kind]:  # nothing but data, even under a granted id
        wires += [Frame(kind, can_id, payload(kind, can_id, length), remote=True)]
        wires += [Frame(kind, can_id, payload(kind, can_id, length), error=True)]
    allowed, refused = whitelist(config, tuple(wires))
    assert {(w.bus, w.extended) for w in allowed if isinstance(w, Frame)} == {(kind, False)}
    assert sorted((w.id, len(w.data)) for w in allowed if isinstance(w, Frame)) == sorted(
        SENT[kind]
    )
    assert len(allowed) + len(refused) == len(wires) > 100_000


@pytest.mark.parametrize("kind", KINDS)
def test_of_nmt_only_start_and_wake_of_each_node_of_ours_pass(kind: str) -> None:
    """Not of all nodes at once, not of the guard's, not of the other site's, with any command."""
    config = run(kind).moments[0].config
    orders = product((kind, *(set(KINDS) - {kind})), range(256), range(256))
    wires = tuple(Frame(bus, 0, bytes((command, node))) for bus, command, node in orders)
    allowed, refused = whitelist(config, wires)
    wanted = {(kind, bytes((command, node))) for command in (0x01, 0x80) for node in NODES[kind]}
    assert {(w.bus, w.data) for w in allowed if isinstance(w, Frame)} == wanted
    assert len(refused) == len(wires) - len(wanted)


def test_of_serial_commands_only_the_wired_pass() -> None:
    config = run("chair").moments[0].config
    odd = (b"!G 1 100\r", b"!G 1 1000\r!MG\r", b"!MG", b"!MG\r!MG\r", b"^RWD 0\r", b"")
    wires = [Chunk(line, data) for line in ("motors", "other") for data in (*odd, *SERIAL)]
    allowed, refused = whitelist(config, tuple(wires))
    assert {(w.line, w.data) for w in allowed if isinstance(w, Chunk)} == {
        ("motors", data) for data in SERIAL
    }
    assert len(refused) == len(wires) - len(SERIAL)
    lift = run("lift").moments[0].config
    assert whitelist(lift, tuple(wires))[0] == ()
