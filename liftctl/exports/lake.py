"""Transfers as Parquet, one folder per site and month, added to and never rewritten.

Role: the lake that DuckDB and others read. Process: CLI (the `evidence` extra). Must never: be
imported on a gateway's own processes (pyarrow), or write a row twice.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from liftctl.exports.rows import COLUMNS, Row, rows
from liftctl.files import replace_file

_TYPES = {
    "text": pa.dictionary(pa.int32(), pa.string()),
    "moment": pa.timestamp("ms", tz="UTC"),
    "number": pa.float64(),
    "count": pa.int64(),
    "flag": pa.bool_(),
}
UNIQUE = frozenset({"id"})  # a dictionary of unique values is larger than the values
SCHEMA = pa.schema([(c.name, pa.string() if c.name in UNIQUE else _TYPES[c.kind]) for c in COLUMNS])
PART = re.compile(r"^part-\d+-(\d+)\.parquet$")
UNKNOWN = "unknown"
POSITION = "_position"


def newest(lake: Path, site: str) -> int:
    """The highest ledger entry of a site that the lake has whole; 0 when it has none."""
    path = lake / f"site={site}" / POSITION
    return int(path.read_text(encoding="ascii")) if path.exists() else 0


def add(records: Iterable[Mapping[str, Any]], lake: Path, site: str) -> int:
    """Write what is newer than the lake; how many rows. The position moves last: a run that was cut
    short is done again, its leftovers removed.
    """
    folder, after = lake / f"site={site}", newest(lake, site)
    for path in folder.glob("month=*/part-*"):
        found = PART.match(path.name)
        if not found or int(found[1]) > after:
            path.unlink()
    months: dict[str, list[Row]] = defaultdict(list)
    for row in rows(records):
        if _seq(row) > after:
            months[str(row["started_utc"] or UNKNOWN)[:7]].append(row)
    for month, fresh in months.items():
        _write(folder / f"month={month}", sorted(fresh, key=_seq))
    if months:
        last = max(_seq(row) for fresh in months.values() for row in fresh)
        replace_file(folder / POSITION, str(last).encode())
    return sum(map(len, months.values()))


def _seq(row: Row) -> int:
    seq = row["ledger_seq"]
    return seq if isinstance(seq, int) else 0


def _write(folder: Path, fresh: list[Row]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"part-{_seq(fresh[0])}-{_seq(fresh[-1])}.parquet"
    table = pa.Table.from_pylist([_typed(row) for row in fresh], schema=SCHEMA)
    pq.write_table(table, path, compression="zstd")


def _typed(row: Row) -> dict[str, Any]:
    moments = {c.name for c in COLUMNS if c.kind == "moment"}
    return {
        name: datetime.fromisoformat(str(value)) if name in moments and value else value
        for name, value in row.items()
    }
