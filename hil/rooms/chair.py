"""Room 2: the standing wheelchair with actuator, seat I/O, the guard's node and a Roboteq."""

from __future__ import annotations

from functools import partial
from typing import Any

from hil.nodes.electrak import Electrak
from hil.nodes.io import GuardIo, IoModule
from hil.nodes.roboteq import Roboteq
from hil.plants.chair import ChairPlant
from hil.plants.encoder import Encoder
from hil.rooms.mechanics import set_battery, set_encoder
from hil.rooms.room import Request, Room, field, number

_CONTACTS = (
    "knee_a",
    "knee_b",
    "belt_a",
    "belt_b",
    "brakes",
    "charger_absent",
    "estop_a",
    "estop_b",
)
_CASTORS_BIT = 2  # the terminal behind the keys
_RPM_PER_MM_S = 0.12  # 500 mm circumference


class ChairRoom(Room):
    """Nodes 0x13, 0x22, 0x31 and the serial motor controller around a ChairPlant."""

    keys = ("stand", "sit")

    def __init__(self, mass_kg: float = 75.0, seed: int = 0, start_ns: int = 0) -> None:
        del seed  # nothing random in this room yet; the rooms are built alike
        self.plant = ChairPlant(mass_kg)
        self.encoders = {"actuator": Encoder()}
        self.tilt_frozen: tuple[float, float] | None = None  # what the sensor goes on saying
        self.actuator = Electrak(0x13)
        self.io = IoModule("seat_io.eds", 0x22)
        self.guard_io = GuardIo(0x31)
        self.roboteq = Roboteq()
        nodes = [self.actuator, self.io, self.guard_io]
        super().__init__(self.plant, nodes, self.guard_io, start_ns)
        self.verbs |= {
            "mass": self._mass,
            "pitch": self._pitch,
            "sit_lever": self._sit_lever,
            "joystick": self._joystick,
            "roboteq": self._roboteq,
            "lean": self._lean,
            "tilt_sensor": self._tilt_sensor,
            "encoder": lambda request: set_encoder(self.encoders, request),
            "battery": lambda request: set_battery(self.plant.battery, request),
        }
        for name in ("knee", "belt", "brakes", "castors", "jammed"):
            self.verbs[name] = partial(self._switch, name)
        self.verbs["feet"] = partial(self._switch, "feet_on_plate")

    def sense(self) -> None:
        """Plant to nodes."""
        plant = self.plant
        encoder = self.encoders["actuator"]
        encoder.read(plant.actuator.position_mm, plant.actuator.velocity_mm_s)
        self.actuator.position_mm = encoder.position_mm
        self.actuator.velocity_mm_s = encoder.velocity_mm_s
        self.actuator.current_a = plant.current_a
        self.actuator.run_enable = plant.run_enable
        self.actuator.supplied = not plant.battery.empty and not plant.chain.torque_off
        spare = self.bits("castors") << _CASTORS_BIT
        self.io.digital = (self.bits(*_CONTACTS), self.hand_bits(*self.keys) | spare)
        pitch_deg, roll_deg = self.tilt_frozen or (plant.pitch_deg, plant.roll_deg)
        self.io.analog = (
            round(plant.feet_kg * 10),
            round(pitch_deg * 100),
            round(roll_deg * 100),
            round(plant.battery.soc * 1000),
        )
        self.guard_io.digital = self.guard_inputs()
        self.roboteq.speed_rpm = round(plant.drive.velocity_mm_s * _RPM_PER_MM_S)
        self.roboteq.voltage_v = plant.battery.voltage_v
        self.roboteq.tick(self.t_ns)

    def actuate(self) -> None:
        """Nodes to plant."""
        self.plant.run_enable = self.guard_io.relay_on
        self.plant.actuator_command = self.actuator.command
        self.plant.drive_released = self.roboteq.released

    def truth(self) -> dict[str, Any]:
        """What is physically so."""
        plant = self.plant
        return self.common_truth() | {
            "stroke_mm": round(plant.actuator.position_mm, 3),
            "stroke_speed_mm_s": round(plant.actuator.velocity_mm_s, 3),
            "angle_deg": round(plant.angle_deg, 3),
            "actuator_brake": plant.actuator.brake_closed,
            "current_a": round(plant.current_a, 2),
            "feet_kg": round(plant.feet_kg, 2),
            "feet": plant.feet_on_plate,
            "knee": plant.knee,
            "belt": plant.belt,
            "brakes": plant.brakes,
            "castors": plant.castors,
            "jammed": plant.jammed,
            "pitch_deg": plant.pitch_deg,
            "roll_deg": plant.roll_deg,
            "mass_kg": plant.mass_kg,
            "sit_lever": plant.sit_lever,
            "joystick": plant.joystick,
            "drive_mm_s": round(plant.drive.velocity_mm_s, 3),
            "drive_released": plant.drive_released,
            "drive_estop": self.roboteq.estopped,
            "seat_kg": round(plant.seat_kg, 2),
            "knee_n": round(plant.knee_n, 1),
            "actuator_n": round(plant.actuator_n, 1),
            "centre_x_mm": round(plant.centre.x_mm, 1),
            "centre_z_mm": round(plant.centre.z_mm, 1),
            "tip_margin_mm": round(plant.tip_margin_mm, 1),
            "tipped": plant.tipped,
            "motor_c": round(plant.motor.temperature_c, 2),
            "encoder_error_mm": round(self.encoders["actuator"].error_mm, 2),
        }

    # requests --------------------------------------------------------------------------------

    def _switch(self, attribute: str, request: Request) -> None:
        setattr(self.plant, attribute, field(request, "value", bool))

    def _mass(self, request: Request) -> None:
        self.plant.mass_kg = number(request, "kg", 5.0, 250.0)

    def _pitch(self, request: Request) -> None:
        self.plant.pitch_deg = number(request, "pitch_deg", -45.0, 45.0)
        if "roll_deg" in request:
            self.plant.roll_deg = number(request, "roll_deg", -45.0, 45.0)

    def _lean(self, request: Request) -> None:
        self.plant.lean_mm = number(request, "forward_mm", -300.0, 500.0)
        if "right_mm" in request:
            self.plant.side_mm = number(request, "right_mm", -300.0, 300.0)

    def _tilt_sensor(self, request: Request) -> None:
        frozen = field(request, "frozen", bool)
        self.tilt_frozen = (self.plant.pitch_deg, self.plant.roll_deg) if frozen else None

    def _sit_lever(self, request: Request) -> None:
        self.plant.sit_lever = field(request, "value", bool)
        self.hold("sit_lever", request, lambda: setattr(self.plant, "sit_lever", False))

    def _joystick(self, request: Request) -> None:
        self.plant.joystick = number(request, "value", -1.0, 1.0)
        self.hold("joystick", request, lambda: setattr(self.plant, "joystick", 0.0))

    def _roboteq(self, request: Request) -> None:
        self.roboteq.supplied = field(request, "power", bool)
        if not self.roboteq.supplied:
            self.roboteq.power_lost()
