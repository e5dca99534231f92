"""The whole 11-bit and the used 29-bit id space, in every mode: nothing outside the wiring is
believed.

Role: what docs/wiring.md allows (tests/gate/wiring.py) against `liftctl.gate.turn`. In the normal
suite each id and length comes with one payload and one flag in each mode; LIFTCTL_NIGHTLY=1 takes
all of them. Must never: take an expectation from a device or a profile.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.device import Chunk, Wire
from drivers.frames import Frame
from drivers.j1939 import parse
from liftctl.gate.inputs import GateInput, RxBytes, RxFrame
from liftctl.gate.turn import GateTurnState, Outputs, turn
from tests.gate.modes import KINDS, MOMENTS, Moment, every_mode, run
from tests.gate.room import MS
from tests.gate.wiring import ALIKE, HEARD, LENGTHS, MONITORED, NIGHTLY, WIDE

pytestmark = pytest.mark.no_cover  # long
EXTENDED, REMOTE, ERROR = 1, 2, 4
SDO = 0x580


def after(
    m: Moment, more: Iterable[GateInput], first: bool = False
) -> tuple[GateTurnState, Outputs]:
    """The moment's turn again, with more at its end or its beginning."""
    given = (*more, *m.given) if first else (*m.given, *more)
    return turn(m.config, m.before, m.now_ns, given)


def assert_nothing_believed(
    m: Moment, more: list[RxFrame], shown: bool = False, first: bool = False
) -> int:
    """State, wires and verdict as without; only counters and the time a bus was heard may differ.

    Equal states are equal futures: nothing can start, last longer or go faster. Returns how many
    frames were turned away before any device saw them.
    """
    state, out = after(m, more, first)
    assert state.kernel == m.after.kernel
    assert state.devices == m.after.devices
    assert (state.hand, state.pending, state.beat_ns) == (
        m.after.hand, m.after.pending, m.after.beat_ns,
    )  # fmt: skip
    assert shown or state.display == m.after.display
    assert (out.verdict, out.refused) == (m.out.verdict, ())
    assert orders(out) == orders(m.out)
    name = "frames_ignored"
    return state.counters.get(name, 0) - m.after.counters.get(name, 0)


def orders(out: Outputs) -> list[Wire]:
    """Without the heartbeat: any life on a bus lets it go there (design rule 3)."""
    return [wire for wire in out.wires if isinstance(wire, Chunk) or wire.id != 0x701]


def payloads(kind: str, can_id: int, length: int) -> tuple[bytes, ...]:
    """Zeros, ones, noise, and what the healthy node says, cut or filled to `length`."""
    noise = random.Random(can_id << 4 | length).randbytes(length)
    true = healthy(kind).get(can_id, healthy(kind)[0x190 if kind == "lift" else 0x193])
    return bytes(length), b"\xff" * length, noise, true[:length].ljust(length, b"\x00")


@cache
def healthy(kind: str) -> dict[int, bytes]:
    heard = (item for m in run(kind).moments for item in m.given if isinstance(item, RxFrame))
    return {item.id: item.data for item in heard}


def some(choices: tuple[bytes, ...], n: int) -> tuple[bytes, ...]:
    return choices if NIGHTLY else (choices[n % len(choices)],)


def received(m: Moment, can_id: int, data: bytes, flags: int = 0, bus: str = "") -> RxFrame:
    """A millisecond old, so that believing even a true copy would show."""
    return RxFrame(m.now_ns - MS, bus or m.config.buses[0], can_id, data, flags)


def unknown_11_bit(kind: str, m: Moment, n: int) -> Iterator[RxFrame]:
    """Every id the gate has no device for, and every id as extended, remote or error frame."""
    odd = (EXTENDED, REMOTE, ERROR, EXTENDED | REMOTE)
    for can_id, length in product(range(2048), LENGTHS):
        for data in some(payloads(kind, can_id, length), n + can_id + length):
            if can_id not in HEARD[kind]:
                yield received(m, can_id, data)
            for flags in odd if NIGHTLY else (odd[(n + can_id + length) % 4],):
                yield received(m, can_id, data, flags)


@every_mode
def test_no_unknown_11_bit_id_is_believed(kind: str, n: int) -> None:
    m = run(kind).moments[n]
    frames = list(unknown_11_bit(kind, m, n))
    assert assert_nothing_believed(m, frames) == len(frames) > 2048 * 9 * 1.9


@cache
def answers(kind: str) -> tuple[tuple[int, bytes], ...]:
    """What a node might answer to each SDO request a gate of this kind sends."""
    wires = (wire for out in run(kind).sent for wire in out.wires if isinstance(wire, Frame))
    asked = {(wire.id & 0x7F, wire.data) for wire in wires if wire.id & ~0x7F == 0x600}
    return tuple(
        (SDO | node, bytes((command,)) + data[1:])
        for node, data in sorted(asked)
        for command in (0x60, 0x4B, 0x43, 0x80)
    )


@every_mode
def test_a_known_id_is_not_believed_with_another_length(kind: str, n: int) -> None:
    """Before the true frames of the turn, when a request may be open, and after them."""
    m = run(kind).moments[n]
    for can_id, right in HEARD[kind].items():
        wrong = [length for length in LENGTHS if length != right]
        frames = [received(m, can_id, d) for x in wrong for d in payloads(kind, can_id, x)]
        assert assert_nothing_believed(m, frames) == 0, "it reached its device and was refused"
        assert assert_nothing_believed(m, frames, first=True) == 0
    cut = [received(m, can_id, d[:x]) for can_id, d in answers(kind) for x in range(4, 8)]
    assert assert_nothing_believed(m, cut, first=True) == 0


@every_mode
def test_a_known_id_is_not_believed_as_another_kind_of_frame_or_from_another_bus(
    kind: str, n: int
) -> None:
    m = run(kind).moments[n]
    frames = []
    for can_id, length in HEARD[kind].items():
        for data in payloads(kind, can_id, length):
            frames += [received(m, can_id, data, flags) for flags in range(1, 8)]
            for bus in ("observed", "nowhere", "motors", *(set(KINDS) - {kind})):
                frames += [received(m, can_id, data, flags, bus) for flags in range(8)]
    assert assert_nothing_believed(m, frames) == len(frames)


@every_mode
def test_no_29_bit_id_is_believed_beyond_the_monitored(kind: str, n: int) -> None:
    """The whole space in the mode `ready`, a fresh slice of it in every other."""
    m = run(kind).moments[n]
    whole = NIGHTLY or m.mode == "ready"
    frames = []
    for can_id in (*(WIDE if whole else WIDE[n :: len(MOMENTS)]), *ALIKE):
        data = payloads(kind, can_id & 0x7FF, 8 if can_id % 5 else can_id % 9)[(n + can_id) % 4]
        if can_id not in MONITORED[kind]:
            frames.append(received(m, can_id, data, EXTENDED, "observed"))
        if whole:
            frames.append(received(m, can_id, data, EXTENDED))
    assert assert_nothing_believed(m, frames) == len(frames)


@every_mode
def test_a_monitored_actuator_is_shown_and_nothing_else(kind: str, n: int) -> None:
    m = run(kind).moments[n]
    for can_id, length in product(MONITORED[kind], LENGTHS):
        data = payloads(kind, can_id, length)
        frames = [received(m, can_id, d, EXTENDED, "observed") for d in data]
        assert_nothing_believed(m, frames, shown=length == 8)
        turned = [
            received(m, can_id, d, flags | EXTENDED, "observed")
            for d in data
            for flags in (2, 4, 6)
        ]
        assert assert_nothing_believed(m, turned) == len(turned)


@settings(max_examples=2000 if NIGHTLY else 60, deadline=None)
@given(data=st.data())
def test_no_payload_makes_a_wrong_length_believed(data: st.DataObject) -> None:
    kind, n = data.draw(st.sampled_from(MOMENTS))
    can_id, right = data.draw(st.sampled_from(sorted(HEARD[kind].items())))
    said = data.draw(st.binary(max_size=8).filter(lambda raw: len(raw) != right))
    m = run(kind).moments[n]
    assert assert_nothing_believed(m, [received(m, can_id, said)]) == 0


@pytest.mark.parametrize("kind", KINDS)
def test_the_gate_has_the_ears_of_the_wiring(kind: str) -> None:
    """And a copy of any true frame, a millisecond old, is noticed by the comparison above."""
    routes = set(run(kind).moments[0].config.routes)
    wanted = {(kind, False, can_id) for can_id in HEARD[kind]}
    assert routes == wanted | {("observed", True, can_id) for can_id in MONITORED[kind]}
    m = next(m for m in run(kind).moments if m.mode == "ready")
    for can_id in HEARD[kind]:
        if can_id & ~0x7F == SDO:
            continue  # an answer nobody asked for is not believed either
        state, _ = after(m, [received(m, can_id, healthy(kind).get(can_id, bytes(8)))])
        assert (state.kernel, state.devices) != (m.after.kernel, m.after.devices), f"{can_id:X}"


@every_mode
def test_a_serial_line_of_nobody_says_nothing(kind: str, n: int) -> None:
    m = run(kind).moments[n]
    state, out = after(m, [RxBytes(m.now_ns, "nowhere", b"S=1000\rFF=0\rRWD=200\r")])
    assert (state, out) == (m.after, m.out)


def test_the_used_29_bit_space_holds_what_the_profiles_use() -> None:
    assert set(WIDE) >= MONITORED["chair"]
    assert {parse(can_id).source for can_id in WIDE} == set(range(256))
