"""Figures of a part of the table: a kind, a unit, two carers by assessment.

Role: number, means and saving of a part. Process: library (`evidence` extra). Must never: give a
figure of one to four residents, or order units by their result.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from liftctl.benefit.baseline import Baseline, Measured
from liftctl.benefit.case import Case
from liftctl.benefit.decompose import Period
from liftctl.benefit.figure import FEWEST_FOR_INTERVAL as FEWEST
from liftctl.benefit.figure import NOTHING, Figure, Figures
from liftctl.benefit.table import Table
from liftctl.benefit.units import hidden

HOUR_S = 3600.0


def verdict(figure: Figure) -> str:
    """The one word of it: nothing, few, no_interval, not_shown, saved or lost."""
    if figure.mean is None:
        return "few" if figure.why == "few_residents" else "nothing"
    if figure.ci95 is None:
        return "no_interval"
    low, high = figure.ci95
    return "saved" if low > 0 else "lost" if high < 0 else "not_shown"


def part_of(figures: Figures, part: Table) -> dict[str, Any]:
    """Number, means and saving of a part; no figure of one to four residents."""
    residents = len(set(part.resident.tolist()))
    told: dict[str, Any] = {"n": len(part), "n_residents": residents, "hidden": False}
    if 0 < residents < FEWEST:
        return _HIDDEN
    if not len(part):
        return {**told, **_BLANK}
    figure = figures.of(part)
    return {
        **told,
        "single_handed": int((part.carers == 1).sum()),
        "staff_s_per_transfer": float(figures.staff_s(part).mean()),
        "seconds_per_transfer": float(part.elapsed_s.mean()),
        "saved_s_per_transfer": figure.span(),
        "saved_hours_total": figure.span(len(part) / HOUR_S),
        "verdict": verdict(figure),
    }


_BLANK: dict[str, Any] = {
    "single_handed": None,
    "staff_s_per_transfer": None,
    "seconds_per_transfer": None,
    "saved_s_per_transfer": NOTHING,
    "saved_hours_total": NOTHING,
    "verdict": "nothing",
}
_HIDDEN: dict[str, Any] = {"n": None, "n_residents": None, "hidden": True, **_BLANK}


def kinds_of(figures: Figures, used: Table) -> dict[str, dict[str, Any]]:
    """Every kind of the baseline; a small one, and its cover, without figures."""
    masks = {
        kind: used.where("kind", kind) if kind in used.words["kind"] else np.zeros(len(used), bool)
        for kind in sorted(figures.case.baseline.kinds)
    }
    who = {kind: set(used.resident[mask].tolist()) for kind, mask in masks.items() if mask.any()}
    unseen = hidden(who, {kind: int(masks[kind].sum()) for kind in who})
    return {
        kind: {
            **(_HIDDEN if kind in unseen else part_of(figures, used.pick(mask))),
            "baseline": baseline_of(figures.case, kind),
        }
        for kind, mask in masks.items()
    }


def by_assessment(figures: Figures, used: Table) -> dict[str, Any]:
    """Two-carer transfers by assessment; hidden too when the others are of a few residents."""
    two = used.planned > 1
    others = len(set(used.resident[~two].tolist()))
    return _HIDDEN if two.any() and 0 < others < FEWEST else part_of(figures, used.pick(two))


def baseline_of(case: Case, kind: str) -> dict[str, Any]:
    """What one kind is held against."""
    base = case.baseline
    items = [item for item in base.sums if item.kind == kind and not not_here(case, item)]
    period, n = period_of(base, items, kind, 1.0), sum(item.n for item in items)
    means = [item for item in base.published if item.kind == kind]
    return {
        "version": base.title if base.method == "site" else case.context.version,
        "carers": period.carers,
        "mean_s": period.staff_s / period.carers,
        "staff_s": period.staff_s,
        "n_transfers": n or sum(item.n_transfers or 0 for item in means) or None,
        "source": base.source,
        "measured": base.measured,
        "note": "measured" if base.measured else "example, not measured",
    }


def not_here(case: Case, item: Measured) -> bool:
    """A baseline's sum of someone without a transfer today, where cells are by assessment."""
    return item.kind in case.cells.level and case.cells.of_measured(item, case.codes) is None


def units_of(figures: Figures, used: Table, unit: str) -> list[dict[str, Any]]:
    """By name, never by result."""
    names = [name for name in used.words[unit] if used.where(unit, name).any()]
    if names == [""]:
        return []
    return [
        {"name": name, **part_of(figures, used.pick(used.where(unit, name)))}
        for name in sorted(names)
    ]


def period_of(base: Baseline, items: list[Measured], kind: str, rate_now: float) -> Period:
    n = sum(item.n for item in items)
    if items:
        rate = n / base.resident_days if base.census and base.resident_days else rate_now
        staff_s = sum(item.staff_s for item in items) / n
        return Period(rate, sum(item.carers for item in items) / n, staff_s)
    means = [item for item in base.published if item.kind == kind]
    weight = sum(item.n_transfers or 1 for item in means)
    carers = sum((item.n_transfers or 1) * item.carers for item in means) / weight
    staff_s = sum((item.n_transfers or 1) * item.staff_s for item in means) / weight
    return Period(rate_now, carers, staff_s)
