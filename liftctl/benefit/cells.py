"""From table and baseline to sums per resident and cell, the form the estimator takes.

Role: chooses the cells and collapses. Process: library (`evidence` extra). Must never: compare a
transfer with a baseline of another kind.

A cell is a kind of transfer; with mobility class, and with one or two carers by assessment, where
the baseline has at least five residents and twenty transfers in every cell that today needs.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from liftctl.benefit.baseline import Baseline, Measured
from liftctl.benefit.estimate import Array, Published, Sums
from liftctl.benefit.table import Codes, Table

FEWEST_RESIDENTS = 5
FEWEST_TRANSFERS = 20
ICC = 0.3

Key = tuple[str, str, str]
Index = NDArray[np.int64]
LEVELS = ("kind", "assessment", "mobility", "mobility and assessment")


@dataclass(frozen=True, slots=True)
class Cells:
    """`keys[c]`: (kind, mobility, "1" or "2" carers by assessment), "" where not told apart.

    `level`: kind -> one of LEVELS; `two`: today's residents -> two carers by assessment.
    """

    keys: tuple[Key, ...]
    level: dict[str, str]
    two: dict[int, bool]

    def of_measured(self, item: Measured, codes: dict[str, int]) -> Key | None:
        """The cell of a baseline's sum; None when today has no such kind, or cannot tell."""
        level = self.level.get(item.kind)
        return None if level is None else _key_before(level, item, codes, self.two)

    def of(self, table: Table) -> list[Key]:
        """The cell of each row; every kind must have its level."""
        kinds, classes = table.words["kind"], table.words["mobility"]
        return [
            _key(
                self.level[kinds[kind]],
                kinds[kind],
                classes[mobility],
                self.two.get(int(who), False),
            )
            for kind, mobility, who in zip(table.kind, table.mobility, table.resident, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class Problem:
    """Everything the estimator takes; `logs` are of staff-seconds. `index`: row -> cell."""

    cells: Cells
    before: Sums
    after: Sums
    before_log: Sums
    after_log: Sums
    published: Published | None
    index: Index


def _key(level: str, kind: str, mobility: str, two: bool) -> Key:
    return (
        kind,
        mobility if level.startswith("mobility") else "",
        ("2" if two else "1") if level.endswith("assessment") else "",
    )


def _key_before(
    level: str, item: Measured, codes: dict[str, int], today: dict[int, bool]
) -> Key | None:
    """Who is not here any more has no assessment today: theirs may be either cell's, so neither's.

    To take them for one-carer residents would make that cell's baseline too dear.
    """
    two = today.get(codes[item.resident])
    if two is None and level.endswith("assessment"):
        return None
    return _key(level, item.kind, item.mobility, bool(two))


def by_assessment(table: Table) -> dict[int, bool]:
    """Resident -> whether most of the analysed transfers are planned for two."""
    planned: dict[int, Counter[bool]] = defaultdict(Counter)
    used = table.used
    for resident, carers in zip(table.resident[used], table.planned[used], strict=True):
        planned[int(resident)][bool(carers > 1)] += 1
    return {who: count[True] > count[False] for who, count in planned.items()}


def choose(table: Table, baseline: Baseline, codes: dict[str, int]) -> Cells:
    """The finest level per kind that the baseline supports."""
    two = by_assessment(table)
    needed: dict[str, set[tuple[str, bool]]] = defaultdict(set)
    used = table.used
    parts = (table.kind[used], table.mobility[used], table.resident[used])
    for kind, mobility, resident in set(zip(*(part.tolist() for part in parts), strict=True)):
        word = table.words["kind"][kind], table.words["mobility"][mobility]
        needed[word[0]].add((word[1], two[resident]))
    level = {
        kind: _level(kind, wants, baseline, codes, two) for kind, wants in sorted(needed.items())
    }
    keys = {_key(level[kind], kind, *want) for kind, wants in needed.items() for want in wants}
    return Cells(tuple(sorted(keys)), level, two)


def _level(
    kind: str,
    wants: set[tuple[str, bool]],
    baseline: Baseline,
    codes: dict[str, int],
    two: dict[int, bool],
) -> str:
    items = [item for item in baseline.sums if item.kind == kind]
    best, most = LEVELS[0], 1
    for level in LEVELS[1:]:
        asked = {_key(level, kind, *want) for want in wants}
        if len(asked) > most and asked <= _supported(level, items, codes, two):
            best, most = level, len(asked)
    return best


def _supported(
    level: str, items: list[Measured], codes: dict[str, int], two: dict[int, bool]
) -> set[Key]:
    residents: dict[Key, set[str]] = defaultdict(set)
    n: Counter[Key] = Counter()
    for item in items:
        key = _key_before(level, item, codes, two)
        if key is None:
            continue
        residents[key].add(item.resident)
        n[key] += item.n
    return {
        key
        for key, who in residents.items()
        if len(who) >= FEWEST_RESIDENTS and n[key] >= FEWEST_TRANSFERS
    }


def collapse(
    table: Table, baseline: Baseline, cells: Cells, codes: dict[str, int], icc: float = ICC
) -> Problem:
    """Sums over the analysed rows of `table`, also a part of the one cells were chosen on."""
    table = table.pick(table.used)
    cell = {key: number for number, key in enumerate(cells.keys)}
    index = np.array([cell[key] for key in cells.of(table)], np.int64)
    shape = (len(codes), len(cells.keys))
    logs = np.log(np.maximum(table.staff_s, 1e-9))
    before, before_log = _before(baseline, cells, codes, shape)
    return Problem(
        cells=cells,
        before=before,
        after=_sums(table.resident, index, table.staff_s, shape),
        before_log=before_log,
        after_log=_sums(table.resident, index, logs, shape),
        published=_published(baseline, cells, icc),
        index=index,
    )


def _sums(residents: Codes, index: Index, values: Array, shape: tuple[int, int]) -> Sums:
    flat = residents.astype(np.int64) * shape[1] + index

    def count(weights: Array | None) -> Array:
        found = np.bincount(flat, weights, minlength=shape[0] * shape[1])
        return found.reshape(shape).astype(np.float64)

    return Sums(count(None), count(values), count(values**2))


def _before(
    baseline: Baseline, cells: Cells, codes: dict[str, int], shape: tuple[int, int]
) -> tuple[Sums, Sums]:
    cell = {key: number for number, key in enumerate(cells.keys)}
    made = np.zeros((5, *shape))
    for item in baseline.sums:
        who, key = codes[item.resident], cells.of_measured(item, codes)
        if key in cell:
            told = (item.n, item.staff_s, item.staff_s2, item.logs, item.logs2)
            made[:, who, cell[key]] += told
    return Sums(made[0], made[1], made[2]), Sums(made[0], made[3], made[4])


def _published(baseline: Baseline, cells: Cells, icc: float) -> Published | None:
    if not baseline.published:
        return None
    told = [_of_kind(baseline, key[0], icc) for key in cells.keys]
    mean, variance, df = (np.array(part, np.float64) for part in zip(*told, strict=True))
    return Published(mean, variance, df)


def _of_kind(baseline: Baseline, kind: str, icc: float) -> tuple[float, float, float]:
    """Mean, variance of the mean and df of one kind; several lines are weighted by transfers."""
    items = [item for item in baseline.published if item.kind == kind]
    if not items:
        return 0.0, float("nan"), 1.0
    weights = np.array([item.n_transfers or 1 for item in items], np.float64)
    weights = weights / weights.sum()
    mean = float(weights @ np.array([item.staff_s for item in items]))
    each = [item.variance(icc) for item in items]
    variance = [float("nan") if value is None else value for value in each]
    residents = sum(item.n_residents or 0 for item in items)
    return mean, float(weights**2 @ np.array(variance)), max(float(residents - 1), 1.0)
