"""Erasing payloads: what is due, what was asked for, and making it physically so.

Role: removes payload and salt, leaves header and commitment. Process: the recorder. Must never:
erase by a clock nobody vouches for, or put words about a person into the chain (a reason is a
code).
"""

from __future__ import annotations

import re
import sqlite3
from dataclasses import dataclass

from liftctl.recorder import audit
from liftctl.recorder.entries import Entry
from liftctl.recorder.ledger import Ledger
from liftctl.recorder.store import LedgerError
from liftctl.recorder.wallclock import SYNCHRONISED, utc_text

REASON = re.compile(r"[a-z][a-z0-9_]{0,39}")
INCIDENTS = ("fault", "emergency", "interrupted")
DAY_NS = 86_400 * 1_000_000_000
LARGE_STEP_S = 86_400  # a smaller one matters nothing beside the days of retention
NEVER = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Retention:
    """Days that payloads are kept; 0 for ever. Incidents are kept at least as long."""

    payload_days: int = 730
    incident_days: int = 3650


def erase(ledger: Ledger, transfer_id: str, reason: str) -> int:
    """Remove a transfer's payloads for ever; returns how many. The chain keeps verifying."""
    if not REASON.fullmatch(reason):
        raise LedgerError(f"reason '{reason}' stays in the chain for ever: use a code like asked")
    rows = ledger.db.execute(
        "SELECT seq FROM payload JOIN entry USING (seq) WHERE transfer_id = ? AND kind != 'erased'",
        (transfer_id,),
    ).fetchall()
    seqs = [int(row[0]) for row in rows]
    if seqs:
        header = {"erased_seqs": seqs, "reason": reason}
        ledger.write(
            Entry("erased", transfer_id, 0, {}, header),
            also=lambda db: db.executemany("DELETE FROM payload WHERE seq = ?", rows),
        )
    return len(seqs)


def scrub(ledger: Ledger) -> bool:
    """Push erased pages out of the write-ahead log; False while a reader holds them."""
    busy = ledger.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    return not busy


def transfers_of(db: sqlite3.Connection, resident: str) -> list[str]:
    """The transfers of one resident token whose payload is still there."""
    rows = db.execute(
        "SELECT DISTINCT transfer_id FROM entry JOIN payload USING (seq) WHERE transfer_id != ''"
        " AND json_extract(CAST(body AS TEXT), '$.resident') = ?",
        (resident,),
    )
    return [str(row[0]) for row in rows]


def due(
    db: sqlite3.Connection, keep: Retention, now_ns: int, most: int = -1, doubtful: bool = True
) -> list[str]:
    """Closed transfers and audit entries whose payload was kept long enough, oldest first.

    Who said yes, inspected or exported stays named as long as an incident. So does a transfer that
    any correction called one: what a later correction took back was once suspected.
    `doubtful=False` leaves out what was stamped by a clock that may have been wrong.
    """
    if not keep.payload_days:
        return []
    plain = utc_text(now_ns - keep.payload_days * DAY_NS)
    grave = utc_text(now_ns - max(keep.payload_days, keep.incident_days) * DAY_NS)
    if not keep.incident_days:
        grave = ""
    rows = db.execute(
        DUE,
        {
            "plain": plain,
            "grave": grave,
            "plain_end": _first_after(db, plain, now_ns),
            "grave_end": _first_after(db, grave, now_ns),
            "plain_sure": NEVER if doubtful else _last_vouched(db, plain),
            "grave_sure": NEVER if doubtful else _last_vouched(db, grave),
            "step_s": LARGE_STEP_S,
            "most": most,
        },
    )
    return list(dict.fromkeys(str(row[0]) for row in rows))


def _first_after(db: sqlite3.Connection, limit: str, now_ns: int) -> int:
    """The first entry written at `limit` or later. Whatever follows it is no older, whatever a dead
    clock stamped it with; a stamp from the future says nothing.
    """
    row = db.execute(
        "SELECT seq FROM entry WHERE t_utc >= ? AND t_utc <= ? ORDER BY seq LIMIT 1",
        (limit, utc_text(now_ns)),
    ).fetchone()
    return int(row[0]) if row else NEVER


def _last_vouched(db: sqlite3.Connection, limit: str) -> int:
    """The last entry that a synchronised clock stamped before `limit`; what precedes it is older.
    Asked once: the writer must not look again for every row.
    """
    return int(db.execute(VOUCHED, (limit,)).fetchone()[0] or 0)


_MARKS = ", ".join(f"'{word}'" for word in INCIDENTS)
_JSON = "json_extract(CAST({0} AS TEXT), '$.{1}')"
_GRAVE = f"""(entry.kind != 'closed' OR {_JSON.format("entry.header", "outcome")} IN ({_MARKS})
  OR EXISTS (SELECT 1 FROM entry AS word JOIN payload AS said USING (seq)
    WHERE word.kind = 'correction' AND word.transfer_id = entry.transfer_id
    AND {_JSON.format("said.body", "fields.outcome")} IN ({_MARKS})))"""  # noqa: S608
# Stamped unsynchronised, or not later than what a clock showed that was then set forward.
_DOUBTFUL = f"""({_JSON.format("payload.body", "clock.sync")} != '{SYNCHRONISED}'
  OR EXISTS (SELECT 1 FROM entry AS set_to WHERE set_to.kind = 'clock' AND set_to.seq > entry.seq
    AND {_JSON.format("set_to.header", "step_s")} >= :step_s
    AND julianday(entry.t_utc) <= julianday(set_to.t_utc) + 1.0 / 1440
      - {_JSON.format("set_to.header", "step_s")} / 86400.0))"""  # noqa: S608
VOUCHED = f"""
SELECT max(seq) FROM entry LEFT JOIN payload USING (seq)
  WHERE kind IN ('clock', 'closed') AND t_utc < ? AND coalesce(
    {_JSON.format("body", "clock.sync")}, {_JSON.format("header", "sync")}) = '{SYNCHRONISED}'
"""  # noqa: S608
DUE = f"""
SELECT transfer_id FROM entry JOIN payload USING (seq)
  WHERE (kind IN ('closed', 'audit') OR ({audit.OLD}))
  AND t_utc < CASE WHEN {_GRAVE} THEN :grave ELSE :plain END
  AND seq < CASE WHEN {_GRAVE} THEN :grave_end ELSE :plain_end END
  AND (seq < CASE WHEN {_GRAVE} THEN :grave_sure ELSE :plain_sure END
    OR NOT coalesce({_DOUBTFUL}, 0))
  ORDER BY seq LIMIT :most
"""  # noqa: S608
