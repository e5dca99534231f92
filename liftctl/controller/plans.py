"""May this transfer begin, and with what plan.

Role: kind, resident, carers and entitlement against the site; the state of gate, recorder and
battery. Process: controller. Must never: allow one carer by default (an entitlement has an expiry
and is held against today's date).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import date, timedelta

from config.plans import MAX_CARERS, Register, ResidentSpec, SlingSpec
from config.schema import Site
from liftctl import upkeep
from liftctl.controller.flows import Mode
from liftctl.controller.values import Config, Papers, Plan, State
from liftctl.ipc import Upkeep
from liftctl.records import PlanPart, SlingPart

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
# How long before its end an inspection or an assessment is told (H36).
WARN_DAYS = 30
BARRED = ("sling_withdrawn", "sling_overdue")
# A digest over name, number or note would let anybody confirm a guess at who it is.
_UNDIGESTED = ("label", "identifier", "notes", "assessor")


def kinds_of(site: Site) -> tuple[str, ...]:
    """The kinds of transfer this site knows: its device's own and those it has a baseline for."""
    own = [item.kind for item in site.baseline]
    return tuple(dict.fromkeys((*KINDS[site.kind], *own)))


def one_carer_allowed(resident: ResidentSpec, today: str) -> bool:
    """True while an assessment allows one carer; no date or an unreadable one allows nothing."""
    expiry = _one_carer_until(resident)
    return resident.carers == 1 and bool(expiry) and _reached(today, expiry) is False


def _one_carer_until(resident: ResidentSpec) -> str:
    """The earlier of the entitlement's end and the assessment's; "" when there is none."""
    ends = [end for end in (resident.one_carer_until, resident.expires) if end]
    return min(ends, default="")


def _reached(today: str, end: str, days: int = 0) -> bool | None:
    """Is `today` past `end` less `days`? None when one of them cannot be read."""
    try:
        return date.fromisoformat(today) > date.fromisoformat(end) - timedelta(days=days)
    except ValueError:
        return None


def carers_needed(resident: ResidentSpec, today: str) -> int:
    """How many carers this resident needs today."""
    return 1 if one_carer_allowed(resident, today) else max(2, resident.carers)


def overdue(site: Site, said: tuple[Upkeep, ...], today: str) -> bool:
    """Is the inspection's date past? A site that names none tracks it elsewhere (H36). What the
    recorder has of an inspection that was done counts in place of the file's date.
    """
    until = upkeep.due(said, "inspection", site.inspection_due)
    return bool(until) and not today <= until


def whole(args: Mapping[str, str], key: str, default: str = "") -> int | None:
    """A whole number of carers (1 to 4) from the panel, or None."""
    text = args.get(key, default)
    return int(text) if text in {str(n) for n in range(1, MAX_CARERS + 1)} else None


def register(config: Config, state: State) -> Register:
    """The site file's residents and slings, and the register's, which count where both have one."""
    residents = {item.token: item for item in (*config.site.resident, *state.register.resident)}
    slings = {item.serial: item for item in (*config.site.sling, *state.register.sling)}
    if config.site.kind != "lift":
        slings = {}  # nobody hangs in a chair: a sling's papers keep nobody from standing up
    return Register(resident=tuple(residents.values()), sling=tuple(slings.values()))


def sling_of(found: Register, resident: ResidentSpec) -> SlingSpec | None:
    """The resident's sling, where slings are on record."""
    return next((item for item in found.sling if item.serial == resident.sling), None)


def notices(found: Register, resident: ResidentSpec, today: str) -> tuple[str, ...]:
    """What the panel says about this resident's papers, gravest first (texts: notice.CODE)."""
    until, sling = _one_carer_until(resident), sling_of(found, resident)
    said = [sling_notice(sling, today)] if sling else []
    if resident.expires and _reached(today, resident.expires) is not False:
        said.append("assessment_expired")
    elif resident.carers == 1 and not one_carer_allowed(resident, today):
        said.append("one_carer_expired")
    elif until and _reached(today, until, WARN_DAYS) is not False:
        said.append("assessment_ends")
    return tuple(code for code in said if code)


def papers(found: Register, today: str) -> Papers:
    """What the panel says of everybody, and the desk of slings."""
    said = {item.token: notices(found, item, today) for item in found.resident}
    due = [(item.serial, sling_notice(item, today)) for item in found.sling]
    return Papers(
        residents=tuple((i.token, i.label, carers_needed(i, today)) for i in found.resident),
        notices={token: codes for token, codes in said.items() if codes},
        slings=tuple((serial, code) for serial, code in due if code),
    )


def sling_notice(sling: SlingSpec, today: str) -> str:
    """What is to be said of a sling, as a code, or ""."""
    if sling.withdrawn:
        return "sling_withdrawn"
    if not sling.inspect_by:
        return ""
    if _reached(today, sling.inspect_by) is not False:
        return "sling_overdue"
    return "sling_due" if _reached(today, sling.inspect_by, WARN_DAYS) is not False else ""


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
    if state.mode is Mode.STARTING:
        return "LC-DEVICE-STARTING"
    if state.mode is Mode.FAULTED:
        return "LC-DEVICE-FAULT"
    # H14: no new lift; someone who already hangs may still be brought over a bed.
    if "battery_reserve" in gate.active and not state.orphan:
        return "LC-BATTERY-RESERVE"
    return ""


def plan_of(config: Config, state: State, args: Mapping[str, str]) -> Plan | str:
    """The frozen plan for these answers, or the code of what is wrong with them."""
    found = register(config, state)
    known = {item.token: item for item in found.resident}
    resident, kind = known.get(args.get("resident", "")), args.get("kind", "")
    carers = whole(args, "carers")
    if kind not in kinds_of(config.site):
        return "LC-PLAN-KIND"
    if resident is None:
        return "LC-PLAN-RESIDENT"
    if carers is None or whole(args, "present", str(carers)) is None:
        return "LC-ARGS"
    if carers < carers_needed(resident, state.today):
        return "LC-PLAN-CARERS"
    # Someone who already hangs is brought down in the sling they hang in.
    barred = tuple(c for c in notices(found, resident, state.today) if c in BARRED)
    if barred and not state.orphan:
        return "LC-PLAN-SLING"
    plan = _plan(config.site, state, args, resident, sling_of(found, resident))
    return replace(plan, barred=barred)


def _plan(
    site: Site,
    state: State,
    args: Mapping[str, str],
    resident: ResidentSpec,
    sling: SlingSpec | None,
) -> Plan:
    sling_kg = sling.swl_kg if sling else resident.sling_swl_kg
    own, hangs = site.limits, site.kind == "lift"
    limits = (own.rail_swl_kg, own.spreader_swl_kg, sling_kg) if hangs else ()
    allowed = one_carer_allowed(resident, state.today)
    scanned = args.get("scanned_sling")
    return Plan(
        kind=args["kind"],
        resident=resident.token,
        limit_kg=min(own.swl_kg, resident.limit_kg, *limits),
        carers=int(args["carers"]),
        carers_needed=carers_needed(resident, state.today),
        one_carer_allowed=allowed,
        badge_verified=bool(args.get("badge")),
        follows=(state.follows or UNKNOWN) if state.orphan else "",
        sling_kg=sling_kg,
        resident_kg=resident.weight_kg,
        # What was scanned, where a site scans; otherwise what was chosen.
        resident_ok=args.get("scanned_resident", resident.token) == resident.token,
        sling_ok=scanned in (None, resident.sling),
        mobility_class=resident.mobility_class,
        assessment=_assessment(resident),
        sling=_sling_part(resident, sling, scanned) if hangs else None,
    )


def _assessment(resident: ResidentSpec) -> PlanPart:
    told = {name: item for name, item in asdict(resident).items() if name not in _UNDIGESTED}
    text = json.dumps(told, sort_keys=True)
    return PlanPart(
        id=hashlib.sha256(text.encode()).hexdigest()[:16],
        assessed=resident.assessed or None,
        expires=_one_carer_until(resident) or None,
    )


def _sling_part(
    resident: ResidentSpec, sling: SlingSpec | None, scanned: str | None
) -> SlingPart | None:
    """What is on record of the sling; None when nothing is."""
    own = sling or SlingSpec(serial=resident.sling, swl_kg=0)
    found = SlingPart(
        serial=own.serial or None,
        model=own.model or resident.sling_model or None,
        size=own.size or resident.sling_size or None,
        swl_kg=own.swl_kg or None,
        inspected=own.inspected or None,
        inspect_by=own.inspect_by or None,
        matches=None if scanned is None else scanned == resident.sling,
    )
    return None if found == SlingPart(matches=found.matches) else found
