"""Interrupted time series: level and slope of the weekly mean, before and after.

Role: segmented regression with Newey-West errors (statsmodels), the check that a saving is more
than a trend that was there anyway. Process: library (`evidence` extra; slow to import, so only on
demand). Must never: be read as the main result.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np

from liftctl.benefit.estimate import LEVEL, Array
from liftctl.benefit.figure import Figures
from liftctl.benefit.table import NO_WEEK
from liftctl.benefit.units import shown

FEWEST_WEEKS = 8
EPOCH = date(1970, 1, 1)


def weekly(figures: Figures) -> list[dict[str, Any]]:
    """Monday, period, number and mean staff-seconds (today's as the audits say) of each week that
    does not give away a few.
    """
    table, baseline = figures.case.table, figures.case.baseline
    before = [(week, n, staff_s) for week, n, staff_s, *who in baseline.days if who]
    used = table.pick(table.used & (table.week != NO_WEEK))
    weeks = {
        (EPOCH + timedelta(week)).isoformat(): used.pick(used.week == week)
        for week in sorted(set(used.week.tolist()))
    }
    who = {week: set(part.resident.tolist()) for week, part in weeks.items()}
    after = [(week, len(weeks[week]), float(figures.staff_s(weeks[week]).sum()))
             for week in shown(who, {week: len(part) for week, part in weeks.items()})]  # fmt: skip
    return [
        {"week": week, "period": period, "n": n, "staff_s": staff_s / n}
        for period, told in (("before", before), ("after", after))
        for week, n, staff_s in told
    ]


def interrupted(weeks: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Level change at go-live and slope change per week; None with too few weeks on a side."""
    count = [sum(item["period"] == name for item in weeks) for name in ("before", "after")]
    if min(count) < FEWEST_WEEKS:
        return None
    monday = np.array([date.fromisoformat(item["week"]).toordinal() / 7 for item in weeks])
    after = np.array([item["period"] == "after" for item in weeks], np.float64)
    since = (monday - monday[after == 1].min()) * after
    design = np.column_stack([np.ones_like(monday), monday - monday.min(), after, since])
    return _fit(design, np.array([item["staff_s"] for item in weeks]),
                np.array([float(item["n"]) for item in weeks]))  # fmt: skip


def _fit(design: Array, y: Array, n: Array) -> dict[str, Any]:
    import statsmodels.api as sm

    lags = int(4 * (len(y) / 100) ** (2 / 9))
    fit = sm.WLS(y, design, weights=n).fit(
        cov_type="HAC", cov_kwds={"maxlags": max(lags, 1), "use_correction": True}, use_t=True
    )
    limits = fit.conf_int(1 - LEVEL)
    names = ("start_s", "trend_s_per_week", "level_change_s", "slope_change_s_per_week")
    told = {
        name: {"mean": float(fit.params[at]), "ci95": [float(x) for x in limits[at]]}
        for at, name in enumerate(names)
    }
    return {**told, "weeks": len(y), "lags": max(lags, 1)}
