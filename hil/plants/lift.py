"""The ceiling lift: hoist, traverse, swinging load, e-stop chain, red strap, battery. Pure.

The plant obeys its hardware only: torque, brakes, contacts. It must never know a message.
"""

from __future__ import annotations

from hil.plants.axis import OFF, SLOW_STEPS, STEP_S, Axis, AxisCommand
from hil.plants.battery import Battery
from hil.plants.chain import EstopChain
from hil.plants.constants import G_M_S2
from hil.plants.hoist import Hoist
from hil.plants.pendulum import Pendulum
from hil.plants.sling import SlingLoad
from hil.plants.thermal import ThermalBody

BAR_LOW_MM, BAR_HIGH_MM = 300.0, 2100.0
RAIL_LEFT_MM, RAIL_RIGHT_MM = 0.0, 4000.0
RAIL_HEIGHT_MM = 2400.0
LIMIT_MARGIN_MM = 20.0
RAIL_MARGIN_MM = 80.0
OVERSPEED_MM_S = 250.0
_CENTRE_BELOW_BAR_MM = 400.0  # of a person in a sling
_ESTOP_MM_S2 = 1000.0
_OVERSPEED_BRAKE_MM_S2 = 6000.0
_RATED_N = 200.0 * G_M_S2
_IDLE_W = 6.0
_UNHOOK_BELOW_KG = 5.0
_HOOK_BELOW_FREE_MM = 20.0
_REACH_MM = 200.0
_STALL_PERMILLE = 2000.0
_WINDING_W_FULL = 90.0  # copper loss at rated current
_HELD_N = 20.0  # this much support from below stops a swing


class LiftPlant:
    """State of room 1; the drives set `hoist_command` and `traverse_command`."""

    def __init__(self, mass_kg: float = 75.0, *, overspeed_brake: bool = True) -> None:
        self.hoist = Hoist(1400.0, BAR_LOW_MM, BAR_HIGH_MM)
        self.traverse = Axis(400.0, RAIL_LEFT_MM, RAIL_RIGHT_MM)
        self.load = SlingLoad(mass_kg, 400.0)
        self.swing = Pendulum()
        self.battery = Battery()
        self.motor = ThermalBody(1200.0, 0.8)
        self.chain = EstopChain(_ESTOP_MM_S2)
        self.hoist_command = self.traverse_command = OFF
        self.run_enable = False
        self.strap_pulled = False
        self.snag_mm: float | None = None  # the strap is caught: the bar sinks no lower
        self.rail_stop_mm: float | None = None  # something stands in the way of the trolley
        self.overspeed_latched = False
        self._has_overspeed_brake = overspeed_brake
        self._steps = 0

    def step(self) -> None:
        """One millisecond."""
        self.chain.step(self.hoist, self.traverse)
        self._step_hoist()
        before_mm_s = self.traverse.velocity_mm_s
        self._step_traverse()
        length_m = self.pendulum_m
        self._step_swing((self.traverse.velocity_mm_s - before_mm_s) / 1000.0, length_m)
        self._step_load(length_m)
        self._steps += 1
        if self._steps % SLOW_STEPS == 0:
            self._step_electrics(STEP_S * SLOW_STEPS)

    def _step_electrics(self, step_s: float) -> None:
        self.battery.step(self._power_w(), step_s)
        share = self.hoist_current_permille / 1000.0
        self.motor.step(_WINDING_W_FULL * share * share, step_s)

    def _powered(self, command: AxisCommand) -> AxisCommand:
        return OFF if self.battery.empty else self.chain.pass_on(command)

    def _step_hoist(self) -> None:
        if self._has_overspeed_brake and self.hoist.velocity_mm_s < -OVERSPEED_MM_S:
            self.overspeed_latched = True
        self.hoist.tension_n = self.load.tension_n
        # the strap releases the brake mechanically and overrides motor, bus and battery
        self.hoist.lowering_pulled = self.strap_pulled
        if self.overspeed_latched:
            self.hoist.brake(_OVERSPEED_BRAKE_MM_S2)
        else:
            self.hoist.step(self._powered(self.hoist_command))

    def _step_traverse(self) -> None:
        stop_mm, at_mm = self.rail_stop_mm, self.traverse.position_mm
        low_mm, high_mm = RAIL_LEFT_MM, RAIL_RIGHT_MM
        if stop_mm is not None:
            low_mm, high_mm = (low_mm, stop_mm) if at_mm <= stop_mm else (stop_mm, high_mm)
        self.traverse.low_mm, self.traverse.high_mm = low_mm, high_mm
        self.traverse.step(self._powered(self.traverse_command))

    @property
    def pendulum_m(self) -> float:
        """From the rail to the middle of who hangs there."""
        below_mm = RAIL_HEIGHT_MM - self.bar_mm + _CENTRE_BELOW_BAR_MM * self.load.hooked
        return max(100.0, below_mm) / 1000.0

    def _step_swing(self, trolley_m_s: float, length_m: float) -> None:
        held = self.load.support_n > _HELD_N or not self.load.strap_tight
        lengthens_m_s = -self.hoist.velocity_mm_s / 1000.0
        accel = trolley_m_s / self.traverse.step_s
        self.swing.step(length_m, lengthens_m_s, accel, held=held)

    @property
    def drum_slack_mm(self) -> float:
        """Strap paid out above the snag."""
        return max(0.0, self.bar_mm - self.hoist.position_mm)

    @property
    def bar_mm(self) -> float:
        """Height of the bar: that of the hoist, unless the strap is caught above it."""
        at_mm = self.hoist.position_mm
        return at_mm if self.snag_mm is None else max(at_mm, self.snag_mm)

    def _step_load(self, length_m: float) -> None:
        bar_mm = self.bar_mm
        slack = bar_mm > self.hoist.position_mm
        self.load.step(
            bar_mm,
            0.0 if slack else self.hoist.velocity_mm_s,
            self.traverse.position_mm,
            self.swing.pull_share(length_m),
            slack,
        )

    @property
    def swing_mm(self) -> float:
        """How far the load hangs to the right of the trolley."""
        return self.swing.offset_mm(self.pendulum_m)

    def _power_w(self) -> float:
        lifting_w = max(0.0, self.hoist.velocity_mm_s) / 1000.0 * self.load.tension_n / 0.5
        return _IDLE_W + lifting_w + abs(self.traverse.velocity_mm_s) * 0.1

    @property
    def hoist_current_permille(self) -> float:
        """Motor current from the load; nothing while the brake holds or the strap is pulled."""
        if self.hoist.stalled:
            return _STALL_PERMILLE
        if self.hoist.brake_closed or self.strap_pulled:
            return 0.0
        share = 1.1 if self.hoist.velocity_mm_s >= 0 else 0.6
        return 50.0 + 1000.0 * share * self.load.tension_n / _RATED_N

    @property
    def _traverse_blocked(self) -> bool:
        """It pushes against the thing in its way."""
        if self.rail_stop_mm is None or self.traverse.position_mm != self.rail_stop_mm:
            return False
        towards = self.traverse.high_mm == self.rail_stop_mm
        target = self.traverse_command.target_mm_s
        return self.traverse_command.torque_on and (target > 0.0 if towards else target < 0.0)

    @property
    def traverse_current_permille(self) -> float:
        """Friction only."""
        if self._traverse_blocked:
            return _STALL_PERMILLE
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
        free_mm = self.load.surface(self.load.person_x_mm).free_mm
        if self.load.hooked:
            return "already hooked"
        if abs(x_mm - self.load.person_x_mm) > _REACH_MM:
            return f"the bar is {abs(x_mm - self.load.person_x_mm):.0f} mm beside the person"
        if self.bar_mm > free_mm - _HOOK_BELOW_FREE_MM:
            return f"the bar is too high, lower it to {free_mm - 60:.0f} mm"
        self.load.hook(x_mm)
        return None

    def unhook(self) -> str | None:
        """A carer detaches the sling; the reason if they cannot."""
        if not self.load.hooked:
            return "not hooked"
        carried_kg = max(self.load.reading_kg, self.load.pull_n / G_M_S2)
        if carried_kg >= _UNHOOK_BELOW_KG:
            return f"the strap carries {carried_kg:.1f} kg"
        self.load.unhook(self.traverse.position_mm)
        return None
