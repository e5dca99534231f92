"""End-to-end protection: the published examples, every state of the receiver, every small flip.

The sender of the round trips is the bench's own; it shares no code with the codec.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.profiles import load
from config.protection import MODES, E2ESpec
from drivers.e2e import State, Status, check, crc8, weak_counter
from hil.nodes.e2e import protect_p01, protect_p02

OK, REPEATED, JUMP = Status.OK, Status.REPEATED, Status.WRONG_SEQUENCE
IDS = bytes(range(16))
P02 = E2ESpec(profile="P02", data_ids=tuple(IDS))
CELL = load("load_cell_e2e").frame_named("load")
assert CELL.e2e is not None
SCALE = CELL.e2e


def p01(mode: str = "both", data_id: int = 0x123) -> E2ESpec:
    return E2ESpec(profile="P01", data_id=data_id, mode=mode, nibble=12 if mode == "nibble" else -1)


def heard(spec: E2ESpec, *payloads: bytes) -> list[Status]:
    state, said = State(), []
    for data in payloads:
        state = check(spec, state, data)
        said.append(state.status)
    return said


def test_the_catalogue_check_values() -> None:
    digits = b"123456789"
    assert crc8(0x1D, digits, 0xFF) ^ 0xFF == 0x4B  # SAE J1850
    assert crc8(0x2F, digits, 0xFF) ^ 0xFF == 0xDF  # H2F
    assert crc8(0x1D, digits, 0x00) == 0x37  # what profile 1 amounts to


@pytest.mark.parametrize(
    ("spec", "first", "second"),
    [
        # PRS_E2EProtocol, examples of profile 1: data id 0x123, eight bytes, all zero.
        (p01("both"), "CC00000000000000", "9101000000000000"),
        (p01("alternating"), "CE00000000000000", "0201000000000000"),
        (replace(p01("low"), data_id=0x23), "CE00000000000000", "9301000000000000"),
        (p01("nibble"), "2A10000000000000", "7711000000000000"),
        # The same with the CRC last.
        (
            replace(p01("nibble"), crc=7, counter=0, nibble=4),
            "100000000000002A",
            "1100000000000077",
        ),
        # The test data of the public implementation of profile 2.
        (P02, "6101020304050607", "BC02020304050607"),
    ],
)
def test_the_published_examples_are_genuine(spec: E2ESpec, first: str, second: str) -> None:
    assert heard(spec, bytes.fromhex(first), bytes.fromhex(second)) == [JUMP, OK]
    for other in (replace(spec, data_id=spec.data_id ^ 1), replace(spec, data_ids=(9,) * 16)):
        if other != spec and (spec.profile == "P02") == (other.data_ids != spec.data_ids):
            assert heard(other, bytes.fromhex(first)) == [Status.ERROR]


def test_profile_2_with_data_ids_of_zero() -> None:
    spec = replace(P02, data_ids=(0,) * 16)
    assert heard(spec, bytes.fromhex("4501000000000000")) == [JUMP]
    assert heard(spec, bytes.fromhex("4401000000000000")) == [Status.ERROR]


def frames(*counters: int) -> list[bytes]:
    return [protect_p01(bytes(8), counter, 0x123) for counter in counters]


@pytest.mark.parametrize(
    ("counters", "said"),
    [
        ([0, 1, 2], [JUMP, OK, OK]),  # the first has no predecessor
        ([13, 14, 0, 1], [JUMP, OK, OK, OK]),  # 15 does not exist
        ([4, 5, 5, 5, 6], [JUMP, OK, REPEATED, REPEATED, OK]),
        ([4, 4, 5], [JUMP, REPEATED, OK]),
        ([4, 5, 8, 9], [JUMP, OK, OK, OK]),  # two were lost: max_delta
        ([4, 5, 9, 10], [JUMP, OK, JUMP, OK]),  # three: one in step first
        ([4, 5, 9, 9, 10], [JUMP, OK, JUMP, REPEATED, OK]),  # a repetition is no step
        ([4, 5, 4, 5], [JUMP, OK, JUMP, OK]),  # never backwards
        ([14, 0, 14], [JUMP, OK, JUMP]),
    ],
)
def test_the_counter(counters: list[int], said: list[Status]) -> None:
    assert heard(replace(p01(), max_delta=3), *frames(*counters)) == said


def test_nothing_was_heard_at_first() -> None:
    assert State().status is Status.NO_NEW_DATA


def test_coming_into_step_again_takes_as_long_as_the_profile_says() -> None:
    spec = replace(p01(), sync=3)
    assert heard(spec, *frames(1, 2, 3, 4, 5)) == [JUMP, JUMP, JUMP, OK, OK]
    assert heard(spec, *frames(1, 2, 3, 9, 10, 11, 12)) == [JUMP] * 6 + [OK]


def test_a_forged_payload_moves_no_counter() -> None:
    spec, (one, two, three) = p01(), frames(1, 2, 3)
    forged = protect_p01(bytes(8), 9, 0x124)
    assert heard(spec, one, two, forged, three) == [JUMP, OK, Status.ERROR, OK]
    # One that was lost is one step more; nothing widens the step that is allowed.
    assert heard(spec, one, forged, three) == [JUMP, Status.ERROR, JUMP]
    assert heard(spec, forged, forged) == [Status.ERROR] * 2


def test_fifteen_is_no_counter_of_profile_1() -> None:
    assert heard(p01(), protect_p01(bytes(8), 15, 0x123)) == [Status.ERROR]
    assert heard(P02, *(protect_p02(bytes(8), n, IDS) for n in (14, 15, 0))) == [JUMP, OK, OK]


def test_the_sent_nibble_of_the_data_id_is_compared() -> None:
    # Its high half is not in the CRC otherwise: 0x223 differs from 0x123 in the nibble alone.
    other = protect_p01(bytes(8), 1, 0x223, "nibble")
    assert heard(p01("nibble"), other) == [Status.ERROR]
    assert heard(p01("nibble", 0x223), other) == [JUMP]


@st.composite
def layouts(draw: st.DrawFn) -> tuple[E2ESpec, int]:
    """Profile 1 anywhere in a frame, and profile 2; with the frame's length."""
    length = draw(st.integers(3, 8))
    if draw(st.booleans()):
        ids = draw(st.lists(st.integers(0, 255), min_size=16, max_size=16))
        return E2ESpec(profile="P02", data_ids=tuple(ids)), length
    mode = draw(st.sampled_from(MODES))
    top = {"low": 0xFF, "nibble": 0xFFF}.get(mode, 0xFFFF)
    crc = draw(st.integers(0, length - 1))
    halves = [bit for bit in range(0, 8 * length, 4) if bit // 8 != crc]
    counter, nibble = draw(st.permutations(halves))[:2]
    spec = E2ESpec(
        profile="P01",
        data_id=draw(st.integers(0, top)),
        mode=mode,
        crc=crc,
        counter=counter,
        nibble=nibble if mode == "nibble" else -1,
    )
    return spec, length


def protected(spec: E2ESpec, data: bytes, counter: int) -> bytes:
    """By the bench's sender."""
    if spec.profile == "P02":
        return protect_p02(data, counter, spec.data_ids)
    place = (spec.crc, spec.counter, max(spec.nibble, 0))
    return protect_p01(data, counter, spec.data_id, spec.mode, *place)


@given(layout=layouts(), data=st.binary(min_size=8, max_size=8), at=st.integers(0, 14))
def test_what_the_bench_sends_is_genuine(layout: tuple[E2ESpec, int], data: bytes, at: int) -> None:
    spec, length = layout
    sent = [protected(spec, data[:length], n % spec.modulus) for n in (at, at + 1, at + 2)]
    assert heard(spec, *sent) == [JUMP, OK, OK]


@settings(deadline=None)
@given(layout=layouts(), data=st.binary(min_size=8, max_size=8), at=st.integers(0, 14))
def test_no_single_bit_flips_unseen(layout: tuple[E2ESpec, int], data: bytes, at: int) -> None:
    spec, length = layout
    if weak_counter(spec, length) is not None:
        return  # the registry refuses it
    sent = protected(spec, data[:length], at)
    for bit in range(8 * length):
        flipped = (int.from_bytes(sent, "big") ^ 1 << bit).to_bytes(length, "big")
        assert heard(spec, flipped) == [Status.ERROR], bit


def test_data_ids_that_cancel_a_flip_are_found() -> None:
    # The CRC of the counter's own flip, undone by the other byte of the data id.
    weak = [n for n in range(256) if weak_counter(p01("alternating", n << 8), 8) is not None]
    assert len(weak) == 1
    assert weak_counter(p01("both", weak[0] << 8), 8) is None
    even, odd = (protect_p01(bytes(8), n, weak[0] << 8, "alternating") for n in (0, 1))
    assert even[0] == odd[0]
    assert weak_counter(P02, 8) is None


@pytest.mark.parametrize(
    ("crc", "counter", "length"), [(0, 8, 3), (0, 12, 3), (0, 28, 4), (3, 4, 4)]
)
def test_a_weak_data_id_is_found_wherever_the_counter_is(
    crc: int, counter: int, length: int
) -> None:
    weak, wanted = {}, {}
    for high in range(256):
        spec = replace(p01("alternating", high << 8), crc=crc, counter=counter)
        even, odd = (protected(spec, bytes(length), n) for n in (0, 1))
        wanted |= {high: 0} if even[crc] == odd[crc] else {}
        weak[high] = weak_counter(spec, length)
    assert len(wanted) == 1
    assert {high: found for high, found in weak.items() if found is not None} == wanted


@pytest.mark.parametrize("bit", range(4))
def test_a_weak_pair_of_data_ids_is_found_whichever_it_is(bit: int) -> None:
    def alike(at: int, change: int) -> E2ESpec | None:
        """Data ids of zero and one other; None where its CRC does not cancel the bit."""
        ids = [0] * 16
        ids[at] = change
        one, other = (protect_p02(bytes(3), n, ids)[0] for n in (at, at ^ 1 << bit))
        return replace(P02, data_ids=tuple(ids)) if one == other else None

    for at in range(16):
        (spec,) = filter(None, (alike(at, change) for change in range(256)))
        assert weak_counter(spec, 3) == min(at, at ^ 1 << bit)


def bursts(length: int) -> Iterator[int]:
    """Every error of at most eight bits in a row, as on the wire: most significant bit first."""
    for wide in range(1, 9):
        for pattern in range(1 << wide - 1, 1 << wide):
            if pattern & 1:
                yield from (pattern << shift for shift in range(8 * length - wide + 1))


@settings(max_examples=4, deadline=None)  # the code is linear: one payload stands for all
@given(load=st.integers(-(2**31), 2**31 - 1), at=st.integers(0, 14))
def test_no_burst_passes_the_load_cell(load: int, at: int) -> None:
    data = bytes(1) + load.to_bytes(4, "little", signed=True) + bytes(1)
    good = int.from_bytes(protected(SCALE, data, at), "big")
    for error in BURSTS:
        state = check(SCALE, State(), (good ^ error).to_bytes(CELL.length, "big"))
        assert state.status is Status.ERROR, f"{error:x}"


BURSTS = tuple(bursts(CELL.length))


@pytest.mark.parametrize("spec", [p01(), P02])
def test_a_crc_before_its_counter_misses_few_bursts(spec: E2ESpec) -> None:
    """A limit of the specification's own layout: why the load cell has its CRC last."""
    good = int.from_bytes(protected(spec, bytes(8), 3), "big")
    found = [check(spec, State(), (good ^ error).to_bytes(8, "big")) for error in bursts(8)]
    passed = [state for state in found if state.status is not Status.ERROR]
    assert (len(passed), len(found)) == (4, 7423)


@given(other=st.integers(0, 0xFFFF), at=st.integers(0, 14))
def test_no_other_data_id_is_taken_for_the_load_cell(other: int, at: int) -> None:
    sent = protected(replace(SCALE, data_id=other), bytes(CELL.length), at)
    # Of 65536 data ids 256 share a CRC, whatever the payload: they must differ in both bytes.
    alike = crc8(0x1D, bytes((other & 0xFF, other >> 8)), 0) == crc8(0x1D, b"\x43\x4c", 0)
    assert (heard(SCALE, sent) == [JUMP]) == alike
    assert not alike or other == SCALE.data_id or (other >> 8 != 0x4C and other & 0xFF != 0x43)
