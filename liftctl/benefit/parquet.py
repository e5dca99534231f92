"""The analysis table as Parquet: integer codes with their words.

Role: Table <-> Parquet. Process: library (`evidence` extra). Must never: add a column that the
table does not have.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from liftctl.benefit.estimate import Array
from liftctl.benefit.rows import EvidenceError
from liftctl.benefit.table import CODED, COLUMNS, Table

ADDED = ("saved_s", "baseline")


def to_parquet(table: Table, saved_s: Array, baseline: str) -> bytes:
    """Deterministic bytes; with what each row saved, and against which baseline version."""
    columns = {}
    for name in COLUMNS:
        values = pa.array(getattr(table, name))
        if name in CODED:
            values = pa.DictionaryArray.from_arrays(
                values, pa.array(table.words[name], pa.string())
            )
        columns[name] = values
    columns["saved_s"] = pa.array(np.round(saved_s, 3), from_pandas=True)
    columns["baseline"] = pa.array([baseline] * len(table)).dictionary_encode()
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out, compression="zstd", store_schema=True)
    return out.getvalue()


def from_parquet(told: bytes) -> Table:
    """EvidenceError when it is no such table."""
    try:
        found = pq.read_table(io.BytesIO(told)).combine_chunks()
    except (pa.ArrowInvalid, OSError) as error:
        raise EvidenceError(f"rows: no Parquet table ({error})") from error
    if tuple(found.column_names) != (*COLUMNS, *ADDED):
        raise EvidenceError(f"rows: columns {found.column_names} instead of {[*COLUMNS, *ADDED]}")
    words: dict[str, tuple[str, ...]] = {}
    columns: dict[str, Any] = {}
    for name in COLUMNS:
        values = found.column(name)
        array = values.chunk(0) if values.num_chunks else values.combine_chunks()
        if name in CODED:
            words[name] = tuple(array.dictionary.to_pylist())
            array = array.indices
        kind = np.float64 if name.endswith("_s") else np.int32
        columns[name] = np.asarray(array.to_numpy(zero_copy_only=False), kind)
    return Table(words=words, **columns)


def saved_column(told: bytes) -> Array:
    """What each row says it saved, NaN where it does not count."""
    column = pq.read_table(io.BytesIO(told), columns=["saved_s"]).column("saved_s")
    return np.asarray(column.to_numpy(), np.float64)
