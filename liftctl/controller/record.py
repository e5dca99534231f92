"""The arithmetic of a transfer record.

Role: measurements, blocks, presences and the JSON-able record. Process: controller. Must never:
record a badge id or a wall clock (the recorder adds UTC), or shorten a carer's stay to make a
transfer look cheaper.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec

from config.schema import Site
from liftctl import records
from liftctl.controller.flows import Step
from liftctl.controller.values import Transfer
from liftctl.ipc import GateState, TransferView
from liftctl.records import PlanPart, Stay, TransferRecord, Weight
from safety.types import SignalId

# A finger that plays on a blocked arrow must not grow the record without end.
MOST_ENTRIES = 100


# A surface carries part of who is being lowered: what is read then is no weight.
HANGING = (Step.TENSION_PAUSE, Step.MOVING_UP, Step.TRAVERSING)

# Noise of a resting encoder must not add up to a distance.
STILL_MM = 2.0


def _moved(before: float | None, now: float | None) -> float:
    gain = 0.0 if before is None or now is None else now - before
    return gain if abs(gain) >= STILL_MM else 0.0


def _reference(before: float | None, now: float | None, moved_mm: float) -> float | None:
    return now if before is None or moved_mm else before


def measure(transfer: Transfer, gate: GateState) -> Transfer:
    """Loads, distances, speed and battery, from the values that are fresh."""
    value = gate.values.get
    battery = value(SignalId.BATTERY_PCT)
    height = value(SignalId.HOIST_POS if gate.kind == "lift" else SignalId.STAND_POS)
    up_mm = _moved(transfer.height_mm, height)
    along_mm = _moved(transfer.along_mm, value(SignalId.TRAVERSE_POS))
    start = transfer.battery_start_pct
    return replace(
        _weighed(transfer, gate),
        height_mm=_reference(transfer.height_mm, height, up_mm),
        along_mm=_reference(transfer.along_mm, value(SignalId.TRAVERSE_POS), along_mm),
        raised_mm=transfer.raised_mm + (max(0.0, up_mm) if transfer.carrying else 0.0),
        traversed_mm=transfer.traversed_mm + (abs(along_mm) if transfer.carrying else 0.0),
        battery_start_pct=battery if start is None else start,
        battery_end_pct=transfer.battery_end_pct if battery is None else battery,
        config_hash=gate.config_hash,
        version=gate.version,
    )


def _weighed(transfer: Transfer, gate: GateState) -> Transfer:
    """What load cell, straps and speed said; what no device gives stays None."""
    value, carrying = gate.values.get, transfer.carrying
    load, empty = value(SignalId.LOAD_KG), not (gate.aloft or gate.standing)
    speed = value(SignalId.HOIST_SPEED if gate.kind == "lift" else SignalId.STAND_SPEED)
    zero = load if transfer.zero_kg is None and empty else transfer.zero_kg
    free = transfer.step in HANGING and carrying and gate.aloft
    resting = load is not None and free and not gate.moving
    return replace(
        transfer,
        peak_load_kg=_most(transfer.peak_load_kg, load),
        zero_kg=zero,
        raw_kg=load if resting else transfer.raw_kg,
        asymmetry_pct=_most(transfer.asymmetry_pct, _asymmetry_pct(gate) if carrying else None),
        peak_speed_mm_s=_most(transfer.peak_speed_mm_s, None if speed is None else abs(speed)),
    )


def _most(before: float | None, now: float | None) -> float | None:
    """The larger; what is unknown counts for nothing."""
    return max((item for item in (before, now) if item is not None), default=None)


def _asymmetry_pct(gate: GateState) -> float | None:
    """Difference of the straps as a share of both, as the row `asymmetry` reckons it (H5)."""
    left, right = (
        gate.values.get(name) for name in (SignalId.LOAD_LEFT_KG, SignalId.LOAD_RIGHT_KG)
    )
    if left is None or right is None or not left + right:
        return None
    return 100 * abs(left - right) / abs(left + right)


def blocks_of(transfer: Transfer, gate: GateState, now_ns: int) -> list[dict[str, Any]]:
    """What refused or stopped a held button; a stop at the tension pause is a step, no block."""
    found = [
        detail
        for kind, detail in gate.events
        if kind == "refused"
        or (kind == "stop" and detail in gate.active and detail.rstrip("?") != "tension_pause")
    ]
    at_s, active = transfer.at_s(now_ns), list(gate.active)
    return [{"row": row, "at_s": at_s, "active": active} for row in found]


def stamped(transfer: Transfer, name: str, at_s: float, last: bool) -> Transfer:
    """`name` at `at_s`; the first stamp stays unless `last`."""
    phases = dict(transfer.phases)
    if name in phases and not last:
        return transfer
    phases[name] = at_s
    return replace(transfer, phases=tuple(phases.items()))


def joined(transfer: Transfer, at_s: float, source: str) -> Transfer:
    """One more carer."""
    return replace(transfer, presences=(*transfer.presences, Stay(joined_s=at_s, source=source)))


def strayed(transfer: Transfer, *why: str) -> Transfer:
    """The transfer is out of plan, and in what."""
    return replace(
        transfer, out_of_plan_why=tuple(dict.fromkeys((*transfer.out_of_plan_why, *why)))
    )


def left(transfer: Transfer, at_s: float) -> Transfer:
    """The carer who came last leaves (nobody is identified, so the sum is what counts)."""
    stays = list(transfer.presences)
    last = max(n for n, stay in enumerate(stays) if stay.left_s is None)
    stays[last] = msgspec.structs.replace(stays[last], left_s=at_s)
    return replace(transfer, presences=tuple(stays))


def record_of(transfer: Transfer, site: Site, now_ns: int) -> dict[str, Any]:
    """The whole record as it stands now; the recorder adds UTC."""
    plan, at_s = transfer.plan, dict(transfer.phases).get("end", transfer.at_s(now_ns))
    return records.plain(
        TransferRecord(
            id=transfer.id,
            follows=plan.follows or None,
            municipality=site.municipality or None,
            home=site.home or None,
            ward=site.ward or None,
            site=site.name,
            room=site.title,
            device=site.kind,
            kind=plan.kind,
            resident=plan.resident,
            mobility_class=plan.mobility_class or None,
            plan=_plan_part(transfer),
            sling=plan.sling,
            start_trigger=transfer.start_trigger or None,
            carers_planned=plan.carers,
            carers_actual=records.most_at_once(transfer.presences),
            carers_present=transfer.presences,
            badge_verified=plan.badge_verified,
            helper=transfer.helper,
            started_mono_ns=transfer.begun_ns,
            phases=dict(transfer.phases),
            elapsed_s=at_s,
            staff_s=records.staff_s(transfer.presences, at_s),
            **_measured(transfer),
            **_ended(transfer, at_s),
            version=transfer.version,
            config_hash=transfer.config_hash,
        )
    )


def _plan_part(transfer: Transfer) -> PlanPart:
    plan = transfer.plan
    return msgspec.structs.replace(
        plan.assessment,
        limit_kg=plan.limit_kg,
        carers=plan.carers,
        carers_needed=plan.carers_needed,
        one_carer_allowed=plan.one_carer_allowed,
    )


def _measured(transfer: Transfer) -> dict[str, Any]:
    """What the device's sensors told, rounded to what they can tell."""
    known = transfer.raw_kg is not None or transfer.zero_kg is not None
    weight = Weight(raw_kg=_round(transfer.raw_kg, 1), zero_kg=_round(transfer.zero_kg, 1))
    return {
        "peak_load_kg": _round(transfer.peak_load_kg, 1),
        "weight": weight if known else None,
        "asymmetry_pct": _round(transfer.asymmetry_pct, 1),
        "raised_mm": round(transfer.raised_mm),
        "traversed_mm": round(transfer.traversed_mm),
        "peak_speed_mm_s": _round(transfer.peak_speed_mm_s, 1),
        "battery_start_pct": transfer.battery_start_pct,
        "battery_end_pct": transfer.battery_end_pct,
    }


def _round(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits) + 0.0  # never -0.0


def _ended(transfer: Transfer, at_s: float) -> dict[str, Any]:
    """What carers and rows said, up to the outcome."""
    return {
        "consent": transfer.consent or None,
        "pauses": tuple({**item, "to_s": item.get("to_s", at_s)} for item in transfer.pauses),
        "blocks": transfer.blocks,
        "alarms": transfer.alarms,
        "outcome": transfer.outcome,
        "reason": transfer.reason or None,
        "out_of_plan": bool(transfer.out_of_plan_why),
        "out_of_plan_why": transfer.out_of_plan_why,
        "exclude": transfer.training,
        "exclude_reason": "training" if transfer.training else None,
        "note": transfer.note or None,
    }


def view_of(transfer: Transfer, steps: tuple[str, ...], actions: tuple[str, ...]) -> TransferView:
    """The transfer as the panel shows it."""
    return TransferView(
        id=transfer.id,
        kind=transfer.plan.kind,
        step=transfer.step,
        steps=steps,
        actions=actions,
        resident=transfer.plan.resident,
        carers_planned=transfer.plan.carers,
        carers_now=transfer.carers_now,
        limit_kg=transfer.plan.limit_kg,
        started_ns=transfer.begun_ns,
        phases=dict(transfer.phases),
        blocks=tuple(dict.fromkeys(item["row"] for item in transfer.blocks)),
        peak_load_kg=transfer.peak_load_kg or 0.0,
        outcome=transfer.outcome,
    )
