"""Transfers from anywhere: a CSV file as rows of the analysis table.

Role: reader with line numbers. Process: library, plain Python. Must never: skip a line in silence.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from liftctl.benefit.moments import day_of, span
from liftctl.benefit.rows import (
    ANALYSED_OUTCOMES,
    OTHER_OUTCOMES,
    OUTCOME_WORDS,
    EvidenceError,
    Row,
)

COLUMNS = ("transfer_id", "resident", "home", "kind", "carers", "started_at", "ended_at", "outcome")
OPTIONAL = ("ward", "municipality", "lift", "mobility", "carers_planned", "staff_s", "waiting_s",
            "trips", "adverse", "baseline_version")  # fmt: skip
UNREADABLE = "unreadable_number"
MOST_TOLD = 20
MOST_CARERS = 9
MOST_S, MOST_TRIPS, MOST_ADVERSE = 1e6, 10_000, 100
LIMITS = {
    "staff_s": f"a number from 0 to {MOST_S:.0f}",
    "waiting_s": f"a number from 0 to {MOST_S:.0f}",
    "trips": f"a whole number from 0 to {MOST_TRIPS}",
    "adverse": f"a whole number from 0 to {MOST_ADVERSE}",
    "carers_planned": f"a whole number from 0 to {MOST_CARERS}",
}


def read_table(path: Path) -> tuple[tuple[str, ...], list[tuple[int, dict[str, str]]]]:
    """(columns, [(line, cells)]); EvidenceError when it is no table of UTF-8 text.

    Commas or semicolons; blank lines and nameless columns without content are nothing.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            head = file.readline()
            file.seek(0)
            delimiter = ";" if head.count(";") > head.count(",") else ","
            reader = csv.reader(file, delimiter=delimiter, strict=True)
            names = tuple(name.strip() for name in next(reader, []))
            lines = [(reader.line_num, _cells(names, cells, path, reader.line_num))
                     for cells in reader if any(cells)]  # fmt: skip
    except OSError as error:
        raise EvidenceError(f"{path}: cannot be read ({error.strerror})") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise EvidenceError(f"{path}: no CSV table in UTF-8 ({error})") from error
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise EvidenceError(f"{path}:1: column named twice: {', '.join(twice)}")
    return names, lines


def _cells(names: tuple[str, ...], cells: list[str], path: Path, line: int) -> dict[str, str]:
    if any(name == "" and cell for name, cell in zip_longest(names, cells, fillvalue="")):
        raise EvidenceError(f"{path}:{line}: more cells than columns; quote cells that hold commas")
    pairs = zip_longest(names, cells, fillvalue="")
    return {name: cell.strip() for name, cell in pairs if name}


def require(path: Path, names: tuple[str, ...], needed: tuple[str, ...]) -> None:
    """EvidenceError naming every missing column."""
    missing = [name for name in needed if name not in names]
    if missing:
        raise EvidenceError(
            f"{path}:1: columns missing: {', '.join(missing)}; needed: {', '.join(needed)}"
        )


def read_transfers_csv(path: Path, local: ZoneInfo) -> tuple[list[Row], list[str]]:
    """(rows, what was odd with line numbers); EvidenceError when the file is no such table."""
    names, lines = read_table(path)
    require(path, names, COLUMNS)
    read = [_row(line, cells, local) for line, cells in lines]
    rows = [row for row, _ in read]
    odd = [
        f"{path.name}:{row.line}: {word}" for row, bad in read for word in (*bad, *_oddities(row))
    ]
    if len(odd) > MOST_TOLD:
        odd[MOST_TOLD:] = [f"{path.name}: and {len(odd) - MOST_TOLD} more lines like these"]
    return rows, odd


def _oddities(row: Row) -> Iterator[str]:
    if row.trouble not in ("", UNREADABLE):
        yield f"{row.trouble}: excluded"
    if row.elapsed_s is not None and row.elapsed_s <= 0:
        yield f"ends {-row.elapsed_s:.0f} s before it starts: excluded"
    elif not row.staffed:
        low, high = row.staff_limits
        yield (f"staff_s {row.staff_s:g} in {row.elapsed_s or 0.0:.0f} s with {row.carers} carers; "
               f"it must be from {low:.0f} to {high:.0f}: excluded")  # fmt: skip
    if row.outcome not in (*ANALYSED_OUTCOMES, *OTHER_OUTCOMES):
        known = ", ".join((*ANALYSED_OUTCOMES, *OTHER_OUTCOMES))
        yield f"outcome {row.outcome!r} is not one of {known}: excluded"
    if not row.resident:
        yield "no resident: excluded"
    if not row.carers:
        yield f"carers is not a whole number from 1 to {MOST_CARERS}: excluded"


def _seconds(text: str) -> float | None:
    found = number(text)
    return found if found is not None and found <= MOST_S else None


def _row(line: int, cells: dict[str, str], local: ZoneInfo) -> tuple[Row, list[str]]:
    """The row, and each number in it that was told and cannot be read.

    Carers times duration in place of a mistyped number could be a saving from nowhere.
    """
    start, end, trouble = span(cells["started_at"], cells["ended_at"], local)
    carers = whole(cells["carers"], MOST_CARERS)
    elapsed_s = None if start is None or end is None else end - start
    told = {name: cells.get(name, "") for name in LIMITS}
    found: dict[str, Any] = {
        "staff_s": _seconds(told["staff_s"]),
        "waiting_s": _seconds(told["waiting_s"]),
        "trips": whole(told["trips"], MOST_TRIPS),
        "adverse": whole(told["adverse"], MOST_ADVERSE),
        "carers_planned": whole(told["carers_planned"], MOST_CARERS),
    }
    bad = [f"{name} is {told[name]!r}; it must be {LIMITS[name]}, with a decimal point, or empty: "
           "excluded" for name in LIMITS if told[name] and found[name] is None]  # fmt: skip
    if not told["staff_s"] and carers and elapsed_s is not None:
        found["staff_s"] = carers * elapsed_s
    outcome = cells["outcome"].lower()
    row = Row(
        id=cells["transfer_id"],
        resident=cells["resident"],
        kind=cells["kind"],
        home=cells["home"],
        ward=cells.get("ward", ""),
        municipality=cells.get("municipality", ""),
        lift=cells.get("lift", ""),
        mobility=cells.get("mobility", ""),
        baseline_version=cells.get("baseline_version", ""),
        outcome=OUTCOME_WORDS.get(outcome, outcome),
        carers=carers,
        carers_planned=found["carers_planned"],
        started_s=start,
        ended_s=end,
        day=day_of(start, local),
        elapsed_s=elapsed_s,
        staff_s=found["staff_s"],
        waiting_s=found["waiting_s"],
        trips=found["trips"] or 0,
        adverse=found["adverse"] or 0,
        trouble=trouble or (UNREADABLE if bad else ""),
        line=line,
    )
    return row, bad


def whole(text: str, most: int) -> int | None:
    """A whole number from 0 to `most`, also written 2.0; else None."""
    found = number(text)
    return int(found) if found is not None and found == int(found) and found <= most else None


def number(text: str) -> float | None:
    """A finite number of at least 0; else None."""
    try:
        found = float(text)
    except ValueError:
        return None
    return found if math.isfinite(found) and found >= 0 else None
