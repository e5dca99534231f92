"""Hoist and traverse drive: a CiA 402 profile-velocity node with run enable and safe torque off."""

from __future__ import annotations

from typing import NamedTuple

from hil.nodes.canopen_node import CanopenNode
from hil.nodes.cia402 import DriveMachine, DriveState, Ramp
from hil.plants.axis import AxisCommand

_SPEED_TOLERANCE_MM_S = 0.5
_EMCY_UNDER_VOLTAGE = 0x3220


class DriveInputs(NamedTuple):
    """What the drive senses of motor and wires."""

    position_mm: float = 0.0
    velocity_mm_s: float = 0.0
    current_permille: float = 0.0
    run_enable: bool = False
    estop_open: bool = False
    torque_off: bool = False
    supplied: bool = True


class Drive(CanopenNode):
    """`docking_down_mm_s`: the speed allowed downwards without run enable; 0 allows none."""

    def __init__(self, eds: str, node_id: int, docking_down_mm_s: float) -> None:
        self.machine = DriveMachine()
        self.inputs = DriveInputs()
        self.runaway_mm_s: float | None = None
        self._docking_down_mm_s = docking_down_mm_s
        super().__init__(eds, node_id)

    def power_lost(self) -> None:
        """The power stage dies with the electronics."""
        self.machine = DriveMachine()

    def rpdo_received(self, now_ns: int) -> None:
        """A controlword is executed at each reception."""
        self._control()

    def sdo_written(self, key: tuple[int, int]) -> None:
        """A controlword may also come by SDO."""
        if key == (0x6040, 0):
            self._control()

    def _control(self) -> None:
        # with the e-stop chain open the bus has no say: the ramp runs, then torque goes
        if not self.inputs.estop_open:
            word, option = self.od[0x6040, 0], self.od[0x605A, 0]
            self.machine.control(word, option, voltage=self.inputs.supplied)

    def communication_lost(self) -> None:
        """Do what 6007 says; 0 carries on, as real drives do out of the box."""
        if not self.machine.powered:
            return
        option = self.od[0x6007, 0]
        if option == 1:
            self.machine.fault()
        elif option == 2:
            self.machine.disable()
        elif option == 3:
            self.machine.quick_stop(self.od[0x605A, 0])

    def application(self, now_ns: int) -> None:
        """Supervise the motor and publish the actual values."""
        sensed = self.inputs
        if not sensed.supplied:
            self.report(_EMCY_UNDER_VOLTAGE, 0x05)
            self.machine.fault()
        else:
            self.cleared(_EMCY_UNDER_VOLTAGE)
        if sensed.torque_off:
            self.machine.disable()
        elif sensed.estop_open or (not sensed.run_enable and self._needs_run_enable()):
            self.machine.quick_stop(self.od[0x605A, 0])
        if sensed.velocity_mm_s == 0.0:
            self.machine.at_standstill()
        self._publish()

    def _needs_run_enable(self) -> bool:
        down, tolerance = self._docking_down_mm_s, _SPEED_TOLERANCE_MM_S
        speeds = (self.target_mm_s, self.inputs.velocity_mm_s)
        return any(v > tolerance or v < -down - tolerance for v in speeds)

    @property
    def target_mm_s(self) -> float:
        """The velocity the loop is asked for, capped by 607F."""
        if self.runaway_mm_s is not None:
            return self.runaway_mm_s
        if self.machine.state != DriveState.OPERATION_ENABLED or self.machine.halted:
            return 0.0
        cap = self.od[0x607F, 0]
        return min(max(self.od[0x60FF, 0], -cap), cap) / 10.0

    @property
    def command(self) -> AxisCommand:
        """What the power stage does to the motor."""
        ramp = self.machine.ramp
        runs_away = self.runaway_mm_s is not None and self.machine.powered and not ramp
        stopping = ramp != Ramp.NONE and not runs_away
        decel = self.od[0x6085, 0] if ramp == Ramp.QUICK else self.od[0x6084, 0]
        return AxisCommand(
            self.machine.powered,
            0.0 if stopping else self.target_mm_s,
            self.od[0x6083, 0] / 10.0,
            decel / 10.0,
        )

    def _publish(self) -> None:
        sensed = self.inputs
        self.od[0x6041, 0] = self._statusword()
        self.od[0x6064, 0] = round(sensed.position_mm * 10)
        self.od[0x606C, 0] = round(sensed.velocity_mm_s * 10)
        self.od[0x6078, 0] = round(sensed.current_permille)
        self.od[0x60FD, 0] = sensed.run_enable | sensed.torque_off << 1

    def _statusword(self) -> int:
        enabled = self.machine.state == DriveState.OPERATION_ENABLED
        reached = enabled and abs(self.inputs.velocity_mm_s - self.target_mm_s) < 1.0
        capped = enabled and abs(self.od[0x60FF, 0]) > self.od[0x607F, 0]
        voltage = self.inputs.supplied and not self.inputs.torque_off
        stands = self.inputs.velocity_mm_s == 0.0
        return (
            self.machine.state | voltage << 4 | 1 << 9 | reached << 10 | capped << 11 | stands << 12
        )
