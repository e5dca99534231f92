"""The standing wheelchair: actuator, standing frame, feet, brakes, drive motors, battery. Pure.

The drive motors move only by a person's joystick: nothing here turns a message into speed.
"""

from __future__ import annotations

from hil.plants.axis import OFF, SLOW_STEPS, STEP_S, Axis, AxisCommand
from hil.plants.battery import Battery
from hil.plants.chain import EstopChain
from hil.plants.standing import (
    CHAIR_KG,
    STAND_DEG,
    STROKE_MM,
    Point,
    actuator_n,
    centre,
    knee_n,
    stand_angle_deg,
    tip_margin_mm,
)
from hil.plants.thermal import ThermalBody

ACTUATOR_FULL_MM_S = 20.0
DRIVE_FULL_MM_S = 1500.0
SIT_LEVER = AxisCommand(True, -10.0, 60.0, 60.0)
_ESTOP_MM_S2 = 100.0
_IDLE_W = 5.0
_JAM_A = 26.0
CASTOR_LOCK_MM = 2.0  # the standing frame presses the bolts down
_WINDING_OHM = 0.4


class ChairPlant:
    """State of room 2; the actuator node sets `actuator_command`, the Roboteq `drive_released`."""

    def __init__(self, mass_kg: float = 75.0) -> None:
        self.mass_kg = mass_kg
        self.actuator = Axis(0.0, 0.0, STROKE_MM)
        self.drive = Axis(0.0, -1e9, 1e9)
        self.battery = Battery()
        self.chain = EstopChain(_ESTOP_MM_S2)
        self.actuator_command = OFF
        self.run_enable = False
        self.drive_released = False
        self.joystick = 0.0  # -1..1, the person's hand
        self.sit_lever = False
        self.jammed = False
        self.feet_on_plate = True
        self.knee = self.belt = self.brakes = True
        self.castors = True  # their lock works
        self.pitch_deg = self.roll_deg = 0.0
        self.lean_mm = self.side_mm = 0.0  # the person reaches forward, or to the right
        self.motor = ThermalBody(500.0, 2.5)
        self.tipped = False
        self._steps = 0

    def step(self) -> None:
        """One millisecond."""
        self.chain.step(self.actuator)
        self._step_actuator()
        self.drive.step(self._drive_command())
        self._steps += 1
        if self._steps % SLOW_STEPS == 0:
            self._step_slowly(STEP_S * SLOW_STEPS)

    def _step_slowly(self, step_s: float) -> None:
        load_w = _IDLE_W + 24.0 * self.current_a + abs(self.drive.velocity_mm_s) * 0.1
        self.battery.step(load_w, step_s)
        self.motor.step(_WINDING_OHM * self.current_a**2, step_s)
        self.tipped = self.tipped or self.tip_margin_mm < 0.0

    def _step_actuator(self) -> None:
        if self.sit_lever:
            # the lever releases the spindle mechanically: no bus, no battery
            self.actuator.step(SIT_LEVER)
        elif self.jammed or self.battery.empty:
            self.actuator.step(OFF)
        else:
            self.actuator.step(self.chain.pass_on(self.actuator_command))

    def _drive_command(self) -> AxisCommand:
        supplied = self.run_enable and not self.chain.pressed and not self.battery.empty
        if not supplied or self.brakes or not self.drive_released:
            return OFF
        return AxisCommand(True, self.joystick * DRIVE_FULL_MM_S, 600.0, 1200.0)

    @property
    def angle_deg(self) -> float:
        """Stand angle: 0 seated, 80 standing."""
        return stand_angle_deg(self.actuator.position_mm)

    @property
    def centre(self) -> Point:
        """Centre of mass of chair and person, from the ground below the rear wheels."""
        return centre(self.mass_kg, self.angle_deg, self.lean_mm)

    @property
    def tip_margin_mm(self) -> float:
        """How far it is from tipping over an edge of its wheels."""
        side_mm = self.side_mm * self.mass_kg / (self.mass_kg + CHAIR_KG)
        return tip_margin_mm(self.centre, side_mm, self.pitch_deg, self.roll_deg)

    @property
    def knee_n(self) -> float:
        """Push on the knee block; nothing holds an open one."""
        return knee_n(self.mass_kg, self.angle_deg, self.lean_mm) if self.knee else 0.0

    @property
    def actuator_n(self) -> float:
        """What the actuator carries."""
        return actuator_n(self.mass_kg, self.actuator.position_mm)

    @property
    def seat_kg(self) -> float:
        """Share of the body weight on the seat."""
        return self.mass_kg - self.feet_kg

    @property
    def current_a(self) -> float:
        """Actuator current from the person's weight and the direction."""
        wanted_mm_s = self.actuator_command.target_mm_s
        if self.jammed and self.actuator_command.torque_on and wanted_mm_s:
            return _JAM_A
        if self.actuator.brake_closed or self.sit_lever or self.actuator.stands:
            return 0.0
        extending = self.actuator.velocity_mm_s > 0
        return 1.5 + 0.05 * self.mass_kg if extending else 1.0 + 0.01 * self.mass_kg

    @property
    def feet_kg(self) -> float:
        """Share of the body weight on the foot plate, rising with the stand angle."""
        share = 0.15 + 0.75 * self.angle_deg / STAND_DEG
        return self.mass_kg * share if self.feet_on_plate else 0.0

    def contacts(self) -> dict[str, bool]:
        """The switches as wired: true is closed, harmless."""
        return {
            "knee_a": self.knee,
            "knee_b": self.knee,
            "belt_a": self.belt,
            "belt_b": self.belt,
            "brakes": self.brakes,
            "castors": self.castors and self.actuator.position_mm > CASTOR_LOCK_MM,
            "charger_absent": not self.battery.charger_present,
            "estop_a": not self.chain.pressed,
            "estop_b": not self.chain.pressed,
        }
