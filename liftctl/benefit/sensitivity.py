"""How far the figure moves when a choice is made differently.

Role: the same estimator on other rows. Process: library (`evidence` extra). Must never: leave out
the choice that is worst for the result.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from liftctl.benefit.figure import Figure, Figures
from liftctl.benefit.table import NO_WEEK, Table

ICCS = (0.1, 0.3, 0.5)
LEARNING_WEEKS = (2, 4)
NEVER = ("erased", "duplicate", "conflicting_duplicate", "unreadable_record", "no_baseline",
         "resident_missing", "baseline_newer_than_use", "baseline_period",
         "other_baseline")  # fmt: skip

ATTEMPTS = ("aborted", "fault", "emergency", "interrupted", "after_interruption",
            "unknown_outcome", "unreadable_number", "negative_duration",
            "implausible_duration")  # fmt: skip


def sensitivity(figures: Figures) -> list[dict[str, Any]]:
    """Each: name, number of transfers, saved seconds per transfer."""
    table = figures.case.table
    if not table.used.any():
        return []
    made = [*_with_excluded(figures, table), *_learning(figures, table)]
    if figures.audits is not None:
        made.append(_entry("not_corrected_by_audits", table, figures.of(table, audited=False)))
    if figures.case.baseline.published:
        made += [_entry(f"icc_{icc:.1f}", table, figures.of(table, icc=icc)) for icc in ICCS]
    return made


def _entry(name: str, table: Table, figure: Figure) -> dict[str, Any]:
    return {"name": name, "n": int(table.used.sum()), "saved_s_per_transfer": figure.span()}


def _with_excluded(figures: Figures, table: Table) -> list[dict[str, Any]]:
    """The excluded whose time is known: as ordinary transfers, and as cost without any credit.

    What moved nobody all the way, or cannot be true, is no ordinary transfer: a lift given up after
    40 s would pass for the quickest of all.
    """
    usable = ~table.used & (table.resident >= 0) & np.nan_to_num(table.staff_s > 0)
    usable &= ~_because(table, NEVER)
    kinds = [table.words["kind"].index(key[0]) for key in figures.case.cells.keys]
    usable &= np.isin(table.kind, kinds)
    if not usable.any():
        return []
    attempts = usable & _because(table, ATTEMPTS)
    cost = _known(figures, table.pick(usable).counted())
    made = [_entry("excluded_as_cost", table, figures.of(table, cost=cost))]
    if (usable & ~attempts).any():
        both = _known(figures, table.pick(table.used | (usable & ~attempts)).counted())
        lost = _known(figures, table.pick(attempts).counted())
        made.insert(0, _entry("excluded_as_ordinary", both, figures.of(both, cost=lost)))
    return made


def _because(table: Table, reasons: tuple[str, ...]) -> NDArray[np.bool_]:
    """Whether a row was left out for one of these reasons."""
    words = table.words["reason"]
    return np.isin(table.reason, [words.index(name) for name in reasons if name in words])


def _known(figures: Figures, table: Table) -> Table:
    """Only rows whose cell exists: an excluded row may be of a class that no analysed row has."""
    cells = figures.case.cells
    keep = np.array([key in cells.keys for key in cells.of(table)], bool)
    return table.pick(keep)


def _learning(figures: Figures, table: Table) -> list[dict[str, Any]]:
    known = table.pick(table.used & (table.week != NO_WEEK))
    if not len(known):
        return []
    first = int(known.week.min())
    made = []
    for weeks in LEARNING_WEEKS:
        later = known.pick(known.week >= first + 7 * weeks)
        if len(later):
            made.append(_entry(f"without_first_{weeks}_weeks", later, figures.of(later)))
    return made
