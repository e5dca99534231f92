"""May this transfer begin, and with what plan.

Role: kind, resident, carers and entitlement against the site; the state of gate, recorder and
battery. Process: controller. Must never: allow one carer by default (an entitlement has an expiry
and is held against today's date).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from config.schema import ResidentSpec, Site
from liftctl.controller.flows import MAX_CARERS, Mode
from liftctl.controller.values import Config, Plan, State

KINDS = {
    "lift": (
        "bed-chair",
        "chair-bed",
        "bed-toilet",
        "toilet-bed",
        "chair-toilet",
        "toilet-chair",
        "bed-bath",
        "bath-bed",
        "floor-bed",
        "reposition",
    ),
    "chair": ("stand-sit",),
}
# The transfer that was interrupted, until the recorder has named it.
UNKNOWN = "unknown"
SOURCES = ("badge", "button", "none")


def kinds_of(site: Site) -> tuple[str, ...]:
    """The kinds of transfer this site knows: its device's own and those it has a baseline for."""
    own = [item.kind for item in site.baseline]
    return tuple(dict.fromkeys((*KINDS[site.kind], *own)))


def one_carer_allowed(resident: ResidentSpec, today: str) -> bool:
    """True while an assessment allows one carer; no date or an unreadable one allows nothing."""
    try:
        expiry, now = date.fromisoformat(resident.one_carer_until), date.fromisoformat(today)
    except ValueError:
        return False
    return resident.carers == 1 and now <= expiry


def carers_needed(resident: ResidentSpec, today: str) -> int:
    """How many carers this resident needs today."""
    return 1 if one_carer_allowed(resident, today) else max(2, resident.carers)


def overdue(site: Site, today: str) -> bool:
    """Is the inspection's date past? A site that names none tracks it elsewhere (H36)."""
    return bool(site.inspection_due) and not today <= site.inspection_due


def whole(args: Mapping[str, str], key: str, default: str = "") -> int | None:
    """A whole number of carers (1 to 4) from the panel, or None."""
    text = args.get(key, default)
    return int(text) if text in {str(n) for n in range(1, MAX_CARERS + 1)} else None


def readiness(state: State) -> str:
    """Why no transfer may begin now, as a code, or ""."""
    gate = state.gate
    if gate is None:
        return "LC-GATE-LOST"
    if not state.recorder_up or "recorder_lost" in gate.active:
        return "LC-RECORDER-LOST"
    if gate.config_fallback:
        return "LC-DEVICE-CONFIG"
    if state.mode is Mode.MAINTENANCE:
        return "LC-DEVICE-QUARANTINE"
    if state.mode in (Mode.STARTING, Mode.FAULTED):
        return "LC-DEVICE-FAULT"
    # H14: no new lift; someone who already hangs may still be brought over a bed.
    if "battery_reserve" in gate.active and not state.orphan:
        return "LC-BATTERY-RESERVE"
    return ""


def plan_of(config: Config, state: State, args: Mapping[str, str]) -> Plan | str:
    """The frozen plan for these answers, or the code of what is wrong with them."""
    known = {item.token: item for item in config.site.resident}
    resident, kind = known.get(args.get("resident", "")), args.get("kind", "")
    carers = whole(args, "carers")
    if kind not in kinds_of(config.site):
        return "LC-PLAN-KIND"
    if resident is None:
        return "LC-PLAN-RESIDENT"
    if carers is None or whole(args, "present", str(carers)) is None:
        return "LC-ARGS"
    needed = carers_needed(resident, state.today)
    if carers < needed:
        return "LC-PLAN-CARERS"
    return Plan(
        kind=kind,
        resident=resident.token,
        limit_kg=min(config.site.limits.swl_kg, resident.limit_kg),
        carers=carers,
        carers_needed=needed,
        one_carer_allowed=one_carer_allowed(resident, state.today),
        badge_verified=bool(args.get("badge")),
        follows=(state.follows or UNKNOWN) if state.orphan else "",
        sling_kg=resident.sling_swl_kg,
        resident_kg=resident.weight_kg,
        # What was scanned, where a site scans; otherwise what was chosen.
        resident_ok=args.get("scanned_resident", resident.token) == resident.token,
        sling_ok=args.get("scanned_sling", resident.sling) == resident.sling,
    )
