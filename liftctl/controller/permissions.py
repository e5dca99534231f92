"""What each step permits: one table, read by `turn` and by the tests.

Role: Motion masks. Process: controller. Must never: leave DOWN and SIT out, or let a load rise
that nobody confirmed.
"""

from __future__ import annotations

from config.schema import Site
from liftctl.controller import plans
from liftctl.controller.flows import LANDED, Mode, Step
from liftctl.controller.values import State, Transfer
from liftctl.ipc import GateState, Permission
from safety.types import HOISTING, LOWERING, TRAVERSE, Motion

# The set-down height is taken to be the pick-up height until destinations are known.
SLOW_ZONE_MM = 200
ALWAYS_SLOW_MM = 100_000

_EMPTY_ONLY = (HOISTING | TRAVERSE, Motion.NONE)
_ALWAYS = (HOISTING | TRAVERSE, HOISTING | TRAVERSE)
_NONE = (Motion.NONE, Motion.NONE)
# Without an open record nothing rises; the empty lift may be fetched along its rail.
_FETCH = (TRAVERSE, Motion.NONE)
_UPRIGHT = (Motion.STAND, Motion.STAND)
_DRIVE = (Motion.DRIVE, Motion.NONE)

# (nobody hangs or stands, somebody does); lowering is added to every mask.
LIFT_MASKS = {
    Step.IDLE: _FETCH,
    Step.PLANNED: _FETCH,
    Step.CHECKING: _EMPTY_ONLY,
    Step.CONSENT: _EMPTY_ONLY,
    Step.HOOKING: _EMPTY_ONLY,
    Step.RAISING: (Motion.UP, Motion.UP),
    Step.TENSION_PAUSE: _NONE,
    Step.MOVING_UP: _ALWAYS,
    Step.TRAVERSING: _ALWAYS,
    Step.LOWERING: _ALWAYS,
    Step.SLACK: _NONE,
    Step.UNHOOKING: _NONE,
    Step.OUTCOME: _EMPTY_ONLY,
    Step.DONE: _FETCH,
}
CHAIR_MASKS = {
    Step.IDLE: _DRIVE,
    Step.PLANNED: _NONE,
    Step.CHECKING: _NONE,
    Step.CONSENT: _NONE,
    Step.STANDING_UP: _UPRIGHT,
    Step.STANDING: _UPRIGHT,
    Step.SITTING_DOWN: _UPRIGHT,
    Step.OUTCOME: _NONE,
    Step.DONE: _DRIVE,
}
MASKS = {"lift": LIFT_MASKS, "chair": CHAIR_MASKS}
AIR = (Step.MOVING_UP, Step.TRAVERSING, Step.LOWERING)
_LOWERING_MODES = (Mode.OFFLINE, Mode.STARTING, Mode.LOWERING_ONLY)


def is_loaded(gate: GateState | None) -> bool:
    """Somebody hangs or stands, or nobody knows."""
    return gate is None or gate.aloft or gate.standing


def awaits_loops(gate: GateState, transfer: Transfer) -> bool:
    """The kernel waits for the loops, or what hangs is not the pick-up that was confirmed (H5)."""
    if not gate.aloft or gate.pickup == transfer.confirmed_pickup:
        return False
    waits = gate.tension_pause or "tension_pause?" in gate.active
    return waits or transfer.step in AIR


def mask(kind: str, state: State) -> Motion:
    """The motions permitted now."""
    gate, transfer = state.gate, state.transfer
    if gate is None or state.mode in _LOWERING_MODES or (transfer and transfer.paused):
        return LOWERING
    # A carer's step may come between the fact and the tick that moves the machine.
    if transfer and awaits_loops(gate, transfer):
        return LOWERING
    step = transfer.step if transfer else Step.IDLE
    return MASKS[kind][step][is_loaded(gate)] | LOWERING


def slow_below_mm(gate: GateState, transfer: Transfer | None) -> int:
    """Docking speed below this height. An unknown pick-up height is slow everywhere.

    So is the bar over whoever was just set down, and over whoever is hooked to it (H8).
    """
    step = transfer.step if transfer else Step.IDLE
    if step in LANDED:
        return ALWAYS_SLOW_MM
    if transfer is None or not transfer.carrying:
        return ALWAYS_SLOW_MM if is_loaded(gate) or step is Step.RAISING else 0
    if transfer.pickup_height_mm is None:
        return ALWAYS_SLOW_MM
    return round(transfer.pickup_height_mm) + SLOW_ZONE_MM


def locks(site: Site, state: State) -> tuple[str, ...]:
    """What a person or the calendar forbids (safety.table.LOCKS)."""
    found = set(state.locks)
    found |= {"paused"} if state.transfer and state.transfer.paused else set()
    found |= {"overdue"} if plans.overdue(site, state.upkeep, state.today) else set()
    return tuple(sorted(found))


def permission(site: Site, state: State, gate: GateState) -> Permission:
    """The lease for `gate`, the newest tick."""
    transfer = state.transfer
    open_now = transfer is not None and transfer.opened and transfer.step is not Step.DONE
    return Permission(
        echo_ns=gate.tick_ns,
        motions=int(mask(site.kind, state)),
        confirmed_pickup=transfer.confirmed_pickup if transfer else 0,
        in_transfer=open_now,
        slow_below_mm=slow_below_mm(gate, transfer),
        locks=locks(site, state),
    )
