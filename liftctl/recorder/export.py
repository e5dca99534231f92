"""Transfers out of the ledger: whole records, a table, or counts.

Role: what leaves the house, and what does not. Process: the CLI; read-only. Must never: give free
text unasked, or a count that fewer than five residents are behind.

There is no carer to leave out: a record knows stays, not persons.
"""

from __future__ import annotations

import csv
import io
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from liftctl.spreadsheet import safe

FEWEST = 5
SUPPRESSED = f"fewer than {FEWEST} residents"  # however many transfers
CELLS = ("month", "municipality", "home", "ward", "kind", "outcome", "carers_actual")


def chosen(
    transfers: Iterable[dict[str, Any]],
    resident: str = "",
    since: str = "",
    until: str = "",
    notes: bool = False,
) -> Iterator[dict[str, Any]]:
    """Oldest first. `since` <= started < `until` (ISO dates). What has no date, as an erased record
    has none, is in no period.
    """
    for record in reversed(list(transfers)):
        started = str(record.get("started_utc") or "")
        if resident and record.get("resident") != resident:
            continue
        if (since or until) and not dated(record):
            continue
        if started < since or (until and started >= until):
            continue
        yield record if notes else without_notes(record)


def dated(record: dict[str, Any]) -> bool:
    """Whether it says when it began."""
    return bool(record.get("started_utc"))


def without_notes(record: dict[str, Any]) -> dict[str, Any]:
    """The record without anything staff wrote in their own words."""
    plain = {name: value for name, value in record.items() if name != "note"}
    if plain.get("corrections"):
        plain["corrections"] = [
            {**item, "reason": None, "fields": without_notes(item.get("fields", {}))}
            for item in plain["corrections"]
        ]
    return plain


def as_lines(records: Iterable[dict[str, Any]]) -> Iterator[str]:
    """One JSON object a line."""
    for record in records:
        yield json.dumps(record, ensure_ascii=False, sort_keys=True) + "\n"


def as_table(records: Iterable[dict[str, Any]]) -> Iterator[str]:
    """CSV; a nested field becomes OUTER.INNER, a list its JSON."""
    rows = [dict(_flat(record)) for record in records]
    names = list(dict.fromkeys(name for row in rows for name in row))
    yield _line(names)
    for row in rows:
        yield _line([row.get(name, "") for name in names])


def _flat(record: dict[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in record.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{before}{name}.")
        elif isinstance(value, list | tuple | dict):
            yield before + name, json.dumps(value, ensure_ascii=False) if value else ""
        else:
            yield before + name, "" if value is None else value


def as_counts(records: Iterable[dict[str, Any]]) -> Iterator[str]:
    """CSV of counts by month, place, kind, outcome and carers; small cells are not told.

    No totals: one missing cell could be reckoned from them.
    """
    cells: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    for record in records:
        told = {**record, "month": str(record.get("started_utc") or "")[:7]}
        key = tuple("" if told.get(name) is None else str(told[name]) for name in CELLS)
        cells[key].append(str(record.get("resident") or ""))
    yield _line([*CELLS, "transfers"])
    for key, residents in sorted(cells.items()):
        behind = len(set(residents) - {""})
        yield _line([*key, len(residents) if behind >= FEWEST else SUPPRESSED])


def _line(values: Iterable[Any]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(map(safe, values))
    return out.getvalue()


FORMATS = {"jsonl": as_lines, "csv": as_table, "counts": as_counts}
