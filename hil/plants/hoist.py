"""The hoist axis: a strong drive while it has torque; without it forces decide. Pure.

Force in newton at the strap, up is positive. The load pulls through the gear with its back
efficiency; what else may hold is the brake, the red strap's governor and the overspeed brake.
"""

from __future__ import annotations

from hil.plants.axis import STEP_S, Axis, AxisCommand
from hil.plants.gear import Brake, BrakeMode, Drum, Gear

REFLECTED_KG = 1100.0  # the motor's inertia as the strap feels it
VISCOUS_N_MM_S = 0.5
STALL_N = 6000.0
# the red strap: a carer's pull opens the brake and helps; a centrifugal governor limits
PULL_N, GOVERNOR_ON_MM_S, GOVERNOR_N_MM_S = 150.0, 39.4, 200.0


def strap_speed_mm_s(tension_n: float, gear: Gear) -> float:
    """Terminal speed of emergency lowering: pull + load x back efficiency = friction + governor."""
    drive_n = PULL_N + tension_n * gear.back_efficiency
    free = drive_n / VISCOUS_N_MM_S
    if free <= GOVERNOR_ON_MM_S:
        return max(0.0, free)
    governed = drive_n + GOVERNOR_N_MM_S * GOVERNOR_ON_MM_S
    return governed / (VISCOUS_N_MM_S + GOVERNOR_N_MM_S)


class Hoist(Axis):
    """`tension_n` is set before each step; `stalled` says that the motor could not."""

    def __init__(
        self, position_mm: float, low_mm: float, high_mm: float, step_s: float = STEP_S
    ) -> None:
        super().__init__(position_mm, low_mm, high_mm, step_s)
        self.gear, self.drum, self.stop = Gear(), Drum(), Brake()
        self.tension_n = 0.0
        self.stalled = False
        self.lowering_pulled = False

    def step(self, command: AxisCommand) -> None:
        """One step; the brake opens with the torque and closes a moment after it, or at rest."""
        self.stop.step(current=command.torque_on, step_s=self.step_s)
        if self.stands and not command.torque_on:
            self.stop.close_at_rest()
        blocked = self.stop.mode is BrakeMode.STUCK_CLOSED
        raising = command.target_mm_s > 0.0
        too_heavy = raising and self.tension_n > STALL_N
        self.stalled = command.torque_on and (blocked or too_heavy) and command.target_mm_s != 0.0
        if self.lowering_pulled or not command.torque_on:
            self._coast()
        elif self.stalled:
            self.brake_closed = blocked
            super().brake(5000.0)
        else:
            super().step(command)

    def _coast(self) -> None:
        friction_n = 0.0 if self.lowering_pulled else self.stop.friction_n
        self.brake_closed = self.stop.is_closed and not self.lowering_pulled
        force_n = self._load_n() - VISCOUS_N_MM_S * self.velocity_mm_s
        if self.lowering_pulled:
            over = -self.velocity_mm_s - GOVERNOR_ON_MM_S
            force_n += GOVERNOR_N_MM_S * max(0.0, over) - PULL_N
        per_n = 1000.0 / REFLECTED_KG * self.step_s  # mm/s of one newton in one step
        wanted = self.velocity_mm_s + force_n * per_n
        kept = max(0.0, abs(wanted) - friction_n * per_n)
        self._move(kept if wanted > 0 else -kept)
        self._ramp_mm_s = self.velocity_mm_s

    def _load_n(self) -> float:
        """The load through the gear: friction helps the load down nowhere, and up it hinders."""
        if self.velocity_mm_s > 0.0:
            return -self.tension_n / self.gear.efficiency
        back = self.gear.back_efficiency
        if self.velocity_mm_s == 0.0:
            return -self.tension_n * max(0.0, back)
        return -self.tension_n * back

    @property
    def motor_rpm(self) -> float:
        """Of the motor, positive raises."""
        return self.drum.motor_rpm(self.position_mm, self.velocity_mm_s, self.gear)
