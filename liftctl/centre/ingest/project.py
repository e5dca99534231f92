"""What is read out of a chain: events, transfers, trends, the controller's newest facts.

Role: from links to rows of the read tables. Process: ingest; pure. Must never: refuse a row (the
chain keeps it as it is), or believe a home's clock where it contradicts the centre's.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from liftctl.centre.ingest.verify import Link, plain

CLOCK_TOLERANCE_S = 120.0
TEXT = 200
MANY = 40
UPKEEP = ("what", "done", "next_due", "passed", "cycles")


@dataclass(slots=True)
class Rows:
    """Rows of the read tables; `facts` are the controller's newest columns."""

    events: list[tuple[int, datetime, str, str, dict[str, Any]]] = field(default_factory=list)
    transfers: list[Transfer] = field(default_factory=list)
    corrections: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    trends: dict[tuple[str, date], float] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    set_aside: int = 0


@dataclass(frozen=True, slots=True)
class Transfer:
    """One closed transfer; `corrects` is the seq of the close it replaces, or 0."""

    seq: int
    at: datetime
    id: str
    kind: str
    outcome: str
    carers: int | None
    elapsed_s: float | None
    staff_s: float | None
    blocks: int
    alarms: int
    detail: dict[str, Any]
    corrects: int


def clock_off_s(sent_ms: int, now: datetime) -> float:
    """How far the home's clock is behind the centre's, seconds; 0 within the tolerance."""
    off = now.timestamp() - sent_ms / 1000
    return off if abs(off) > CLOCK_TOLERANCE_S else 0.0


def moment(told: Any, off_s: float, now: datetime) -> datetime:
    """A home's UTC text by the centre's clock; never in the future."""
    try:
        at = datetime.fromisoformat(str(told))
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return min(at + timedelta(seconds=off_s), now)
    except (ValueError, OverflowError):
        return now


def rows(links: Iterable[Link], off_s: float, now: datetime) -> Rows:
    """Everything these links add to the read tables."""
    found = Rows()
    for link in links:
        at = moment(link.header.get("t_utc"), off_s, now)
        if link.record.sealed:
            found.set_aside += 1
            found.events.append((link.seq, at, "set_aside", word(link.record.sealed), {}))
            continue
        kind = word(link.header.get("kind"))
        content = plain(link.record.body or link.record.summary)
        if kind == "closed":
            found.transfers.append(_transfer(link, at, content))
        elif kind == "correction":
            found.corrections.append((word(link.header.get("transfer_id")), content))
        elif kind in READERS:
            READERS[kind](found, link, at, content)
    return found


def word(value: Any) -> str:
    """A short text, whatever it was."""
    return str(value if value is not None else "")[:TEXT]


def number(value: Any) -> float | None:
    """A finite number, or None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) and abs(value) < 1e15 else None
    except OverflowError:
        return None


def _count(value: Any) -> int | None:
    found = number(value)
    return int(found) if found is not None and 0 <= found < 1 << 31 else None


def _many(value: Any) -> int:
    return len(value) if isinstance(value, list) else 0


def _transfer(link: Link, at: datetime, content: dict[str, Any]) -> Transfer:
    carers = _count(content.get("carers_actual"))
    return Transfer(
        seq=link.seq,
        at=at,
        id=word(link.header.get("transfer_id")),
        kind=word(content.get("kind")),
        outcome=word(content.get("outcome") or link.header.get("outcome")),
        carers=carers if carers is None else min(carers, 9),
        elapsed_s=number(content.get("elapsed_s")),
        staff_s=number(content.get("staff_s")),
        blocks=_many(content.get("blocks")),
        alarms=_many(content.get("alarms")),
        detail=content,
        corrects=_count(link.header.get("corrects")) or 0,
    )


def corrected(row: Transfer, content: dict[str, Any]) -> Transfer:
    """The transfer as a later word has it; what the word does not name stays."""
    fields = content.get("fields")
    told = fields if isinstance(fields, dict) else {}
    carers = _count(told.get("carers_actual"))
    return replace(
        row,
        kind=word(told.get("kind", row.kind)),
        outcome=word(told.get("outcome", row.outcome)),
        carers=row.carers if carers is None else min(carers, 9),
        elapsed_s=number(told.get("elapsed_s", row.elapsed_s)),
        staff_s=number(told.get("staff_s", row.staff_s)),
        detail={**row.detail, **told},
    )


def _event(found: Rows, link: Link, at: datetime, content: dict[str, Any]) -> None:
    kind = word(link.header.get("kind"))
    found.events.append((link.seq, at, kind, word(content.get("row")), content))


def _report(found: Rows, link: Link, at: datetime, content: dict[str, Any]) -> None:
    found.facts |= {"reported": content, "reported_at": at}


def _trend(found: Rows, link: Link, at: datetime, content: dict[str, Any]) -> None:
    values = content.get("values")
    named = values if isinstance(values, dict) else {}
    newest = {word(name): number(value) for name, value in list(named.items())[:MANY]}
    told = {name: value for name, value in newest.items() if value is not None}
    found.trends |= {(name, at.date()): value for name, value in told.items()}
    found.facts["trends"] = {**found.facts.get("trends", {}), **told}


def _commissioned(found: Rows, link: Link, at: datetime, content: dict[str, Any]) -> None:
    values = content.get("values")
    if isinstance(values, dict):
        found.facts["commissioned"] = {word(k): number(v) for k, v in list(values.items())[:MANY]}
    _event(found, link, at, content)


def _service(found: Rows, link: Link, at: datetime, content: dict[str, Any]) -> None:
    """Cycle counter and due dates; a service or an inspection done is an event as well."""
    for name in ("cycles", "service_cycles"):
        if (told := _count(content.get(name))) is not None:
            found.facts[name] = told
    for name in ("service_by", "inspection_by"):
        if (day := _day(content.get(name))) is not None:
            found.facts[name] = day
    if content.get("done"):
        _event(found, link, at, content)


def _audit(found: Rows, link: Link, at: datetime, content: dict[str, Any]) -> None:
    """What people did there: the header has a code and, of an inspection or service, its dates."""
    told = {name: link.header[name] for name in UPKEEP if name in link.header}
    found.events.append((link.seq, at, "audit", word(link.header.get("event")), told))
    due = f"{told.get('what')}_by"
    if due in ("inspection_by", "service_by") and (day := _day(told.get("next_due"))) is not None:
        found.facts[due] = day
    if due == "service_by" and (cycles := _count(told.get("cycles"))):
        found.facts["service_cycles"] = cycles


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return None


READERS = {
    "report": _report,
    "trend": _trend,
    "commissioned": _commissioned,
    "service": _service,
    "trip": _event,
    "stop": _event,
    "alarm": _event,
    "epoch": _event,
    "erased": _event,
    "support": _event,
    "configuration": _event,
    "audit": _audit,
}
