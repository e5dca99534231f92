"""Codecs against what the standards print: bit patterns, limits, and refusals at the last value."""

from __future__ import annotations

import pytest

from config.profiles import FieldSpec, FrameSpec
from drivers import j1939
from drivers.canopen import cia402, emcy, nmt, sdo
from drivers.canopen.cia402 import DriveMode
from drivers.canopen.sdo import Dialogue, Step
from drivers.layout import LayoutError, pack, unpack
from safety.types import Axis
from safety.verdict import AxisCommand, Cmd

# CiA 402-2, table "State coding": the statusword's low byte, x is any.
CODING = {
    "x0xx0000": DriveMode.NOT_READY,
    "x1xx0000": DriveMode.DISABLED,
    "x01x0001": DriveMode.READY,
    "x01x0011": DriveMode.SWITCHED_ON,
    "x01x0111": DriveMode.ENABLED,
    "x00x0111": DriveMode.QUICK_STOP,
    "x0xx1111": DriveMode.FAULT_REACTION,
    "x0xx1000": DriveMode.FAULT,
}
# What a moving command asks of a drive in each state; 0x06 (shutdown) elsewhere.
WORDS = {
    DriveMode.READY: 0x07,
    DriveMode.SWITCHED_ON: 0x0F,
    DriveMode.ENABLED: 0x0F,
    DriveMode.QUICK_STOP: 0x02,
    DriveMode.FAULT_REACTION: 0x00,
    DriveMode.FAULT: 0x00,
}


def fits(pattern: str, word: int) -> bool:
    return all(p in ("x", bit) for p, bit in zip(pattern, f"{word & 0xFF:08b}", strict=True))


def test_every_statusword_is_the_state_that_the_standard_prints() -> None:
    for word in (*range(0x100), *range(0x1600, 0x1700)):
        wanted = [mode for pattern, mode in CODING.items() if fits(pattern, word)]
        assert [cia402.mode_of(word)] == (wanted or [DriveMode.UNKNOWN]), f"{word:04X}"


@pytest.mark.parametrize("cmd", [Cmd.MOVE, Cmd.RAMP])
def test_every_state_is_answered_with_its_controlword(cmd: Cmd) -> None:
    command = AxisCommand(Axis.HOIST, cmd, 40.0)
    for word in range(0x100):
        mode = cia402.mode_of(word)
        speed = 40.0 if cmd is Cmd.MOVE and mode is DriveMode.ENABLED else 0.0
        assert cia402.controlword_for(word, command) == (WORDS.get(mode, 0x06), speed)


def test_a_heartbeat_is_one_byte_with_one_of_four_states() -> None:
    states = {0: "BOOT_UP", 4: "STOPPED", 5: "OPERATIONAL", 127: "PRE_OPERATIONAL"}
    for byte in range(0x100):
        said = nmt.heartbeat(bytes((byte,)))
        assert (said.name if said is not None else None) == states.get(byte)
        assert nmt.heartbeat(bytes((byte, byte))) is None
    assert nmt.heartbeat(b"") is None
    assert nmt.pre_operational(0x13) == b"\x80\x13"


def test_heartbeat_and_emergency_decode_by_their_layouts() -> None:
    assert (nmt.FRAME.name, nmt.FRAME.id, nmt.FRAME.length) == ("heartbeat", 0x700, 1)
    assert unpack(nmt.FRAME, b"\xff").values == {"nmt_state": 255}
    assert (emcy.FRAME.name, emcy.FRAME.id, emcy.FRAME.length) == ("emcy", 0x080, 8)
    for data in ("3081101B01000080", "FFFF00FFFFFFFFFF", "0000FF0000000000"):
        raw = bytes.fromhex(data)
        said = emcy.decode(raw)
        assert said is not None
        assert unpack(emcy.FRAME, raw).values == {
            "error_code": said.code,
            "error_register": said.register,
            "maker_code": int.from_bytes(said.detail, "little"),
        }
        assert (said.code, said.register) == (raw[0] | raw[1] << 8, raw[2])


def test_what_does_not_fit_a_heartbeat_or_an_emergency_is_not_encoded() -> None:
    good = {"error_code": 0xFFFF, "error_register": 0xFF, "maker_code": (1 << 40) - 1}
    assert pack(emcy.FRAME, good) == b"\xff" * 8
    for name, value in good.items():
        with pytest.raises(LayoutError, match="does not fit"):
            pack(emcy.FRAME, good | {name: value + 1})
    assert pack(nmt.FRAME, {"nmt_state": 255}) == b"\xff"
    with pytest.raises(LayoutError, match="does not fit"):
        pack(nmt.FRAME, {"nmt_state": 256})


# --- SDO


@pytest.mark.parametrize(
    ("size", "value", "data"),
    [
        (1, 0xAB, "2F171002AB000000"),
        (1, -1, "2F171002FF000000"),
        (2, -2, "2B171002FEFF0000"),
        (3, 0x1_89ABCD, "27171002CDAB8900"),
        (4, 0x1_89ABCDEF, "23171002EFCDAB89"),
        (4, -1, "23171002FFFFFFFF"),
    ],
)
def test_a_write_holds_exactly_its_bytes(size: int, value: int, data: str) -> None:
    assert sdo.poll((Step(0x1017, 2, size, value),), Dialogue(), 0)[1] == bytes.fromhex(data)


def read_back(step: Step, data: str) -> Dialogue:
    """What a dialogue makes of the answer to its read."""
    return sdo.reply((step,), Dialogue(reading=True, sent_ns=5), bytes.fromhex(data))


@pytest.mark.parametrize(
    ("size", "value", "good", "bad", "failure"),
    [
        (1, 0xAB, "4F171002AB000000", "4F171002AA000000", "reads AA, not AB"),
        (1, -1, "4F171002FF000000", "4F1710027F000000", "reads 7F, not FF"),
        (2, 0x8001, "4B17100201800000", "4B17100201000000", "reads 1, not 8001"),
        (3, 0x800001, "4717100201008000", "4717100201000000", "reads 1, not 800001"),
        (4, 0x80000001, "4317100201000080", "4317100200000080", "reads 80000000, not 80000001"),
        (2, 0x8001, "4217100201800000", "4B17100201810000", "reads 8101, not 8001"),
        (2, 0x8001, "4B17100201800000", "4F17100201800000", "has 1 bytes, not 2"),
        (2, 0x8001, "4B171002018000FF", "4317100201800000", "has 4 bytes, not 2"),
    ],
)
def test_a_read_back_is_compared_in_all_its_bits(
    size: int, value: int, good: str, bad: str, failure: str
) -> None:
    step = Step(0x1017, 2, size, value)
    assert read_back(step, good) == Dialogue(at=1)
    assert read_back(step, bad).failure == f"1017:02: {failure}"


def test_only_the_bits_of_the_mask_are_compared() -> None:
    step = Step(0x1000, 0, 4, 0xFFFF0192, write=False, mask=0xFFFF)
    assert read_back(step, "4300100092010200") == Dialogue(at=1)
    assert read_back(step, "4300100093010200").failure == "1000:00: reads 193, not 192"


@pytest.mark.parametrize(
    "data", ["4F181002AB000000", "4F171003AB000000", "60171002AB000000", "4F171002AB0000", ""]
)
def test_what_does_not_answer_the_read_is_ignored(data: str) -> None:
    assert read_back(Step(0x1017, 2, 1, 0xAB), data) == Dialogue(reading=True, sent_ns=5)


def test_an_answer_without_an_open_request_is_ignored() -> None:
    steps, answer = (Step(0x1017, 2, 1, 0xAB),), bytes.fromhex("4F171002AB000000")
    for state in (Dialogue(reading=True), Dialogue(reading=True, sent_ns=5, failure="x")):
        assert sdo.reply(steps, state, answer) == state


def test_a_request_is_repeated_three_times_200_ms_apart_and_then_given_up() -> None:
    steps, state, now = (Step(0x1017, 2, 1, 0xAB),), Dialogue(), 7_000_000_003
    for attempt in range(4):
        state, request = sdo.poll(steps, state, now)
        assert request is not None, attempt
        assert sdo.poll(steps, state, now + 199_999_999) == (state, None)
        now += 200_000_000
    state, request = sdo.poll(steps, state, now)
    assert (request, state.failure, state.abort) == (None, "1017:02: no answer", 0)
    assert sdo.poll(steps, state, now * 2) == (state, None)


def test_an_abort_ends_the_dialogue_with_its_code() -> None:
    state = read_back(Step(0x1017, 2, 1, 0xAB), "8017100211000906")
    assert (state.failure, state.abort) == (
        "1017:02: refused, abort code 06090011",
        0x06090011,
    )


# --- J1939


@pytest.mark.parametrize(
    ("can_id", "header"),
    [
        (0x18EF1300, (6, 0xEF00, 0x13, 0x00)),
        (0x18F01300, (6, 0xF013, 0xFF, 0x00)),
        (0x1FFFFFFF, (7, 0x3FFFF, 0xFF, 0xFF)),
        (0x03FEAAFD, (0, 0x3FEAA, 0xFF, 0xFD)),
        (0x00000001, (0, 0x0000, 0x00, 0x01)),
        (0x1DEFFF7F, (7, 0x1EF00, 0xFF, 0x7F)),
    ],
)
def test_identifiers_split_at_the_pdu_format_240(can_id: int, header: tuple[int, ...]) -> None:
    assert j1939.parse(can_id) == j1939.Header(*header)
    assert j1939.build(j1939.Header(*header)) == can_id


@pytest.mark.parametrize(
    "header", [(6, 0xF013, 0x13, 0), (6, 0xF013, 0xFE, 0), (6, 0xEF80, 0xFF, 0), (6, 0xEF01, 0, 0)]
)
def test_a_group_with_a_destination_has_none_of_its_own_and_the_other_way_round(
    header: tuple[int, int, int, int],
) -> None:
    with pytest.raises(ValueError, match="no J1939"):
        j1939.build(j1939.Header(*header))


# --- layouts


def frame(*fields: FieldSpec, length: int = 2, fill_ones: bool = False) -> FrameSpec:
    return FrameSpec(name="f", id=1, length=length, fill_ones=fill_ones, field=fields)


SIGNED = frame(FieldSpec(name="a", start=3, bits=9, signed=True))
SCALED = frame(FieldSpec(name="a", start=0, bits=16, mul=5))
TENTHS = frame(FieldSpec(name="a", start=0, bits=16, mul=3, div=10))


@pytest.mark.parametrize(
    ("spec", "value", "data"),
    [
        (SIGNED, -256, "0008"),
        (SIGNED, 255, "F807"),
        (SIGNED, -1, "F80F"),
        (SCALED, 35, "0700"),
        (TENTHS, 424.2, "8605"),
    ],
)
def test_values_at_the_ends_of_their_bits(spec: FrameSpec, value: float, data: str) -> None:
    raw = bytes.fromhex(data)
    assert pack(spec, {"a": value}) == raw
    assert unpack(spec, raw).values == {"a": value}


@pytest.mark.parametrize(("spec", "value"), [(SIGNED, -257), (SIGNED, 256), (SCALED, 327_680)])
def test_a_value_beyond_its_bits_is_refused(spec: FrameSpec, value: float) -> None:
    with pytest.raises(LayoutError, match="does not fit"):
        pack(spec, {"a": value})


def test_unused_bits_are_ones_only_where_the_layout_says_so() -> None:
    item = FieldSpec(name="a", start=4, bits=4)
    assert pack(frame(item), {"a": 0}) == b"\x00\x00"
    assert pack(frame(item, fill_ones=True), {"a": 0}) == b"\x0f\xff"
    assert pack(frame(item, length=1, fill_ones=True), {"a": 15}) == b"\xff"
