"""Half a year and a year after go-live, held against the plan.

Role: the two follow-ups that whoever pays asks for. Process: library (`evidence` extra). Must
never: fill a follow-up whose time has not come.
"""

from __future__ import annotations

from typing import Any

from liftctl.benefit.figure import Figures
from liftctl.benefit.table import NO_WEEK

MARKS = {"six_months": 26, "twelve_months": 52}
WINDOW_WEEKS = 8
WEEK_DAYS = 7
HOUR_S = 3600.0


def follow_up(figures: Figures) -> dict[str, Any]:
    """Per mark: the eight weeks that end there, saved hours per week, and the plan."""
    case = figures.case
    used = case.table.pick(case.table.used & (case.table.week != NO_WEEK))
    if not len(used):
        return {}
    first, last = int(used.week.min()), int(used.week.max())
    told = {}
    for name, weeks in MARKS.items():
        end = first + weeks * WEEK_DAYS
        start = end - WINDOW_WEEKS * WEEK_DAYS
        part = used.pick((used.week >= start) & (used.week < end))
        if last + WEEK_DAYS < end or not len(part):
            continue
        figure = figures.of(part)
        told[name] = {
            "n": len(part),
            "saved_s_per_transfer": figure.span(),
            "saved_hours_per_week": figure.span(len(part) / HOUR_S / WINDOW_WEEKS),
            "planned_hours_per_week": case.inputs.get(f"plan.{name}_hours_per_week"),
        }
    return told
