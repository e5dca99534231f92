"""The ceiling lift: hoist, traverse, sling load, e-stop chain, red strap, battery. Pure.

The plant obeys its hardware only: torque, brakes, contacts. It must never know a message.
"""

from __future__ import annotations

from hil.plants.axis import OFF, Axis, AxisCommand
from hil.plants.battery import Battery
from hil.plants.chain import EstopChain
from hil.plants.sling import G_M_S2, SlingLoad, surface_at

BAR_LOW_MM, BAR_HIGH_MM = 300.0, 2100.0
RAIL_LEFT_MM, RAIL_RIGHT_MM = 0.0, 4000.0
LIMIT_MARGIN_MM = 20.0
RAIL_MARGIN_MM = 80.0
STRAP_LOWERING = AxisCommand(True, -40.0, 400.0, 400.0)
OVERSPEED_MM_S = 250.0
_ESTOP_MM_S2 = 1000.0
_OVERSPEED_BRAKE_MM_S2 = 6000.0
_RATED_N = 200.0 * G_M_S2
_IDLE_W = 6.0
_UNHOOK_BELOW_KG = 5.0
_HOOK_BELOW_FREE_MM = 20.0
_REACH_MM = 200.0


class LiftPlant:
    """State of room 1; the drives set `hoist_command` and `traverse_command`."""

    def __init__(self, mass_kg: float = 75.0, *, overspeed_brake: bool = True) -> None:
        self.hoist = Axis(1400.0, BAR_LOW_MM, BAR_HIGH_MM)
        self.traverse = Axis(400.0, RAIL_LEFT_MM, RAIL_RIGHT_MM)
        self.load = SlingLoad(mass_kg, 400.0)
        self.battery = Battery()
        self.chain = EstopChain(_ESTOP_MM_S2)
        self.hoist_command = self.traverse_command = OFF
        self.run_enable = False
        self.strap_pulled = False
        self.overspeed_latched = False
        self._has_overspeed_brake = overspeed_brake

    def step(self) -> None:
        """One millisecond."""
        self.chain.step(self.hoist, self.traverse)
        self._step_hoist()
        self.traverse.step(self._powered(self.traverse_command))
        self.load.step(self.hoist.position_mm, self.hoist.velocity_mm_s, self.traverse.position_mm)
        self.battery.step(self._power_w())

    def _powered(self, command: AxisCommand) -> AxisCommand:
        return OFF if self.battery.empty else self.chain.pass_on(command)

    def _step_hoist(self) -> None:
        if self._has_overspeed_brake and self.hoist.velocity_mm_s < -OVERSPEED_MM_S:
            self.overspeed_latched = True
        if self.overspeed_latched:
            self.hoist.brake(_OVERSPEED_BRAKE_MM_S2)
        elif self.strap_pulled:
            # the strap releases the brake mechanically and overrides motor, bus and battery
            self.hoist.step(STRAP_LOWERING)
        else:
            self.hoist.step(self._powered(self.hoist_command))

    def _power_w(self) -> float:
        lifting_w = max(0.0, self.hoist.velocity_mm_s) / 1000.0 * self.load.tension_n / 0.5
        return _IDLE_W + lifting_w + abs(self.traverse.velocity_mm_s) * 0.1

    @property
    def hoist_current_permille(self) -> float:
        """Motor current from the load; nothing while the brake holds."""
        if self.hoist.brake_closed:
            return 0.0
        share = 1.1 if self.hoist.velocity_mm_s >= 0 else 0.6
        return 50.0 + 1000.0 * share * self.load.tension_n / _RATED_N

    @property
    def traverse_current_permille(self) -> float:
        """Friction only."""
        return 0.0 if self.traverse.brake_closed else 80.0 + abs(self.traverse.velocity_mm_s) * 0.5

    def contacts(self) -> dict[str, bool]:
        """The switches as wired: true is the free, closed, harmless side."""
        bar, rail = self.hoist.position_mm, self.traverse.position_mm
        return {
            "upper_limit_free": bar < BAR_HIGH_MM - LIMIT_MARGIN_MM,
            "lower_limit_free": bar > BAR_LOW_MM + LIMIT_MARGIN_MM,
            "strap_tight": self.load.strap_tight,
            "left_end_free": rail > RAIL_LEFT_MM + RAIL_MARGIN_MM,
            "right_end_free": rail < RAIL_RIGHT_MM - RAIL_MARGIN_MM,
            "estop_a": not self.chain.pressed,
            "estop_b": not self.chain.pressed,
            "charger_absent": not self.battery.charger_present,
        }

    def hook(self) -> str | None:
        """A carer attaches the sling; the reason if they cannot."""
        x_mm = self.traverse.position_mm
        free_mm = surface_at(self.load.person_x_mm).free_mm
        if self.load.hooked:
            return "already hooked"
        if abs(x_mm - self.load.person_x_mm) > _REACH_MM:
            return f"the bar is {abs(x_mm - self.load.person_x_mm):.0f} mm beside the person"
        if self.hoist.position_mm > free_mm - _HOOK_BELOW_FREE_MM:
            return f"the bar is too high, lower it to {free_mm - 60:.0f} mm"
        self.load.hook(x_mm)
        return None

    def unhook(self) -> str | None:
        """A carer detaches the sling; the reason if they cannot."""
        if not self.load.hooked:
            return "not hooked"
        if self.load.reading_kg >= _UNHOOK_BELOW_KG:
            return f"the strap carries {self.load.reading_kg:.1f} kg"
        self.load.unhook(self.traverse.position_mm)
        return None
