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
from liftctl.recorder.wallclock import utc_text

REASON = re.compile(r"[a-z][a-z0-9_]{0,39}")
INCIDENTS = ("fault", "emergency", "interrupted")
DAY_NS = 86_400 * 1_000_000_000


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


def due(db: sqlite3.Connection, keep: Retention, now_ns: int, most: int = -1) -> list[str]:
    """Closed transfers and audit entries whose payload was kept long enough, oldest first.

    Who said yes, inspected or exported stays named as long as an incident. So does a transfer that
    any correction called one: what a later correction took back was once suspected.
    """
    if not keep.payload_days:
        return []
    plain_ns = now_ns - keep.payload_days * DAY_NS
    grave_ns = now_ns - max(keep.payload_days, keep.incident_days) * DAY_NS
    marks = ",".join("?" * len(INCIDENTS))
    told = f"json_extract(CAST(header AS TEXT), '$.outcome') IN ({marks})"
    later = (
        "EXISTS (SELECT 1 FROM entry AS word JOIN payload AS said USING (seq)"  # noqa: S608
        " WHERE word.kind = 'correction' AND word.transfer_id = entry.transfer_id"
        f" AND json_extract(CAST(said.body AS TEXT), '$.fields.outcome') IN ({marks}))"
    )
    grave = f"(kind != 'closed' OR {told} OR {later})"
    forever = keep.incident_days == 0
    rows = db.execute(
        "SELECT transfer_id FROM entry JOIN payload USING (seq) WHERE"  # noqa: S608
        f" (kind IN ('closed', 'audit') OR ({audit.OLD}))"
        f" AND t_utc < CASE WHEN {grave} THEN ? ELSE ? END ORDER BY seq LIMIT ?",
        (*INCIDENTS, *INCIDENTS, "" if forever else utc_text(grave_ns), utc_text(plain_ns), most),
    )
    return list(dict.fromkeys(str(row[0]) for row in rows))
