"""Hoist and traverse nodes in virtual time: boot, deadmen, quick stop, run enable, e-stop."""

from __future__ import annotations

import struct

import pytest

from hil.nodes.cia402 import DriveState
from hil.rooms.lift import LiftRoom
from tests.hil.bench import MS, Bench, configure, drive_frame, enable, move

HOIST, TRAVERSE = 0x10, 0x11
GUARD = 0x230


def hoisting(speed_mm_s: float = 80.0, *, safe: bool = True) -> tuple[Bench, LiftRoom]:
    """A hoist that moves at the given speed, with or without its deadmen written."""
    room = LiftRoom()
    bench = Bench(room)
    bench.boot(run_enable=GUARD)
    if safe:
        configure(bench, HOIST)
    enable(bench, 0x210)
    move(bench, 0x210, speed_mm_s, 1000)
    assert room.plant.hoist.velocity_mm_s == pytest.approx(speed_mm_s)
    return bench, room


def statusword(bench: Bench) -> int:
    return int(struct.unpack_from("<H", bench.last(0x190))[0])


def test_boot_up_heartbeat_and_no_pdo_before_operational() -> None:
    bench = Bench(LiftRoom())
    bench.run(500)
    for node in (0x10, 0x11, 0x20, 0x21, 0x30):
        beats = bench.frames(0x700 + node)
        assert beats[0] == b"\0"
        assert set(beats[1:]) == {b"\x7f"}
        assert len(beats) >= 3
    assert not bench.frames(0x190)


def test_pdo_periods() -> None:
    bench = Bench(LiftRoom())
    bench.boot()
    bench.sent.clear()
    bench.run(2000)
    periods = {0x190: 20, 0x290: 40, 0x1A0: 50, 0x2A0: 200, 0x1A1: 20, 0x1B0: 50}
    for can_id, period_ms in periods.items():
        assert len(bench.frames(can_id)) == 2000 // period_ms, hex(can_id)


def test_unsafe_defaults_are_there_and_writable() -> None:
    bench = Bench(LiftRoom())
    bench.run(300)
    assert bench.sdo_read(HOIST, 0x1016, 1) == 0
    assert bench.sdo_read(HOIST, 0x6007, 0) == 0
    assert bench.sdo_read(HOIST, 0x1400, 5) == 0
    assert bench.sdo_read(TRAVERSE, 0x1400, 5) == "abort 06090011"
    configure(bench, HOIST)
    configure(bench, TRAVERSE, deadline=False)


@pytest.mark.parametrize(
    ("index", "sub", "value", "size", "abort"),
    [
        (0x5000, 0, 0, 4, 0x06020000),
        (0x1400, 9, 0, 2, 0x06090011),
        (0x6041, 0, 0, 2, 0x06010002),
        (0x6007, 0, 3, 4, 0x06070012),
        (0x6085, 0, 3, 2, 0x06070013),
        (0x6007, 0, 4, 2, 0x06090031),
        (0x6085, 0, 0, 4, 0x06090032),
    ],
)
def test_sdo_aborts(index: int, sub: int, value: int, size: int, abort: int) -> None:
    bench = Bench(LiftRoom())
    bench.run(300)
    assert bench.sdo_write(HOIST, index, sub, value, size) == abort


def test_state_machine_walks_as_the_book_says() -> None:
    bench = Bench(LiftRoom())
    bench.boot()
    words = [(0x00, 0x40), (0x0F, 0x40), (0x06, 0x21), (0x07, 0x23), (0x0F, 0x27), (0x02, 0x40)]
    for controlword, state in words:
        bench.rpdo = drive_frame(0x210, controlword)
        bench.run(40)
        assert statusword(bench) & (0x4F if state == 0x40 else 0x6F) == state, hex(controlword)
        assert statusword(bench) & 0x0210 == 0x0210


def test_lost_heartbeat_quick_stops_within_the_stop_distance() -> None:
    bench, room = hoisting()
    bench.gate_beats = False
    bench.run(0)
    start_ms, start_mm = bench.now_ms, room.plant.hoist.position_mm
    while room.hoist.machine.state == DriveState.OPERATION_ENABLED:
        bench.run(5)
    assert bench.now_ms - start_ms <= 205
    tripped_mm = room.plant.hoist.position_mm
    bench.run(1000)
    assert b"\x30\x81" in [data[:2] for data in bench.frames(0x090)]
    assert room.plant.hoist.stands
    assert room.plant.hoist.brake_closed
    assert room.plant.hoist.position_mm - tripped_mm <= 80**2 / (2 * 600) + 80 * 0.010
    assert room.plant.hoist.position_mm - start_mm <= 80 * 0.205 + 80**2 / (2 * 600) + 80 * 0.010


def test_rpdo_deadline_quick_stops() -> None:
    bench, room = hoisting()
    bench.rpdo = None
    bench.run(110)
    assert room.hoist.machine.state == DriveState.QUICK_STOP_ACTIVE
    bench.run(300)
    assert room.plant.hoist.stands
    assert b"\x50\x82" in [data[:2] for data in bench.frames(0x090)]


def test_out_of_the_box_a_silent_gate_stops_nothing() -> None:
    bench, room = hoisting(40.0, safe=False)
    bench.rpdo, bench.gate_beats = None, False
    bench.run(3000)
    assert room.plant.hoist.velocity_mm_s == pytest.approx(40.0)


def test_heartbeat_monitored_but_6007_zero_keeps_moving() -> None:
    bench, room = hoisting(40.0, safe=False)
    bench.sdo_write(HOIST, 0x1016, 1, 0x0001_00C8, 4)
    bench.run(100)
    bench.gate_beats = False
    bench.run(1000)
    assert room.plant.hoist.velocity_mm_s == pytest.approx(40.0)
    assert bench.frames(0x090)


def test_nmt_stop_quick_stops_where_6007_says_so() -> None:
    bench, room = hoisting()
    bench.put(0x000, b"\2\x10")
    bench.run(400)
    assert room.plant.hoist.stands


def test_restart_needs_a_whole_new_enable_sequence() -> None:
    bench, room = hoisting()
    bench.gate_beats = False
    bench.run(800)
    bench.gate_beats = True
    bench.run(500)
    assert room.plant.hoist.stands
    enable(bench, 0x210)
    move(bench, 0x210, 20.0, 500)
    assert room.plant.hoist.velocity_mm_s == pytest.approx(20.0)


@pytest.mark.parametrize(
    ("velocity_mm_s", "runs"), [(-30.0, True), (-31.0, False), (10.0, False), (-80.0, False)]
)
def test_without_run_enable_only_docking_down_runs(velocity_mm_s: float, runs: bool) -> None:
    room = LiftRoom()
    bench = Bench(room)
    bench.boot()
    enable(bench, 0x210)
    move(bench, 0x210, velocity_mm_s, 1500)
    assert (room.plant.hoist.velocity_mm_s == pytest.approx(velocity_mm_s)) is runs
    assert room.plant.hoist.stands is not runs


def test_without_run_enable_no_traverse() -> None:
    room = LiftRoom()
    bench = Bench(room)
    bench.boot()
    enable(bench, 0x211)
    move(bench, 0x211, 20.0, 500)
    assert abs(room.plant.traverse.position_mm - 400) < 1
    assert room.traverse.machine.state == DriveState.SWITCH_ON_DISABLED


def test_a_falling_relay_stops_a_raise_but_not_a_slow_lowering() -> None:
    bench, room = hoisting(30.0)
    bench.guard_toggles = None
    bench.run(600)
    assert room.plant.hoist.stands
    bench, room = hoisting(-25.0)
    bench.guard_toggles = None
    bench.run(600)
    assert room.plant.hoist.velocity_mm_s == pytest.approx(-25.0)


def test_relay_opens_150_ms_after_the_last_edge() -> None:
    bench = Bench(LiftRoom())
    bench.boot(run_enable=GUARD)
    assert bench.last(0x1B0) == b"\7"
    bench.guard_toggles = None
    while bench.now_ms % 50:
        bench.run(5)
    bench.run(90)
    assert bench.last(0x1B0) == b"\7"
    bench.run(70)
    assert bench.last(0x1B0) == b"\6"
    bench.put(GUARD, bytes([bench.relay_bit]))
    bench.run(5)
    assert bench.last(0x1B0) == b"\6"
    bench.put(GUARD, bytes([bench.relay_bit ^ 1]))
    bench.run(5)
    assert bench.last(0x1B0) == b"\7"


def test_estop_ramps_down_then_removes_torque_whatever_the_bus_says() -> None:
    bench, room = hoisting()
    room.command({"do": "estop", "value": True})
    bench.run(500)
    assert room.plant.hoist.stands
    assert room.plant.hoist.brake_closed
    assert room.plant.chain.torque_off
    held_mm = room.plant.hoist.position_mm
    bench.run(1000)
    assert room.plant.hoist.position_mm == held_mm
    assert bench.last(0x1A0)[0] & 0x60 == 0
    assert bench.last(0x1B0)[0] & 6 == 0
    assert struct.unpack_from("<I", bench.last(0x290), 4)[0] & 2


def test_the_speed_cap_clamps() -> None:
    bench, room = hoisting(60.0)
    assert bench.sdo_write(HOIST, 0x607F, 0, 200, 4) == 0
    bench.run(500)
    assert room.plant.hoist.velocity_mm_s == pytest.approx(20.0)
    assert statusword(bench) & 0x800


def test_runaway_ignores_the_target_but_not_the_quick_stop() -> None:
    bench, room = hoisting(20.0)
    room.command({"do": "runaway", "axis": "hoist", "speed_mm_s": 90})
    move(bench, 0x210, 0.0, 800)
    assert room.plant.hoist.velocity_mm_s == pytest.approx(90.0)
    bench.rpdo = drive_frame(0x210, 0x02)
    bench.run(500)
    assert room.plant.hoist.stands


def test_a_node_without_power_is_silent_and_boots_with_defaults() -> None:
    bench, room = hoisting()
    room.command({"do": "node", "node": HOIST, "power": False})
    bench.sent.clear()
    bench.run(500)
    assert room.plant.hoist.stands
    assert not bench.frames(0x710)
    room.command({"do": "node", "node": HOIST, "power": True})
    bench.run(300)
    assert bench.frames(0x710)[0] == b"\0"
    assert bench.sdo_read(HOIST, 0x6007, 0) == 0


def test_the_same_run_twice_is_the_same_run() -> None:
    def run() -> list[tuple[int, object]]:
        bench, _ = hoisting()
        return [(t // MS, frame) for t, frame in bench.sent]

    assert run() == run()


def test_load_cell_faults() -> None:
    room = LiftRoom()
    bench = Bench(room)
    bench.boot()
    room.command({"do": "load_cell", "offset_kg": 12.5})
    bench.run(40)
    kg_100, status = struct.unpack("<iB", bench.last(0x1A1))
    assert 1245 <= kg_100 <= 1255
    assert status == 0
    room.command({"do": "load_cell", "mode": "freeze", "offset_kg": 0})
    bench.run(40)
    frozen = bench.last(0x1A1)
    assert 1245 <= struct.unpack("<iB", frozen)[0] <= 1255
    bench.run(200)
    assert bench.last(0x1A1) == frozen
    room.command({"do": "load_cell", "mode": "invalid"})
    bench.run(40)
    assert bench.last(0x1A1)[4] & 1


@pytest.mark.parametrize(("how", "beats"), [("beating", True), ("silent", False)])
def test_a_hung_drive_runs_on_until_the_e_stop_chain_stops_it(how: str, beats: bool) -> None:
    bench, room = hoisting(30.0)
    room.command({"do": "hang", "node": HOIST, "how": how})
    bench.sent.clear()
    bench.gate_beats, bench.rpdo, bench.guard_toggles = False, None, None
    bench.run(2000)
    assert room.plant.hoist.velocity_mm_s == pytest.approx(30.0)  # no deadman of its own runs
    assert bool(bench.frames(0x710)) is beats
    assert not bench.frames(0x190)
    room.command({"do": "estop", "value": True})
    bench.run(600)
    assert room.plant.hoist.stands
    room.command({"do": "node", "node": HOIST, "power": False})
    room.command({"do": "node", "node": HOIST, "power": True})
    bench.run(300)
    assert bench.frames(0x710)[-1] != b"\5"
