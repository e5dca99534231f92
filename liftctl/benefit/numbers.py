"""Every figure of a report as one JSON-ready dict, from a case alone.

Role: what is printed, drawn, packed, and recomputed by whoever doubts it. Process: library
(`evidence` extra). Must never: hold a resident, or a figure that the case alone does not give.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from liftctl.benefit.case import Case
from liftctl.benefit.cells import Key
from liftctl.benefit.decompose import Period, decomposition
from liftctl.benefit.economics import economics
from liftctl.benefit.figure import NOTHING, Figure, Figures, Span
from liftctl.benefit.flow import NOT_OF_TODAY
from liftctl.benefit.followup import follow_up
from liftctl.benefit.parts import (
    HOUR_S,
    by_assessment,
    kinds_of,
    not_here,
    period_of,
    units_of,
    verdict,
)
from liftctl.benefit.ratio import ratio
from liftctl.benefit.sensitivity import sensitivity
from liftctl.benefit.series import interrupted, weekly
from liftctl.benefit.table import UNITS, Table
from liftctl.benefit.units import FEWEST

FEWEST_FOR_SHARE = 10
DECIMALS = 4


def numbers(case: Case, full: bool = True) -> dict[str, Any]:
    """`full` adds the time series, whose library is slow to import."""
    figures = Figures(case)
    used = case.table.pick(case.table.used)
    main = figures.of(case.table)
    hours = main.span(len(used) / HOUR_S) if main.mean is not None else NOTHING
    weeks = weekly(figures)
    found = {
        **_head(figures, used, main, hours),
        "kinds": kinds_of(figures, used),
        "two_carer_by_assessment": by_assessment(figures, used),
        "waiting": _waiting(used),
        "audits": _audits(figures),
        "unlogged": _unlogged(case, main),
        "ratio": ratio(figures, used),
        "wild_ci95": figures.wild(case.table) if len(used) else None,
        "sensitivity": sensitivity(figures),
        "units": {unit: units_of(figures, used, unit) for unit in UNITS},
        "safety": _safety(case.table),
        "weeks": weeks,
        "follow_up": follow_up(figures),
        "economics": economics(hours, case.context.days, case.inputs, verdict(main) == "saved"),
        "inputs": {
            name: {"value": value, "source": source}
            for name, (value, source) in case.inputs.numbers.items()
        },
        "texts": case.inputs.texts,
        "baseline": _baseline(case),
        "context": _context(case),
    }
    if full:
        found["interrupted_time_series"] = interrupted(weeks)
    tidied: dict[str, Any] = tidy(found)
    return tidied


def tidy(value: Any) -> Any:
    """Floats to four decimals, NaN and infinity to None: what JSON can carry and compare."""
    if isinstance(value, dict):
        return {str(name): tidy(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [tidy(item) for item in value]
    if isinstance(value, float | np.floating):
        return round(float(value), DECIMALS) if math.isfinite(value) else None
    return int(value) if isinstance(value, np.integer) else value


def _head(figures: Figures, used: Table, main: Figure, hours: Span) -> dict[str, Any]:
    case = figures.case
    residents = len(set(used.resident.tolist()))
    single = int((used.carers == 1).sum())
    enough = residents >= FEWEST_FOR_SHARE
    shown = residents >= FEWEST
    return {
        "n_logged": len(case.table),
        "n_analysed": len(used),
        "n_residents": residents,
        "excluded": _excluded(case.table),
        "single_handed": single if shown else None,
        "single_handed_share": single / len(used) if enough else None,
        "staff_seconds": float(used.staff_s.sum()) if shown else None,
        "seconds_per_transfer": float(used.elapsed_s.mean()) if shown else None,
        "corrected_staff_s_per_transfer": float(figures.staff_s(used).mean()) if shown else None,
        "saved_s_per_transfer": main.span(),
        "saved_hours_total": hours,
        "interval": {"se": main.se, "df": main.df, "icc": main.icc, "why_none": main.why},
        "verdict": verdict(main),
        "decomposition": _decomposition(figures, used) if shown else None,
    }


def _excluded(table: Table) -> dict[str, int]:
    counts = np.bincount(table.reason, minlength=len(table.words["reason"]))
    words = table.words["reason"]
    return {word: int(counts[code]) for code, word in enumerate(words) if word and counts[code]}


def _decomposition(figures: Figures, used: Table) -> dict[str, Any] | None:
    """Over today's cells, as the audits say; the baseline's rate is known when it is a census."""
    case = figures.case
    days, keys = (
        case.context.resident_days,
        np.array(["|".join(key) for key in case.cells.of(used)]),
    )
    pairs = []
    for key in case.cells.keys:
        part = used.pick(keys == "|".join(key))
        if len(part) and days:
            carers = float((part.carers * figures.factors(part)).mean())
            now = Period(len(part) / days, carers, float(figures.staff_s(part).mean()))
            pairs.append((_of_cell(case, key, now.n), now))
    known = bool(case.baseline.census and case.baseline.resident_days)
    return decomposition(pairs, known) if pairs and all(now.carers for _, now in pairs) else None


def _of_cell(case: Case, key: Key, rate_now: float) -> Period:
    """The baseline's side of a cell."""
    items = [item for item in case.baseline.sums if case.cells.of_measured(item, case.codes) == key]
    return period_of(case.baseline, items, key[0], rate_now)


def _waiting(used: Table) -> dict[str, Any]:
    """Waiting for the second carer is inside the staff-seconds; here it is shown apart."""
    two = used.pick(used.carers > 1)
    told = two.waiting_s[~np.isnan(two.waiting_s)]
    if len(set(two.resident.tolist())) < FEWEST:
        told = told[:0]
    return {
        "n_two_carers": len(two),
        "n_known": len(told),
        "seconds_per_two_carer_transfer": float(told.mean()) if len(told) else None,
        "hours_total": float(told.sum()) / HOUR_S if len(told) else None,
    }


def _audits(figures: Figures) -> list[dict[str, Any]] | None:
    audits = figures.audits
    return None if audits is None else [ratio.told for ratio in audits.ratios.values()]


def _unlogged(case: Case, main: Figure) -> dict[str, Any] | None:
    """Expected against logged; shown beside the saving, never added to it."""
    rate = case.inputs.get("expected.transfers_per_resident_day")
    expected = {
        "care_plan": None if rate is None else rate * case.context.resident_days,
        "device_cycles": case.inputs.get("expected.device_cycles"),
    }
    logged, analysed = case.context.logged, int(case.table.used.sum())
    told = {
        name: {
            "expected": count,
            "unlogged": max(0.0, count - logged),
            "unlogged_share": max(0.0, 1 - logged / count),
            "saved_s_if_unlogged_saved_nothing": None
            if main.mean is None
            else main.mean * min(1.0, analysed / count),
        }
        for name, count in expected.items()
        if count
    }
    return told or None


def _safety(table: Table) -> dict[str, Any]:
    """Per 1,000 transfers that were logged in today's way of working."""
    reasons = table.words["reason"]
    other = [reasons.index(reason) for reason in NOT_OF_TODAY if reason in reasons]
    table = table.pick(~np.isin(table.reason, other))
    n, words = len(table), table.words["outcome"]
    counts = {word: int((table.outcome == code).sum()) for code, word in enumerate(words)}
    per = 1000 / n if n else 0.0
    return {
        "n_logged": n,
        "adverse_events_per_1000": int(table.adverse.sum()) * per,
        "interlock_trips_per_1000": int(table.trips.sum()) * per,
        "fallback2_per_1000": counts.get("fallback2", 0) * per,
        "aborted_per_1000": counts.get("aborted", 0) * per,
        "adverse_events": int(table.adverse.sum()),
        "interlock_trips": int(table.trips.sum()),
    }


def _baseline(case: Case) -> dict[str, Any]:
    base = case.baseline
    return {
        "version": case.context.version,
        "title": base.title,
        "method": base.method,
        "measured": base.measured,
        "source": base.source,
        "first_day": base.first_day,
        "last_day": base.last_day,
        "census": base.census,
        "n_transfers": sum(item.n for item in base.sums) or None,
        "n_residents": base.n_residents or None,
        "n_not_here": sum(item.n for item in base.sums if not_here(case, item)),
        "excluded": base.excluded or {},
        "cells": dict(sorted(case.cells.level.items())),
    }


def _context(case: Case) -> dict[str, Any]:
    told = case.context
    return {
        "first_day": told.first_day,
        "last_day": told.last_day,
        "logged": told.logged,
        "days": told.days,
        "resident_days": told.resident_days,
        "shortest_s": told.shortest_s,
        "longest_s": told.longest_s,
        "learning_days": told.learning_days,
        "remarks": list(told.remarks),
        "not_holding": list(told.not_holding),
    }
