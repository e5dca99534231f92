"""What the page is told, made from what the gate and the controller last said.

Role: pure; one JSON text for all browsers. Process: panel. Must never: decide whether a motion is
allowed.
"""

from __future__ import annotations

from typing import Any

import msgspec

from config.languages import codes
from config.schema import Site
from liftctl import __version__
from liftctl.ipc import ControllerState, GateState, SupportState
from liftctl.panel.session import MOTIONS
from safety.motion_facts import AXES
from safety.table import LOCKS, ROWS
from safety.types import Clear, SignalId

STALE_NS = 500_000_000  # a controller this old is shown as away
SUPPORT_STALE_NS = 2_000_000_000
KINDS = {
    "lift": (
        "bed-chair",
        "chair-bed",
        "bed-toilet",
        "toilet-bed",
        "chair-toilet",
        "toilet-chair",
        "bed-bath",
        "floor-bed",
    ),
    "chair": ("stand-sit",),
}
# Not latched, and yet only a reset ends it: a drive that stays in its fault (H23), and a joystick
# that nobody has freed (H3).
WAITING = frozenset({*(f"{axis}_fault" for axis in AXES), "drive_waits"})
SHOWN = (
    SignalId.LOAD_KG,
    SignalId.HOIST_POS,
    SignalId.BATTERY_PCT,
    SignalId.CHARGER_ABSENT,
    SignalId.STAND_POS,
    SignalId.FEET_KG,
)


def build(site: Site) -> str:
    """What a page was made from; another one means that it must load itself anew."""
    return f"{__version__}:{site.hash}"


def site_view(site: Site) -> dict[str, Any]:
    """What the page needs before the first state arrives."""
    kinds = dict.fromkeys([item.kind for item in site.baseline] + [*KINDS[site.kind]])
    return {
        "build": build(site),
        "name": site.name,
        "title": site.title,
        "kind": site.kind,
        "motions": sorted(MOTIONS[site.kind]),
        "languages": [code for code in site.languages if code in codes()],
        "kinds": list(kinds),
        "lowering": site.emergency_lowering.how,
        "battery_reserve_pct": site.limits.battery_reserve_pct,
    }


def stops_of(gate: GateState) -> tuple[str, ...]:
    """Why presses were ended or refused, as the gate tells it once."""
    return tuple(detail for kind, detail in gate.events if kind in ("stop", "refused"))


def state_view(
    gate: GateState,
    controller: ControllerState | None,
    support: SupportState | None = None,
    stops: tuple[str, ...] = (),
) -> str:
    """One state as JSON; the tick is a string because it exceeds 2^53.

    `stops`: why presses ended in this state and in those its page has skipped.
    """
    found = {
        "type": "state",
        "tick": str(gate.tick_ns),
        "mode": gate.mode,
        "owner": gate.owner,
        "moving": gate.moving,
        "motions": gate.motions,
        "values": {name: gate.values.get(name) for name in SHOWN},
        "latched": gate.latched,
        "resettable": resettable(gate),
        "aloft": gate.aloft or gate.standing,
        "limit_kg": gate.limit_kg,
        "locks": sorted(LOCKS.intersection(gate.active)),
        "stops": stops,
        "controller": _controller_view(gate, controller),
        "support": _support_view(gate, support),
    }
    return msgspec.json.encode(found).decode()


def resettable(gate: GateState) -> list[str]:
    """Rows that a reset at a station can end. A latch needs both e-stop channels closed again; what
    waits in a device needs only that none is known to be open.
    """
    estop = [gate.values.get(name) for name in (SignalId.ESTOP_A, SignalId.ESTOP_B)]
    latched = [row for row in gate.latched if row in ROWS and ROWS[row].clear is Clear.RESET]
    waiting = [row for row in gate.active if row in WAITING]
    return (latched if estop == [1.0, 1.0] else []) + ([] if 0.0 in estop else waiting)


def _support_view(gate: GateState, said: SupportState | None) -> SupportState | None:
    """None, too, when the support process is away: nothing is granted that nobody watches over."""
    stale = said is None or gate.tick_ns - said.tick_ns > SUPPORT_STALE_NS
    return None if stale else said


def _controller_view(gate: GateState, said: ControllerState | None) -> dict[str, Any] | None:
    if said is None or gate.tick_ns - said.tick_ns > STALE_NS:
        return None
    return {
        "mode": said.mode,
        "transfer": said.transfer,
        "residents": said.residents,
        "notices": said.notices,
        "records": bool(said.records),
        "alarms": _alarms(gate, said),
        "closed": (said.last_record or {}).get("outcome", ""),
    }


def _alarms(gate: GateState, said: ControllerState) -> list[tuple[str, str, str]]:
    """What stands now, highest first; then what is over and waits to be seen, as "past"."""
    standing = {*gate.active, *gate.latched}
    now = [item for item in said.alarms if item[0] in standing]
    return now + [(row, "past", how) for row, _, how in said.alarms if row not in standing]
