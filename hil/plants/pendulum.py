"""The swing of a hanging load below a trolley whose strap changes its length. Pure."""

from __future__ import annotations

import math

from hil.plants.axis import STEP_S
from hil.plants.constants import G_M_S2

_DAMPING = 0.02  # of the critical: air, straps, a person
_HELD_DAMPING = 1.0  # something below carries a part


class Pendulum:
    """Angle from the vertical, positive to the right of the trolley."""

    def __init__(self, step_s: float = STEP_S, damping: float = _DAMPING) -> None:
        self.angle_rad = self.rate_rad_s = 0.0
        self._step_s, self._damping = step_s, damping

    def step(
        self, length_m: float, length_m_s: float, trolley_m_s2: float, *, held: bool = False
    ) -> None:
        """One step, semi-implicit: the energy of a free swing stays."""
        if not (self.angle_rad or self.rate_rad_s or trolley_m_s2):
            return  # at rest, and nothing moves it
        omega = math.sqrt(G_M_S2 / length_m)
        damping = _HELD_DAMPING if held else self._damping
        angle, rate = self.angle_rad, self.rate_rad_s
        accel = -omega * omega * math.sin(angle) - trolley_m_s2 / length_m * math.cos(angle)
        accel -= 2.0 * (length_m_s / length_m + damping * omega) * rate
        self.rate_rad_s = rate + accel * self._step_s
        self.angle_rad = angle + self.rate_rad_s * self._step_s

    def pull_share(self, length_m: float) -> float:
        """Pull along the strap per weight: least at the ends of a swing, most in its middle."""
        if not (self.angle_rad or self.rate_rad_s):
            return 1.0
        return math.cos(self.angle_rad) + length_m * self.rate_rad_s**2 / G_M_S2

    def offset_mm(self, length_m: float) -> float:
        """How far the load hangs beside the trolley."""
        return length_m * math.sin(self.angle_rad) * 1000.0

    def energy_j_kg(self, length_m: float) -> float:
        """Kinetic and potential, per kilogram, at constant length."""
        moving = (length_m * self.rate_rad_s) ** 2 / 2.0
        return moving + G_M_S2 * length_m * (1.0 - math.cos(self.angle_rad))
