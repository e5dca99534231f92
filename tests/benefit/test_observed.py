"""Transfers per resident and day mean the same in three weeks and in a year."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from liftctl.benefit.ledger_rows import rows_of
from liftctl.benefit.observed import resident_days
from liftctl.benefit.rows import Row
from tests.benefit.ledgers import record
from tests.benefit.made import line, report, run, write

BEFORE = datetime.fromisoformat("2025-01-06T07:00:00+01:00")
AFTER = datetime.fromisoformat("2025-03-03T07:00:00+01:00")


def of(told: Iterable[dict[str, Any]]) -> list[Row]:
    return rows_of(told, UTC)


def weekly(first: datetime, weeks: int) -> list[dict[str, Any]]:
    """One transfer a week of each of fourteen residents, two on every weekday."""
    return [
        line(0, transfer_id=f"{first.date()}-{who}-{n}", resident=f"r{who}", lift=f"l{who}",
             started=first + timedelta(weeks=n, days=who % 7, minutes=who), seconds=150.0 + who)
        for who in range(14)
        for n in range(weeks)
    ]  # fmt: skip


def test_the_same_weekly_transfer_is_the_same_rate_in_a_short_baseline(tmp_path: Path) -> None:
    frozen = tmp_path / "b.json"
    run("baseline", "freeze", "--transfers", write(tmp_path / "b.csv", weekly(BEFORE, 3)),
        "--census", "--out", frozen)  # fmt: skip
    found = report(write(tmp_path / "a.csv", weekly(AFTER, 52)), frozen)
    rate = found["decomposition"]["transfers_per_resident"]
    assert rate["now"] == pytest.approx(1 / 7, rel=1e-3)
    assert rate["baseline"] == pytest.approx(rate["now"], rel=1e-3)


@pytest.mark.parametrize("days", [14, 28, 365])
@pytest.mark.parametrize("per_day", [1 / 7, 2.0])
def test_transfers_at_random_are_as_often_in_a_short_period(days: int, per_day: float) -> None:
    """Each of 400 residents is moved by chance alone: no routine that would help."""
    rng = random.Random(7)
    seen = [[day for day in range(days) for _ in range(4) if rng.random() < per_day / 4]
            for _ in range(400)]  # fmt: skip
    rows = of(record(who, BEFORE + timedelta(day), 1, 150.0, resident=f"r{who}")
              for who, told in enumerate(seen) for day in told)  # fmt: skip
    residents = sum(bool(told) for told in seen)
    there = len(rows) / (residents * days)  # those never moved are in no ledger
    assert len(rows) / resident_days(rows) == pytest.approx(there, rel=0.08)


def test_who_came_late_and_who_left_is_not_counted_before_and_after() -> None:
    def daily(who: str, first: int, last: int) -> list[dict[str, Any]]:
        return [record(0, BEFORE + timedelta(day), 1, 150.0, resident=who)
                for day in range(first, last)]  # fmt: skip

    rows = of([*daily("stays", 0, 100), *daily("came", 60, 100), *daily("left", 0, 30)])
    assert resident_days(rows) == 100 + 40 + 30
    other = of([*daily("stays", 0, 100), *daily("short absence", 5, 97)])
    assert resident_days(other) == 200


def test_a_home_that_began_later_has_a_period_of_its_own() -> None:
    rows = of(
        record(0, BEFORE + timedelta(day), 1, 150.0, home=home, resident=home)
        for home, first in (("Elm", 0), ("Oak", 60))
        for day in range(first, 100)
    )
    assert resident_days(rows) == 100 + 40
