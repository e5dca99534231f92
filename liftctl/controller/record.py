"""The arithmetic of a transfer record.

Role: measurements, blocks, presences and the JSON-able record. Process: controller. Must never:
record a badge id or a wall clock (the recorder adds UTC), or shorten a carer's stay to make a
transfer look cheaper.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from config.schema import Site
from liftctl.controller.values import Presence, Transfer
from liftctl.ipc import GateState, TransferView
from safety.types import SignalId

# A finger that plays on a blocked arrow must not grow the record without end.
MOST_ENTRIES = 100


# Noise of a resting encoder must not add up to a distance.
STILL_MM = 2.0


def _moved(before: float | None, now: float | None) -> float:
    gain = 0.0 if before is None or now is None else now - before
    return gain if abs(gain) >= STILL_MM else 0.0


def _reference(before: float | None, now: float | None, moved_mm: float) -> float | None:
    return now if before is None or moved_mm else before


def measure(transfer: Transfer, gate: GateState) -> Transfer:
    """Peak load, distances and battery, from the values that are fresh."""
    value = gate.values.get
    battery = value(SignalId.BATTERY_PCT)
    height = value(SignalId.HOIST_POS if gate.kind == "lift" else SignalId.STAND_POS)
    up_mm = _moved(transfer.height_mm, height)
    along_mm = _moved(transfer.along_mm, value(SignalId.TRAVERSE_POS))
    start = transfer.battery_start_pct
    return replace(
        transfer,
        height_mm=_reference(transfer.height_mm, height, up_mm),
        along_mm=_reference(transfer.along_mm, value(SignalId.TRAVERSE_POS), along_mm),
        raised_mm=transfer.raised_mm + (max(0.0, up_mm) if transfer.carrying else 0.0),
        traversed_mm=transfer.traversed_mm + (abs(along_mm) if transfer.carrying else 0.0),
        peak_load_kg=max(transfer.peak_load_kg, value(SignalId.LOAD_KG) or 0.0),
        battery_start_pct=battery if start is None else start,
        battery_end_pct=transfer.battery_end_pct if battery is None else battery,
        config_hash=gate.config_hash,
        version=gate.version,
    )


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
    return replace(transfer, presences=(*transfer.presences, Presence(at_s, source)))


def left(transfer: Transfer, at_s: float) -> Transfer:
    """The carer who came last leaves (nobody is identified, so the sum is what counts)."""
    stays = list(transfer.presences)
    last = max(n for n, stay in enumerate(stays) if stay.left_s is None)
    stays[last] = replace(stays[last], left_s=at_s)
    return replace(transfer, presences=tuple(stays))


def most_at_once(presences: tuple[Presence, ...]) -> int:
    """The largest number of carers present together."""
    moments = [item.joined_s for item in presences]
    return max(
        (
            sum(p.joined_s <= t and (p.left_s is None or p.left_s > t) for p in presences)
            for t in moments
        ),
        default=0,
    )


def staff_s(transfer: Transfer, at_s: float) -> float:
    """Staff-seconds: the sum of presences; who has not left is counted until now."""
    ends = ((at_s if p.left_s is None else p.left_s) - p.joined_s for p in transfer.presences)
    return round(sum(ends), 3)


def record_of(transfer: Transfer, site: Site, now_ns: int) -> dict[str, Any]:
    """The whole record as it stands now."""
    plan, at_s = transfer.plan, dict(transfer.phases).get("end", transfer.at_s(now_ns))
    return {
        "id": transfer.id,
        "kind": plan.kind,
        "site": site.name,
        "room": site.title,
        "resident": plan.resident,
        "badge_verified": plan.badge_verified,
        "carers_planned": plan.carers,
        "carers_present": [_stay(item, at_s) for item in transfer.presences],
        "phases": dict(transfer.phases),
        "elapsed_s": at_s,
        "staff_s": staff_s(transfer, at_s),
        "peak_load_kg": round(transfer.peak_load_kg, 1),
        "raised_mm": round(transfer.raised_mm),
        "traversed_mm": round(transfer.traversed_mm),
        "blocks": list(transfer.blocks),
        "alarms": list(transfer.alarms),
        "pauses": [{**item, "to_s": item.get("to_s", at_s)} for item in transfer.pauses],
        "consent": transfer.consent,
        "outcome": transfer.outcome,
        "reason": transfer.reason,
        "plan": {
            "limit_kg": plan.limit_kg,
            "carers": plan.carers,
            "one_carer_allowed": plan.one_carer_allowed,
        },
        "battery_start_pct": transfer.battery_start_pct,
        "battery_end_pct": transfer.battery_end_pct,
        "out_of_plan": transfer.out_of_plan,
        "follows": plan.follows,
        "config_hash": transfer.config_hash,
        "version": transfer.version,
    }


def _stay(item: Presence, at_s: float) -> dict[str, Any]:
    left_s = at_s if item.left_s is None else item.left_s
    return {"joined_s": item.joined_s, "left_s": left_s, "source": item.source}


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
        peak_load_kg=transfer.peak_load_kg,
        outcome=transfer.outcome,
    )
