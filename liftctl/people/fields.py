"""What a transfer's record holds, read from the record's own type.

Role: the list of fields for notice and assessment. Process: the CLI; pure. Must never: be a second
list; names, parts and who tells them come from liftctl.records, what leaves from liftctl.uplink.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args

import msgspec

from liftctl.people.page import Grid
from liftctl.people.words import DASH, Words, catalogue
from liftctl.recorder.transfers import HEADER_FIELDS
from liftctl.records import Part, TransferRecord
from liftctl.uplink import share

GROUPS = ("staff", "resident", "transfer", "equipment", "time", "ledger")
# Of the header, which travels whole; corrections travel with the fields that may leave.
IN_HEADER = ("id", "follows", "outcome", "ledger_seq", "corrections")
TELLER = re.compile(r"^    (\w+): .*?# ([crsp](?: or [crsp])?)\b", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Field:
    """A field: `parts` are the names inside it, `tellers` letters as in liftctl.records."""

    name: str
    group: str
    parts: tuple[str, ...]
    tellers: tuple[str, ...]
    leaves: tuple[str, ...]  # what of it goes to a centre; empty: nothing

    @property
    def key(self) -> str:
        """Of its text."""
        return f"field.{self.group}.{self.name}"


@cache
def fields() -> tuple[Field, ...]:
    """Every field of a record, in its order; KeyError names one that has no text."""
    told = dict(TELLER.findall(inspect.getsource(TransferRecord)))
    return tuple(
        Field(
            item.name,
            _group(item.name),
            tuple(_parts(item.type)),
            tuple(told.get(item.name, "").split(" or ")) if item.name in told else (),
            _leaves(item.name),
        )
        for item in msgspec.structs.fields(TransferRecord)
    )


def _group(name: str) -> str:
    for group in GROUPS:
        if f"field.{group}.{name}" in catalogue():
            return group
    raise KeyError(f"field {name} of a record has no text in {GROUPS}")


def _parts(kind: Any) -> Iterator[str]:
    if isinstance(kind, type) and issubclass(kind, Part):
        yield from (item.name for item in msgspec.structs.fields(kind))
    else:
        for inner in get_args(kind):
            yield from _parts(inner)


def _leaves(name: str) -> tuple[str, ...]:
    sent = (*share.CLOSED, *HEADER_FIELDS, *IN_HEADER)
    return share.LISTS.get(name) or ((name,) if name in sent else ())


def grid(words: Words, groups: tuple[str, ...] = GROUPS) -> Grid:
    """The fields of these groups as a table."""
    head = ("about", "field", "meaning", "teller", "leaves")
    rows = (
        (
            words(f"group.{item.group}"),
            " ".join((item.name, f"({', '.join(item.parts)})" if item.parts else "")).strip(),
            words(item.key),
            ", ".join(words(f"teller.{letter}") for letter in item.tellers) or DASH,
            words("word.yes") if item.leaves else words("word.no"),
        )
        for group in groups
        for item in fields()
        if item.group == group
    )
    return Grid(tuple(words(f"column.{name}") for name in head), tuple(rows))
