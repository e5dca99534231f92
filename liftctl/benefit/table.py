"""The analysis table in columns of integer codes: what is estimated from, stored and packed.

Role: rows -> arrays, coarsened so that the table can leave the house. Process: library (`evidence`
extra). Must never: carry an id, a token, a clock time or a unit of fewer than five residents.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from liftctl.benefit.flow import Flow
from liftctl.benefit.rows import Row
from liftctl.benefit.units import Place, coarsened

UNITS = ("ward", "home", "municipality")
LEVELS = UNITS[::-1]
CODED = ("kind", "mobility", *UNITS, "reason", "outcome")
NO_WEEK = -1

Codes = NDArray[np.int32]
Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One entry per logged transfer. `words[name][code]` is what a code means.

    `week`: the Monday of the week as days since 1970, -1 unknown. `seen`: carers a spot audit saw,
    -1 no audit.
    """

    resident: Codes
    kind: Codes
    mobility: Codes
    ward: Codes
    home: Codes
    municipality: Codes
    reason: Codes
    outcome: Codes
    week: Codes
    carers: Codes
    planned: Codes
    seen: Codes
    trips: Codes
    adverse: Codes
    elapsed_s: Values
    staff_s: Values
    waiting_s: Values
    words: dict[str, tuple[str, ...]]

    def __len__(self) -> int:
        return len(self.resident)

    @property
    def used(self) -> NDArray[np.bool_]:
        """Whether analysed."""
        return np.asarray(self.reason == self.words["reason"].index(""))

    def where(self, name: str, word: str) -> NDArray[np.bool_]:
        """Whether a coded column says `word`."""
        return np.asarray(getattr(self, name) == self.words[name].index(word))

    def counted(self) -> Table:
        """The same rows, as if none were excluded."""
        code = self.words["reason"].index("")
        columns = {name: getattr(self, name) for name in COLUMNS}
        return Table(words=self.words, **{**columns, "reason": np.full_like(self.reason, code)})

    def pick(self, mask: NDArray[Any]) -> Table:
        """The rows of a mask, with the same codes."""
        return Table(words=self.words, **{name: getattr(self, name)[mask] for name in COLUMNS})


COLUMNS = tuple(item.name for item in fields(Table) if item.name != "words")


def order(tokens: Iterable[str], salt: str) -> list[str]:
    """Residents in an order that tells nothing of their tokens; a code is the place in it."""
    return sorted(
        set(tokens), key=lambda token: hashlib.sha256(f"{salt}|{token}".encode()).digest()
    )


def build(flow: Flow, audits: Mapping[str, int], residents: Sequence[str]) -> Table:
    """`residents`: tokens in the order of their codes; rows come out sorted, not as logged."""
    code = {token: number for number, token in enumerate(residents)}
    shown = _shown(flow)
    made = [
        _entry(row, reason, audits, code, shown)
        for row, reason in zip(flow.rows, flow.reasons, strict=True)
    ]
    made.sort(key=lambda entry: tuple(map(str, entry.values())))
    words = {name: tuple(sorted({entry[name] for entry in made} | {""})) for name in CODED}
    columns = {name: _column(name, made, words) for name in COLUMNS}
    return Table(words=words, **columns)


def _place(row: Row) -> Place:
    return tuple(str(getattr(row, level)) for level in LEVELS)


def _shown(flow: Flow) -> dict[Place, Place]:
    """As what each place is told; residents count where a transfer of theirs is analysed."""
    seen: dict[Place, set[str]] = defaultdict(set)
    for row in flow.analysed:
        seen[_place(row)].add(row.resident)
    transfers = Counter(_place(row) for row in flow.rows)
    return coarsened({place: seen[place] for place in transfers}, transfers)


def _entry(
    row: Row,
    reason: str,
    audits: Mapping[str, int],
    code: Mapping[str, int],
    shown: Mapping[Place, Place],
) -> dict[str, Any]:
    return {
        **dict(zip(LEVELS, shown[_place(row)], strict=True)),
        "resident": code.get(row.resident, -1),
        "kind": row.kind,
        "mobility": row.mobility,
        "reason": reason,
        "outcome": row.outcome,
        "week": _week(row.day),
        "carers": row.carers or 0,
        "planned": row.carers_planned or 0,
        "seen": audits.get(row.id, -1),
        "trips": row.trips,
        "adverse": row.adverse,
        "elapsed_s": _value(row.elapsed_s),
        "staff_s": _value(row.staff_s),
        "waiting_s": _value(row.waiting_s),
    }


def _value(found: float | None) -> float:
    return float("nan") if found is None else round(found, 3)


def _week(day: date | None) -> int:
    return NO_WEEK if day is None else (day - timedelta(day.weekday()) - date(1970, 1, 1)).days


def _column(name: str, made: list[dict[str, Any]], words: dict[str, tuple[str, ...]]) -> Any:
    told = [entry[name] for entry in made]
    if name in CODED:
        code = {word: number for number, word in enumerate(words[name])}
        return np.array([code[word] for word in told], np.int32)
    return np.array(told, np.float64 if name.endswith("_s") else np.int32)
