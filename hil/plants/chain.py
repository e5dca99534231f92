"""The e-stop chain in hardware: ramp down, then no torque, whatever any bus says. Pure."""

from __future__ import annotations

from dataclasses import replace

from hil.plants.axis import OFF, STEP_S, Axis, AxisCommand

_TORQUE_OFF_AFTER_S = 0.5


class EstopChain:
    """Stop category 1: at most 0.5 s of ramp, then safe torque off and the brake."""

    def __init__(self, decel_mm_s2: float) -> None:
        self.pressed = False
        self.torque_off = False
        self._decel_mm_s2 = decel_mm_s2
        self._open_s = 0.0

    def step(self, *axes: Axis) -> None:
        """One millisecond; torque goes off once the axes stand or the time is over."""
        if not self.pressed:
            self._open_s, self.torque_off = 0.0, False
            return
        self._open_s += STEP_S
        stand = all(axis.stands for axis in axes)
        self.torque_off = self.torque_off or stand or self._open_s >= _TORQUE_OFF_AFTER_S

    def pass_on(self, command: AxisCommand) -> AxisCommand:
        """What is left of a drive's command."""
        if self.torque_off:
            return OFF
        if self.pressed and command.torque_on:
            decel = max(self._decel_mm_s2, command.decel_mm_s2)
            return replace(command, target_mm_s=0.0, decel_mm_s2=decel)
        return command
