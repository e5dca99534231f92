"""Residents and slings as CSV, in and out.

Role: strict reading (every fault with its line), and a table that reads back the same. Process: the
CLI. Must never: guess a column, a date or a unit.

Comma, semicolon or tab; with semicolons a decimal comma is read (82,5). UTF-8.
"""

from __future__ import annotations

import csv
import difflib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from config.plans import Register, ResidentSpec, SlingSpec
from liftctl.register.merge import Found, ImportFault

YES, NO = ("yes", "ja"), ("no", "nej", "")


@dataclass(frozen=True, slots=True)
class Column:
    """A column, the field it becomes, and how its text is read. `needed`: must be there."""

    name: str
    field: str
    read: Callable[[str, str], Any]
    needed: bool = False


def _text(text: str, _decimal: str) -> str:
    return text


def _number(text: str, decimal: str) -> float:
    return float(text.replace(",", ".") if decimal == "," else text)


def _whole(text: str, _decimal: str) -> int:
    return int(text)


def _flag(text: str, _decimal: str) -> bool:
    if text.lower() not in YES + NO:
        raise ValueError(text)
    return text.lower() in YES


WORDS: dict[Callable[[str, str], Any], str] = {
    _number: "a number",
    _whole: "a whole number",
    _flag: "yes or no",
}
RESIDENTS = (
    Column("resident", "identifier", _text, needed=True),
    Column("label", "label", _text, needed=True),
    Column("carers", "carers", _whole, needed=True),
    Column("limit_kg", "limit_kg", _number, needed=True),
    Column("expires", "expires", _text),
    Column("one_carer_until", "one_carer_until", _text),
    Column("sling_serial", "sling", _text),
    Column("sling_model", "sling_model", _text),
    Column("sling_size", "sling_size", _text),
    Column("sling_swl_kg", "sling_swl_kg", _number),
    Column("weight_kg", "weight_kg", _number),
    Column("mobility_class", "mobility_class", _text),
    Column("assessor", "assessor", _text),
    Column("assessed", "assessed", _text),
    Column("notes", "notes", _text),
    Column("token", "token", _text),
)
SLINGS = (
    Column("serial", "serial", _text, needed=True),
    Column("model", "model", _text),
    Column("size", "size", _text),
    Column("swl_kg", "swl_kg", _number, needed=True),
    Column("inspected", "inspected", _text),
    Column("inspect_by", "inspect_by", _text),
    Column("withdrawn", "withdrawn", _flag),
)
Spec = type[ResidentSpec] | type[SlingSpec]
TABLES: dict[str, tuple[Spec, tuple[Column, ...]]] = {
    "residents": (ResidentSpec, RESIDENTS),
    "slings": (SlingSpec, SLINGS),
}


def read(text: str, what: str) -> list[Found]:
    """The rows of a table of residents or slings; ImportFault names every line at fault."""
    spec, columns = TABLES[what]
    first, _, _ = text.lstrip("\ufeff").partition("\n")
    delimiter = max(",;\t", key=first.count)
    rows = csv.reader(io.StringIO(text.lstrip("\ufeff")), delimiter=delimiter, strict=True)
    problems, found = list[str](), list[Found]()
    try:
        head = [name.strip() for name in next(rows, [])]
        problems += _head_faults(head, columns)
        if problems:
            raise ImportFault(problems)
        for row in rows:
            if not any(cell.strip() for cell in row):
                continue
            where = f"line {rows.line_num}"
            values = _values(head, row, columns, "," if delimiter == ";" else ".")
            wrong = [value for value in values.values() if isinstance(value, _Fault)]
            problems += [f"{where}: {fault.why}" for fault in wrong]
            if not wrong:
                found.append(Found(where, spec(**_whole_row(spec, values))))
    except csv.Error as error:
        problems.append(f"line {rows.line_num}: {error}; save the file as CSV again")
    if problems:
        raise ImportFault(problems)
    return found


@dataclass(frozen=True, slots=True)
class _Fault:
    why: str


def _head_faults(head: list[str], columns: tuple[Column, ...]) -> Iterator[str]:
    known = [column.name for column in columns]
    for name in head:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.0)
            yield f"line 1: unknown column '{name}'; did you mean '{near[0]}'?"
        elif head.count(name) > 1:
            yield f"line 1: the column '{name}' is there twice; keep one"
    for column in columns:
        if column.needed and column.name not in head:
            yield f"line 1: the column '{column.name}' is missing; add it"


def _values(
    head: list[str], row: list[str], columns: tuple[Column, ...], decimal: str
) -> dict[str, Any]:
    if len(row) != len(head):
        return {"": _Fault(f"{len(row)} cells, the first line has {len(head)}; quote the text")}
    by_name = {column.name: column for column in columns}
    return {
        by_name[name].field: _cell(by_name[name], cell.strip(), decimal)
        for name, cell in zip(head, row, strict=True)
        if cell.strip() or by_name[name].needed
    }


def _cell(column: Column, text: str, decimal: str) -> Any:
    if column.needed and not text:
        return _Fault(f"{column.name} is empty; fill it in")
    try:
        return column.read(text, decimal)
    except ValueError:
        return _Fault(f"{column.name} '{text}' is not {WORDS[column.read]}; correct it")


def _whole_row(spec: Spec, values: dict[str, Any]) -> dict[str, Any]:
    return {"token": "", **values} if spec is ResidentSpec else values


def write(register: Register, what: str, tokens: bool = False) -> str:
    """The table; tokens only on request: with them records can be told whose they are."""
    _, columns = TABLES[what]
    shown = [column for column in columns if tokens or column.name != "token"]
    items = register.resident if what == "residents" else register.sling
    out = io.StringIO()
    lines = csv.writer(out, lineterminator="\n")
    lines.writerow([column.name for column in shown])
    for item in items:
        lines.writerow([_shown(getattr(item, column.field)) for column in shown])
    return out.getvalue()


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value).removesuffix(".0") if isinstance(value, float) else str(value)
