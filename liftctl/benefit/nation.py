"""A nation's year: rows in Parquet, rolled up by DuckDB, file by file.

Role: totals per municipality and month, the ward x day cube, and the national interval, without
ever holding the rows. Process: library (`evidence` extra). Must never: read a token (codes only).

A row has integer codes, `saved_s` and the code of its baseline's version, computed where it was
made: whoever adds up a hundred million rows joins nothing. `saved_s` is NULL where it does not
count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from liftctl.benefit.estimate import Estimate, Published, Sums, saving
from liftctl.benefit.rows import EvidenceError

MUNICIPALITIES, WARDS, RESIDENTS = 98, 3600, 40_000
DAYS, MONTHS = 365, 12
CHUNK = 1_000_000
MEMORY = "2GB"
CUBE = "ward-day.parquet"
NEEDED = ("municipality", "ward", "resident", "day", "saved_s")
Progress = Callable[[int, int], None]
Columns = dict[str, Any]


@dataclass(frozen=True, slots=True)
class RollUp:
    """`rows`: (municipality, month, transfers, saved hours), sorted."""

    rows: tuple[tuple[int, int, int, float], ...]

    @property
    def n(self) -> int:
        return sum(row[2] for row in self.rows)

    @property
    def saved_hours(self) -> float:
        return sum(row[3] for row in self.rows)


def synthetic(out: Path, rows: int, seed: int, progress: Progress) -> None:
    """A synthetic year, one file per month, in chunks."""
    out.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    level = rng.normal(0, 60, RESIDENTS).astype(np.float32)
    done = 0
    for month in range(MONTHS):
        share = rows * (month + 1) // MONTHS - rows * month // MONTHS
        with pq.ParquetWriter(
            out / f"{month + 1:02}.parquet", _schema(), compression="zstd"
        ) as file:
            for start in range(0, share, CHUNK):
                size = min(CHUNK, share - start)
                file.write_table(pa.table(_chunk(rng, size, month, level), schema=_schema()))
                done += size
                progress(done, rows)


def _schema() -> Any:
    kinds = {
        "municipality": pa.int16(), "ward": pa.int16(), "resident": pa.int32(), "kind": pa.int8(),
        "day": pa.int16(), "baseline": pa.int16(), "staff_s": pa.float32(), "saved_s": pa.float32(),
    }  # fmt: skip
    return pa.schema(list(kinds.items()))


def _chunk(rng: np.random.Generator, size: int, month: int, level: Any) -> Columns:
    resident = rng.integers(0, RESIDENTS, size, dtype=np.int32)
    ward = (resident * np.int64(WARDS) // RESIDENTS).astype(np.int16)
    first, after = month * DAYS // MONTHS, (month + 1) * DAYS // MONTHS
    staff_s = np.round(rng.gamma(4, 45, size) + 60, 1).astype(np.float32)
    saved_s = np.round(380 - staff_s + level[resident], 1).astype(np.float32)
    counts = rng.random(size) > 0.08
    return {
        "municipality": (ward.astype(np.int64) * MUNICIPALITIES // WARDS).astype(np.int16),
        "ward": ward,
        "resident": resident,
        "kind": rng.integers(0, 6, size, dtype=np.int8),
        "day": np.sort(rng.integers(first, after, size)).astype(np.int16),
        "baseline": np.zeros(size, np.int16),
        "staff_s": staff_s,
        "saved_s": pa.array(saved_s, mask=~counts),
    }


def files(folder: Path) -> list[Path]:
    """The Parquet files of a folder; EvidenceError when there is none or one has other columns."""
    found = sorted(path for path in folder.glob("*.parquet") if path.name != CUBE)
    if not found:
        raise EvidenceError(f"{folder}: no Parquet files here")
    for path in found:
        try:
            names = pq.read_schema(path).names
        except (pa.ArrowInvalid, OSError) as error:
            raise EvidenceError(f"{path}: no Parquet file ({error})") from error
        missing = [name for name in NEEDED if name not in names]
        if missing:
            raise EvidenceError(f"{path}: columns missing: {', '.join(missing)}")
    return found


def _connect() -> duckdb.DuckDBPyConnection:
    made = duckdb.connect()
    made.execute(f"SET memory_limit='{MEMORY}'")
    return made


def _each(folder: Path, query: str, progress: Progress) -> Iterator[Columns]:
    """The answer of every file, as arrays; `query` reads from `rows`."""
    with _connect() as db:
        paths = files(folder)
        for number, path in enumerate(paths, 1):
            answer = db.read_parquet(str(path)).query("rows", query)
            yield answer.fetchnumpy() if answer else {}
            progress(number, len(paths))


def cube(folder: Path, progress: Progress) -> Path:
    """The ward x day cube beside the rows: transfers, saved seconds and their squares."""
    query = (
        "SELECT municipality, ward, day, count(saved_s) AS n, count(*) AS logged,"
        " sum(saved_s::DOUBLE) AS saved_s, sum(saved_s::DOUBLE ** 2) AS saved_s2"
        " FROM rows GROUP BY ALL ORDER BY ALL"
    )
    parts = [pa.table(part) for part in _each(folder, query, progress)]
    pq.write_table(pa.concat_tables(parts), folder / CUBE, compression="zstd")
    return folder / CUBE


def roll_up(folder: Path, progress: Progress) -> RollUp:
    """Municipality x month, from the rows."""
    query = (
        "SELECT municipality, day * 12 // 365 AS month, count(saved_s) AS n,"
        " sum(saved_s::DOUBLE) / 3600 AS hours FROM rows GROUP BY ALL"
    )
    return _added(_each(folder, query, progress))


def roll_up_cube(folder: Path) -> RollUp:
    """The same from the cube."""
    query = (
        "SELECT municipality, day * 12 // 365 AS month, sum(n) AS n,"
        " sum(saved_s) / 3600 AS hours FROM read_parquet(?) GROUP BY ALL"
    )
    with _connect() as db:
        return _added([db.execute(query, [str(folder / CUBE)]).fetchnumpy()])


def _added(parts: Any) -> RollUp:
    sums: dict[tuple[int, int], list[float]] = {}
    for part in parts:
        names = ("municipality", "month", "n", "hours")
        for place, month, n, hours in zip(*(part[name] for name in names), strict=True):
            entry = sums.setdefault((int(place), int(month)), [0, 0.0])
            entry[0] += int(n)
            entry[1] += 0.0 if n == 0 else float(hours)
    return RollUp(tuple((*key, int(n), hours) for key, (n, hours) in sorted(sums.items())))


def interval(folder: Path, progress: Progress) -> Estimate:
    """Mean saving per transfer of everybody, clustered by resident."""
    query = (
        "SELECT resident, count(saved_s) AS n, sum(saved_s::DOUBLE) AS total,"
        " sum(saved_s::DOUBLE ** 2) AS squares FROM rows WHERE saved_s IS NOT NULL GROUP BY ALL"
    )
    sums = np.zeros((3, 0))
    for part in _each(folder, query, progress):
        most = max(sums.shape[1], int(part["resident"].max(initial=-1)) + 1)
        sums = np.pad(sums, ((0, 0), (0, most - sums.shape[1])))
        for at, name in enumerate(("n", "total", "squares")):
            sums[at] += np.bincount(part["resident"], part[name].astype(np.float64), most)
    n, total, squares = (part[:, None] for part in sums)
    zero = np.zeros_like(n)
    nothing = Published(np.zeros(1), np.zeros(1), np.ones(1))
    return saving(Sums(zero, zero, zero), Sums(n, -total, squares), nothing)
