"""Protected frames: a profile that cannot be checked is refused, a frame that fails is corrupt."""

from __future__ import annotations

from dataclasses import replace

import pytest

from config.profiles import FieldSpec, FrameSpec, Profile, load, parse
from config.protection import E2ESpec
from config.schema import ConfigError, DeviceSpec
from drivers.canopen.inputs import Inputs
from drivers.device import Decoded, Device
from drivers.frames import Frame
from drivers.registry import build, build_from
from hil.nodes.e2e import protect_p01
from hil.nodes.scale import PERIOD_NS, ProtectedScale
from safety.bounds import Params
from safety.types import Sample, SignalId
from tests.drivers.nodes import NODES, run

PROFILE = load("load_cell_e2e")
TEXT = """
title = "t"
family = "can_input"
level = "monitor"
source = "s"
quality = [{ rule = "vectors" }, { rule = "malformed" }, { rule = "deadman" }, { rule = "reboot" },
  { rule = "real_recording" }]
[[frame]]
name = "f"
id = 1
length = 6
e2e = { profile = "P01", data_id = 7, crc = 0, counter = 8, max_delta = 2 }
field = [{ name = "a", start = 16, bits = 32, signal = "load_kg" }]
"""
P01 = 'profile = "P01", data_id = 7, crc = 0, counter = 8, max_delta = 2'
LIST = ", ".join(str(n) for n in range(16))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"P01"', '"P04"', "e2e.profile 'P04' is unknown; use one of P01, P02"),
        ("max_delta", "delta_max", "unknown key 'delta_max'; did you mean 'max_delta'"),
        ("max_delta = 2", "max_delta = 0", r"e2e.max_delta 0 is outside 1\.\.7"),
        ("max_delta = 2", "max_delta = 8", r"e2e.max_delta 8 is outside 1\.\.7"),
        ("max_delta = 2", "sync = 0", r"e2e.sync 0 is outside 1\.\.14"),
        ("max_delta = 2", "sync = 15", r"e2e.sync 15 is outside 1\.\.14"),
        ("max_delta = 2", 'mode = "high"', "e2e.mode 'high' is unknown; use one of both, low"),
        ("data_id = 7, ", "", r"e2e.data_id -1 is outside 0\.\.65535"),
        ("data_id = 7", "data_id = 65536", r"e2e.data_id 65536 is outside 0\.\.65535"),
        ("data_id = 7", 'mode = "low", data_id = 256', r"outside 0\.\.255 of mode 'low'"),
        (
            "data_id = 7",
            'mode = "nibble", nibble = 12, data_id = 4096',
            r"outside 0\.\.4095 of mode 'nibble'",
        ),
        ("data_id = 7", "data_id = 7, data_ids = [1]", "data_ids is for P02"),
        ("data_id = 7", 'data_id = 7, mode = "nibble"', "e2e.nibble goes with mode 'nibble'"),
        ("data_id = 7", "data_id = 7, nibble = 12", "e2e.nibble goes with mode 'nibble'"),
        ("crc = 0", "crc = 6", r"e2e.crc must be in 0\.\.5"),
        ("crc = 0", "crc = -1", r"e2e.crc must be in 0\.\.5"),
        ("crc = 0", "crc = 2", "e2e.crc overlaps a"),
        ("crc = 0", "crc = 1", "e2e.counter overlaps e2e.crc"),
        ("counter = 8", "counter = 9", r"e2e.counter must be in 0\.\.44, bits by fours"),
        ("counter = 8", "counter = 48", r"e2e.counter must be in 0\.\.44"),
        ("counter = 8", "counter = 44", "e2e.counter overlaps a"),
        ("data_id = 7", 'data_id = 7, mode = "nibble", nibble = 8', "nibble overlaps e2e.counter"),
        ("length = 6", "length = 9", r"e2e needs a frame of 3\.\.8 bytes, not 9"),
        ("length = 6", "length = 6\ntx = true", "e2e is for frames we receive"),
        (P01, 'profile = "P02"', "data_ids must be 16 numbers"),
        (P01, f'profile = "P02", data_ids = [{LIST}, 16]', "data_ids must be 16 numbers"),
        (P01, f'profile = "P02", data_ids = [{LIST}60]', "data_ids must be 16 numbers"),
        (P01, f'profile = "P02", data_ids = [{LIST}], crc = 1', "must be 0 and e2e.counter 8"),
        (P01, f'profile = "P02", data_ids = [{LIST}], counter = 12', "must be 0 and e2e.counter"),
        (P01, f'profile = "P02", data_ids = [{LIST}], data_id = 7', "P02 needs data_ids only"),
        (P01, f'profile = "P02", data_ids = [{LIST}], mode = "low"', "P02 needs data_ids only"),
    ],
)
def test_a_frame_that_cannot_be_checked_is_refused(old: str, new: str, message: str) -> None:
    parse("good", TEXT)
    assert old in TEXT
    with pytest.raises(ConfigError, match=message):
        parse("bad", TEXT.replace(old, new, 1))


def test_a_frame_too_short_for_counter_crc_and_a_value_is_refused() -> None:
    short = TEXT.replace("length = 6", "length = 2")[: TEXT.index("field = [")]
    with pytest.raises(ConfigError, match=r"e2e needs a frame of 3\.\.8 bytes, not 2"):
        parse("short", short)


def test_profile_2_is_taken() -> None:
    spec = parse("p02", TEXT.replace(P01, f'profile = "P02", data_ids = [{LIST}]')).frame[0].e2e
    assert spec == E2ESpec(profile="P02", data_ids=tuple(range(16)))


def test_two_frames_with_one_data_id_are_refused() -> None:
    again = TEXT[TEXT.index("[[frame]]") :].replace('"f"', '"g"').replace("id = 1", "id = 2", 1)
    with pytest.raises(ConfigError, match="frame g: e2e data id is that of f; give each frame"):
        parse("twice", TEXT + again)
    assert len(parse("other", TEXT + again.replace("data_id = 7", "data_id = 8")).frame) == 2


def device(profile: Profile, node: int = 0) -> Device:
    spec = DeviceSpec(name="it", profile=profile.name, on="bus", node=node)
    return build_from(profile, spec, Params())


def test_the_registry_refuses_what_nobody_would_check() -> None:
    with pytest.raises(ConfigError, match="leave 'node' out"):
        device(PROFILE, 0x21)
    with pytest.raises(ConfigError, match="e2e is checked by canopen_input, can_input only"):
        device(replace(PROFILE, family="electrak_j1939"))
    (cell,) = PROFILE.frame
    weak = E2ESpec(profile="P01", data_id=0xE800, mode="alternating", crc=5, counter=0)
    found = []
    for high in range(256):
        frame = replace(cell, e2e=replace(weak, data_id=high << 8))
        try:
            device(replace(PROFILE, frame=(frame,)))
        except ConfigError as error:
            assert "one bit turns counter 0 unseen; use other data ids" in str(error)
            found.append(high)
    assert len(found) == 1


# --- the load cell of the bench


class Line:
    """The bench's cell at a device, one period at a time."""

    def __init__(self) -> None:
        self.cell, self.device = ProtectedScale(0x21), device(PROFILE)
        self.state, self.now_ns = self.device.start(), 0
        self.cell.load_kg = 75.0
        self.said: list[Decoded] = []
        self.run(20)

    def run(self, periods: int) -> list[Decoded]:
        self.said = []
        for _ in range(periods):
            self.now_ns += PERIOD_NS
            for sent in self.cell.tick(self.now_ns):
                frame = Frame("bus", sent.can_id, sent.data)
                self.state, decoded = self.device.on_wire(self.state, frame, self.now_ns)
                self.said.append(decoded)
        return self.said

    @property
    def loads(self) -> list[tuple[float, bool]]:
        return [(s.value, s.ok) for decoded in self.said for s in decoded.samples]


def test_a_healthy_cell_is_believed_from_its_second_frame() -> None:
    line = Line()
    assert line.loads[:3] == [(75.0, False), (75.0, True), (75.0, True)]
    assert line.said[0].error == "load: wrong sequence"
    assert line.device.status(line.state) == ""
    assert line.said[-1].values == (("invalid", 0.0), ("overrange", 0.0), ("load_kg", 75.0))
    assert line.device.status(line.device.start()) == "load: nothing heard yet"


@pytest.mark.parametrize(
    ("mode", "error"),
    [
        ("wrong_crc", "load: wrong CRC, counter or data id"),
        ("wrong_data_id", "load: wrong CRC, counter or data id"),
        ("invalid_counter", "load: wrong CRC, counter or data id"),
        ("skipped_counter", "load: wrong sequence"),
    ],
)
def test_a_faulty_cell_is_corrupt_until_it_is_in_step_again(mode: str, error: str) -> None:
    line = Line()
    line.cell.mode = mode
    said = line.run(5)
    assert [decoded.error for decoded in said] == [error] * 5
    assert [ok for _, ok in line.loads] == [False] * 5
    assert all((d.values, d.hand, d.urgent) == ((), None, False) for d in said)
    assert line.device.status(line.state) == error
    line.cell.mode = "ok"
    line.run(3)
    assert line.loads[-2:] == [(75.0, True)] * 2


def test_a_frozen_counter_is_no_fresh_sample() -> None:
    line = Line()
    line.cell.mode = "frozen_counter"
    assert [(d.samples, d.error) for d in line.run(3)] == [((), "load: repeated")] * 3
    line.cell.mode = "ok"
    line.run(1)
    assert line.loads == [(75.0, True)]


def test_a_masquerade_is_never_believed_and_the_cell_itself_still_is() -> None:
    line = Line()
    line.cell.mode, line.cell.claimed_kg = "masquerade", 3.0
    line.run(4)
    assert line.loads == [(75.0, True), (3.0, False)] * 4


def test_a_cell_that_lost_its_supply_has_to_come_into_step() -> None:
    line = Line()
    line.cell.power(False)
    assert line.run(5) == []
    line.cell.power(True)
    line.run(20)
    assert [ok for _, ok in line.loads][:2] == [False, True]
    assert all(ok for _, ok in line.loads[1:])


def test_an_invalid_reading_is_corrupt_though_its_frame_is_genuine() -> None:
    line = Line()
    line.cell.mode = "invalid"
    assert [d.error for d in line.run(2)] == ["", ""]
    assert line.loads == [(75.0, False)] * 2
    line.cell.mode, line.cell.load_kg = "ok", 401.0
    line.run(1)
    assert line.loads == [(401.0, False)]


# --- a CANopen node, contacts and keys


def protected_io(counter: int, data: bytes, data_id: int = 7) -> Frame:
    sent = protect_p01(data + bytes(2), counter, data_id, crc_byte=3, counter_bit=16)
    return Frame("bus", 0x1A0, sent)


def io_node() -> Inputs:
    plain = build(
        DeviceSpec(name="it", profile="cia401_lift_io", on="bus", node=NODES["cia401_lift_io"]),
        Params(),
    )
    assert isinstance(plain, Inputs)
    first, *others = plain.profile.frame
    checked = replace(first, length=4, e2e=E2ESpec(profile="P01", data_id=7, crc=3, counter=16))
    return replace(plain, profile=replace(plain.profile, frame=(checked, *others)))


def test_contacts_and_keys_of_a_failed_frame_say_nothing() -> None:
    dev = io_node()
    state = dev.start()
    pressed = b"\xff\x81"
    for counter in (1, 2):
        state, decoded = dev.on_wire(state, protected_io(counter, pressed), 1)
    assert decoded.hand is not None
    assert decoded.hand.motion == 1
    assert decoded.urgent
    released = protected_io(3, b"\xff\x80", data_id=8)
    state, decoded = dev.on_wire(state, released, 2)
    assert (decoded.hand, decoded.urgent) == (None, False)
    assert decoded.samples
    assert not any(sample.ok for sample in decoded.samples)
    state, decoded = dev.on_wire(state, protected_io(3, b"\xff\x80"), 3)
    assert decoded.hand is not None
    assert (decoded.hand.motion, decoded.urgent) == (0, True)


def test_only_a_believed_frame_is_a_sign_of_life() -> None:
    it = run("cia401_lift_io")
    it.dev, it.node.deaf = io_node(), True
    it.state = it.dev.start()
    it.turns(2)
    it.hear(protected_io(1, b"\xff\x80", data_id=8))
    assert "starting" in it.dev.status(it.state)
    it.hear(protected_io(1, b"\xff\x80"))
    assert "starting" in it.dev.status(it.state)
    it.hear(protected_io(2, b"\xff\x80"))
    assert it.dev.status(it.state) == ""
    it.hear(protected_io(2, b"\xff\x80"))
    assert it.dev.status(it.state) == f"{it.dev.profile.frame[0].name}: repeated"


# --- not available


def test_a_value_that_is_not_available_is_a_corrupt_sample() -> None:
    fields = (
        FieldSpec(name="load_kg", start=0, bits=8, na=True, signal="load_kg"),
        FieldSpec(name="bad", start=8, bits=2, na=True, invalid=True),
    )
    frame = FrameSpec(name="f", id=5, length=2, field=fields)
    dev = device(replace(PROFILE, frame=(frame,)))
    for data, value, ok in (
        (b"\x07\x00", 7, True),
        (b"\xff\x00", 0, False),
        (b"\x07\x03", 7, False),
    ):
        samples = dev.on_wire(dev.start(), Frame("bus", 5, data), 9)[1].samples
        assert samples == (Sample(SignalId.LOAD_KG, value, 9, ok),)
