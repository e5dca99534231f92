"""One report's material: table, baseline, inputs, and what only the full rows could tell.

Role: the value every figure is computed from, and exactly what an evidence pack holds. Process:
library (`evidence` extra). Must never: hold a resident's token (codes only).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from liftctl.benefit.baseline import Baseline
from liftctl.benefit.cells import Cells, choose
from liftctl.benefit.flow import Flow
from liftctl.benefit.inputs import Inputs
from liftctl.benefit.observed import resident_days
from liftctl.benefit.places import told_apart
from liftctl.benefit.table import Table, build, order


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """`days`: calendar days of the analysed transfers; `version`: of the baseline as frozen.

    `logged`: transfers of today, analysed or not, each id once.
    """

    version: str
    logged: int
    days: int
    resident_days: float
    first_day: str
    last_day: str
    longest_s: float
    shortest_s: float
    learning_days: int
    remarks: tuple[str, ...] = ()
    not_holding: tuple[str, ...] = ()  # ledgers that do not verify


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """`codes`: resident as the baseline names it -> code in the table."""

    table: Table
    baseline: Baseline
    inputs: Inputs
    context: Context
    codes: dict[str, int]
    cells: Cells


def case_of(
    flow: Flow,
    baseline: Baseline,
    inputs: Inputs,
    audits: Mapping[str, int],
    settings: Mapping[str, Any],
    remarks: tuple[str, ...] = (),
) -> Case:
    """From judged rows. `settings`: shortest_s, longest_s, learning_days."""
    tokens = order([row.resident for row in flow.rows] + [item.resident for item in baseline.sums],
                   baseline.version)  # fmt: skip
    table = build(replace(flow, rows=told_apart(flow.rows)), audits, tokens)
    context = _context(flow, baseline, settings, (*flow.remarks, *remarks))
    numbers = {token: str(code) for code, token in enumerate(tokens)}
    return assemble(table, coded(baseline, numbers), inputs, context, len(tokens))


def assemble(
    table: Table, baseline: Baseline, inputs: Inputs, context: Context, residents: int
) -> Case:
    """From the parts a pack holds."""
    codes = {str(code): code for code in range(residents)}
    cells = choose(table, baseline, codes)
    return Case(table=table, baseline=baseline, inputs=inputs, context=context, codes=codes,
                cells=cells)  # fmt: skip


def coded(baseline: Baseline, numbers: Mapping[str, str]) -> Baseline:
    """The baseline with numbers in place of tokens."""
    sums = (replace(item, resident=numbers[item.resident]) for item in baseline.sums)
    made = sorted(sums, key=lambda item: (item.kind, item.mobility, int(item.resident)))
    return replace(baseline, sums=tuple(made))


def _context(
    flow: Flow, baseline: Baseline, settings: Mapping[str, Any], remarks: tuple[str, ...]
) -> Context:
    rows = flow.analysed
    days = sorted(row.day for row in rows if row.day)
    return Context(
        version=baseline.version,
        logged=flow.logged,
        days=(days[-1] - days[0]).days + 1 if days else 0,
        resident_days=resident_days(rows),
        first_day=days[0].isoformat() if days else "",
        last_day=days[-1].isoformat() if days else "",
        remarks=remarks,
        **settings,
    )
