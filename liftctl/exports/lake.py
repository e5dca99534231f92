"""Transfers as Parquet, one folder per site and month; a row is replaced by its correction.

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

from liftctl.exports.rows import COLUMNS, Row, changed_seq, rows
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
    """Write what is newer than the lake, corrections and erasures too; how many rows. What they
    replace is taken out of its older part. The position moves last: a run that was cut short is
    done again, its leftovers removed.
    """
    folder, after = lake / f"site={site}", newest(lake, site)
    older = []
    for path in sorted(folder.glob("month=*/part-*")):
        found = PART.match(path.name)
        if found and int(found[1]) <= after:
            older.append(path)
        else:
            path.unlink()
    if any(pq.read_schema(path).names != SCHEMA.names for path in older):
        after = 0  # from before corrections were heard of
    months: dict[str, list[Row]] = defaultdict(list)
    for row in rows(records):
        if changed_seq(row) > after:
            months[str(row["started_utc"] or UNKNOWN)[:7]].append(row)
    for month, fresh in months.items():
        _write(folder / f"month={month}", sorted(fresh, key=changed_seq))
    if months:
        told = [row for fresh in months.values() for row in fresh]
        _cut(older, {str(row["id"]) for row in told})
        replace_file(folder / POSITION, str(max(map(changed_seq, told))).encode())
    return sum(map(len, months.values()))


def _cut(parts: Iterable[Path], ids: set[str]) -> None:
    """Take rows out of parts that a newer part has; a part of other columns gets ours."""
    for path in parts:
        table = pq.ParquetFile(path).read()
        keep = [name not in ids for name in table.column("id").to_pylist()]
        if all(keep) and table.schema.names == SCHEMA.names:
            continue
        left = table.filter(pa.array(keep, pa.bool_())).to_pylist()
        if left:
            new = path.with_suffix(".new")
            _store([dict.fromkeys(SCHEMA.names) | row for row in left], new)
            new.replace(path)
        else:
            path.unlink()


def _write(folder: Path, fresh: list[Row]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    name = f"part-{changed_seq(fresh[0])}-{changed_seq(fresh[-1])}.parquet"
    _store([_typed(row) for row in fresh], folder / name)


def _store(told: list[dict[str, Any]], path: Path) -> None:
    pq.write_table(pa.Table.from_pylist(told, schema=SCHEMA), path, compression="zstd")


def _typed(row: Row) -> dict[str, Any]:
    moments = {c.name for c in COLUMNS if c.kind == "moment"}
    return {
        name: datetime.fromisoformat(str(value)) if name in moments and value else value
        for name, value in row.items()
    }
