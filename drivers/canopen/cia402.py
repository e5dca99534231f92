"""CiA 402 drives: statusword to state, command to controlword (CiA 402-2, state machine).

Role: pure tables. Process: the gate. Must never: set bit 7 (fault reset) without being asked, or
give a velocity to a drive that is not in OPERATION ENABLED.
"""

from __future__ import annotations

from enum import StrEnum

from safety.verdict import AxisCommand, Cmd

DISABLE_VOLTAGE, QUICK_STOP, SHUTDOWN, SWITCH_ON, ENABLE = 0x00, 0x02, 0x06, 0x07, 0x0F
FAULT_RESET = 0x80
FAULT_BIT = 0x08  # set in FAULT REACTION ACTIVE and in FAULT


class DriveMode(StrEnum):
    """The states of the CiA 402 state machine; UNKNOWN for a bit pattern it does not have."""

    NOT_READY = "not ready to switch on"
    DISABLED = "switch on disabled"
    READY = "ready to switch on"
    SWITCHED_ON = "switched on"
    ENABLED = "operation enabled"
    QUICK_STOP = "quick stop active"
    FAULT_REACTION = "fault reaction active"
    FAULT = "fault"
    UNKNOWN = "unknown"


_STATES = (
    (0x4F, 0x00, DriveMode.NOT_READY),
    (0x4F, 0x40, DriveMode.DISABLED),
    (0x6F, 0x21, DriveMode.READY),
    (0x6F, 0x23, DriveMode.SWITCHED_ON),
    (0x6F, 0x27, DriveMode.ENABLED),
    (0x6F, 0x07, DriveMode.QUICK_STOP),
    (0x4F, 0x0F, DriveMode.FAULT_REACTION),
    (0x4F, 0x08, DriveMode.FAULT),
)
_STOPS = {Cmd.REST: SHUTDOWN, Cmd.QUICK: QUICK_STOP, Cmd.ISOLATE: DISABLE_VOLTAGE}
_TOWARDS_ENABLED = {
    DriveMode.READY: SWITCH_ON,
    DriveMode.SWITCHED_ON: ENABLE,
    DriveMode.ENABLED: ENABLE,
    # Object 605A = 2 takes the drive on to SWITCH ON DISABLED by itself.
    DriveMode.QUICK_STOP: QUICK_STOP,
    DriveMode.FAULT_REACTION: DISABLE_VOLTAGE,
    DriveMode.FAULT: DISABLE_VOLTAGE,
}


def mode_of(statusword: int) -> DriveMode:
    """The state a statusword (object 6041) encodes."""
    for mask, value, mode in _STATES:
        if statusword & mask == value:
            return mode
    return DriveMode.UNKNOWN


def controlword_for(statusword: int | None, command: AxisCommand) -> tuple[int, float]:
    """Controlword (object 6040) and target velocity in mm/s; `statusword` None: not yet heard."""
    if command.cmd in _STOPS:
        return _STOPS[command.cmd], 0.0
    mode = DriveMode.UNKNOWN if statusword is None else mode_of(statusword)
    moving = command.cmd is Cmd.MOVE and mode is DriveMode.ENABLED
    return _TOWARDS_ENABLED.get(mode, SHUTDOWN), command.speed_mm_s if moving else 0.0


def blind_controlword(step: int, command: AxisCommand) -> tuple[int, float]:
    """The same without a statusword, so that a lost frame leaves lowering (rule 5): shut down,
    switch on, enable, and only then a velocity. A drive in fault does not follow.
    """
    word = (SHUTDOWN, SWITCH_ON, ENABLE)[min(step, 2)]
    moving = command.cmd is Cmd.MOVE and step > 2
    return word, command.speed_mm_s if moving else 0.0
