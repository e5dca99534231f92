"""The pure bus core: bit lengths, arbitration, bit rate, no loss."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.vbus.bus import BusCore, Delivery
from hil.vbus.frame import (
    RECORD,
    Frame,
    MalformedRecordError,
    arbitration_value,
    bit_length,
    pack,
    unpack,
)


def frames() -> st.SearchStrategy[Frame]:
    standard = st.builds(Frame, st.integers(0, 0x7FF), st.binary(max_size=8))
    extended = st.builds(Frame, st.integers(0, 0x1FFFFFFF), st.binary(max_size=8), st.just(True))
    remote = st.builds(
        lambda i, n: Frame(i, is_remote=True, remote_dlc=n),
        st.integers(0, 0x7FF),
        st.integers(0, 8),
    )
    return st.one_of(standard, extended, remote)


@settings(deadline=None)
@given(frames(), st.integers(0, 2**63), st.booleans())
def test_record_round_trip(frame: Frame, t_ns: int, is_echo: bool) -> None:
    received = unpack(pack(frame, t_ns, is_echo=is_echo))
    assert (received.frame, received.t_ns, received.is_echo) == (frame, t_ns, is_echo)


@pytest.mark.parametrize(
    "record",
    [
        b"",
        b"\0" * 23,
        RECORD.pack(0, 0x800, 0, 0, b""),
        RECORD.pack(0, 0x20000000, 1, 0, b""),
        RECORD.pack(0, 1, 0, 9, b""),
        RECORD.pack(0, 1, 0x10, 0, b""),
    ],
)
def test_a_malformed_record_is_refused(record: bytes) -> None:
    with pytest.raises(MalformedRecordError):
        unpack(record)


@settings(deadline=None)
@given(frames())
def test_bit_length_lies_between_the_unstuffed_and_the_worst_case(frame: Frame) -> None:
    stuffed = (54 if frame.is_extended else 34) + 8 * len(frame.data)
    assert stuffed + 13 <= bit_length(frame) <= stuffed + (stuffed - 1) // 4 + 13


def by_the_book(frame: Frame) -> int:
    """ISO 11898-1 on a string of bits: polynomial division, then a stuff bit after five equal."""
    rtr, dlc = str(int(frame.is_remote)), f"{frame.dlc:04b}"
    ident = f"0{frame.can_id:011b}{rtr}00"
    if frame.is_extended:
        bits = f"{frame.can_id:029b}"
        ident = f"0{bits[:11]}11{bits[11:]}{rtr}00"
    body = ident + dlc + "".join(f"{byte:08b}" for byte in frame.data)
    remainder = [int(bit) for bit in body] + [0] * 15
    for start in range(len(body)):
        if remainder[start]:
            for offset, bit in enumerate("1100010110011001"):
                remainder[start + offset] ^= int(bit)
    sent = ""
    for bit in body + "".join(map(str, remainder[-15:])):
        sent += bit
        if sent.endswith(("00000", "11111")):
            sent += "1" if bit == "0" else "0"
    return len(sent) + 13


@settings(deadline=None)
@given(frames())
def test_bit_length_agrees_with_the_book(frame: Frame) -> None:
    assert bit_length(frame) == by_the_book(frame)


@settings(deadline=None)
@given(frames(), frames())
def test_arbitration_compares_like_the_wire(a: Frame, b: Frame) -> None:
    def wire(frame: Frame) -> str:
        rtr = str(int(frame.is_remote))
        if not frame.is_extended:
            return f"{frame.can_id:011b}{rtr}0"
        bits = f"{frame.can_id:029b}"
        return f"{bits[:11]}11{bits[11:]}{rtr}"

    if wire(a) != wire(b):
        assert (arbitration_value(a) < arbitration_value(b)) == (wire(a) < wire(b))


def test_standard_beats_extended_and_data_beats_remote() -> None:
    order = [
        Frame(0x100),
        Frame(0x100, is_remote=True),
        Frame(0x100 << 18, is_extended=True),
        Frame(0x101),
    ]
    assert sorted([order[2], order[0], order[3], order[1]], key=arbitration_value) == order


def drain(core: BusCore, now_ns: int) -> list[Delivery]:
    delivered = []
    while (due := core.next_ns(now_ns)) is not None:
        now_ns = max(now_ns, due)
        delivered += core.advance(now_ns)
    return delivered


def test_the_lowest_waiting_id_wins_when_the_bus_becomes_free() -> None:
    core = BusCore(500_000)
    core.submit(1, Frame(0x300), 0)
    core.next_ns(0)
    core.submit(2, Frame(0x200), 10)
    core.submit(3, Frame(0x100), 20)
    assert [d.frame.can_id for d in drain(core, 20)] == [0x300, 0x100, 0x200]


def test_a_late_host_delivers_at_once_but_keeps_the_wire_times() -> None:
    core = BusCore(500_000)
    for number in range(3):
        core.submit(1, Frame(number), 0)
    delivered = core.advance(10**9)
    assert [d.frame.can_id for d in delivered] == [0, 1, 2]
    assert delivered[2].t_ns == sum(core.duration_ns(Frame(n)) for n in range(3))


submissions = st.lists(
    st.tuples(st.integers(0, 3), frames(), st.integers(0, 3_000_000)), min_size=1, max_size=40
)


@settings(max_examples=60, deadline=None)
@given(submissions, st.sampled_from([125_000, 500_000, 1_000_000]))
def test_no_loss_no_duplicate_fifo_per_sender_and_never_above_the_bit_rate(
    plan: list[tuple[int, Frame, int]], bit_rate: int
) -> None:
    core, now_ns, delivered = BusCore(bit_rate), 0, []
    sent: dict[int, list[Frame]] = {}
    for sender, frame, gap_ns in plan:
        now_ns += gap_ns
        delivered += core.advance(now_ns)
        core.submit(sender, frame, now_ns)
        sent.setdefault(sender, []).append(frame)
    delivered += drain(core, now_ns)
    for sender, expected in sent.items():
        assert [d.frame for d in delivered if d.sender == sender] == expected
    assert len(delivered) == len(plan)
    for before, after in pairwise(delivered):
        assert after.t_ns - before.t_ns >= core.duration_ns(after.frame)


@settings(deadline=None)
@given(st.lists(frames(), min_size=2, max_size=20))
def test_one_frame_each_arrives_in_arbitration_order(batch: list[Frame]) -> None:
    core = BusCore(500_000)
    for sender, frame in enumerate(batch):
        core.submit(sender, frame, 0)
    keys = [arbitration_value(d.frame) for d in drain(core, 0)]
    assert keys == sorted(keys)
