"""The chair's motor controller: its lines at their limits, its rhythm to the nanosecond."""

from __future__ import annotations

from typing import Any

import pytest

from drivers.device import Chunk
from drivers.roboteq.ascii import Reply, feed
from drivers.roboteq.device import named_values
from safety.types import Axis
from safety.verdict import AxisCommand, Cmd
from tests.drivers.nodes import device

T, MS = 5_000_000_007, 1_000_000
DEV: Any = device("roboteq")
MOVE = AxisCommand(Axis.DRIVE, Cmd.MOVE)
POLL = b"?FF\r?FS\r?S\r?V\r"
LONG = Reply("error", text="line too long")


def hear(state: Any, data: bytes, now_ns: int = T) -> Any:
    return DEV.on_wire(state, Chunk("bus", data), now_ns)[0]


def turn(state: Any, now_ns: int, command: AxisCommand | None = None) -> tuple[Any, list[bytes]]:
    state, chunks, samples = DEV.turn(state, now_ns, command)
    assert [chunk.line for chunk in chunks] == ["bus"] * len(chunks)
    assert len(samples) == 1
    return state, [chunk.data for chunk in chunks]


def verified(state: Any, now_ns: int) -> float:
    return DEV.turn(state, now_ns, None)[2][0].value


# --- lines


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (b"FF=" + b"0" * 10 + b"\r", [Reply("FF", (0,))]),
        (b" " * 60 + b"FF=1\r", [Reply("FF", (1,))]),  # 64 bytes
        (b" " * 61 + b"FF=1\r", [LONG]),  # 65 bytes
        (b"FF=1\x00\r", [LONG]),
        (b"FF=1\x01\r", [Reply("error", text="not a reply: 'FF=1\\x01'")]),
        (b"+FF=1\r", [Reply("+"), Reply("FF", (1,))]),
        (b"FF=1-\r", [Reply("-"), Reply("FF", (1,))]),
        (b"-\r+-\r\r", [Reply("-"), Reply("+"), Reply("-")]),
        (b"+\n?FF\r", [Reply("+"), Reply("error", text="not a reply: '\\n?FF'")]),
        (b"-S=-1\r", [Reply("-"), Reply("S", (-1,))]),
        (b"S=-1+\r", [Reply("+"), Reply("S", (-1,))]),
        (b"\xe5=1\r", [Reply("error", text="not a reply: '\u00e5=1'")]),
        (b"_FF=1\r", [Reply("error", text="not a reply: '_FF=1'")]),
        (b"FF_=1_\r", [Reply("error", text="not a reply: 'FF_=1_'")]),
        (b"+_\r", [Reply("+"), Reply("error", text="not a reply: '_'")]),
    ],
)
def test_lines_and_signs(data: bytes, wanted: list[Reply]) -> None:
    assert feed(b"", data) == (b"", tuple(wanted))


@pytest.mark.parametrize("start", list("!?^~%#"))
def test_an_echo_is_no_reply(start: str) -> None:
    text = f"{start}FF=1"
    assert feed(b"", text.encode() + b"\r") == (b"", (Reply("echo", text=text),))


def test_the_tail_of_an_overlong_line_is_no_line_of_its_own() -> None:
    assert feed(b"", b"x" * 64) == (b"x" * 64, ())
    rest, found = feed(b"", b"x" * 65)
    assert found == (LONG,)
    assert feed(rest, b"FF=0\rFF=1\r") == (b"", (LONG, Reply("FF", (1,))))
    assert feed(rest, b"")[0] == rest
    assert feed(rest.lstrip(b"\0") or rest, b"\r")[1] == (LONG,)


# --- values


@pytest.mark.parametrize(
    ("reply", "values"),
    [
        (Reply("FF", (16, 3)), {"fault_flags": 16.0}),
        (Reply("FS", (9, 3)), {"status_flags": 9.0}),
        (Reply("RWD", (200, 3)), {"watchdog_ms": 200.0}),
        (Reply("S", (-20, 10)), {"speed_1_rpm": -20.0, "speed_2_rpm": 10.0}),
        (
            Reply("V", (135, 246, 4730)),
            {"driver_v": 13.5, "battery_v": 24.6, "output_5v_v": 4.73},
        ),
        (Reply("V", (135,)), {"driver_v": 13.5}),
        (Reply("T", (1,)), {}),
    ],
)
def test_values_are_shown_with_their_units(reply: Reply, values: dict[str, float]) -> None:
    assert dict(named_values(reply)) == values


def samples(data: bytes) -> dict[str, float]:
    said = DEV.on_wire(DEV.start(), Chunk("bus", data), T)[1].samples
    return {item.signal.value: item.value for item in said}


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (b"FF=1:0\r", {"drive_motor_fault": 1.0}),
        (b"FF=16:1\r", {"drive_motor_fault": 0.0}),
        (b"S=-20:10\r", {"drive_speed_rpm": -20.0}),
        (b"V=135:246\r", {"battery_v": 24.6}),
        (b"V=135\r", {}),
    ],
)
def test_samples(data: bytes, wanted: dict[str, float]) -> None:
    assert samples(data) == wanted


# --- rhythm


def test_flags_are_polled_every_100_ms() -> None:
    state, sent = turn(DEV.start(), T)
    assert sent[-1] == POLL
    assert POLL not in turn(state, T + 100 * MS - 1)[1]
    assert POLL in turn(state, T + 100 * MS)[1]


def test_the_stop_is_repeated_every_40_ms_until_it_is_seen() -> None:
    state, sent = turn(DEV.start(), T)
    assert sent[0] == b"!EX\r"
    assert turn(state, T + 40 * MS - 1)[1] == []
    assert turn(state, T + 40 * MS)[1] == [b"!EX\r"]
    seen = hear(state, b"FF=16:0\r")
    assert turn(seen, T + 40 * MS)[1] == []
    assert turn(hear(state, b"FF=15:16\r"), T + 40 * MS)[1] == [b"!EX\r"]


def test_the_watchdog_is_read_back_every_500_ms_and_set_up_while_it_is_wrong() -> None:
    state, sent = turn(DEV.start(), T)
    assert sent[1] == b"^ECHOF 1\r^RWD 200\r~RWD\r"
    good = hear(state, b"RWD=200\r")
    early, late = turn(good, T + 500 * MS - 1)[1], turn(good, T + 500 * MS)[1]
    assert b"~RWD\r" not in early
    assert b"~RWD\r" in late
    assert sent[1] not in late
    wrong = hear(good, b"RWD=201\r")
    assert sent[1] not in turn(wrong, T + 500 * MS - 1)[1]
    assert sent[1] in turn(wrong, T + 500 * MS)[1]


def test_a_read_back_is_trusted_for_1500_ms() -> None:
    good = hear(DEV.start(), b"RWD=200\r")
    assert verified(good, T + 1500 * MS) == 1.0
    assert verified(good, T + 1500 * MS + 1) == 0.0
    assert verified(hear(good, b"RWD=200:200\r"), T) == 0.0
    assert DEV.status(good) == ""
    assert DEV.status(DEV.start())


def test_driving_is_released_once_and_inhibited_from_the_start() -> None:
    assert turn(DEV.start(), T, MOVE)[1][0] == b"!EX\r"
    good = hear(DEV.start(), b"RWD=200\r")
    state, sent = turn(good, T, MOVE)
    assert sent[0] == b"!MG\r"
    assert b"!MG\r" not in turn(state, T + 1000 * MS, MOVE)[1]
    assert turn(state, T + 1, None)[1] == [b"!EX\r"]
    # Flags that were heard while it drove say nothing about the stop.
    assert turn(hear(state, b"FF=16\r"), T + 1, None)[1] == [b"!EX\r"]
    assert DEV.axis is Axis.DRIVE
