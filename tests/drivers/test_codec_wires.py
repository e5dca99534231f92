"""What each device takes from its wires, what it shows, and that it takes nothing from others'."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from config.profiles import FieldSpec, FrameSpec
from drivers.canopen import sdo
from drivers.canopen.sdo import Dialogue, Step
from drivers.device import Chunk, Decoded, HandKeys
from drivers.e2e import State, Status
from drivers.frames import Frame
from drivers.layout import LayoutError, pack, unpack
from drivers.reading import ReadState, read
from drivers.reading import start as unheard
from safety.types import Axis
from safety.verdict import AxisCommand, Cmd
from tests.drivers.nodes import device, run

T = 5_000_000_007
DRIVES = ("bus", False, 0x710), ("bus", False, 0x590), ("bus", False, 0x090)
# Level, axis, serial lines, and some of what each listens to.
DEVICES = {
    "cia402_hoist": ("motion", "hoist", set(), DRIVES),
    "cia402_traverse": ("motion", "traverse", set(), (("bus", False, 0x711),)),
    "cia401_lift_io": ("assist", None, set(), (("bus", False, 0x1A0),)),
    "cia401_seat_io": ("assist", None, set(), (("bus", False, 0x1A2),)),
    "cia401_seat_io_castors": ("assist", None, set(), (("bus", False, 0x1A2),)),
    "cia404_load_cell": ("assist", None, set(), (("bus", False, 0x1A1),)),
    "load_cell_e2e": ("monitor", None, set(), (("bus", False, 0x6A1),)),
    "thomson_electrak_hd": ("monitor", None, set(), (("bus", True, 0x19EFFF13),)),
    "thomson_electrak_hd_canopen": ("motion", "stander", set(), (("bus", False, 0x193),)),
    "roboteq": ("assist", "drive", {"bus"}, ()),
}
ROBOTEQ: Any = device("roboteq")


@pytest.mark.parametrize("name", DEVICES)
def test_what_a_device_may_be_used_for_and_where_it_listens(name: str) -> None:
    dev = device(name)
    level, axis, lines, some = DEVICES[name]
    assert (dev.level, dev.axis, dev.lines) == (level, axis, lines)
    assert dev.accepts >= set(some)
    assert bool(dev.accepts) == bool(some)
    can = {(bus, extended) for bus, extended, _ in dev.accepts}
    assert {(grant.bus, grant.extended) for grant in dev.mints} <= can
    assert bool(dev.mints) == (level != "monitor" and bool(some))


@pytest.mark.parametrize("name", DEVICES)
def test_a_wire_of_somebody_else_changes_nothing(name: str) -> None:
    dev = device(name)
    state = dev.start()
    for can_id in (0x090, 0x190, 0x193, 0x1A0, 0x590, 0x6A1, 0x713, 0x720):
        assert dev.on_wire(state, Frame("other", can_id, bytes(8)), T) == (state, Decoded())
    for line in ("other", *({"bus"} - dev.lines)):
        assert dev.on_wire(state, Chunk(line, b"RWD=200\rFF=16\r"), T) == (state, Decoded())


# --- motor controller


def roboteq(data: bytes) -> Any:
    return ROBOTEQ.on_wire(ROBOTEQ.start(), Chunk("bus", data), T)


def test_what_it_replies_is_shown_and_what_is_no_reply_is_told() -> None:
    said = roboteq(b"?FF\rFF=16\r+\rS=-20:10\r")[1]
    assert (said.error, dict(said.values)) == (
        "", {"fault_flags": 16.0, "speed_1_rpm": -20.0, "speed_2_rpm": 10.0},
    )  # fmt: skip
    assert roboteq(b"hello\rFF=1\rFF=\r")[1].error == "not a reply: 'hello'; not a reply: 'FF='"


@pytest.mark.parametrize("reply", [b"S=16:16\r", b"FS=16\r", b"V=16:16:16\r", b"RWD=16\r", b"+\r"])
def test_only_fault_flags_show_that_it_stands(reply: bytes) -> None:
    state, _, _ = ROBOTEQ.turn(ROBOTEQ.start(), T, None)
    heard = ROBOTEQ.on_wire(state, Chunk("bus", reply), T)[0]
    sent = [chunk.data for chunk in ROBOTEQ.turn(heard, T + 40_000_000, None)[1]]
    assert sent == [b"!EX\r"]


def test_every_permission_after_a_stop_releases_it_again() -> None:
    state, sent = roboteq(b"RWD=200\r")[0], []
    for command in (Cmd.MOVE, Cmd.MOVE, Cmd.REST, Cmd.MOVE):
        state, chunks, _ = ROBOTEQ.turn(state, T, AxisCommand(Axis.DRIVE, command))
        sent += [chunk.data for chunk in chunks if chunk.data[:1] == b"!"]
    assert sent == [b"!MG\r", b"!EX\r", b"!MG\r"]


# --- the boot dialogue


def test_a_read_is_repeated_as_often_as_a_write() -> None:
    steps, asked = (Step(0x1017, 0, 2, 100),), []
    state, _ = sdo.poll(steps, Dialogue(), 0)
    state = sdo.reply(steps, state, bytes.fromhex("6017100000000000"))
    for n in range(1, 10):
        state, request = sdo.poll(steps, state, n * sdo.TIMEOUT_NS)
        asked += [request] if request else []
    assert asked == [bytes.fromhex("4017100000000000")] * 4
    assert state.failure == "1017:00: no answer"


@pytest.mark.parametrize(("data", "lives"), [(b"\x00\x80", True), (b"\x00\x80\x00", False)])
def test_only_a_frame_that_is_believed_is_a_sign_of_life(data: bytes, lives: bool) -> None:
    it = run("cia401_lift_io")
    it.turns(10)
    assert it.dev.status(it.state) == ""
    it.node.deaf = True
    for _ in range(30):
        it.hear(Frame("bus", 0x1A0, data))
        it.turn()
    assert (it.dev.status(it.state) == "") is lives


def test_after_a_silence_enable_is_0_three_times_even_where_nothing_has_to_be_written() -> None:
    it = run("thomson_electrak_hd_canopen")
    it.turns(60)
    actuator: Any = it.dev
    it.dev = replace(actuator, boot=replace(actuator.boot, steps=()))
    it.node.deaf = True
    move = it.command(Cmd.MOVE, 9.0)
    assert [it.turn(move)[0].data[7] for _ in range(26)] == [1] * 25 + [0]
    it.node.deaf = False
    it.hear(it.node.heartbeat())
    pressed_anew = (it.command(Cmd.REST), move, move)
    assert [it.turn(command)[0].data[7] for command in pressed_anew] == [0, 0, 1]


def test_a_stand_actuator_that_booted_is_not_enabled_by_the_press_it_ran_for() -> None:
    it = run("thomson_electrak_hd_canopen")
    it.turns(60)
    move = it.command(Cmd.MOVE, 9.0)
    assert it.turn(move)[0].data[7] == 1
    it.hear(Frame("bus", 0x713, b"\x00"))
    assert [it.turn(move)[0].data[7] for _ in range(60)] == [0] * 60
    assert it.verified == 1.0
    assert [it.turn(command)[0].data[7] for command in (it.command(Cmd.REST), move)] == [0, 1]


# --- layouts and readings


def frame(*fields: FieldSpec) -> FrameSpec:
    return FrameSpec(name="f", id=1, length=1, field=fields)


CONTACT = FieldSpec(name="a", start=0, bits=1, kind="bool", urgent=True)
LEVEL = FieldSpec(name="b", start=1, bits=7)


def test_whole_numbers_are_whole_and_contacts_true_or_false() -> None:
    values = unpack(frame(CONTACT, LEVEL), b"\x07").values
    assert [(type(value), value) for value in values.values()] == [(bool, True), (int, 3)]


@pytest.mark.parametrize("value", [0.4, 2, "1", "yes", 1.5])
def test_a_contact_is_never_encoded_from_anything_between(value: Any) -> None:
    with pytest.raises(LayoutError, match="is no bool"):
        pack(frame(CONTACT), {"a": value})


def test_a_frame_is_urgent_when_a_contact_changes_and_only_then() -> None:
    spec, state, urgent = frame(CONTACT, LEVEL), ReadState(), []
    for data in (b"\x01", b"\x01", b"\x03", b"\x02", b"\x00"):
        state, said = read(spec, state, data, T)
        urgent.append(said.urgent)
    assert urgent == [True, False, False, True, False]
    assert not read(frame(LEVEL), ReadState(), b"\x01", T)[1].urgent


def test_a_frame_without_a_hand_control_says_nothing_of_one() -> None:
    assert read(frame(CONTACT), ReadState(), b"\x01", T)[1].hand is None
    present = FieldSpec(name="hand_control_present", start=7, bits=1, kind="bool")
    for data, hand in ((b"\x80", HandKeys(True, 0)), (b"\x00", HandKeys(False, 0))):
        assert read(frame(present), ReadState(), data, T)[1].hand == hand


def test_a_protected_frame_is_told_until_it_is_believed() -> None:
    state = unheard(device("load_cell_e2e").profile.frame)
    assert state.checks == (("load", State()),)
    assert state.status == f"load: {Status.NO_NEW_DATA}"
