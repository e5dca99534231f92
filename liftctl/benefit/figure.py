"""The figure: saved staff-seconds per transfer of any part of the table, with its interval.

Role: joins cells, audits and estimator. Process: library (`evidence` extra). Must never: give an
interval where residents are too few or the baseline has no spread, or a mean of one to four.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from liftctl.benefit.audits import Audits, learn
from liftctl.benefit.bootstrap import FEW_RESIDENTS, wild
from liftctl.benefit.case import Case
from liftctl.benefit.cells import ICC, Index, Problem, collapse
from liftctl.benefit.estimate import Array, Estimate, Sums, cell_means, saving
from liftctl.benefit.table import Table

FEWEST_FOR_INTERVAL = 5
Span = dict[str, Any]
NOTHING: Span = {"mean": None, "ci95": None}


@dataclass(frozen=True, slots=True)
class Figure:
    """`why`: the reason for having no interval, "" when there is one."""

    mean: float | None
    ci95: tuple[float, float] | None
    se: float | None = None
    df: float | None = None
    icc: float | None = None
    why: str = ""

    def span(self, by: float = 1.0) -> Span:
        """As JSON, scaled."""
        ci95 = None if self.ci95 is None else [limit * by for limit in self.ci95]
        return {"mean": None if self.mean is None else self.mean * by, "ci95": ci95}


class Figures:
    """Figures of one case; what the audits say is learnt once, from all of it."""

    def __init__(self, case: Case) -> None:
        self.case = case

    @cached_property
    def audits(self) -> Audits | None:
        """The correction, None without audits."""
        return learn(self.case.table, len(self.case.codes))

    def factors(self, table: Table) -> Array:
        """What the audits multiply each row's carers and staff-seconds by; 1 without audits."""
        return self.audits.factors(table) if self.audits else np.ones(len(table))

    def staff_s(self, table: Table) -> Array:
        """Staff-seconds as the audits say."""
        return np.asarray(table.staff_s * self.factors(table))

    def problem(self, table: Table, icc: float = ICC) -> Problem:
        case = self.case
        return collapse(table, case.baseline, case.cells, case.codes, icc)

    def of(
        self, table: Table, *, icc: float = ICC, audited: bool = True, cost: Table | None = None
    ) -> Figure:
        """Of the analysed rows of `table`; `cost`: rows that cost time and count as no transfer."""
        used = table.pick(table.used)
        if not len(used):
            return Figure(None, None, why="nothing")
        problem = self.problem(table, icc)
        audits = self.audits if audited else None
        after = problem.after
        if audits:
            after = _weighted(problem, used, self.staff_s(used))
        if cost is not None:
            after = _add_cost(after, self.problem(cost).after)
        extra = audits.added(used) if audits else None
        found = saving(problem.before, after, problem.published, extra)
        return _judged(found, problem)

    def wild(self, table: Table) -> list[float] | None:
        """The bootstrap's interval where residents are few and the baseline was measured."""
        problem = self.problem(table)
        few = FEWEST_FOR_INTERVAL <= _residents(problem.after) < FEW_RESIDENTS
        if not few or _residents(problem.before) < FEWEST_FOR_INTERVAL or self.audits:
            return None
        return [float(limit) for limit in wild(problem.before, problem.after)]


def saved_rows(case: Case) -> Array:
    """Baseline minus own of each row, NaN where it does not count; audits correct no single row."""
    made, used = np.full(len(case.table), np.nan), case.table.used
    if used.any():
        problem = collapse(case.table, case.baseline, case.cells, case.codes)
        base = cell_means(problem.before, problem.published)
        made[used] = base[problem.index] - case.table.staff_s[used]
    return made


def _residents(sums: Sums) -> int:
    return int((sums.n.sum(-1) > 0).sum())


def _judged(found: Estimate, problem: Problem) -> Figure:
    mean, why = float(found.mean), ""
    observed = bool(problem.before.n.any())
    if _residents(problem.after) < FEWEST_FOR_INTERVAL:
        return Figure(None, None, why="few_residents")
    if observed and _residents(problem.before) < FEWEST_FOR_INTERVAL:
        why = "few_baseline_residents"
    elif not np.isfinite(found.se):
        why = "baseline_without_spread"
    if why:
        return Figure(mean, None, why=why)
    return Figure(mean, (float(found.low), float(found.high)), float(found.se), float(found.df),
                  float(found.icc))  # fmt: skip


def _weighted(problem: Problem, used: Table, staff_s: Array) -> Sums:
    """Today's sums with other staff-seconds."""
    shape = problem.after.n.shape
    flat: Index = used.resident.astype(np.int64) * shape[1] + problem.index

    def add(weights: Array) -> Array:
        found = np.bincount(flat, weights, minlength=shape[0] * shape[1])
        return found.reshape(shape).astype(np.float64)

    return Sums(problem.after.n, add(staff_s), add(staff_s**2))


def _add_cost(after: Sums, cost: Sums) -> Sums:
    """Time of attempts, put on the transfers of the same residents and kinds."""
    return Sums(after.n, after.total + cost.total, after.squares + cost.squares)
