"""A 24 V lead battery: open-circuit curve, internal resistance, temperature, charger. Pure."""

from __future__ import annotations

import math
from itertools import pairwise

from hil.plants.axis import STEP_S
from hil.plants.thermal import ThermalBody

CAPACITY_J = 24 * 5 * 3600.0
# state of charge -> volts at rest; steep at both ends as lead batteries are
OPEN_CIRCUIT_V = ((0.0, 22.0), (0.1, 23.0), (0.3, 23.9), (0.5, 24.5), (0.8, 25.3), (1.0, 26.0))
RESISTANCE_OHM = 0.15
_CHARGER_W = 60.0
_WARM_C, _PER_KELVIN = 25.0, 0.01
_LOW_SOC, _LOW_GAIN = 0.2, 5.0  # nearly empty, the resistance doubles


def open_circuit_v(soc: float) -> float:
    """Volts at rest, straight between the points of the curve."""
    for (left, low), (right, high) in pairwise(OPEN_CIRCUIT_V):
        if soc <= right:
            return low + (high - low) * (soc - left) / (right - left)
    return OPEN_CIRCUIT_V[-1][1]


class Battery:
    """State of charge 0..1; empty means no torque anywhere."""

    def __init__(self, soc: float = 0.9) -> None:
        self.soc = soc
        self.charger_present = False
        self.aged = 1.0  # times the resistance of a new one
        self.body = ThermalBody(9000.0, 2.0)
        self._load_w = 0.0

    @property
    def empty(self) -> bool:
        """Nothing left to drive a motor with."""
        return self.soc <= 0.0

    @property
    def resistance_ohm(self) -> float:
        """Rises with cold, age and emptiness."""
        cold = 1.0 + _PER_KELVIN * max(0.0, _WARM_C - self.body.temperature_c)
        low = 1.0 + _LOW_GAIN * max(0.0, _LOW_SOC - self.soc)
        return RESISTANCE_OHM * self.aged * cold * low

    @property
    def current_a(self) -> float:
        """At constant power: U = E - R I and P = U I; the most it can give beyond that."""
        rest_v, ohm = open_circuit_v(self.soc), self.resistance_ohm
        inside = rest_v**2 - 4.0 * ohm * self._load_w
        return (rest_v - math.sqrt(inside)) / (2.0 * ohm) if inside > 0.0 else rest_v / (2.0 * ohm)

    @property
    def voltage_v(self) -> float:
        """Terminal voltage under the present load."""
        return open_circuit_v(self.soc) - self.resistance_ohm * self.current_a

    def step(self, load_w: float, step_s: float = STEP_S) -> None:
        """One step at this electrical load; what is lost inside is drawn as well."""
        self._load_w = load_w - _CHARGER_W * self.charger_present
        lost_w = self.resistance_ohm * self.current_a**2
        self.soc = min(1.0, max(0.0, self.soc - (self._load_w + lost_w) * step_s / CAPACITY_J))
        self.body.step(lost_w, step_s)
