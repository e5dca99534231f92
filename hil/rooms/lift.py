"""Room 1: the ceiling lift with two drives, I/O module, load cell and the guard's node."""

from __future__ import annotations

from typing import Any

from hil.nodes.drive import Drive, DriveInputs
from hil.nodes.io import GuardIo, IoModule, LoadCell
from hil.nodes.scale import ProtectedScale
from hil.plants.axis import Axis
from hil.plants.encoder import Encoder
from hil.plants.lift import LiftPlant
from hil.rooms.mechanics import HoistFaults, set_encoder
from hil.rooms.room import Request, RequestError, Room, field, number

_CONTACTS = (
    "upper_limit_free",
    "lower_limit_free",
    "strap_tight",
    "left_end_free",
    "right_end_free",
    "estop_a",
    "estop_b",
    "charger_absent",
)


class LiftRoom(Room):
    """Nodes 0x10, 0x11, 0x20, 0x21, 0x30 around a LiftPlant."""

    keys = ("up", "down", "left", "right")

    def __init__(
        self,
        mass_kg: float = 75.0,
        seed: int = 0,
        start_ns: int = 0,
        load_cell: LoadCell | ProtectedScale | None = None,
    ) -> None:
        self.plant = LiftPlant(mass_kg)
        self.encoders = {"hoist": Encoder(), "traverse": Encoder()}
        self.hoist = Drive("hoist.eds", 0x10, docking_down_mm_s=30.0)
        self.traverse = Drive("traverse.eds", 0x11, docking_down_mm_s=0.0)
        self.io = IoModule("lift_io.eds", 0x20)
        self.load_cell = load_cell or LoadCell("load_cell.eds", 0x21, seed)
        self.guard_io = GuardIo(0x30)
        nodes = [self.hoist, self.traverse, self.io, self.load_cell, self.guard_io]
        super().__init__(self.plant, nodes, self.guard_io, start_ns)
        self.verbs |= {
            "strap": self._strap,
            "hook": self._hook,
            "unhook": self._unhook,
            "mass": self._mass,
            "load_cell": self._load_cell,
            "runaway": self._runaway,
            "overspeed_reset": self._overspeed_reset,
            "encoder": lambda request: set_encoder(self.encoders, request),
        }
        self.verbs |= HoistFaults(self.plant).verbs

    def sense(self) -> None:
        """Plant to nodes."""
        plant = self.plant
        current = plant.hoist_current_permille
        self.hoist.inputs = self._drive_inputs("hoist", plant.hoist, current)
        current = plant.traverse_current_permille
        self.traverse.inputs = self._drive_inputs("traverse", plant.traverse, current)
        self.io.digital = (self.bits(*_CONTACTS), self.hand_bits(*self.keys))
        soc_permille = round(plant.battery.soc * 1000)
        self.io.analog = (soc_permille, round(plant.battery.voltage_v * 100))
        self.load_cell.load_kg = plant.load.reading_kg
        self.guard_io.digital = self.guard_inputs()

    def _drive_inputs(self, name: str, axis: Axis, current_permille: float) -> DriveInputs:
        encoder = self.encoders[name]
        encoder.read(axis.position_mm, axis.velocity_mm_s)
        return DriveInputs(
            encoder.position_mm,
            encoder.velocity_mm_s,
            current_permille,
            self.plant.run_enable,
            self.plant.chain.pressed,
            self.plant.chain.torque_off,
            not self.plant.battery.empty,
        )

    def actuate(self) -> None:
        """Nodes to plant."""
        self.plant.run_enable = self.guard_io.relay_on
        self.plant.hoist_command = self.hoist.command
        self.plant.traverse_command = self.traverse.command

    def truth(self) -> dict[str, Any]:
        """What is physically so."""
        plant = self.plant
        return self.common_truth() | {
            "height_mm": round(plant.hoist.position_mm, 3),
            "speed_mm_s": round(plant.hoist.velocity_mm_s, 3),
            "x_mm": round(plant.traverse.position_mm, 3),
            "x_speed_mm_s": round(plant.traverse.velocity_mm_s, 3),
            "hoist_brake": plant.hoist.brake_closed,
            "traverse_brake": plant.traverse.brake_closed,
            "load_kg": round(plant.load.reading_kg, 3),
            "strap_tight": plant.load.strap_tight,
            "hooked": plant.load.hooked,
            "person_x_mm": round(plant.load.person_x_mm, 1),
            "person_mm": round(plant.load.sling_mm, 1) if plant.load.hooked else None,
            "mass_kg": plant.load.mass_kg,
            "surface": plant.load.surface(plant.traverse.position_mm).name,
            "bar_mm": round(plant.bar_mm, 3),
            "swing_mm": round(plant.swing_mm, 2),
            "tension_n": round(plant.load.tension_n, 1),
            "support_n": round(plant.load.support_n, 1),
            "snagged": plant.snag_mm is not None,
            "drum_slack_mm": round(plant.drum_slack_mm, 2),
            "drum_turns": round(plant.hoist.drum.turns(plant.hoist.position_mm), 4),
            "motor_rpm": round(plant.hoist.motor_rpm, 1),
            "motor_c": round(plant.motor.temperature_c, 2),
            "hoist_current_permille": round(plant.hoist_current_permille, 1),
            "hoist_stalled": plant.hoist.stalled,
            "hoist_brake_mode": plant.hoist.stop.mode.value,
            "encoder_error_mm": round(self.encoders["hoist"].error_mm, 2),
            "fallen": plant.load.fallen,
            "strap": plant.strap_pulled,
            "overspeed": plant.overspeed_latched,
            "hoist_state": self.hoist.machine.state.name,
            "traverse_state": self.traverse.machine.state.name,
        }

    # requests --------------------------------------------------------------------------------

    def _strap(self, request: Request) -> None:
        self.plant.strap_pulled = field(request, "value", bool)
        self.hold("strap", request, lambda: setattr(self.plant, "strap_pulled", False))

    def _hook(self, _request: Request) -> None:
        if reason := self.plant.hook():
            raise RequestError(reason)

    def _unhook(self, _request: Request) -> None:
        if reason := self.plant.unhook():
            raise RequestError(reason)

    def _mass(self, request: Request) -> None:
        self.plant.load.mass_kg = number(request, "kg", 5.0, 400.0)

    def _load_cell(self, request: Request) -> None:
        if "offset_kg" in request:
            self.load_cell.offset_kg = number(request, "offset_kg", -500.0, 500.0)
        if "mode" in request:
            mode = field(request, "mode", str)
            if mode not in self.load_cell.MODES:
                raise RequestError(f"load cell modes: {', '.join(self.load_cell.MODES)}")
            self.load_cell.mode = mode

    def _runaway(self, request: Request) -> None:
        drives = {"hoist": self.hoist, "traverse": self.traverse}
        drive = drives.get(field(request, "axis", str))
        if drive is None:
            raise RequestError("axis is hoist or traverse")
        stop = request.get("speed_mm_s") is None
        drive.runaway_mm_s = None if stop else number(request, "speed_mm_s", -500.0, 500.0)

    def _overspeed_reset(self, _request: Request) -> None:
        self.plant.overspeed_latched = False
