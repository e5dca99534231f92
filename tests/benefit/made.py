"""Transfers and baselines as CSV, for tests that go through the front door.

Role: tables with known content. Must never: share code with what reads them.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from typer.testing import CliRunner, Result

from liftctl.cli import app

COLUMNS = ("transfer_id", "resident", "home", "kind", "carers", "started_at", "ended_at", "outcome")
FIRST_BEFORE = datetime.fromisoformat("2026-01-05T07:00:00+01:00")
FIRST_AFTER = datetime.fromisoformat("2026-04-06T07:00:00+02:00")


def line(number: int, **changes: Any) -> dict[str, Any]:
    """One plausible transfer, an hour after the one before."""
    seconds = float(changes.pop("seconds", 150.0))
    started = changes.pop("started", FIRST_AFTER + timedelta(hours=number))
    return {
        "transfer_id": f"t{number}",
        "resident": f"r{number % 12}",
        "home": "home",
        "kind": "bed-chair",
        "carers": 1,
        "started_at": started.isoformat(),
        "ended_at": (started + timedelta(seconds=seconds)).isoformat(),
        "outcome": "completed",
        **changes,
    }


def drawn(
    first: datetime,
    carers: int,
    mean_s: float,
    *,
    residents: int = 12,
    each: int = 12,
    seed: int = 1,
) -> list[dict[str, Any]]:
    """Skewed durations that differ between residents; their mean is exactly `mean_s`."""
    rng = np.random.default_rng(seed)
    level = np.random.default_rng(99).normal(0, 0.2, (residents, 1))
    seconds = np.exp(level + rng.normal(0, 0.3, (residents, each)))
    seconds *= mean_s / seconds.mean()
    name = f"{first.date()}-{seed}"
    return [
        line(n, transfer_id=f"{name}-{n}", resident=f"r{n % residents}", carers=carers,
             started=first + timedelta(hours=n),
             seconds=float(seconds[n % residents, n // residents]))
        for n in range(residents * each)
    ]  # fmt: skip


def write(path: Path, lines: Iterable[dict[str, Any]]) -> Path:
    """As CSV; columns are those of the first line."""
    told = list(lines)
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, list(told[0]) if told else list(COLUMNS))
        table.writeheader()
        table.writerows(told)
    return path


def run(*words: object) -> Result:
    """`liftctl WORDS`."""
    return CliRunner().invoke(app, [str(word) for word in words])


def against(folder: Path, lines: Iterable[dict[str, Any]], out: Path) -> tuple[object, ...]:
    """The words that publish a report of `lines` against two months of two carers."""
    return ("report", "--transfers", write(folder / "t.csv", lines), "--baseline",
            write(folder / "b.csv", drawn(FIRST_BEFORE, 2, 273.6)), "--out", out)  # fmt: skip


def report(transfers: Path, baseline: Path, *more: object) -> dict[str, Any]:
    """The JSON of `liftctl report`."""
    done = run("report", "--transfers", transfers, "--baseline", baseline, "--json", *more)
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found
