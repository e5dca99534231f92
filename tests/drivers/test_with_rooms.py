"""The drivers against the simulated rooms, in virtual time; docs/wiring.md is all they share."""

from __future__ import annotations

from typing import Any

import pytest

from config.schema import DeviceSpec
from drivers.device import Chunk
from drivers.frames import Frame
from drivers.registry import build
from safety.bounds import Params
from safety.verdict import AxisCommand, Cmd

rooms = pytest.importorskip("hil.rooms.lift")
chair_rooms = pytest.importorskip("hil.rooms.chair")
from hil.nodes.roboteq import Roboteq as SimulatedRoboteq  # noqa: E402
from hil.vbus.frame import Frame as BusFrame  # noqa: E402

MS = 1_000_000


class Gate:
    """Heartbeat, every device's turn each 20 ms, and a guard that toggles its relay."""

    def __init__(self, room: Any, guard_rpdo: int, profiles: dict[str, int]) -> None:
        self.room, self.guard_rpdo, self.n = room, guard_rpdo, 0
        self.devices = [
            build(DeviceSpec(name=name, profile=name, on="bus", node=node), Params())
            for name, node in profiles.items()
        ]
        self.states = [dev.start() for dev in self.devices]
        self.samples: dict[str, float] = {}
        self.commands: dict[str, AxisCommand] = {}
        self.errors: list[str] = []
        self.guard_alive = self.gate_alive = True

    def put(self, frame: BusFrame) -> None:
        self.hear(self.room.on_frame(frame, self.room.t_ns))

    def hear(self, frames: list[tuple[int, BusFrame]]) -> None:
        for t_ns, frame in frames:
            mine = Frame("bus", frame.can_id, frame.data, frame.is_extended)
            for n, dev in enumerate(self.devices):
                self.states[n], said = dev.on_wire(self.states[n], mine, t_ns)
                self.samples |= {s.signal.value: s.value for s in said.samples}
                self.errors += [said.error] * bool(said.error)

    def run(self, duration_ms: int) -> None:
        for _ in range(duration_ms // 20):
            self.n += 1
            if self.n == 25:  # the guard starts its own node once that has booted
                self.put(BusFrame(0x000, bytes((1, self.guard_rpdo - 0x200))))
            self.hear(self.room.advance(self.room.t_ns + 20 * MS))
            if self.guard_alive and self.n % 2:
                self.put(BusFrame(self.guard_rpdo, bytes((self.n >> 1 & 1,))))
            if self.gate_alive:
                self.turn()

    def turn(self) -> None:
        self.put(BusFrame(0x701, b"\x05"))
        for n, dev in enumerate(self.devices):
            command = self.commands.get(dev.axis or "")
            self.states[n], sent, samples = dev.turn(self.states[n], self.room.t_ns, command)
            self.samples |= {s.signal.value: s.value for s in samples}
            for wire in sent:
                assert isinstance(wire, Frame)
                self.put(BusFrame(wire.id, wire.data))

    def tell(self, axis: Any, cmd: Cmd, speed_mm_s: float = 0.0) -> None:
        self.commands[axis] = AxisCommand(axis, cmd, speed_mm_s)


@pytest.fixture
def lift() -> Gate:
    profiles = {
        "cia402_hoist": 0x10,
        "cia402_traverse": 0x11,
        "cia401_lift_io": 0x20,
        "cia404_load_cell": 0x21,
    }
    gate = Gate(rooms.LiftRoom(), 0x230, profiles)
    gate.run(1500)
    return gate


@pytest.fixture
def chair() -> Gate:
    profiles = {"thomson_electrak_hd_canopen": 0x13, "cia401_seat_io": 0x22}
    gate = Gate(chair_rooms.ChairRoom(), 0x231, profiles)
    gate.run(1500)
    return gate


def test_lift_comes_up_and_moves(lift: Gate) -> None:
    said = lift.samples
    assert lift.errors == []
    assert said["hoist_deadman_verified"] == said["traverse_deadman_verified"] == 1.0
    assert said["hoist_drive_fault"] == said["traverse_drive_fault"] == 0.0
    assert said["estop_a_closed"] == said["run_enable"] == said["upper_limit_free"] == 1.0
    assert -0.1 <= said["load_kg"] < 200
    assert said["battery_pct"] > 20
    start = said["hoist_height_mm"]
    lift.tell("hoist", Cmd.MOVE, 50.0)
    lift.run(1500)
    assert said["hoist_speed_mm_s"] == pytest.approx(50, abs=2)
    assert said["hoist_height_mm"] > start + 20
    lift.tell("hoist", Cmd.RAMP)
    lift.run(600)
    assert said["hoist_speed_mm_s"] == pytest.approx(0, abs=1)
    lift.tell("hoist", Cmd.REST)
    lift.run(600)
    assert lift.room.plant.hoist.brake_closed
    lift.tell("traverse", Cmd.MOVE, 100.0)
    lift.run(1500)
    assert said["traverse_speed_mm_s"] == pytest.approx(100, abs=5)
    lift.tell("traverse", Cmd.QUICK)
    lift.run(800)
    assert said["traverse_speed_mm_s"] == 0
    assert lift.errors == []


def test_lift_stops_itself_when_the_gate_falls_silent(lift: Gate) -> None:
    lift.tell("hoist", Cmd.MOVE, 50.0)
    lift.run(1000)
    lift.gate_alive = False
    lift.run(1000)
    assert lift.room.plant.hoist.velocity_mm_s == 0.0
    assert lift.samples["hoist_drive_fault"] == 1.0
    lift.gate_alive = True
    lift.run(1000)
    assert lift.room.plant.hoist.velocity_mm_s == 0.0  # still commanded, but no REST was between
    lift.tell("hoist", Cmd.REST)
    lift.states[0] = lift.devices[0].reset_fault(lift.states[0])
    lift.run(500)
    assert lift.samples["hoist_drive_fault"] == 0.0
    lift.tell("hoist", Cmd.MOVE, -30.0)
    lift.run(1000)
    assert lift.samples["hoist_speed_mm_s"] == pytest.approx(-30, abs=2)


def test_chair_stands_and_sits(chair: Gate) -> None:
    said = chair.samples
    assert chair.errors == []
    assert said["stand_deadman_verified"] == 1.0
    assert said["stand_actuator_fault"] == 0.0
    assert said["knee_block_a_closed"] in (0.0, 1.0)
    chair.tell("stander", Cmd.MOVE, 10.0)
    chair.run(1500)
    assert said["stand_speed_mm_s"] == pytest.approx(10, abs=1)
    assert said["stand_stroke_mm"] > 5
    chair.tell("stander", Cmd.REST)
    chair.run(1000)
    assert said["stand_speed_mm_s"] == 0.0
    chair.tell("stander", Cmd.MOVE, -6.0)
    chair.run(600)
    assert said["stand_speed_mm_s"] == pytest.approx(-6, abs=1)
    chair.gate_alive = False
    chair.run(1000)
    assert chair.room.plant.actuator.velocity_mm_s == 0.0
    assert said["stand_actuator_fault"] == 1.0


def test_motor_controller_is_permitted_and_inhibited() -> None:
    dev = build(DeviceSpec(name="drive", profile="roboteq", on="motors"), Params())
    motors, state, now, said = SimulatedRoboteq(), dev.start(), 0, {}
    errors = []
    for n in range(200):
        now += 20 * MS
        motors.tick(now)
        moving = 50 <= n < 100
        command = AxisCommand(dev.axis, Cmd.MOVE) if moving and dev.axis else None
        state, sent, samples = dev.turn(state, now, command)
        said |= {sample.signal.value: sample.value for sample in samples}
        for chunk in sent:
            assert isinstance(chunk, Chunk)
            answer = motors.on_bytes(chunk.data, now)
            state, decoded = dev.on_wire(state, Chunk("motors", answer), now)
            said |= {sample.signal.value: sample.value for sample in decoded.samples}
            errors.append(decoded.error)
        if n > 5:
            assert motors.estopped == (not moving)
    assert said["drive_deadman_verified"] == 1.0
    assert said["drive_motor_fault"] == 0.0
    assert said["battery_v"] == 24.0
    assert not any(errors)
