"""May a configuration be taken now: nothing moves, nobody hangs or stands, no transfer runs.

Role: pure. Process: support; the gate asks itself again before it ends. Must never: take silence or
an unknown reading for an empty lift.
"""

from __future__ import annotations

from config.schema import Site
from liftctl.ipc import ControllerState, GateState
from safety.types import SignalId

FRESH_NS = 500_000_000
SPEEDS = {
    "lift": (SignalId.HOIST_SPEED, SignalId.TRAVERSE_SPEED),
    "chair": (SignalId.STAND_SPEED, SignalId.DRIVE_SPEED),
}


def busy(
    site: Site, gate: GateState | None, controller: ControllerState | None, now_ns: int
) -> str:
    """ "" when it is idle and unloaded, else the code of why it is not known to be."""
    if gate is None or controller is None:
        return "LC-REM-IDLE"
    if now_ns - gate.tick_ns > FRESH_NS or gate.tick_ns - controller.tick_ns > FRESH_NS:
        return "LC-REM-IDLE"
    moves = gate.moving or gate.aloft or gate.standing or gate.in_flight
    if moves or controller.transfer is not None or not (_empty(site, gate) and _still(site, gate)):
        return "LC-REM-IDLE"
    return "LC-REM-FALLBACK" if gate.config_fallback else ""


def _still(site: Site, gate: GateState) -> bool:
    """Every axis says that it stands, also one that only the chair's own joystick drives."""
    values = [gate.values.get(name) for name in SPEEDS[site.kind]]
    return all(value is not None and abs(value) <= site.limits.still_mm_s for value in values)


def _empty(site: Site, gate: GateState) -> bool:
    limits = site.limits
    name, most = (
        (SignalId.LOAD_KG, limits.load_zero_kg)
        if site.kind == "lift"
        else (SignalId.STAND_POS, limits.standing_clear_mm)
    )
    value = gate.values.get(name)
    return value is not None and value <= most
