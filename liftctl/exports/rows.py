"""The one list of columns every export of transfers has.

Role: from a ledger's records to flat rows. Process: CLI, centre. Must never: hold a resident, a
carer, a room's name or a free text; a column is here or it does not leave.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Row = dict[str, str | float | int | bool | None]


@dataclass(frozen=True, slots=True)
class Column:
    """`kind`: text, number, count, flag or moment (ISO 8601, UTC); `about` goes into the docs."""

    name: str
    kind: str
    about: str


COLUMNS = (
    Column("id", "text", "random, the transfer's own"),
    Column("site", "text", "the gateway"),
    Column("kind", "text", "from-to, or stand-sit"),
    Column("outcome", "text", "completed, aborted, fallback2, fault, emergency, interrupted"),
    Column("reason", "text", "code chosen on the panel"),
    Column("started_utc", "moment", "begin"),
    Column("ended_utc", "moment", "empty: nobody saw the end"),
    Column("elapsed_s", "number", "begin to end"),
    Column("staff_s", "number", "sum of all presences of carers"),
    Column("carers_planned", "count", "chosen at begin"),
    Column("carers_actual", "count", "most present at once"),
    Column("peak_load_kg", "number", "largest load, sling included"),
    Column("raised_mm", "number", "while carrying"),
    Column("traversed_mm", "number", "while carrying"),
    Column("out_of_plan", "flag", "differed from the plan"),
    Column("exclude", "flag", "not for the evidence (training, correction)"),
    Column("version", "text", "software"),
    Column("config_hash", "text", "configuration"),
    Column("ledger_seq", "count", "where the ledger has it"),
    Column(
        "changed_seq", "count", "the ledger's newest word: correction or erasure; newest counts"
    ),
    Column("erased", "flag", "nothing but the outcome is left"),
)
_TYPES: Mapping[str, tuple[type, ...]] = {
    "text": (str,),
    "moment": (str,),
    "number": (int, float),
    "count": (int,),
    "flag": (bool,),
}


def rows(records: Iterable[Mapping[str, Any]]) -> Iterator[Row]:
    """One row per record; what is missing or of another type is None."""
    for record in records:
        yield {column.name: _cell(record.get(column.name), column.kind) for column in COLUMNS}


def changed_seq(row: Row) -> int:
    """The ledger entry after which the row says this; 0 when it is not from a ledger."""
    seq = row["changed_seq"] or row["ledger_seq"]
    return seq if isinstance(seq, int) else 0


def _cell(value: Any, kind: str) -> Any:
    fits = type(value) in _TYPES[kind]
    if not fits:
        return None
    if kind == "moment":
        return value or None
    return float(value) if kind == "number" else value
