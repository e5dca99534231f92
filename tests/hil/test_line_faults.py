"""A bad serial line: what it does to bytes, and that it counts what it did."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.line_faults import LineFaults, LineSpec, sampled
from hil.nodes.roboteq import Roboteq

MS = 1_000_000


def line(**fields: float) -> LineFaults:
    found = LineFaults(seed=3)
    found.set(LineSpec(**fields))  # type: ignore[arg-type]
    return found


@given(st.binary(max_size=200))
def test_a_good_line_changes_nothing(data: bytes) -> None:
    good = line()
    assert good.carry(data, 0) == data
    assert not good.counted.total()


@given(st.binary(max_size=100))
def test_the_same_baud_rate_reads_every_byte(data: bytes) -> None:
    assert sampled(data, 9600, 9600) == (data, 0)


@settings(deadline=None)
@given(st.binary(min_size=1, max_size=100), st.floats(0.97, 1.03))
def test_three_percent_of_clock_error_is_still_read(data: bytes, ratio: float) -> None:
    assert sampled(data, 115_200, round(115_200 * ratio)) == (data, 0)


@pytest.mark.parametrize("read_baud", [9600, 57_600, 230_400])
def test_a_wrong_baud_rate_garbles_and_is_counted(read_baud: int) -> None:
    spoilt = line(read_baud=read_baud)
    sent = b"?FF\r~RWD\r" * 5
    got = spoilt.carry(sent, 0)
    assert got != sent
    assert not set(got) <= set(sent)
    if read_baud < 115_200:
        assert len(got) < len(sent)
    else:
        assert spoilt.counted["misread"] or len(got) > len(sent)


@given(st.binary(min_size=1, max_size=300), st.floats(0.05, 0.9))
def test_dropped_bytes_are_missing_and_counted(data: bytes, share: float) -> None:
    spoilt = line(drop=share)
    assert len(spoilt.carry(data, 0)) == len(data) - spoilt.counted["drop"]


@given(st.binary(min_size=1, max_size=300))
def test_a_flip_is_one_bit_and_counted(data: bytes) -> None:
    spoilt = line(flip=0.5)
    got = spoilt.carry(data, 0)
    changed = [a ^ b for a, b in zip(data, got, strict=True) if a != b]
    assert len(changed) == spoilt.counted["flip"]
    assert all(bits.bit_count() == 1 for bits in changed)


def test_a_framing_error_reads_as_zero() -> None:
    spoilt = line(framing=1.0, count=2)
    assert spoilt.carry(b"\xff\xff\xff", 0) == b"\0\0\xff"
    assert spoilt.counted["framing"] == 2


def test_a_delayed_byte_comes_late_and_in_order() -> None:
    late = line(delay_ms=50.0)
    assert late.carry(b"a", 0) == b""
    assert late.carry(b"b", 10 * MS) == b""
    assert late.next_ns == 50 * MS
    assert late.carry(b"", 50 * MS) == b"a"
    assert late.carry(b"", 60 * MS) == b"b"
    assert late.next_ns is None


def test_the_same_seed_spoils_the_same_bytes() -> None:
    data = bytes(range(256))
    assert line(drop=0.3, flip=0.3).carry(data, 0) == line(drop=0.3, flip=0.3).carry(data, 0)


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        ({"drop": 2.0}, "'drop' is a share"),
        ({"noise": 1.0}, "no field 'noise'"),
        ({"flip": "often"}, "'flip' is a number"),
        ({"read_baud": 0}, "baud rate is above 0"),
    ],
)
def test_a_wrong_request_is_refused_in_words(request_: dict[str, object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        LineSpec.of({"do": "serial", **request_})


def test_a_motor_controller_behind_a_bad_line_loses_its_watchdog() -> None:
    device, bad = Roboteq(), line(read_baud=9600)
    device.on_bytes(b"^RWD 200\r", 0)
    for n in range(100):
        device.on_bytes(bad.carry(b"?FF\r", n * 10 * MS), n * 10 * MS)
    assert device.watchdog_expired
