"""The same comparison on the logarithmic scale: a ratio, and minutes by smearing.

Role: for skewed durations. Process: library (`evidence` extra). Must never: replace the difference
of means, which is what a budget pays.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from liftctl.benefit.estimate import Array, Sums, saving
from liftctl.benefit.figure import FEWEST_FOR_INTERVAL, Figures
from liftctl.benefit.table import Table


def ratio(figures: Figures, used: Table) -> dict[str, Any] | None:
    """Now / baseline of staff-seconds; None without a measured baseline of every cell in use."""
    if not len(used):
        return None
    problem = figures.problem(used)
    before, after = problem.before_log, problem.after_log
    if not (before.cell_n > 0).all() or (after.n.sum(-1) > 0).sum() < FEWEST_FOR_INTERVAL:
        return None
    found = saving(before, after)
    share = after.cell_n / after.cell_n.sum()
    base = _smeared(before, problem.before, share)
    own = _smeared(after, problem.after, share)
    return {
        "geometric": math.exp(-float(found.mean)),
        "ci95": [math.exp(-float(found.high)), math.exp(-float(found.low))],
        "smeared_baseline_s": base,
        "smeared_now_s": own,
        "smeared_saved_s": base - own,
    }


def _smeared(logs: Sums, plain: Sums, share: Array) -> float:
    """Mean staff-seconds from means of logs, times Duan's mean of exp(residual) of the period."""
    geometric = np.exp(logs.total.sum(0) / logs.cell_n)
    factor = float((plain.total.sum(0) / geometric).sum() / logs.cell_n.sum())
    return float(share @ geometric) * factor
