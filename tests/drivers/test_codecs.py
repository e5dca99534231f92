"""Every codec against the vendors' vectors, and round trips."""

from __future__ import annotations

import cantools.database.can as oracle
import pytest
from cantools.database.conversion import LinearConversion
from hypothesis import given, settings
from hypothesis import strategies as st

from config.profiles import FieldSpec, FrameSpec, load, names
from drivers import j1939
from drivers.canopen import cia402, emcy, nmt, sdo
from drivers.canopen.cia402 import DriveMode
from drivers.frames import Frame, FrameError
from drivers.layout import LayoutError, pack, unpack
from drivers.roboteq.ascii import MAX_LINE, Reply, feed
from drivers.thomson.electrak_j1939 import frame_name
from safety.types import Axis
from safety.verdict import AxisCommand, Cmd

ELECTRAK = load("thomson_electrak_hd")
AFM, ACM, CLAIM = (ELECTRAK.frame_named(n) for n in ("AFM", "ACM", "address_claim"))
ALL_FRAMES = [frame for name in names() for frame in load(name).frame]


def hexes(text: str) -> bytes:
    return bytes.fromhex(text)


@pytest.mark.parametrize(
    ("data", "position", "limit", "speed", "enable"),
    [
        ("2E 06 19 15 00 00 00 00", 158.2, 10.0, 50, True),
        ("C4 09 19 1A 00 00 00 00", 250.0, 10.0, 100, True),
        ("00 00 00 00 00 00 00 00", 0.0, 0.0, 0, False),
    ],
)
def test_electrak_command(
    data: str, position: float, limit: float, speed: int, enable: bool
) -> None:
    fields = unpack(ACM, hexes(data))
    assert fields.values == {
        "position_mm": position,
        "current_limit_a": limit,
        "speed_pct": speed,
        "motion_enable": enable,
    }
    assert pack(ACM, fields.values) == hexes(data)


@pytest.mark.parametrize(
    ("data", "position", "current", "speed", "true"),
    [
        ("86 05 00 00 C0 FF FF FF", 141.4, 0.0, 0, set()),
        ("12 C6 06 05 C1 FF FF FF", 155.4, 2.7, 50, {"motion"}),
        ("1F 87 07 05 C9 FF FF FF", 182.3, 3.0, 50, {"motion", "parameter"}),
    ],
)
def test_electrak_feedback(
    data: str, position: float, current: float, speed: int, true: set[str]
) -> None:
    fields = unpack(AFM, hexes(data))
    got = dict(fields.values)
    assert (got.pop("position_mm"), got.pop("current_a"), got.pop("speed_pct")) == (
        position,
        current,
        speed,
    )
    assert (got.pop("voltage_error"), got.pop("temperature_error")) == ("00", "00")
    assert {name for name, value in got.items() if value} == true
    assert pack(AFM, fields.values) == hexes(data)


def test_electrak_two_bit_codes_and_unavailable() -> None:
    fields = unpack(AFM, hexes("86 05 00 60 C0 FF FF FF"))
    assert (fields.values["voltage_error"], fields.values["temperature_error"]) == ("10", "01")
    fields = unpack(AFM, hexes("86 05 00 F0 C0 FF FF FF"))
    assert fields.unavailable == ("voltage_error", "temperature_error")
    assert "voltage_error" not in fields.values


def test_electrak_claim() -> None:
    values = unpack(CLAIM, hexes("01 00 60 44 00 FF 00 80")).values
    assert (values["identity"], values["manufacturer"], values["function"]) == (1, 547, 255)
    assert values["arbitrary_address"] is True


def test_data_page_bit_is_kept() -> None:
    assert j1939.parse(0x19EFFF13) == j1939.Header(6, 0x1EF00, 0xFF, 0x13)
    assert j1939.parse(0x18EF1300) == j1939.Header(6, 0xEF00, 0x13, 0x00)
    assert j1939.parse(0x0CFF0101) == j1939.Header(3, 0xFF01, 0xFF, 0x01)
    assert frame_name(0x13, 0x19EFFF13) == "AFM"
    assert frame_name(0x13, 0x18EFFF13) is None  # page 0: a command, to everybody, of the actuator
    assert frame_name(0x13, 0x0CEF1337) == "ACM"  # another priority, another sender
    assert frame_name(0x13, 0x18EEFF13) == "address_claim"
    assert frame_name(0x13, 0x18EEFF14) is None
    assert frame_name(0x1B, 0x19EFFF13) is None


@given(st.integers(0, 0x1FFFFFFF))
def test_j1939_round_trip(can_id: int) -> None:
    assert j1939.build(j1939.parse(can_id)) == can_id


@pytest.mark.parametrize(
    "header",
    [
        (8, 0xEF00, 0, 0),
        (6, 0x40000, 0, 0),
        (6, 0xEF01, 0x13, 0),
        (6, 0xFF01, 0x13, 0),
        (6, 0xEF00, 0x100, 0),
        (6, 0xEF00, 0, 0x100),
    ],
)
def test_j1939_refuses_what_does_not_fit(header: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="no J1939"):
        j1939.build(j1939.Header(*header))


def test_electrak_canopen_vector() -> None:
    profile = load("thomson_electrak_hd_canopen")
    rpdo = profile.frame_named("rpdo1")
    values = {"target_mm": 100.0, "current_limit_a": 12.5, "speed_pct": 80.0, "enable": True}
    assert rpdo.can_id(0x13) == 0x213
    assert pack(rpdo, values) == hexes("E8 03 7D 00 20 03 00 01")


@pytest.mark.parametrize("spec", ALL_FRAMES, ids=lambda s: f"{s.name}-{s.id:X}-{len(s.field)}")
@settings(max_examples=40)
@given(data=st.binary(min_size=8, max_size=8))
def test_layouts_agree_with_cantools(spec: FrameSpec, data: bytes) -> None:
    data = data[: spec.length]
    signals = [_signal(item) for item in spec.field]
    message = oracle.Message(spec.id & 0x7FF, "m", spec.length, signals, strict=True)
    wanted = message.decode(data, decode_choices=False)
    fields = unpack(spec, data)
    for item in spec.field:
        if item.name in fields.unavailable:
            continue
        got = fields.values[item.name]
        number = int(got, 2) if isinstance(got, str) else float(got)
        assert number == pytest.approx(wanted[item.name])
    back = pack(spec, {**fields.values, **dict.fromkeys(fields.unavailable)})
    assert unpack(spec, back) == fields
    used = sum(((1 << f.bits) - 1) << f.start for f in spec.field)
    assert int.from_bytes(back, "little") & used == int.from_bytes(data, "little") & used


def _signal(item: FieldSpec) -> oracle.Signal:
    conversion = LinearConversion(item.mul / item.div, 0, False)
    return oracle.Signal(
        item.name, item.start, item.bits, "little_endian", item.signed, conversion=conversion
    )


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"positon_mm": 1}, "did you mean 'position_mm'"),
        ({"position_mm": 1}, "needs 'current_limit_a'"),
        (
            {"position_mm": 1638.4, "current_limit_a": 1, "speed_pct": 5, "motion_enable": True},
            "fit",
        ),
        ({"position_mm": -0.1, "current_limit_a": 1, "speed_pct": 5, "motion_enable": True}, "fit"),
        (
            {"position_mm": "x", "current_limit_a": 1, "speed_pct": 5, "motion_enable": True},
            "no number",
        ),
        ({"position_mm": float("inf")}, "no number"),
        ({"position_mm": None}, "cannot be unavailable"),
        (
            {"position_mm": 1, "current_limit_a": 1, "speed_pct": 5, "motion_enable": "yes"},
            "no bool",
        ),
    ],
)
def test_pack_refuses(values: dict[str, object], message: str) -> None:
    with pytest.raises(LayoutError, match=message):
        pack(ACM, values)  # type: ignore[arg-type]


def test_pack_refuses_a_number_that_means_unavailable() -> None:
    values = dict(unpack(AFM, hexes("86 05 00 00 C0 FF FF FF")).values)
    with pytest.raises(LayoutError, match="does not fit"):
        pack(AFM, {**values, "voltage_error": "11"})
    with pytest.raises(LayoutError, match="no code"):
        pack(AFM, {**values, "voltage_error": "low"})


@pytest.mark.parametrize("length", [n for n in range(9) if n != 8])
def test_unpack_wants_the_exact_length(length: int) -> None:
    with pytest.raises(LayoutError, match=f"has {length} bytes, needs 8"):
        unpack(AFM, bytes(length))


@pytest.mark.parametrize(
    ("word", "mode"),
    [
        (0x0000, DriveMode.NOT_READY),
        (0x0250, DriveMode.DISABLED),
        (0x0231, DriveMode.READY),
        (0x0233, DriveMode.SWITCHED_ON),
        (0x0237, DriveMode.ENABLED),
        (0x1637, DriveMode.ENABLED),
        (0x0217, DriveMode.QUICK_STOP),
        (0x021F, DriveMode.FAULT_REACTION),
        (0x0218, DriveMode.FAULT),
        (0x0225, DriveMode.UNKNOWN),
    ],
)
def test_statusword(word: int, mode: DriveMode) -> None:
    assert cia402.mode_of(word) is mode


@given(st.one_of(st.none(), st.integers(0, 0xFFFF)), st.sampled_from(Cmd), st.floats(-200, 200))
def test_controlword_never_resets_and_moves_only_when_enabled(
    status: int | None, cmd: Cmd, speed: float
) -> None:
    word, velocity = cia402.controlword_for(status, AxisCommand(Axis.HOIST, cmd, speed))
    assert not word & cia402.FAULT_RESET
    enabled = status is not None and cia402.mode_of(status) is DriveMode.ENABLED
    if velocity:
        assert enabled and cmd is Cmd.MOVE and word == cia402.ENABLE
    if cmd in (Cmd.REST, Cmd.QUICK, Cmd.ISOLATE):
        assert word == {Cmd.REST: 0x06, Cmd.QUICK: 0x02, Cmd.ISOLATE: 0x00}[cmd]


def test_controlword_walks_up() -> None:
    move = AxisCommand(Axis.HOIST, Cmd.MOVE, 50.0)
    words = [cia402.controlword_for(s, move) for s in (None, 0x0250, 0x0231, 0x0233, 0x0237)]
    assert words == [(0x06, 0), (0x06, 0), (0x07, 0), (0x0F, 0), (0x0F, 50.0)]
    assert cia402.controlword_for(0x0237, AxisCommand(Axis.HOIST, Cmd.RAMP)) == (0x0F, 0.0)
    assert cia402.controlword_for(0x0217, move) == (0x02, 0.0)
    assert cia402.controlword_for(0x0218, move) == (0x00, 0.0)


def test_emergency_and_nmt_vectors() -> None:
    assert emcy.decode(hexes("11 86 20 02 00 00 00 00")) == emcy.Emergency(
        0x8611, 0x20, hexes("02 00 00 00 00")
    )
    said = emcy.decode(hexes("30 81 10 1B 01 00 00 00"))
    assert said is not None
    assert (said.code, said.register, said.detail[0]) == (0x8130, 0x10, 0x1B)
    assert emcy.decode(hexes("30 81 10")) is None
    assert nmt.start(0x13) == hexes("01 13")
    assert nmt.heartbeat(b"\x05") is nmt.NmtState.OPERATIONAL
    assert nmt.heartbeat(b"\x85") is None
    assert nmt.heartbeat(b"\x05\x00") is None


def test_sdo_request_vectors() -> None:
    steps = (sdo.Step(0x1016, 1, 4, 1 << 16 | 250), sdo.Step(0x1017, 0, 2, 100))
    state, request = sdo.poll(steps, sdo.Dialogue(), 0)
    assert request == hexes("23 16 10 01 FA 00 01 00")
    _, request = sdo.poll(steps, sdo.Dialogue(at=1), 0)
    assert request == hexes("2B 17 10 00 64 00 00 00")
    # A read-back with the value the manual's example gives.
    read = (sdo.Step(0x6110, 1, 2, 0x46, write=False),)
    state, request = sdo.poll(read, sdo.Dialogue(), 0)
    assert request == hexes("40 10 61 01 00 00 00 00")
    assert sdo.verified(read, sdo.reply(read, state, hexes("4B 10 61 01 46 00 00 00")))


@given(st.integers(0, 0xFFFF), st.sampled_from([1, 2, 4]), st.data())
def test_sdo_verifies_exactly_what_it_wrote(index: int, size: int, data: st.DataObject) -> None:
    value = data.draw(st.integers(0, (1 << 8 * size) - 1))
    found = data.draw(st.one_of(st.just(value), st.integers(0, (1 << 8 * size) - 1)))
    steps = (sdo.Step(index, 0, size, value),)
    state, request = sdo.poll(steps, sdo.Dialogue(), 0)
    assert request is not None
    state = sdo.reply(steps, state, b"\x60" + request[1:4] + bytes(4))
    state, request = sdo.poll(steps, state, 1)
    assert request is not None
    assert request[0] == 0x40
    head = bytes((0x43 | (4 - size) << 2,)) + request[1:4]
    state = sdo.reply(steps, state, head + found.to_bytes(size, "little").ljust(4, b"\0"))
    assert sdo.verified(steps, state) == (found == value)
    assert bool(state.failure) == (found != value)


def test_sdo_retries_then_gives_up_and_names_the_object() -> None:
    steps, state, sent, now = (sdo.Step(0x2005, 0, 2, 200),), sdo.Dialogue(), 0, 0
    while not state.failure:
        state, request = sdo.poll(steps, state, now)
        sent += request is not None
        now += 20_000_000
    assert (sent, state.failure) == (4, "2005:00: no answer")
    assert now == pytest.approx(4 * sdo.TIMEOUT_NS, abs=40_000_000)
    assert sdo.poll(steps, state, now) == (state, None)
    assert sdo.reply(steps, state, b"\x60\x05\x20\x00" + bytes(4)) == state


def test_sdo_ignores_what_is_no_answer_and_keeps_the_abort_code() -> None:
    steps = (sdo.Step(0x2005, 0, 2, 200),)
    state, _ = sdo.poll(steps, sdo.Dialogue(), 0)
    for noise in ("60 05 20", "60 06 20 00 00 00 00 00", "4B 05 20 00 C8 00 00 00", ""):
        assert sdo.reply(steps, state, hexes(noise)) == state
    refused = sdo.reply(steps, state, hexes("80 05 20 00 00 00 02 06"))
    assert (refused.abort, refused.failure) == (
        0x06020000,
        "2005:00: refused, abort code 06020000",
    )
    reading = sdo.reply(steps, state, hexes("60 05 20 00 00 00 00 00"))
    reading, _ = sdo.poll(steps, reading, 1)
    assert sdo.reply(steps, reading, hexes("60 05 20 00 00 00 00 00")) == reading
    long = sdo.reply(steps, reading, hexes("43 05 20 00 C8 00 00 00"))
    assert long.failure == "2005:00: has 4 bytes, not 2"
    assert sdo.verified(steps, sdo.reply(steps, reading, hexes("42 05 20 00 C8 00 00 00")))


def replies(*chunks: bytes) -> list[Reply]:
    rest, found = b"", []
    for chunk in chunks:
        rest, some = feed(rest, chunk)
        found += some
    return found


def test_roboteq_vectors() -> None:
    assert replies(b"FF=16\r") == [Reply("FF", (16,))]
    assert replies(b"FF=65\r") == [Reply("FF", (65,))]
    assert replies(b"S=-5:12\r") == [Reply("S", (-5, 12))]
    assert replies(b"+\r", b"-\r", b"\r") == [Reply("+"), Reply("-")]
    assert replies(b"!G 1 500+\r") == [Reply("+"), Reply("echo", text="!G 1 500")]
    assert replies(b"^MMOD 1 4-\r")[0] == Reply("-")
    assert replies(b"^RWD 200\r+", b"~RWD\rRWD=", b"200\r") == [
        Reply("echo", text="^RWD 200"),
        Reply("+"),
        Reply("echo", text="~RWD"),
        Reply("RWD", (200,)),
    ]
    assert [item.name for item in replies(b"hello\r", b"FF=\r", b"FF=1:\r")] == ["error"] * 3


def test_roboteq_overlong_line_is_dropped_to_its_end() -> None:
    rest, found = feed(b"", b"x" * 1000)
    assert len(rest) == MAX_LINE
    assert found[0].name == "error"
    assert [item.name for item in feed(rest, b"FF=0\rFF=1\r")[1]] == ["error", "FF"]


@given(st.lists(st.binary(max_size=200)))
def test_roboteq_survives_any_bytes(chunks: list[bytes]) -> None:
    rest = b""
    for chunk in chunks:
        rest, _ = feed(rest, chunk)
        assert len(rest) <= MAX_LINE


@given(st.data())
def test_roboteq_does_not_care_how_the_stream_is_cut(data: st.DataObject) -> None:
    stream = b"?FF\rFF=16\r+\rS=10:-4\r^ECHOF 1+\rV=135:246:4730\r"
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert replies(*pieces) == replies(stream)


def test_frame_refuses_what_cannot_be() -> None:
    for bad in (
        (0x800, False, b""),
        (0x20000000, True, b""),
        (-1, True, b""),
        (1, False, bytes(9)),
    ):
        with pytest.raises(FrameError):
            Frame("bus", bad[0], bad[2], extended=bad[1])
