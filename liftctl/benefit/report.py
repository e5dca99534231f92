"""Saved staff time, as plain arithmetic over the ledger.

Role: the first figure: what was logged, what was left out and why, and baseline minus own staff-
seconds. Process: a library and a CLI. Must never: rank or name a carer, hide a negative saving, or
call an assumed baseline measured.

A transfer's staff-seconds are the sum over its carers of their
presence; planned-for-one transfers count as they happened, also when a second carer came. Fields
are tolerated missing; what cannot be judged is excluded by name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import fmean
from typing import Any

from config.schema import BaselineSpec

SHORTEST_S = 30.0
LONGEST_S = 1800.0
FEWEST_RESIDENTS = 10
EXCLUDED_OUTCOMES = {
    "aborted": "aborted",
    "fault": "fault",
    "emergency": "emergency",
    "estop": "emergency",
    "interrupted": "interrupted",
}
COMPLETED = ("completed", "fallback2")


@dataclass(frozen=True, slots=True)
class Observed:
    """One transfer that counts. `carers`: most present at once."""

    kind: str
    resident: str
    elapsed_s: float
    carers: int
    staff_s: float


def summarise(
    transfers: Iterable[dict[str, Any]], baselines: Sequence[BaselineSpec]
) -> dict[str, Any]:
    """The report as one JSON-ready dict; every total is over the analysed transfers."""
    by_kind = {item.kind: item for item in baselines}
    analysed: list[Observed] = []
    two_carer: list[Observed] = []
    excluded: Counter[str] = Counter()
    n_logged = 0
    for record in transfers:
        n_logged += 1
        reason = _reason(record, by_kind)
        if reason in ("", "two_carer_by_assessment"):
            (two_carer if reason else analysed).append(_observed(record))
        if reason:
            excluded[reason] += 1
    return _report(n_logged, analysed, two_carer, dict(sorted(excluded.items())), by_kind)


def _reason(record: dict[str, Any], baselines: dict[str, BaselineSpec]) -> str:
    """Why a transfer is not in the figure, or ""; the first reason that holds."""
    outcome = str(record.get("outcome") or "")
    elapsed_s = _elapsed_s(record)
    if record.get("erased"):
        return "erased"
    if outcome in EXCLUDED_OUTCOMES:
        return EXCLUDED_OUTCOMES[outcome]
    if outcome not in COMPLETED:
        return "unknown_outcome"
    if record.get("training"):
        return "training"
    if elapsed_s is None:
        return "missing_end"
    if not SHORTEST_S <= elapsed_s <= LONGEST_S:
        return "implausible_duration"
    if _carers(record) < 1:
        return "carers_unknown"
    if (record.get("carers_planned") or 1) > 1:
        return "two_carer_by_assessment"
    if record.get("out_of_plan"):
        return "out_of_plan"
    return "" if record.get("kind") in baselines else "no_baseline"


def _elapsed_s(record: dict[str, Any]) -> float | None:
    if not record.get("ended_utc"):
        return None
    given = record.get("elapsed_s")
    if isinstance(given, int | float):
        return float(given)
    try:
        ended, started = (
            datetime.fromisoformat(str(record[name])) for name in ("ended_utc", "started_utc")
        )
        return (ended - started).total_seconds()
    except (KeyError, ValueError, TypeError):
        return None


def _presence(record: dict[str, Any]) -> list[tuple[float, float]]:
    """(joined, left) of each carer in seconds, inside the transfer."""
    elapsed_s = _elapsed_s(record) or 0.0
    spans = []
    for carer in record.get("carers_present") or ():
        left_s = carer.get("left_s")
        left_s = elapsed_s if left_s is None else min(float(left_s), elapsed_s)
        spans.append((max(0.0, float(carer.get("joined_s") or 0.0)), left_s))
    return [(joined_s, left_s) for joined_s, left_s in spans if left_s > joined_s]


def _carers(record: dict[str, Any]) -> int:
    """The most carers present at once; the planned number when nobody was recorded."""
    spans = _presence(record)
    if not spans:
        return int(record.get("carers_planned") or 0)
    edges = sorted([(left, -1) for _, left in spans] + [(joined, 1) for joined, _ in spans])
    now = most = 0
    for _, change in edges:
        now += change
        most = max(most, now)
    return most


def _observed(record: dict[str, Any]) -> Observed:
    elapsed_s, carers = _elapsed_s(record) or 0.0, _carers(record)
    spans = _presence(record)
    staff_s = sum(left - joined for joined, left in spans) if spans else carers * elapsed_s
    kind, resident = str(record.get("kind") or ""), str(record.get("resident") or "")
    return Observed(kind, resident, elapsed_s, carers, staff_s)


def _report(
    n_logged: int,
    analysed: list[Observed],
    two_carer: list[Observed],
    excluded: dict[str, int],
    baselines: dict[str, BaselineSpec],
) -> dict[str, Any]:
    n_residents = len({item.resident for item in analysed})
    single = sum(item.carers == 1 for item in analysed)
    saved = [_saved_s(item, baselines) for item in analysed]
    enough = bool(analysed) and n_residents >= FEWEST_RESIDENTS
    return {
        "n_logged": n_logged,
        "n_analysed": len(analysed),
        "n_residents": n_residents,
        "excluded": excluded,
        "single_handed": single,
        "single_handed_share": round(single / len(analysed), 4) if enough else None,
        "staff_seconds": round(sum(item.staff_s for item in analysed), 1),
        "saved_s_per_transfer": {"mean": _mean(saved)},
        "saved_hours_total": {"mean": round(sum(saved) / 3600, 4) if saved else None},
        "decomposition": _decomposition(analysed, baselines, n_residents),
        "kinds": {kind: _of_kind(kind, analysed, baselines) for kind in sorted(baselines)},
        "two_carer_by_assessment": _group(two_carer),
        "statement": _statement(analysed, baselines, n_residents),
    }


def _saved_s(item: Observed, baselines: dict[str, BaselineSpec]) -> float:
    baseline = baselines[item.kind]
    return baseline.carers * baseline.mean_s - item.staff_s


def _mean(values: Sequence[float]) -> float | None:
    return round(fmean(values), 2) if values else None


def _group(items: Sequence[Observed]) -> dict[str, Any]:
    return {
        "n": len(items),
        "staff_s_per_transfer": _mean([item.staff_s for item in items]),
        "seconds_per_transfer": _mean([item.elapsed_s for item in items]),
    }


def _of_kind(
    kind: str, analysed: list[Observed], baselines: dict[str, BaselineSpec]
) -> dict[str, Any]:
    items = [item for item in analysed if item.kind == kind]
    saved = [_saved_s(item, baselines) for item in items]
    told = baselines[kind]
    baseline = {
        "version": told.version,
        "carers": told.carers,
        "mean_s": told.mean_s,
        "staff_s": told.carers * told.mean_s,
        "n_transfers": told.n_transfers,
        "source": told.source,
        "measured": told.measured,
        "note": "measured" if told.measured else "example, not measured",
    }
    single = sum(item.carers == 1 for item in items)
    totals = {"single_handed": single, "saved_s_per_transfer": {"mean": _mean(saved)}}
    hours = {"saved_hours_total": {"mean": round(sum(saved) / 3600, 4) if saved else None}}
    return {**_group(items), **totals, **hours, "baseline": baseline}


def _decomposition(
    analysed: list[Observed], baselines: dict[str, BaselineSpec], n_residents: int
) -> dict[str, Any]:
    """The three factors of the Danish template, baseline (same mix of kinds) and now."""
    before = [baselines[item.kind] for item in analysed]
    return {
        "carers_per_transfer": {
            "baseline": _mean([item.carers for item in before]),
            "now": _mean([item.carers for item in analysed]),
        },
        "seconds_per_transfer": {
            "baseline": _mean([item.mean_s for item in before]),
            "now": _mean([item.elapsed_s for item in analysed]),
        },
        "transfers_per_resident": {
            "baseline": None,
            "now": round(len(analysed) / n_residents, 2) if n_residents else None,
        },
    }


def _statement(
    analysed: list[Observed], baselines: dict[str, BaselineSpec], n_residents: int
) -> str:
    if not analysed:
        return "nothing to analyse yet"
    parts = ["no interval yet: arithmetic only, no demonstrated saving"]
    if any(not baselines[item.kind].measured for item in analysed):
        parts.append("the baseline is an example, not measured")
    if n_residents < FEWEST_RESIDENTS:
        parts.append(f"{n_residents} residents: too few for a percentage")
    parts.append("released time is not saved money")
    return "; ".join(parts)
