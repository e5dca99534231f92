"""The desk's window on the ledger and the report: read-only, and absent until there is one.

Role: adapter. Process: desk. Must never: write, or hold the ledger open.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from config.schema import BaselineSpec
from liftctl.recorder.export import without_notes
from liftctl.recorder.reader import read_transfers
from liftctl.recorder.store import LedgerError

CACHE_NS = 30_000_000_000
ALL = -1


def transfers(path: Path, limit: int, offset: int) -> list[dict[str, Any]]:
    """The newest closed transfers without staff's free text; [] while no ledger can be read."""
    try:
        return [without_notes(record) for record in read_transfers(path, limit, offset)]
    except (LedgerError, sqlite3.Error):
        return []


def report(path: Path, baselines: Sequence[BaselineSpec]) -> dict[str, Any]:
    """The benefit summary over the whole ledger."""
    from liftctl.benefit.quick import summarise

    return summarise(transfers(path, ALL, 0), baselines)


class Outcomes:
    """Transfers by outcome, read at most every 30 s however often it is scraped."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._counts: Counter[str] = Counter()
        self._due_ns = 0

    def counts(self, now_ns: int) -> Counter[str]:
        if now_ns >= self._due_ns:
            found = transfers(self._path, ALL, 0)
            self._counts = Counter(str(item.get("outcome") or "open") for item in found)
            self._due_ns = now_ns + CACHE_NS
        return self._counts
