"""What every registered device keeps, whatever it is told and whatever it hears."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.profiles import names
from drivers.canopen import cia402
from drivers.device import Chunk, Device, Grant, HandKeys, Level
from drivers.frames import Frame
from drivers.layout import unpack
from drivers.roboteq.device import COMMANDS
from safety.types import Axis
from safety.verdict import AxisCommand, Cmd
from tests.drivers.nodes import MOTION, NODES, Node, Run, at, device, drive_node, run

PROFILES = names()
DEVICES = {name: device(name) for name in PROFILES}
FIXED_IDS = tuple(name for name in PROFILES if any(not ext for _, ext, _ in DEVICES[name].accepts))
CANOPEN = tuple(name for name in FIXED_IDS if DEVICES[name].mints)
FLAGS = st.fixed_dictionaries({"remote": st.booleans(), "error": st.booleans()})


@st.composite
def wires(draw: st.DrawFn, dev: Device) -> Any:
    """Frames and bytes, half of them near what the device listens to."""
    if dev.lines and draw(st.booleans()):
        known = st.sampled_from([b"RWD=200\r", b"FF=16\r", b"FF=0\r", b"S=1:2\r", b"+\r", b"~RWD"])
        return Chunk("bus", draw(st.one_of(known, st.binary(max_size=80))))
    extended = draw(st.booleans())
    ids = [can_id for _, ext, can_id in dev.accepts if ext == extended]
    anything = st.integers(0, 0x1FFFFFFF if extended else 0x7FF)
    can_id = draw(st.one_of(st.sampled_from(ids), anything) if ids else anything)
    data = draw(st.binary(max_size=8))
    return Frame(draw(st.sampled_from(["bus", "bus2"])), can_id, data, extended, **draw(FLAGS))


def commands(dev: Device) -> st.SearchStrategy[AxisCommand | None]:
    axis = dev.axis or Axis.HOIST
    return st.one_of(
        st.none(),
        st.builds(AxisCommand, st.just(axis), st.sampled_from(Cmd), st.floats(-500, 500)),
    )


def check_sent(dev: Device, sent: tuple[Any, ...], command: AxisCommand | None) -> None:
    """Nothing outside the grants, and no speed unless MOVE was commanded."""
    for wire in sent:
        if isinstance(wire, Chunk):
            assert wire.line in dev.lines
            assert wire.data in COMMANDS
            assert b"!G" not in wire.data
            if b"!MG" in wire.data:
                assert command is not None
                assert command.cmd is Cmd.MOVE
            continue
        assert not wire.remote
        assert not wire.error
        assert Grant(wire.bus, wire.id, len(wire.data), wire.extended) in dev.mints
        check_motion(dev, wire, command)


def check_motion(dev: Device, frame: Frame, command: AxisCommand | None) -> None:
    profile = dev.profile  # type: ignore[attr-defined]
    for spec in profile.frame:
        if not spec.tx or spec.can_id(NODES[profile.name]) != frame.id:
            continue
        values = unpack(spec, frame.data).values
        moving = values.get("enable") or values.get("target_velocity_mm_s")
        if command is None or command.cmd is not Cmd.MOVE:
            assert not moving
        if "target_velocity_mm_s" in values and moving:
            assert values["controlword"] == cia402.ENABLE
            assert abs(float(values["target_velocity_mm_s"])) <= dev.cap_mm_s  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", PROFILES)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_any_input_any_command(name: str, data: st.DataObject) -> None:
    dev = DEVICES[name]
    state, now = dev.start(), 1
    for _ in range(data.draw(st.integers(1, 12))):
        now += data.draw(st.sampled_from([1_000_000, 20_000_000, 250_000_000, 2_000_000_000]))
        if data.draw(st.booleans()):
            wire = data.draw(wires(dev))
            state, decoded = dev.on_wire(state, wire, now)
            check_believed(dev, wire, decoded)
        elif data.draw(st.booleans()):
            state = dev.reset_fault(state)
        command = data.draw(commands(dev))
        state, sent, samples = dev.turn(state, now, command)
        check_sent(dev, sent, command)
        assert all(sample.t_ns == now for sample in samples)
        assert isinstance(dev.status(state), str)


def check_believed(dev: Device, wire: Any, decoded: Any) -> None:
    if isinstance(wire, Frame):
        believed = (wire.bus, wire.extended, wire.id) in dev.accepts
        if wire.remote or wire.error or not believed:
            assert (decoded.samples, decoded.hand, decoded.values) == ((), None, ())
    if decoded.error and isinstance(wire, Frame):
        assert (decoded.hand, decoded.values, decoded.urgent) == (None, (), False)
        assert not any(sample.ok for sample in decoded.samples)


@pytest.mark.parametrize("name", PROFILES)
def test_only_accepted_ids_yield_anything(name: str) -> None:
    dev = DEVICES[name]
    for can_id in range(0x800):
        for length in (1, 2, 4, 5, 8):
            decoded = dev.on_wire(dev.start(), Frame("bus", can_id, bytes(length)), 1)[1]
            if ("bus", False, can_id) not in dev.accepts:
                assert decoded == type(decoded)()


@pytest.mark.parametrize("name", FIXED_IDS)
def test_a_pdo_of_another_length_says_nothing(name: str) -> None:
    dev = DEVICES[name]
    for spec in dev.profile.frame:  # type: ignore[attr-defined]
        frame_id = spec.can_id(NODES[name])
        for length in set(range(9)) - {spec.length} if not spec.tx else ():
            decoded = dev.on_wire(dev.start(), Frame("bus", frame_id, bytes(length)), 1)[1]
            assert (decoded.samples, bool(decoded.error)) == ((), True)


@pytest.mark.parametrize("name", PROFILES)
def test_level_says_what_may_be_sent(name: str) -> None:
    dev = DEVICES[name]
    assert dev.name == "it"
    assert (dev.level is Level.MOTION) == (name in MOTION)
    if dev.level is Level.MONITOR:
        assert dev.mints == frozenset()
        assert dev.lines == frozenset()
    if dev.lines:
        assert dev.mints == frozenset()
    if dev.level is Level.MOTION:
        assert dev.profile.deadman  # type: ignore[attr-defined]


def test_the_actuator_others_command_never_feeds_the_kernel() -> None:
    dev = DEVICES["thomson_electrak_hd"]
    frame = Frame("bus", 0x19EFFF13, bytes.fromhex("12C60605C1FFFFFF"), extended=True)
    decoded = dev.on_wire(dev.start(), frame, 1)[1]
    assert decoded.samples == ()
    assert ("position_mm", 155.4) in decoded.values
    short = Frame("bus", 0x19EFFF13, b"\x12", extended=True)
    assert "needs 8" in dev.on_wire(None, short, 1)[1].error


@pytest.mark.parametrize("name", MOTION)
def test_motion_needs_every_read_back(name: str) -> None:
    it = run(name)
    steps = it.dev.boot.steps  # type: ignore[attr-defined]
    for _ in range(2 * len(steps) - 1):
        it.turn(it.command(Cmd.MOVE, 5.0))
        assert it.verified == 0.0
        assert not it.node.started
    it.turns(4)
    assert it.verified == 1.0
    assert it.node.started == 1
    assert it.dev.status(it.state) == ""


@pytest.mark.parametrize("name", MOTION)
def test_motion_is_refused_when_the_node_lies_about_one_object(name: str) -> None:
    for step in device(name).boot.steps:  # type: ignore[attr-defined]
        wrong = (step.value + 1 & (1 << 8 * step.size) - 1).to_bytes(step.size, "little")
        it = run(name, lies={at(step.index, step.sub): wrong})
        for _ in range(120):
            it.turn(it.command(Cmd.MOVE, 5.0))
            assert it.verified == 0.0
        assert step.name in it.dev.status(it.state)
        assert not it.node.started


@pytest.mark.parametrize("name", MOTION)
def test_motion_is_refused_when_an_object_is_refused_or_the_node_deaf(name: str) -> None:
    step = device(name).boot.steps[-1]  # type: ignore[attr-defined]
    it = run(name, aborts={at(step.index, step.sub): 0x06020000})
    it.turns(100)
    assert "abort code 06020000" in it.dev.status(it.state)
    it = run(name, deaf=True)
    it.turns(100)
    assert "no answer" in it.dev.status(it.state)
    assert it.verified == 0.0
    it.node.deaf = False
    it.turns(120)
    assert it.verified == 1.0


@pytest.mark.parametrize("name", MOTION)
@pytest.mark.parametrize("cause", ["boot", "pre-operational", "silence"])
def test_a_lost_node_is_unverified_and_set_up_again(name: str, cause: str) -> None:
    it = run(name)
    it.turns(60)
    assert it.verified == 1.0
    it.node.requests.clear()
    if cause == "silence":
        it.node.deaf = True
        it.turns(30, it.command(Cmd.MOVE, 5.0))
        it.node.deaf = False
    else:
        it.node.operational = False
        it.node.objects = drive_node(0).objects
        state = 0x00 if cause == "boot" else 0x7F
        decoded = it.hear(Frame("bus", 0x700 + NODES[name], bytes((state,))))
        assert decoded.urgent
    assert it.verified == 0.0
    sent = it.turn(it.command(Cmd.MOVE, 5.0))
    check_motion(it.dev, sent[0], None)
    it.turns(80)
    assert it.verified == 1.0
    assert len(it.node.requests) >= len(it.dev.boot.steps)  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", CANOPEN)
def test_a_node_that_does_not_start_is_asked_again(name: str) -> None:
    it = run(name)
    it.node.operational = False
    beat = Frame("bus", 0x700 + NODES[name], b"\x7f")
    it.node.heartbeat = lambda: beat  # type: ignore[method-assign]
    it.turns(400)
    assert it.node.started > 10
    assert it.dev.status(it.state)


@pytest.mark.parametrize("name", MOTION)
def test_a_pdo_before_the_dialogue_is_no_sign_of_readiness(name: str) -> None:
    it = run(name)
    for spec in it.dev.profile.frame:  # type: ignore[attr-defined]
        if not spec.tx:
            it.hear(Frame("bus", spec.can_id(NODES[name]), bytes(spec.length)))
    it.turn()
    assert it.verified == 0.0


@pytest.mark.parametrize("name", MOTION)
def test_an_emergency_outlives_silence_but_not_a_reboot(name: str) -> None:
    it, node = booted(name), NODES[name]
    it.hear(Frame("bus", 0x080 + node, bytes.fromhex("3081101B01000000")))
    it.hear(Frame("bus", 0x700 + node, b"\x7f"))
    assert it.verified == 0.0
    assert it.state.emergency == 0x8130
    it.turns(60)
    it.node.deaf = True
    it.turns(30)
    assert it.state.emergency == 0x8130
    it.hear(Frame("bus", 0x700 + node, b"\x00"))
    assert it.state.emergency == 0
    assert it.verified == 0.0


def test_a_late_sdo_reply_changes_nothing() -> None:
    it = booted("cia402_hoist")
    state = it.state
    it.hear(Frame("bus", 0x590, bytes.fromhex("8007600000000206")))
    assert it.state == state


def test_type_of_device_comes_before_6007() -> None:
    it = run("cia402_hoist")
    it.turns(60)
    first = it.node.requests[0]
    assert first == bytes.fromhex("4000100000000000")
    io = run("cia402_hoist", lies={at(0x1000): (0x50191).to_bytes(4, "little")})
    io.turns(200)
    assert at(0x6007) not in {request[1:4] for request in io.node.requests}
    assert "1000:00: reads 191, not 192" in io.dev.status(io.state)


def test_boot_writes_of_the_wiring() -> None:
    for name, has_deadline in (("cia402_hoist", True), ("cia402_traverse", False)):
        it = run(name)
        it.turns(60)
        wrote = {key: int.from_bytes(value, "little") for key, value in it.node.objects.items()}
        assert wrote[at(0x1016, 1)] == 1 << 16 | 200
        assert (wrote[at(0x1017)], wrote[at(0x6007)], wrote[at(0x605A)]) == (100, 3, 2)
        assert wrote[at(0x6060)] == 3
        assert (wrote[at(0x6084)], wrote[at(0x6085)]) == (3000, 6000)
        assert wrote[at(0x607F)] == (800 if has_deadline else 1500)
        assert wrote.get(at(0x1400, 5)) == (100 if has_deadline else None)


# --- inputs


def test_contacts_and_keys() -> None:
    it = run("cia401_lift_io")
    io = Frame("bus", 0x1A0, bytes((0b11101111, 0b10000001)))
    decoded = it.hear(io)
    assert decoded.hand == HandKeys(True, 1)
    assert decoded.urgent
    values = {sample.signal.value: sample.value for sample in decoded.samples}
    assert values["rail_right_free"] == 0.0
    assert values["upper_limit_free"] == values["estop_a_closed"] == 1.0
    assert values["hand_control_present"] == 1.0
    assert not it.hear(io).urgent
    assert not it.hear(Frame("bus", 0x1A0, bytes((0b01101111, 0b10000001)))).urgent  # charger
    assert it.hear(Frame("bus", 0x1A0, bytes((0b01001111, 0b10000001)))).urgent  # e-stop A
    assert it.hear(Frame("bus", 0x1A0, bytes((0b01001111, 0b10000000)))).urgent  # key
    battery = it.hear(Frame("bus", 0x2A0, bytes.fromhex("52030A0A")))
    assert [(s.signal.value, s.value) for s in battery.samples] == [
        ("battery_pct", 85.0),
        ("battery_v", 25.70),
    ]
    assert (battery.hand, battery.urgent) == (None, False)


def test_keys_without_a_hand_control_are_noise() -> None:
    it = run("cia401_seat_io")
    assert it.hear(Frame("bus", 0x1A2, b"\xff\x03")).hand == HandKeys(False, 0)
    assert it.hear(Frame("bus", 0x1A2, b"\xff\x83")).hand == HandKeys(True, 48)


def test_load_cell_says_when_it_is_invalid() -> None:
    it = run("cia404_load_cell")
    good = it.hear(Frame("bus", 0x1A1, bytes.fromhex("401F000000"))).samples[0]
    assert (good.value, good.ok) == (80.0, True)
    negative = it.hear(Frame("bus", 0x1A1, bytes.fromhex("9CFFFFFF00"))).samples[0]
    assert negative.value == -1.0
    for status in (1, 2, 3):
        assert not it.hear(Frame("bus", 0x1A1, bytes(4) + bytes((status,)))).samples[0].ok


def test_an_input_node_is_started_and_restarted() -> None:
    it = run("cia401_lift_io")
    it.turns(5)
    assert (it.node.started, it.dev.status(it.state)) == (1, "")
    it.node.deaf = True
    it.turns(40)
    assert it.node.started > 1
    assert "no heartbeat" in it.dev.status(it.state) or "starting" in it.dev.status(it.state)
    it.hear(Frame("bus", 0x1A0, b"\x00\x00"))  # only an operational node sends a PDO
    assert it.dev.status(it.state) == ""


# --- drives


def booted(name: str) -> Run:
    it = run(name)
    it.turns(60)
    assert it.verified == 1.0
    return it


def status(it: Run, word: int, velocity: int = 0, current: int = 0) -> Any:
    data = word.to_bytes(2, "little") + velocity.to_bytes(4, "little", signed=True)
    return it.hear(Frame("bus", 0x190, data + current.to_bytes(2, "little", signed=True)))


def word_and_speed(sent: tuple[Any, ...]) -> tuple[int, int]:
    data = sent[0].data
    return int.from_bytes(data[:2], "little"), int.from_bytes(data[2:], "little", signed=True)


def test_drive_walks_up_and_moves() -> None:
    it, move = booted("cia402_hoist"), None
    move = it.command(Cmd.MOVE, -50.0)
    words = []
    for said in (0x0250, 0x0231, 0x0233, 0x0237):
        status(it, said)
        words.append(word_and_speed(it.turn(move)))
    assert words == [(0x06, 0), (0x07, 0), (0x0F, 0), (0x0F, -500)]
    decoded = status(it, 0x0237, -498, 250)
    assert [(s.signal.value, s.value) for s in decoded.samples] == [
        ("hoist_speed_mm_s", -49.8),
        ("hoist_current_pct", 25.0),
        ("hoist_drive_fault", 0.0),
    ]
    assert word_and_speed(it.turn(it.command(Cmd.MOVE, 1000.0))) == (0x0F, 800)
    assert word_and_speed(it.turn(it.command(Cmd.RAMP))) == (0x0F, 0)
    assert word_and_speed(it.turn(it.command(Cmd.QUICK))) == (0x02, 0)
    assert word_and_speed(it.turn(it.command(Cmd.ISOLATE))) == (0x00, 0)
    assert word_and_speed(it.turn(None)) == (0x06, 0)


@pytest.mark.parametrize(
    ("name", "can_id", "said"),
    [
        ("cia402_hoist", 0x290, {"hoist_height_mm": 1000.0, "run_enable": 1.0}),
        ("cia402_traverse", 0x291, {"traverse_pos_mm": 1000.0}),
    ],
)
def test_drive_position_and_the_hoists_run_enable(
    name: str, can_id: int, said: dict[str, float]
) -> None:
    decoded = booted(name).hear(Frame("bus", can_id, bytes.fromhex("1027000001000000")))
    assert {s.signal.value: s.value for s in decoded.samples} == said
    assert dict(decoded.values)["run_enable"] == 1.0, "shown for both"
    assert not decoded.urgent


def test_drive_fault_is_never_reset_unasked_and_never_leads_to_power() -> None:
    it = booted("cia402_hoist")
    move = it.command(Cmd.MOVE, 30.0)
    assert status(it, 0x0218).urgent
    assert it.samples["hoist_drive_fault"].value == 1.0
    assert it.dev.status(it.state) == "fault"
    words = {word_and_speed(it.turn(cmd))[0] for cmd in (move, None, move, None)}
    assert words == {0x00, 0x06}
    it.state = it.dev.reset_fault(it.state)
    assert word_and_speed(it.turn(move)) == (0x00, 0)  # not while motion is commanded
    assert [word_and_speed(it.turn())[0] for _ in range(5)] == [0x80, 0x80, 0x80, 0x06, 0x06]
    status(it, 0x0250)
    assert it.samples["hoist_drive_fault"].value == 0.0
    assert it.dev.reset_fault(it.state) == it.state


def test_drive_needs_rest_after_a_fault() -> None:
    it = booted("cia402_hoist")
    move = it.command(Cmd.MOVE, 30.0)
    status(it, 0x0218)
    it.state = it.dev.reset_fault(it.state)
    it.turns(3)
    status(it, 0x0231)
    assert word_and_speed(it.turn(move)) == (0x00, 0)  # no REST since the fault went
    it.turn(it.command(Cmd.REST))
    assert word_and_speed(it.turn(move)) == (0x07, 0)


def test_drive_emergency() -> None:
    it = booted("cia402_hoist")
    decoded = it.hear(Frame("bus", 0x090, bytes.fromhex("3081101B01000000")))
    assert decoded.urgent
    assert it.samples["hoist_drive_fault"].value == 1.0
    assert it.dev.status(it.state) == "emergency 8130"
    status(it, 0x0250)
    assert it.samples["hoist_drive_fault"].value == 1.0
    it.hear(Frame("bus", 0x090, bytes(8)))
    assert it.samples["hoist_drive_fault"].value == 0.0
    assert "needs 8" in it.hear(Frame("bus", 0x090, b"\x30\x81\x10")).error


# --- stand actuator


def said(it: Run, position: int, speed: int = 0, motion: int = 0, errors: int = 0) -> Any:
    words = b"".join(item.to_bytes(2, "little") for item in (position, 12, speed))
    return it.hear(Frame("bus", 0x193, words + bytes((motion, errors))))


def test_actuator_commands() -> None:
    it = booted("thomson_electrak_hd_canopen")
    said(it, 1000)
    up = it.turn(it.command(Cmd.MOVE, 10.0))[0]
    assert (up.id, up.data) == (0x213, bytes.fromhex("B80B7D00F4010001"))
    down = it.turn(it.command(Cmd.MOVE, -6.0))[0]
    assert down.data == bytes.fromhex("00007D002C010001")
    slow = it.turn(it.command(Cmd.MOVE, 1.0))[0]
    assert slow.data[4:6] == (200).to_bytes(2, "little")
    fast = it.turn(it.command(Cmd.MOVE, 100.0))[0]
    assert fast.data[4:6] == (750).to_bytes(2, "little")  # the site's 15 mm/s
    for cmd in (Cmd.REST, Cmd.RAMP, Cmd.QUICK, Cmd.ISOLATE):
        assert it.turn(it.command(cmd))[0].data == bytes.fromhex("E8037D00C8000000")
    assert it.turn(it.command(Cmd.MOVE, 0.0))[0].data[7] == 0


def test_actuator_samples() -> None:
    it = booted("thomson_electrak_hd_canopen")
    said(it, 1500, 500, 1)
    got = {key: (s.value, s.ok) for key, s in it.samples.items()}
    assert got["stand_stroke_mm"] == (150.0, True)
    assert got["stand_current_a"] == (1.2, True)
    assert got["stand_speed_mm_s"] == (10.0, True)
    assert got["stand_actuator_fault"] == (0.0, True)
    for speed, motion, value, ok in (
        (500, 2, -10.0, True),
        (0, 0, 0.0, True),
        (500, 0, 0.0, False),
        (500, 3, 0.0, False),
        (0, 3, 0.0, False),
    ):
        said(it, 1500, speed, motion)
        sample = it.samples["stand_speed_mm_s"]
        assert (sample.value, sample.ok) == (value, ok)


@pytest.mark.parametrize("bit", range(8))
def test_actuator_errors(bit: int) -> None:
    it = booted("thomson_electrak_hd_canopen")
    said(it, 0)
    assert it.turn(it.command(Cmd.MOVE, 10.0))[0].data[7] == 1
    assert said(it, 0, errors=1 << bit).urgent
    assert it.samples["stand_actuator_fault"].value == 1.0
    assert it.dev.status(it.state)
    assert not said(it, 0, errors=1 << bit).urgent
    needs_disable = bit in (1, 5, 6)
    enables = [it.turn(it.command(Cmd.MOVE, 10.0))[0].data[7] for _ in range(4)]
    assert enables == ([0, 0, 0, 0] if needs_disable else [1, 1, 1, 1])
    said(it, 0)
    again = [it.turn(it.command(cmd, 10.0))[0].data[7] for cmd in (Cmd.MOVE, Cmd.REST, Cmd.MOVE)]
    assert again == [0 if needs_disable else 1, 0, 1]  # not by the press it ran for (rule 2)


def test_actuator_emergency() -> None:
    it = booted("thomson_electrak_hd_canopen")
    assert it.hear(Frame("bus", 0x093, bytes.fromhex("1023000000000000"))).urgent
    said(it, 0)
    assert it.samples["stand_actuator_fault"].value == 1.0
    it.state = it.dev.reset_fault(it.state)
    said(it, 0)
    assert it.samples["stand_actuator_fault"].value == 0.0
    assert "needs 8" in it.hear(Frame("bus", 0x093, b"\x00")).error


# --- motor controller


def serial(it: Run, *commands: AxisCommand | None) -> list[bytes]:
    return [b"".join(chunk.data for chunk in it.turn(command)) for command in commands]


def test_roboteq_inhibits_until_it_sees_the_stop() -> None:
    it = Run(device("roboteq"), Node(0, deaf=True))
    first = serial(it, None)[0]
    assert first == b"!EX\r^ECHOF 1\r^RWD 200\r~RWD\r?FF\r?FS\r?S\r?V\r"
    assert it.verified == 0.0
    assert it.dev.status(it.state)
    assert b"".join(serial(it, *[None] * 10)).count(b"!EX\r") == 5
    it.hear(Chunk("bus", b"FF=16\r"))
    assert b"!EX" not in b"".join(serial(it, *[None] * 10))
    it.hear(Chunk("bus", b"FF=0\r"))
    assert b"!EX" in b"".join(serial(it, None))


def test_roboteq_permits_once_and_only_when_verified() -> None:
    it = Run(device("roboteq"), Node(0, deaf=True))
    move = it.command(Cmd.MOVE)
    assert b"!MG" not in b"".join(serial(it, move))
    it.hear(Chunk("bus", b"RWD=200\rFF=16\r"))
    out = b"".join(serial(it, *[move] * 10))
    assert out.count(b"!MG") == 1
    assert b"!EX" not in out
    assert it.verified == 1.0
    assert it.dev.status(it.state) == ""
    # The stop seen before the release does not count as seen now.
    assert serial(it, it.command(Cmd.QUICK))[0].startswith(b"!EX\r")
    it.hear(Chunk("bus", b"FF=16\r"))
    assert b"".join(serial(it, *[move] * 5)).count(b"!MG") == 1


@pytest.mark.parametrize("cause", [b"RWD=1000\r", b"garbage\r", b""])
def test_roboteq_loses_trust(cause: bytes) -> None:
    it = Run(device("roboteq"), Node(0, deaf=True))
    it.hear(Chunk("bus", b"RWD=200\r"))
    serial(it, it.command(Cmd.MOVE))
    assert it.verified == 1.0
    it.hear(Chunk("bus", cause))
    out = b"".join(serial(it, *[it.command(Cmd.MOVE)] * 80))
    assert it.verified == 0.0
    assert b"!EX" in out
    assert b"^RWD 200" in out


def test_roboteq_samples() -> None:
    it = Run(device("roboteq"), Node(0, deaf=True))
    decoded = it.hear(Chunk("bus", b"FF=17\rFS=9\rS=-20:10\rV=135:246:4730\rV=1\rT=1\r"))
    assert {s.signal.value: s.value for s in decoded.samples} == {
        "drive_motor_fault": 1.0,
        "drive_speed_rpm": -20.0,
        "battery_v": 24.6,
    }
    assert ("status_flags", 9.0) in decoded.values
    assert it.hear(Chunk("bus", b"FF=16\r")).samples[0].value == 0.0
    assert "not a reply" in it.hear(Chunk("bus", b"xx\r")).error
    assert it.hear(Chunk("other", b"FF=1\r")).samples == ()
    assert it.hear(Frame("bus", 1, b"")).samples == ()
    assert it.dev.reset_fault(it.state) == it.state
