"""Ledger records as rows of the analysis table.

Role: the adapter; the only module here that knows the record's fields. Process: library. Must
never: drop a record: one that cannot be read becomes a row with its trouble.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, tzinfo
from typing import Any

from liftctl.benefit.moments import day_of
from liftctl.benefit.presence import Staffing, staffing
from liftctl.benefit.rows import OUTCOME_WORDS, Row
from liftctl.records import RecordError, TransferRecord, read

UNTRUSTED = "unsynchronised"  # a dead clock: the duration is right, the day may be any
NEEDED_PHASES = ("begin", "end")


def rows_of(records: Iterable[dict[str, Any]], local: tzinfo) -> list[Row]:
    """All records, in their order; `line` is the place of each. `local`: where the home is."""
    return [row_of(record, local, number) for number, record in enumerate(records, 1)]


def row_of(raw: dict[str, Any], local: tzinfo, number: int = 0) -> Row:
    """One record as `read_transfers` returns it."""
    try:
        record = read(raw)
    except RecordError:
        return Row(
            id=str(raw.get("id") or ""),
            resident=str(raw.get("resident") or ""),
            kind=str(raw.get("kind") or ""),
            outcome=str(raw.get("outcome") or ""),
            trouble="unreadable_record",
            line=number,
        )
    return _row(record, local, number)


def _row(record: TransferRecord, local: tzinfo, number: int) -> Row:
    elapsed_s = _elapsed_s(record)
    known = record.clock.sync != UNTRUSTED
    started_s = _moment(record.started_utc) if known else None
    staff = _staffing(record, elapsed_s)
    return Row(
        id=record.id,
        resident=record.resident,
        kind=record.kind,
        outcome=OUTCOME_WORDS.get(record.outcome, record.outcome),
        home=record.home or "",
        ward=record.ward or record.site,
        municipality=record.municipality or "",
        lift=record.site,
        mobility=record.mobility_class or "",
        carers_planned=record.carers_planned,
        carers=staff.carers if staff else record.carers_planned,
        started_s=started_s,
        ended_s=_moment(record.ended_utc) if known else None,
        day=day_of(started_s, local),
        elapsed_s=elapsed_s,
        staff_s=staff.staff_s if staff else None,
        waiting_s=staff.waiting_s if staff else None,
        follows=record.follows or "",
        training=record.exclude,
        out_of_plan=record.out_of_plan,
        erased=record.erased,
        trips=len(record.blocks),
        adverse=int(record.outcome in ("emergency", "fault")),
        trouble=_trouble(record),
        line=number,
    )


def _moment(told: str | None) -> float | None:
    try:
        found = datetime.fromisoformat(told or "")
    except ValueError:
        return None
    return found.timestamp() if found.tzinfo else None


def _elapsed_s(record: TransferRecord) -> float | None:
    """The monotonic duration where there is one: the wall clock may have been set meanwhile."""
    if record.elapsed_s is not None:
        return record.elapsed_s if record.ended_utc else None
    started, ended = _moment(record.started_utc), _moment(record.ended_utc)
    return None if started is None or ended is None else ended - started


def _staffing(record: TransferRecord, elapsed_s: float | None) -> Staffing | None:
    if elapsed_s is None:
        return None
    stays = [
        (stay.joined_s, elapsed_s if stay.left_s is None else stay.left_s)
        for stay in record.carers_present
    ]
    return staffing(stays, elapsed_s, record.carers_planned or 0, record.helper.called_s)


def _trouble(record: TransferRecord) -> str:
    """A completed transfer whose phases were recorded, but not its beginning or end."""
    if record.outcome != "completed" or not record.phases:
        return ""
    return "" if all(name in record.phases for name in NEEDED_PHASES) else "missing_phases"
