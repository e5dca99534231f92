"""What a municipality's retention term has passed goes; what proves the rest stays.

Role: terms, and the monthly pruning. Process: `liftctl centre term`, `liftctl centre prune`. Must
never: touch a municipality that has set no term, cut a chain anywhere but at its old end, or take
the newest row of one.

Kept whatever the term: the tally, a device's own history (EVER), every chain's head with the place
and hash where it was cut, open conflicts. Months that nobody's term keeps are dropped whole.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, text

from liftctl.centre.database import MONTHLY, CentreError, first_month

# the shortest term: an uplink keeps what was acknowledged 90 days; a page shows 400 days of trends
FLOORS = {"transfers": 90, "events": 400, "audit": 1826}
LONGEST_DAYS = 36_525
EVER = ("commissioned", "service", "configuration", "epoch", "conflict", "erased")
WHAT = {"transfer": "transfers", "event": "events"}
SLICE = 5000


@dataclass(frozen=True, slots=True)
class Term:
    """`before`: what is older goes."""

    municipality: str
    what: str
    before: datetime


def put_term(engine: Engine, municipality: str, what: str, days: int) -> None:
    """A municipality decides how long, and its audit trail says so. CentreError below the floor."""
    if what not in FLOORS:
        raise CentreError(f"'{what}' has no term; use one of {', '.join(FLOORS)}")
    if not FLOORS[what] <= days <= LONGEST_DAYS:
        raise CentreError(f"{what}: {days} days; give {FLOORS[what]} to {LONGEST_DAYS}")
    values = {"municipality": municipality, "what": what, "days": days}
    with engine.begin() as db:
        if not db.execute(text(KNOWN), values).scalar():
            raise CentreError(f"no municipality '{municipality}'")
        db.execute(text(PUT), values)
        _audit(db, municipality, "retention term", {"what": what, "days": days})


def prune(engine: Engine, now: datetime) -> list[dict[str, Any]]:
    """One pass; what went, by municipality and table. May be run again at any time."""
    found: list[dict[str, Any]] = [{"months": _drop_months(engine, now.date())}]
    with engine.connect() as db:
        terms = [
            Term(town, what, now - timedelta(days=days))
            for town, what, days in db.execute(text("SELECT * FROM term ORDER BY 1, 2"))
        ]
    for term in terms:
        gone = _delete(engine, term) | {"entry": _cut_chains(engine, term)}
        told = {"what": term.what, "before": term.before.date().isoformat(), "rows": gone}
        if any(gone.values()):
            with engine.begin() as db:
                _audit(db, term.municipality, "pruned", told)
        found.append({"municipality": term.municipality, **told})
    return found


KNOWN = "SELECT 1 FROM municipality WHERE municipality = :municipality"
PUT = """
INSERT INTO term VALUES (:municipality, :what, :days)
ON CONFLICT (municipality, what) DO UPDATE SET days = excluded.days
"""
AUDIT = """
INSERT INTO audit (municipality, who, what, detail)
VALUES (:municipality, 'administration', :what, CAST(:detail AS jsonb))
"""


def _audit(db: Connection, municipality: str, what: str, detail: dict[str, Any]) -> None:
    values = {"municipality": municipality, "what": what, "detail": json.dumps(detail)}
    db.execute(text(AUDIT), values)


# --- whole months ---

PARTS = """
SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = CAST(:parent AS regclass) ORDER BY 1
"""
HELD = """
SELECT EXISTS (SELECT 1 FROM {part} p LEFT JOIN term t
  ON t.municipality = p.municipality AND t.what = :what
  WHERE t.days IS NULL OR p.at >= CAST(:today AS date) - t.days {ever})
"""


def _drop_months(engine: Engine, today: date) -> list[str]:
    """Partitions in which every row is past its own municipality's term."""
    dropped = []
    for table in MONTHLY:
        with engine.connect() as db:
            parts = db.execute(text(PARTS), {"parent": table}).scalars().all()
        for part in parts:
            if _past(part, table, today) and _drop(engine, table, part, today):
                dropped.append(part)
    return dropped


def _past(part: str, table: str, today: date) -> bool:
    """A month older than those `migrate` makes; the default partition is none."""
    year, _, month = part.removeprefix(f"{table}_").partition("_")
    return bool(month) and int(year) * 12 + int(month) - 1 < first_month(today)


def _drop(engine: Engine, table: str, part: str, today: date) -> bool:
    """Looked at without a lock, and again under it: a late row is not lost in between."""
    ever = "OR p.kind = ANY(:ever)" if table == "event" else ""
    values = {"what": WHAT[table], "today": today, "ever": list(EVER)}
    for lock in ("", f"LOCK TABLE {part} IN ACCESS EXCLUSIVE MODE"):
        with engine.begin() as db:
            _patient(db)
            if lock:
                db.execute(text(lock))
            if db.execute(text(HELD.format(part=part, ever=ever)), values).scalar():
                return False
            if lock:
                db.execute(text(f"DROP TABLE {part}"))
    return True


def _patient(db: Connection) -> None:
    """A month of a nation takes longer than a page may."""
    db.execute(text("SET LOCAL statement_timeout = 0"))


# --- rows ---

OLD = "DELETE FROM {table} WHERE municipality = :municipality AND {column} < :before"
QUIET = """ AND NOT EXISTS (SELECT 1 FROM controller c WHERE c.municipality = :municipality
  AND c.municipality = quarantine.municipality AND c.controller = quarantine.controller
  AND c.quarantined_at IS NOT NULL)"""
ROWS = {
    "transfers": {"transfer": OLD.format(table="transfer", column="at")},
    "events": {
        "event": OLD.format(table="event", column="at") + " AND kind <> ALL(:ever)",
        "trend": OLD.format(table="trend", column="day"),
        "letter": OLD.format(table="letter", column="expires_at"),
        "bundle": OLD.format(table="bundle", column="at"),
        "enrolment": OLD.format(table="enrolment", column="expires_at"),
        "quarantine": OLD.format(table="quarantine", column="at") + QUIET,
    },
    "audit": {"audit": OLD.format(table="audit", column="at")},
}


def _delete(engine: Engine, term: Term) -> dict[str, int]:
    values = {"municipality": term.municipality, "before": term.before, "ever": list(EVER)}
    gone = {}
    for table, statement in ROWS[term.what].items():
        with engine.begin() as db:
            _patient(db)
            gone[table] = db.execute(text(statement), values).rowcount
    return gone


# --- chains ---

HEADS = """
SELECT controller, epoch FROM head WHERE municipality = :municipality AND stream = :stream
"""
HOLD = """
SELECT 1 FROM controller WHERE municipality = :municipality AND controller = :controller FOR UPDATE
"""
# rows come in order, so the first one that is young enough ends what may go
CUT = """
SELECT min(seq) FILTER (WHERE received_at >= :before), max(seq) FROM (
  SELECT seq, received_at FROM entry e WHERE municipality = :municipality
    AND controller = :controller AND epoch = :epoch AND seq < (SELECT seq FROM head h
      WHERE h.municipality = :municipality AND h.controller = :controller AND h.epoch = :epoch)
  ORDER BY seq LIMIT :most) oldest
"""
MARK = """
UPDATE head h SET pruned_seq = e.seq, pruned_hash = e.hash FROM entry e
WHERE h.municipality = :municipality AND h.controller = :controller AND h.epoch = :epoch
  AND e.municipality = :municipality AND e.controller = :controller AND e.epoch = :epoch
  AND e.seq = :seq
"""
TAKE = """
DELETE FROM entry WHERE municipality = :municipality AND controller = :controller
  AND epoch = :epoch AND seq <= :seq
"""


def _cut_chains(engine: Engine, term: Term) -> int:
    """The old end of every chain of that stream, a slice in each transaction."""
    if term.what not in ("transfers", "events"):
        return 0
    key = {"municipality": term.municipality, "stream": term.what, "before": term.before}
    with engine.connect() as db:
        heads = db.execute(text(HEADS), key).all()
    gone = 0
    for controller, epoch in heads:
        while taken := _slice(engine, {**key, "controller": controller, "epoch": epoch}):
            gone += taken
    return gone


def _slice(engine: Engine, key: dict[str, Any]) -> int:
    """Under the lock the ingest takes, so that a batch meets the chain before or after the cut."""
    with engine.begin() as db:
        db.execute(text(HOLD), key)
        young, last = db.execute(text(CUT), {**key, "most": SLICE}).one()
        place = {**key, "seq": last if young is None else young - 1}
        if not db.execute(text(MARK), place).rowcount:
            return 0
        return int(db.execute(text(TAKE), place).rowcount)
