"""Spot audits: how many carers an observer saw, against how many were logged.

Role: reads audits and turns them into a correction with its own uncertainty. Process: library
(`evidence` extra). Must never: correct single transfers, or take "no error found" for "no error".

For each logged number of carers the correction is a ratio over the audited transfers: carer-seconds
seen / carer-seconds logged. An audit is a random sample, or it proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from liftctl.benefit.csv_rows import MOST_CARERS, read_table, require, whole
from liftctl.benefit.estimate import Array, Extra
from liftctl.benefit.rows import EvidenceError, Row
from liftctl.benefit.table import Table

COLUMNS = ("transfer_id", "carers_seen")
NOT_SEEN = -1


@dataclass(frozen=True, slots=True)
class Ratio:
    """Of one logged number of carers: seen / logged, its influence per resident, and the least
    variance it can have (with no error found, an error is still possible).
    """

    factor: float
    influence: Array
    floor: float
    told: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Audits:
    """`ratios`: logged carers -> what the audits say. `df`: audited residents less one."""

    ratios: dict[int, Ratio]
    df: float

    def factors(self, table: Table) -> Array:
        """The correction of each row's staff-seconds."""
        made = np.ones(len(table))
        for logged, ratio in self.ratios.items():
            made[table.carers == logged] = ratio.factor
        return made

    def added(self, table: Table) -> Extra:
        """What the audits add to the uncertainty of the mean over `table`."""
        influence, variance = np.zeros(()), 0.0
        for logged, ratio in self.ratios.items():
            weight = float(table.staff_s[table.carers == logged].sum()) / len(table)
            influence = influence - weight * ratio.influence
            least = max(0.0, ratio.floor - float((ratio.influence**2).sum()))
            variance += weight**2 * least
        return Extra(influence, np.array(variance), np.array(self.df))


def read_audits(path: Path, rows: Iterable[Row]) -> dict[str, int]:
    """Transfer id -> carers seen; EvidenceError for a line that names no transfer or no number."""
    names, lines = read_table(path)
    require(path, names, COLUMNS)
    known, found = {row.id for row in rows}, dict[str, int]()
    for line, cells in lines:
        name, seen = cells["transfer_id"], whole(cells["carers_seen"], MOST_CARERS)
        if name not in known:
            raise EvidenceError(f"{path}:{line}: transfer {name!r} is not among the transfers")
        if seen is None:
            raise EvidenceError(f"{path}:{line}: carers_seen must be 0 to {MOST_CARERS}")
        if found.setdefault(name, seen) != seen:
            raise EvidenceError(f"{path}:{line}: transfer {name!r} was audited twice, differently")
    return found


def learn(table: Table, residents: int) -> Audits | None:
    """What the audited among the analysed rows say; None without any."""
    audited = table.pick(table.used & (table.seen != NOT_SEEN))
    if not len(audited):
        return None
    ratios = {
        logged: _ratio(audited.pick(audited.carers == logged), residents)
        for logged in sorted(set(audited.carers.tolist()))
    }
    return Audits(ratios, max(len(set(audited.resident.tolist())) - 1.0, 1.0))


def _ratio(part: Table, residents: int) -> Ratio:
    def per_resident(seconds: Array) -> Array:
        return np.bincount(part.resident, seconds, minlength=residents).astype(np.float64)

    carers, n = int(part.carers[0]), len(part)
    wrong = int((part.seen != part.carers).sum())
    factor, influence = seen_to_logged(
        per_resident(part.seen * part.elapsed_s), per_resident(part.carers * part.elapsed_s)
    )
    beta = stats.beta(wrong + 0.5, n - wrong + 0.5)  # Jeffreys
    told = {
        "carers_logged": carers,
        "n_audited": n,
        "n_wrong": wrong,
        "wrong_share": {
            "mean": wrong / n,
            "ci95": [float(beta.ppf(0.025)), float(beta.ppf(0.975))],
        },
        "factor": float(factor),
    }
    return Ratio(float(factor), influence, float(least_variance(n, wrong, carers)), told)


def seen_to_logged(seen: Array, logged: Array) -> tuple[Array, Array]:
    """(ratio of the sums, its influence per resident) of carer-seconds (..., residents)."""
    of = logged.sum(-1, keepdims=True)
    factor = seen.sum(-1, keepdims=True) / of
    return factor[..., 0], (seen - factor * logged) / of


def least_variance(n: Array | int, wrong: Array | int, carers: int) -> Array:
    """Of a ratio whose audits found `wrong` errors in `n` (Jeffreys prior), one carer each."""
    a, b = wrong + 0.5, n - np.asarray(wrong) + 0.5
    return np.asarray(a * b / ((a + b) ** 2 * (a + b + 1)) / carers**2)
