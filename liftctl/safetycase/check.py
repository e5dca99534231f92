"""Does the safety case hold together: hazards, rows, numbers and texts against each other.

Role: findings as sentences that name what is wrong; `make docs` and the tests ask. Process: none of
the service's. Must never: read a file; what is checked is handed in, so that a test can break it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from liftctl.safetycase.hazards import HazardList
from safety.bounds import Params, violations
from safety.table import Row
from safety.types import LOWERING, Act

Rows = Mapping[str, Row]


def hazards_and_rows(listed: HazardList, rows: Rows) -> tuple[str, ...]:
    """A row without hazard, a hazard without row or exemption, an exemption that is not needed."""
    found = [
        f"row {row.id} names hazard {row.hazard}, which the list does not have"
        for row in rows.values()
        if row.hazard not in listed.hazards
    ]
    with_rows = {row.hazard for row in rows.values()}
    for hazard in listed.hazards.values():
        if hazard.id not in with_rows and not hazard.exempt:
            found.append(f"hazard {hazard.id} has no row and no exemption")
        if hazard.id in with_rows and hazard.exempt:
            found.append(f"hazard {hazard.id} has rows and needs no exemption")
    return tuple(found)


def stops_lowering(row: Row) -> bool:
    """May this row, true or unknown, take DOWN or SIT away."""
    reactions = (*row.when_true, *row.when_unknown)
    return any(item.act > Act.SLOW and item.motions & LOWERING for item in reactions)


def lowering(listed: HazardList, rows: Rows) -> tuple[str, ...]:
    """Design rule 4: a row that takes lowering away has its reason, and no other row is listed."""
    takes = {row.id for row in rows.values() if stops_lowering(row)}
    listed_ids = set(listed.lowering)
    return (
        *(
            f"row {name} takes lowering away without a reason"
            for name in sorted(takes - listed_ids)
        ),
        *(f"row {name} does not take lowering away" for name in sorted(listed_ids - takes)),
    )


def numbers(limits: Mapping[str, Params]) -> tuple[str, ...]:
    """Numbers outside their hard bounds, by the name of whose they are."""
    return tuple(
        f"{name}: {text}" for name, params in limits.items() for text in violations(params)
    )


def texts(rows: Iterable[str], languages: Mapping[str, Mapping[str, str]]) -> tuple[str, ...]:
    """An alarm without words, in any language: when the row is true, and when it is unknown."""
    keys = [f"row.{name}{mark}" for name in rows for mark in ("", "?")]
    return tuple(
        f"{language}: no text for {key}"
        for language, words in languages.items()
        for key in keys
        if not words.get(key, "").strip()
    )


def findings(
    listed: HazardList,
    rows: Rows,
    limits: Mapping[str, Params],
    languages: Mapping[str, Mapping[str, str]],
) -> tuple[str, ...]:
    """Everything at once; empty when the case holds together."""
    return (
        *hazards_and_rows(listed, rows),
        *lowering(listed, rows),
        *numbers(limits),
        *texts(rows, languages),
    )
