"""ISO 8601 moments as UTC seconds; what the clock change makes ambiguous is said, not guessed.

Role: reading times. Process: library. Must never: take a stamp without offset for UTC.
"""

from __future__ import annotations

from datetime import date, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from liftctl.benefit.rows import EvidenceError

FIRST_YEAR, LAST_YEAR = 1971, 2199


def zone(name: str) -> ZoneInfo:
    """The time zone of stamps without an offset; EvidenceError when there is none of that name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise EvidenceError(
            f"time zone {name!r} is unknown; name one like Europe/Copenhagen"
        ) from error


def span(started: str, ended: str, local: ZoneInfo) -> tuple[float | None, float | None, str]:
    """(start, end, trouble): UTC seconds, None when empty or unreadable."""
    start, trouble = _moment(started, local)
    end, later = _moment(ended, local)
    trouble = trouble or later
    if not trouble and start and end and not _one_zone(start, end, local):
        trouble = "wrong_time_zone"
    return _seconds(start), _seconds(end), trouble


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


def _moment(told: str, local: ZoneInfo) -> tuple[datetime | None, str]:
    if not told:
        return None, ""
    try:
        found = datetime.fromisoformat(told)
    except ValueError:
        return None, "unreadable_time"
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        return None, "unreadable_time"
    if found.tzinfo is not None:
        return found, ""
    here = found.replace(tzinfo=local)
    if here.utcoffset() != here.replace(fold=1).utcoffset():
        return None, "ambiguous_time"  # the hour that happens twice, or never
    return here, ""


def _one_zone(start: datetime, end: datetime, local: ZoneInfo) -> bool:
    """Both stamps speak of one place: the same offset, or each the one that held there then."""
    if start.utcoffset() == end.utcoffset():
        return True
    return all(
        moment.utcoffset() == moment.astimezone(local).utcoffset() for moment in (start, end)
    )


def day_of(seconds: float | None, local: tzinfo) -> date | None:
    """The day of a moment, there."""
    return None if seconds is None else datetime.fromtimestamp(seconds, local).date()


def today(local: ZoneInfo) -> date:
    """The day it is there."""
    return datetime.now(local).date()
