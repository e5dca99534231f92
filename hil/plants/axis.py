"""One driven axis: velocity ramp, motor lag, holding brake, hard ends. Pure."""

from __future__ import annotations

from dataclasses import dataclass

STEP_NS = 1_000_000
STEP_S = STEP_NS / 1e9
SLOW_STEPS = 10  # heat and charge follow every so many steps
LAG_S = 0.003
BRAKE_MM_S2 = 2000.0


@dataclass(frozen=True, slots=True)
class AxisCommand:
    """What the drive asks of its motor; without torque the brake holds."""

    torque_on: bool = False
    target_mm_s: float = 0.0
    accel_mm_s2: float = 150.0
    decel_mm_s2: float = 300.0


OFF = AxisCommand()


class Axis:
    """Position and velocity between two hard ends."""

    def __init__(
        self, position_mm: float, low_mm: float, high_mm: float, step_s: float = STEP_S
    ) -> None:
        self.step_s = step_s
        self.position_mm = position_mm
        self.low_mm, self.high_mm = low_mm, high_mm
        self.velocity_mm_s = 0.0
        self.brake_closed = True
        self._ramp_mm_s = 0.0

    @property
    def stands(self) -> bool:
        """Exactly at rest."""
        return self.velocity_mm_s == 0.0

    def step(self, command: AxisCommand) -> None:
        """One step under power, or under the brake when there is no torque."""
        self.brake_closed = not command.torque_on
        if not command.torque_on:
            self.brake(BRAKE_MM_S2)
            return
        self._ramp_mm_s = _ramp(self._ramp_mm_s, command, self.step_s)
        error = self._ramp_mm_s - self.velocity_mm_s
        settled = command.target_mm_s == self._ramp_mm_s and abs(error) < 0.05
        change = error if settled else error * self.step_s / LAG_S
        self._move(self.velocity_mm_s + change)

    def brake(self, decel_mm_s2: float) -> None:
        """One step of mechanical braking."""
        self.brake_closed = True
        self._move(_towards(self.velocity_mm_s, 0.0, decel_mm_s2 * self.step_s))
        self._ramp_mm_s = self.velocity_mm_s

    def _move(self, velocity_mm_s: float) -> None:
        position = self.position_mm + velocity_mm_s * self.step_s
        self.position_mm = min(max(position, self.low_mm), self.high_mm)
        if position != self.position_mm:
            velocity_mm_s = self._ramp_mm_s = 0.0
        self.velocity_mm_s = velocity_mm_s


def _towards(value: float, target: float, step: float) -> float:
    return max(value - step, target) if value > target else min(value + step, target)


def _ramp(now_mm_s: float, command: AxisCommand, step_s: float) -> float:
    """The ramp one step on: away from zero with accel, towards zero with decel."""
    target = command.target_mm_s
    if now_mm_s * target < 0:
        return _towards(now_mm_s, 0.0, command.decel_mm_s2 * step_s)
    rate = command.accel_mm_s2 if abs(target) > abs(now_mm_s) else command.decel_mm_s2
    return _towards(now_mm_s, target, rate * step_s)
