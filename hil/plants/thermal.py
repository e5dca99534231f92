"""A body that copper heats and air cools: motor windings, a battery. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hil.plants.axis import STEP_S


@dataclass(slots=True)
class ThermalBody:
    """One heat capacity (J/K) and one resistance to the air (K/W)."""

    capacity_j_k: float
    resistance_k_w: float
    temperature_c: float = 22.0
    ambient_c: float = 22.0

    @property
    def time_constant_s(self) -> float:
        """After which 63 % of a change is done."""
        return self.capacity_j_k * self.resistance_k_w

    def step(self, heat_w: float, step_s: float = STEP_S) -> None:
        """One step, exact for constant heat."""
        final_c = self.ambient_c + heat_w * self.resistance_k_w
        share = -math.expm1(-step_s / self.time_constant_s)
        self.temperature_c += (final_c - self.temperature_c) * share
