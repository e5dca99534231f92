"""The quick figure: plain means over the ledger, for the desk and a gateway without numpy.

Role: what was logged, what was left out and why, and baseline minus own staff-seconds. Process:
library, plain Python. Must never: give an interval, and so never claim a saving; call an assumed
baseline measured; rank or name a carer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC
from statistics import fmean
from typing import Any

from config.schema import BaselineSpec
from liftctl.benefit.baseline import Baseline, Summary, flow_of, of_site
from liftctl.benefit.flow import Flow, Rules
from liftctl.benefit.ledger_rows import rows_of
from liftctl.benefit.rows import Row

FEWEST_RESIDENTS = 10


def summarise(
    transfers: Iterable[dict[str, Any]], baselines: Sequence[BaselineSpec]
) -> dict[str, Any]:
    """The quick figure of ledger records as one JSON-ready dict."""
    baseline = of_site(baselines)
    rows = rows_of(transfers, UTC)  # plain means over all of it know no days
    return figure(flow_of(rows, baseline, Rules()), baseline)


def figure(flow: Flow, baseline: Baseline) -> dict[str, Any]:
    """The quick figure of a judged flow against a baseline of means."""
    rows = flow.analysed
    means = {item.kind: item for item in baseline.published}
    n_residents = len({row.resident for row in rows})
    single = sum(row.carers == 1 for row in rows)
    enough = bool(rows) and n_residents >= FEWEST_RESIDENTS
    return {
        "n_logged": len(flow.rows),
        "n_analysed": len(rows),
        "n_residents": n_residents,
        "excluded": flow.excluded,
        "single_handed": single,
        "single_handed_share": round(single / len(rows), 4) if enough else None,
        "staff_seconds": round(sum(row.staff_s or 0.0 for row in rows), 1),
        **_saved(rows, means),
        "decomposition": None,
        "kinds": {kind: _of_kind(kind, rows, means, baseline) for kind in sorted(means)},
        "statement": _statement(rows, baseline, n_residents),
    }


def _saved(rows: Sequence[Row], means: dict[str, Summary]) -> dict[str, Any]:
    saved = [means[row.kind].staff_s - (row.staff_s or 0.0) for row in rows]
    mean = round(fmean(saved), 4) if saved else None
    total = round(sum(saved) / 3600, 4) if saved else None
    return {
        "saved_s_per_transfer": {"mean": mean, "ci95": None},
        "saved_hours_total": {"mean": total, "ci95": None},
    }


def _of_kind(
    kind: str, rows: Sequence[Row], means: dict[str, Summary], baseline: Baseline
) -> dict[str, Any]:
    items = [row for row in rows if row.kind == kind]
    told = means[kind]
    return {
        "n": len(items),
        "single_handed": sum(row.carers == 1 for row in items),
        **_saved(items, means),
        "baseline": {
            "version": baseline.title,
            "carers": told.carers,
            "mean_s": told.mean_s,
            "staff_s": told.staff_s,
            "n_transfers": told.n_transfers,
            "source": told.source,
            "measured": baseline.measured,
            "note": "measured" if baseline.measured else "example, not measured",
        },
    }


def _statement(rows: Sequence[Row], baseline: Baseline, n_residents: int) -> str:
    if not rows:
        return "nothing to analyse yet"
    parts = ["no interval: plain means only, no demonstrated saving"]
    if not baseline.measured:
        parts.append("the baseline is an example, not measured")
    if n_residents < FEWEST_RESIDENTS:
        parts.append(f"{n_residents} residents: too few for a percentage")
    parts.append("released time is not saved money")
    return "; ".join(parts)
