"""A 24 V lead battery: charge, voltage sag, charger. Pure."""

from __future__ import annotations

from hil.plants.axis import STEP_S

_CAPACITY_J = 24 * 5 * 3600.0
_RESISTANCE_OHM = 0.15
_CHARGER_W = 60.0


class Battery:
    """State of charge 0..1; empty means no torque anywhere."""

    def __init__(self, soc: float = 0.9) -> None:
        self.soc = soc
        self.charger_present = False
        self._load_w = 0.0

    @property
    def empty(self) -> bool:
        """Nothing left to drive a motor with."""
        return self.soc <= 0.0

    @property
    def voltage_v(self) -> float:
        """Terminal voltage under the present load."""
        open_circuit = 22.0 + 4.0 * self.soc
        return open_circuit - self._load_w / open_circuit * _RESISTANCE_OHM

    def step(self, load_w: float) -> None:
        """One millisecond at this electrical load."""
        self._load_w = load_w - _CHARGER_W * self.charger_present
        self.soc = min(1.0, max(0.0, self.soc - self._load_w * STEP_S / _CAPACITY_J))
