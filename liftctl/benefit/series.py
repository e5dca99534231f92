"""Interrupted time series: level and slope of the weekly mean, before and after.

Role: segmented regression with Newey-West errors (statsmodels), the check that a saving is more
than a trend that was there anyway. Process: library (`evidence` extra; slow to import, so only on
demand). Must never: be read as the main result.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np

from liftctl.benefit.baseline import Baseline
from liftctl.benefit.estimate import LEVEL, Array
from liftctl.benefit.table import NO_WEEK, Table
from liftctl.benefit.units import FEWEST

FEWEST_WEEKS = 8
EPOCH = date(1970, 1, 1)


def weekly(table: Table, baseline: Baseline) -> list[dict[str, Any]]:
    """One entry per week with five transfers: Monday, period, number, mean staff-seconds."""
    days = [((date.fromisoformat(day) - EPOCH).days, n, staff) for day, n, staff in baseline.days]
    before = [((day - (day + 3) % 7), n, staff) for day, n, staff in days]
    used = table.pick(table.used & (table.week != NO_WEEK))
    after = zip(used.week.tolist(), [1] * len(used), used.staff_s.tolist(), strict=True)
    return [*_means("before", before), *_means("after", list(after))]


def _means(period: str, items: list[tuple[int, int, float]]) -> list[dict[str, Any]]:
    sums: dict[int, list[float]] = {}
    for week, n, staff in items:
        entry = sums.setdefault(week, [0, 0.0])
        entry[0] += n
        entry[1] += staff
    return [
        {"week": (EPOCH + timedelta(week)).isoformat(), "period": period, "n": int(n),
         "staff_s": staff / n}
        for week, (n, staff) in sorted(sums.items())
        if n >= FEWEST
    ]  # fmt: skip


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
