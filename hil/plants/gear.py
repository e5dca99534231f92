"""Gear, drum and holding brake of a hoist: ratios, friction, what holds without power. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from hil.plants.axis import STEP_S


@dataclass(frozen=True, slots=True)
class Gear:
    """`efficiency` when the motor drives the load; below one half the load cannot drive it back."""

    efficiency: float = 0.62
    ratio: float = 120.0

    @property
    def back_efficiency(self) -> float:
        """Share of the load's force that arrives at the motor: 2 - 1/efficiency, none below 0."""
        return 2.0 - 1.0 / self.efficiency

    @property
    def is_self_locking(self) -> bool:
        """No load, however heavy, turns it."""
        return self.back_efficiency <= 0.0


@dataclass(frozen=True, slots=True)
class Drum:
    """A strap wound upon itself: the radius grows by its thickness with every wrap."""

    core_mm: float = 25.0
    strap_mm: float = 1.5
    highest_mm: float = 2100.0
    lowest_mm: float = 300.0
    spare_wraps: float = 2.0

    def wound_mm(self, bar_mm: float) -> float:
        """Strap on the drum with the bar at this height, beyond the spare wraps."""
        return bar_mm - self.lowest_mm

    def radius_mm(self, bar_mm: float) -> float:
        """Where the strap leaves the drum: pi (r^2 - r0^2) = length x thickness."""
        bare = self.core_mm + self.spare_wraps * self.strap_mm
        return math.sqrt(bare**2 + self.wound_mm(bar_mm) * self.strap_mm / math.pi)

    def turns(self, bar_mm: float) -> float:
        """Turns since the lowest height."""
        return (self.radius_mm(bar_mm) - self.radius_mm(self.lowest_mm)) / self.strap_mm

    def motor_rpm(self, bar_mm: float, bar_mm_s: float, gear: Gear) -> float:
        """Motor speed behind this speed of the bar."""
        return bar_mm_s / (2 * math.pi * self.radius_mm(bar_mm)) * 60.0 * gear.ratio

    def motor_nm(self, bar_mm: float, tension_n: float, gear: Gear, *, raising: bool) -> float:
        """Torque the motor must hold against this tension."""
        load_nm = tension_n * self.radius_mm(bar_mm) / 1000.0 / gear.ratio
        return load_nm / gear.efficiency if raising else load_nm * max(0.0, gear.back_efficiency)


class BrakeMode(StrEnum):
    """What is wrong with a brake."""

    OK = "ok"
    SLIPPING = "slipping"  # worn or oily: it holds `hold_n` only
    STUCK_OPEN = "stuck_open"
    STUCK_CLOSED = "stuck_closed"


_HOLD_N = 4500.0  # at the strap, through the gear
_ENGAGE_S = 0.02


class Brake:
    """A spring-applied brake: without current it closes, a moment later."""

    def __init__(self, hold_n: float = _HOLD_N, engage_s: float = _ENGAGE_S) -> None:
        self.mode = BrakeMode.OK
        self.hold_n, self.engage_s = hold_n, engage_s
        self.slip_n = 100.0  # what a slipping brake still holds
        self._open_s = math.inf  # since its current went; it starts closed

    def step(self, *, current: bool, step_s: float = STEP_S) -> None:
        """One step with or without current in its coil."""
        self._open_s = 0.0 if current else self._open_s + step_s

    def close_at_rest(self) -> None:
        """Its drive stands and lets it close before it lets the torque go."""
        self._open_s = math.inf

    @property
    def is_closed(self) -> bool:
        """The lining touches."""
        if self.mode is BrakeMode.STUCK_CLOSED:
            return True
        return self.mode is not BrakeMode.STUCK_OPEN and self._open_s > self.engage_s

    @property
    def friction_n(self) -> float:
        """The force it can hold now, as felt at the strap."""
        if not self.is_closed:
            return 0.0
        return self.slip_n if self.mode is BrakeMode.SLIPPING else self.hold_n
