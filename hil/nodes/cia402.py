"""The CiA 402 state machine: controlword in, statusword and stop ramps out. Pure."""

from __future__ import annotations

from enum import IntEnum


class DriveState(IntEnum):
    """States with their statusword bits."""

    SWITCH_ON_DISABLED = 0x40
    READY = 0x21
    SWITCHED_ON = 0x23
    OPERATION_ENABLED = 0x27
    QUICK_STOP_ACTIVE = 0x07
    FAULT_REACTION = 0x0F
    FAULT = 0x08


class Ramp(IntEnum):
    """How a commanded stop brakes."""

    NONE = 0
    PROFILE = 1
    QUICK = 2


_S = DriveState
_POWERED = (_S.OPERATION_ENABLED, _S.QUICK_STOP_ACTIVE, _S.FAULT_REACTION)
_QUICK_STOP_RAMP = {1: Ramp.PROFILE, 2: Ramp.QUICK, 5: Ramp.PROFILE, 6: Ramp.QUICK}


class DriveMachine:
    """The state, and the ramp that is under way while the axis still turns."""

    def __init__(self) -> None:
        self.state = DriveState.SWITCH_ON_DISABLED
        self.ramp = Ramp.NONE
        self.halted = False
        self._after = DriveState.SWITCH_ON_DISABLED
        self._word = 0

    @property
    def powered(self) -> bool:
        """Whether the power stage is on."""
        return self.state in _POWERED

    def control(self, word: int, quick_stop_option: int, *, voltage: bool) -> None:
        """Execute a controlword."""
        rising = word & ~self._word
        self._word = word
        self.halted = bool(word & 0x100)
        if self.state == _S.FAULT:
            if rising & 0x80:
                self.state = _S.SWITCH_ON_DISABLED
        elif self.state == _S.FAULT_REACTION:
            return
        elif not word & 0x02 or not voltage:
            self.disable()
        elif not word & 0x04:
            self._quick_stop_command(quick_stop_option)
        elif word & 0x07 == 0x06:
            self._shutdown()
        else:
            self._switch_on(enable=bool(word & 0x08))

    def _quick_stop_command(self, option: int) -> None:
        if self.state == _S.OPERATION_ENABLED:
            self.quick_stop(option)
        elif self.state in (_S.READY, _S.SWITCHED_ON):
            self.disable()

    def _shutdown(self) -> None:
        if self.state != _S.QUICK_STOP_ACTIVE:
            self.state, self.ramp = _S.READY, Ramp.NONE

    def _switch_on(self, *, enable: bool) -> None:
        if self.state == _S.READY:
            self.state = _S.SWITCHED_ON
        elif enable and self.state == _S.SWITCHED_ON:
            self.state = _S.OPERATION_ENABLED
        elif enable and self.state == _S.QUICK_STOP_ACTIVE and self._after == self.state:
            self.state, self.ramp = _S.OPERATION_ENABLED, Ramp.NONE
        elif self.state == _S.OPERATION_ENABLED:
            self.ramp = Ramp.NONE if enable else Ramp.PROFILE
            self._after = _S.SWITCHED_ON

    def disable(self) -> None:
        """Torque off at once; a fault stays."""
        if self.state not in (_S.FAULT, _S.FAULT_REACTION):
            self.state, self.ramp = _S.SWITCH_ON_DISABLED, Ramp.NONE

    def quick_stop(self, option: int) -> None:
        """Stop as object 605A says; options 5 and 6 stay in quick stop afterwards."""
        if self.state != _S.OPERATION_ENABLED:
            return
        if option not in _QUICK_STOP_RAMP:
            self.disable()
            return
        self.state, self.ramp = _S.QUICK_STOP_ACTIVE, _QUICK_STOP_RAMP[option]
        self._after = self.state if option in (5, 6) else _S.SWITCH_ON_DISABLED

    def fault(self) -> None:
        """Brake on the quick-stop ramp, then fault."""
        if self.powered:
            self.state, self.ramp, self._after = _S.FAULT_REACTION, Ramp.QUICK, _S.FAULT
        else:
            self.state, self.ramp = _S.FAULT, Ramp.NONE

    def at_standstill(self) -> None:
        """The axis stands: a ramp under way is finished."""
        if self.ramp != Ramp.NONE:
            self.state = self._after
            if self.state != _S.QUICK_STOP_ACTIVE:
                self.ramp = Ramp.NONE
