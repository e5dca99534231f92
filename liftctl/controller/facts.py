"""From the gate's facts to triggers: of a transfer and of the device mode.

Role: level-triggered predicates in a fixed order; a trigger without an edge from the present step
means nothing. Process: controller. Must never: conclude anything from a missing gate but
"offline".
"""

from __future__ import annotations

from collections.abc import Callable

from liftctl.controller.flow import Case
from liftctl.controller.flows import DEVICE, Mode, Step, Trigger
from liftctl.controller.permissions import awaits_loops, is_loaded
from liftctl.controller.values import State, Transfer
from liftctl.ipc import GateState

Predicate = Callable[[GateState, Transfer], bool]


def _moving(*names: str) -> Predicate:
    return lambda gate, transfer: gate.moving.upper() in names


FACTS: tuple[tuple[Trigger, Predicate], ...] = (
    (Trigger.RECORDED, lambda gate, transfer: transfer.opened),
    (Trigger.LOAD_TAKEN, lambda gate, transfer: is_loaded(gate) and not transfer.carrying),
    (Trigger.HELD_FOR_LOOPS, awaits_loops),
    (Trigger.LOAD_GONE, lambda gate, transfer: transfer.carrying and not is_loaded(gate)),
    (Trigger.MOVED_UP, _moving("UP")),
    (Trigger.MOVED_SIDE, _moving("LEFT", "RIGHT")),
    (Trigger.MOVED_DOWN, _moving("DOWN")),
    (Trigger.MOVED_STAND, _moving("STAND")),
    (Trigger.MOVED_SIT, _moving("SIT")),
    (Trigger.STOOD_STILL, _moving("")),
)

_DEGRADING = frozenset({"guard_cut", "lag_warn", "battery_reserve", "battery_critical"})


def _degraded(gate: GateState) -> bool:
    """A part of the house is missing or blind; our own lost lease is not news to us."""
    return any(
        row in _DEGRADING or (row.endswith(("_lost", "?")) and row != "permission_lost")
        for row in gate.active
    )


def _wishes(state: State, gate: GateState, service_rows: frozenset[str]) -> tuple[str, ...]:
    if any(row in service_rows for row in gate.latched):
        return ("seen", "quarantine")
    if state.mode in (Mode.OFFLINE, Mode.STARTING) and "boot_faulted" in gate.active:
        return ("seen",)
    if gate.mode == "faulted" or gate.latched:
        return ("seen", "fault")
    if gate.config_fallback or state.orphan:
        return ("seen", "lower_only")
    busy = state.transfer is not None and state.transfer.step is not Step.DONE
    use = "use" if busy else "free"
    return ("seen", "recover", use, "degrade" if _degraded(gate) else "restore")


def mode_of(state: State, service_rows: frozenset[str]) -> Mode:
    """The device mode after the newest facts."""
    case = Case(state=state.mode)
    gate = state.gate
    for trigger in ("lost",) if gate is None else _wishes(state, gate, service_rows):
        DEVICE.fire(case, trigger)
    return Mode(case.state)


def orphaned(state: State, gate: GateState) -> bool:
    """Someone hangs or stands without an open transfer, or did when we started."""
    if state.transfer is not None:
        return False
    first = state.gate is None or state.orphan
    return gate.aloft or gate.standing or (first and gate.in_flight)
