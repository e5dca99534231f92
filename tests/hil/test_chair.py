"""Actuator, seat I/O and Roboteq in virtual time."""

from __future__ import annotations

import struct

import pytest

from hil.nodes.roboteq import Roboteq
from hil.rooms.chair import ChairRoom
from hil.rooms.room import RequestError
from hil.vbus.frame import Frame
from tests.hil.bench import MS, Bench, S

GUARD = 0x231


def actuator_frame(target_mm: float, speed_permille: int = 1000, *, enable: bool = True) -> Frame:
    fields = (round(target_mm * 10), 200, speed_permille, 0, int(enable))
    return Frame(0x213, struct.pack("<HHHBB", *fields))


def standing_up(*, run_enable: bool = True) -> tuple[Bench, ChairRoom]:
    room = ChairRoom()
    bench = Bench(room)
    bench.boot(run_enable=GUARD if run_enable else None)
    bench.sdo_write(0x13, 0x2005, 0, 200, 2)
    bench.rpdo = actuator_frame(300)
    bench.run(1000)
    return bench, room


def errors(bench: Bench) -> int:
    return bench.last(0x193)[7]


def test_it_stands_up_and_stops_at_the_target() -> None:
    bench, room = standing_up()
    assert room.plant.actuator.velocity_mm_s == pytest.approx(20.0)
    assert bench.last(0x193)[6] == 1
    bench.rpdo = actuator_frame(60)
    bench.run(4000)
    assert room.plant.actuator.position_mm == pytest.approx(60.0, abs=0.2)
    assert room.plant.actuator.stands
    bench.run(1000)
    assert struct.unpack_from("<H", bench.last(0x193))[0] == pytest.approx(600, abs=2)


def test_message_timeout_stops_and_needs_enable_zero() -> None:
    bench, room = standing_up()
    bench.rpdo = None
    bench.run(700)
    assert room.plant.actuator.stands
    assert errors(bench) == 1 << 5
    held_mm = room.plant.actuator.position_mm
    bench.rpdo = actuator_frame(300)
    bench.run(500)
    assert room.plant.actuator.position_mm == held_mm
    bench.rpdo = actuator_frame(300, enable=False)
    bench.run(100)
    assert errors(bench) == 0
    bench.rpdo = actuator_frame(300)
    bench.run(500)
    assert room.plant.actuator.position_mm > held_mm


def test_the_default_timeout_is_five_seconds() -> None:
    room = ChairRoom()
    bench = Bench(room)
    bench.boot(run_enable=GUARD)
    assert bench.sdo_read(0x13, 0x2005, 0) == 5000
    bench.put(0x213, actuator_frame(300).data)
    bench.run(4900)
    assert room.plant.actuator.velocity_mm_s > 0
    bench.run(1000)
    assert room.plant.actuator.stands


def test_a_jam_is_an_overload() -> None:
    bench, room = standing_up()
    room.command({"do": "jammed", "value": True})
    bench.run(100)
    assert errors(bench) & 2
    assert b"\x10\x23" in [data[:2] for data in bench.frames(0x093)]


def test_parameters_out_of_range_do_not_move() -> None:
    bench, room = standing_up()
    bench.rpdo = actuator_frame(300, speed_permille=100)
    bench.run(800)
    assert room.plant.actuator.stands
    assert errors(bench) == 1
    bench.rpdo = actuator_frame(300)
    bench.run(200)
    assert errors(bench) == 0


@pytest.mark.parametrize(
    ("target_mm", "speed_permille", "runs"),
    [(0.0, 300, True), (0.0, 310, False), (300.0, 300, False)],
)
def test_without_run_enable_only_slow_retracting(
    target_mm: float, speed_permille: int, runs: bool
) -> None:
    room = ChairRoom()
    room.plant.actuator.position_mm = 150.0
    bench = Bench(room)
    bench.boot()
    bench.rpdo = actuator_frame(target_mm, speed_permille)
    bench.run(1000)
    assert room.plant.actuator.stands is not runs


def test_estop_holds_the_actuator() -> None:
    bench, room = standing_up()
    room.command({"do": "estop", "value": True})
    bench.run(500)
    held_mm = room.plant.actuator.position_mm
    bench.run(1000)
    assert room.plant.actuator.position_mm == held_mm
    assert bench.last(0x1A2)[0] & 0xC0 == 0


def test_seat_inputs() -> None:
    room = ChairRoom()
    bench = Bench(room)
    bench.boot()
    assert bench.last(0x1A2) == b"\xff\x80"
    for request in (
        {"do": "knee", "value": False},
        {"do": "contact", "name": "knee_b", "value": True},
        {"do": "hand", "keys": ["stand"]},
        {"do": "pitch", "pitch_deg": 4.5, "roll_deg": -1},
    ):
        room.command(request)
    bench.run(100)
    assert bench.last(0x1A2) == b"\xfe\x81"
    feet, pitch, roll, soc = struct.unpack("<4h", bench.last(0x2A2))
    assert (feet, pitch, roll) == (112, 450, -100)
    assert soc in (899, 900)


def test_a_frozen_tilt_sensor_does_not_see_the_slope() -> None:
    room = ChairRoom()
    bench = Bench(room)
    bench.boot()
    for request in (
        {"do": "tilt_sensor", "frozen": True},
        {"do": "pitch", "pitch_deg": 9.0},
    ):
        room.command(request)
    bench.run(100)
    assert struct.unpack("<4h", bench.last(0x2A2))[1] == 0
    room.command({"do": "tilt_sensor", "frozen": False})
    bench.run(100)
    assert struct.unpack("<4h", bench.last(0x2A2))[1] == 900


def test_a_held_key_lets_go_by_itself() -> None:
    room = ChairRoom()
    bench = Bench(room)
    bench.boot()
    room.command({"do": "hand", "keys": ["sit"], "hold_ms": 300})
    bench.run(250)
    assert bench.last(0x1A2)[1] == 0x82
    bench.run(100)
    assert bench.last(0x1A2)[1] == 0x80


@pytest.mark.parametrize(
    "request_",
    [
        {},
        {"do": "fly"},
        {"do": "estop"},
        {"do": "estop", "value": 1},
        {"do": "hand", "keys": ["up"]},
        {"do": "contact", "name": "door", "value": True},
        {"do": "node", "node": 99, "power": True},
        {"do": "mass", "kg": 1e9},
        {"do": "mass", "kg": True},
        {"do": "hang", "node": 0x13, "how": "badly"},
        {"do": "hang", "node": 0x13},
    ],
)
def test_a_wrong_request_is_refused_in_words(request_: dict[str, object]) -> None:
    with pytest.raises(RequestError):
        ChairRoom().command(request_)


def test_roboteq_dialogue() -> None:
    device = Roboteq()
    assert device.on_bytes(b"?FF\r", 0) == b"?FF\rFF=0\r"
    assert device.on_bytes(b"^ECHOF 1\r", 0) == b"^ECHOF 1\r+\r"
    for sent, answer in [
        (b"?FF\r", b"FF=0\r"),
        (b"?FS\r", b"FS=1\r"),
        (b"?S\r", b"S=0:0\r"),
        (b"?V\r", b"V=120:240:5000\r"),
        (b"~RWD\r", b"RWD=1000\r"),
        (b"^RWD 200\r", b"+\r"),
        (b"~RWD_", b"RWD=200\r"),
        (b"!EX\r", b"+\r"),
        (b"?FF\r", b"FF=16\r"),
        (b"!MG\r", b"+\r"),
        (b"?FF\r", b"FF=0\r"),
        (b"!G 1 500\r", b"-\r"),
        (b"^RWD x\r", b"-\r"),
        (b"\xff\r", b"-\r"),
        (b"\r", b""),
    ]:
        assert device.on_bytes(sent, 0) == answer, sent


def test_roboteq_takes_bytes_in_any_pieces() -> None:
    device = Roboteq()
    assert b"".join(device.on_bytes(bytes([b]), 0) for b in b"~RWD\r") == b"~RWD\rRWD=1000\r"


def test_roboteq_watchdog_stops_the_chair_until_it_is_fed() -> None:
    room = ChairRoom()
    bench = Bench(room)
    bench.boot(run_enable=GUARD)
    room.command({"do": "brakes", "value": False})
    room.command({"do": "joystick", "value": 0.5})
    bench.run(500)
    assert room.plant.drive.stands
    room.roboteq.on_bytes(b"^RWD 200\r!MG\r", room.t_ns)
    bench.run(150)
    assert room.plant.drive.velocity_mm_s > 0
    bench.run(1 * S // MS)
    assert room.plant.drive.stands


def test_roboteq_estop_inhibits_the_joystick() -> None:
    room = ChairRoom()
    bench = Bench(room)
    bench.boot(run_enable=GUARD)
    room.command({"do": "brakes", "value": False})
    room.command({"do": "joystick", "value": 1.0})
    room.roboteq.on_bytes(b"!EX\r", room.t_ns)
    bench.run(500)
    assert room.plant.drive.stands
