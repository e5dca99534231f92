"""Ledgers with known transfers, for reports over a home's own ledger.

Role: records as the recorder writes them. Must never: share code with what reads them.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from liftctl.recorder.entries import Entry
from liftctl.recorder.ledger import Ledger
from tests.benefit.made import FIRST_AFTER, FIRST_BEFORE


def record(
    number: int, start: datetime, carers: int, seconds: float, **more: Any
) -> dict[str, Any]:
    """One completed transfer of one of twelve residents; every carer stays from begin to end."""
    stays = [{"joined_s": 0.0, "left_s": seconds, "source": "button"}] * carers
    return {
        "schema": 2,
        "id": f"{start.date()}-{number}",
        "site": "lift-1",
        "home": "home",
        "kind": "bed-chair",
        "resident": f"r{number % 12}",
        "outcome": "completed",
        "carers_planned": carers,
        "carers_actual": carers,
        "carers_present": stays,
        "started_utc": start.astimezone(UTC).isoformat(),
        "ended_utc": (start + timedelta(seconds=seconds)).astimezone(UTC).isoformat(),
        "elapsed_s": seconds,
        "staff_s": carers * seconds,
        **more,
    }


def two_periods() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Ten days of two carers, some 253 s each, and ten of one carer, some 152 s."""
    before = [record(n, FIRST_BEFORE + timedelta(hours=n), 2, 250.0 + n % 7) for n in range(240)]
    after = [record(n, FIRST_AFTER + timedelta(hours=n), 1, 150.0 + n % 5) for n in range(240)]
    return before, after


def ledger_of(path: Path, told: Iterable[dict[str, Any]]) -> Path:
    """A ledger of these records, in their order."""
    now_ns = 0
    with closing(Ledger(path, lambda: now_ns)) as ledger:
        for number, item in enumerate(told, 1):
            now_ns = int(datetime.fromisoformat(item["started_utc"]).timestamp() * 1e9)
            header = {"site": item["site"], "outcome": item["outcome"]}
            ledger.append(Entry("closed", item["id"], number, item, header))
    return path
