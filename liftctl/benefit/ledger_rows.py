"""Ledger records as rows of the analysis table.

Role: the adapter; the only module here that knows the record's field names. Process: library.
Must never: drop a record: one that cannot be read becomes a row with its trouble.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from liftctl.benefit.presence import Stay, staffing
from liftctl.benefit.rows import OUTCOME_WORDS, Row

NEEDED_PHASES = ("begin", "end")


def row_of(record: dict[str, Any], number: int = 0) -> Row:
    """One record; `number` is its place, for messages."""
    elapsed_s = _elapsed_s(record)
    planned = _whole(record.get("carers_planned"))
    staff = _staffing(record, elapsed_s, planned)
    outcome = str(record.get("outcome") or "")
    return Row(
        id=str(record.get("id") or ""),
        resident=_text(record, "resident"),
        kind=_text(record, "kind"),
        outcome=OUTCOME_WORDS.get(outcome, outcome),
        home=_text(record, "home"),
        ward=_text(record, "ward") or _text(record, "site"),
        municipality=_text(record, "municipality"),
        lift=_text(record, "device") or _text(record, "site"),
        mobility=_text(record, "mobility"),
        carers_planned=planned,
        carers=staff[0],
        started_s=_moment(record.get("started_utc")),
        ended_s=_moment(record.get("ended_utc")),
        elapsed_s=elapsed_s,
        staff_s=staff[1],
        waiting_s=staff[2],
        training=bool(record.get("training")),
        out_of_plan=bool(record.get("out_of_plan")),
        erased=bool(record.get("erased")),
        trips=len(record.get("blocks") or ()),
        adverse=len(record.get("adverse") or ()),
        trouble=_trouble(record),
        line=number,
    )


def rows_of(records: Iterable[dict[str, Any]]) -> list[Row]:
    """All records, in their order."""
    return [row_of(record, number) for number, record in enumerate(records, 1)]


def _text(record: dict[str, Any], name: str) -> str:
    return str(record.get(name) or "")


def _whole(value: Any) -> int | None:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _moment(value: Any) -> float | None:
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return found.timestamp() if found.tzinfo else None


def _elapsed_s(record: dict[str, Any]) -> float | None:
    """The monotonic duration where there is one: the wall clock may have been set meanwhile."""
    if not record.get("ended_utc"):
        return None
    given = record.get("elapsed_s")
    if isinstance(given, int | float):
        return float(given)
    started, ended = _moment(record.get("started_utc")), _moment(record.get("ended_utc"))
    return None if started is None or ended is None else ended - started


def _staffing(
    record: dict[str, Any], elapsed_s: float | None, planned: int | None
) -> tuple[int | None, float | None, float]:
    if elapsed_s is None:
        return planned, None, 0.0
    found = staffing(_stays(record, elapsed_s), elapsed_s, planned or 0)
    return found.carers, found.staff_s, found.waiting_s


def _stays(record: dict[str, Any], elapsed_s: float) -> list[Stay]:
    stays = []
    for carer in record.get("carers_present") or ():
        left_s = carer.get("left_s")
        stays.append(
            (float(carer.get("joined_s") or 0.0), elapsed_s if left_s is None else float(left_s))
        )
    return stays


def _trouble(record: dict[str, Any]) -> str:
    """A completed transfer whose phases were recorded, but not its beginning or end."""
    phases = record.get("phases")
    if record.get("outcome") != "completed" or not phases:
        return ""
    return "" if all(name in phases for name in NEEDED_PHASES) else "missing_phases"
