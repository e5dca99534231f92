"""Reading transfers from the ledger.

Role: read-only views for the CLI, the desk and reports. Process: any. Must never: show a correction
as if it had been the first word (both are there, the later one counts).
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from liftctl.recorder.readonly import connect
from liftctl.recorder.verify import VerifyResult, verify

__all__ = ("VerifyResult", "connect", "read_transfers", "transfer_of", "verify")


CLOSED = """
SELECT e.seq, e.transfer_id, e.header, p.body, (SELECT max(seq) FROM entry AS word WHERE
    word.kind IN ('closed', 'correction', 'erased') AND word.transfer_id = e.transfer_id)
  FROM entry e LEFT JOIN payload p USING (seq)
  WHERE e.seq IN (SELECT max(seq) FROM entry WHERE kind = 'closed' AND (:id = '' OR
    transfer_id = :id) GROUP BY transfer_id)
  ORDER BY e.seq DESC LIMIT :limit OFFSET :offset
"""


def read_transfers(path: Path, limit: int = -1, offset: int = 0) -> list[dict[str, Any]]:
    """Closed transfers, newest first, as their records (liftctl.records); `limit` -1 is all.

    Added: ledger_seq, changed_seq (the newest of closed, correction and erased), erased (nothing
    but the outcome is left), lowered_after (lowerings that followed an interruption), corrections
    (what was said later; applied, and listed).
    LedgerError or sqlite3.Error when it cannot be read.
    """
    with closing(connect(path)) as db:
        rows = db.execute(CLOSED, {"id": "", "limit": limit, "offset": offset}).fetchall()
        return [_transfer(db, *row) for row in rows]


def transfer_of(db: sqlite3.Connection, name: str) -> dict[str, Any] | None:
    """One closed transfer as `read_transfers` gives it, or None."""
    row = db.execute(CLOSED, {"id": name, "limit": 1, "offset": 0}).fetchone() if name else None
    return _transfer(db, *row) if row else None


def _transfer(
    db: sqlite3.Connection, seq: int, name: str, header: bytes, body: bytes | None, changed: int
) -> dict[str, Any]:
    told = json.loads(header)
    record: dict[str, Any] = json.loads(body) if body else {}
    record["id"] = name
    record.setdefault("outcome", told.get("outcome", ""))
    record["ledger_seq"], record["changed_seq"] = seq, changed
    record["erased"] = body is None
    if told.get("follows"):
        record["follows"] = told["follows"]
    later = _later(db, name, "lowering_after_interruption")
    if later:
        record["lowered_after"] = [payload for _, payload in later]
    for at_utc, payload in _later(db, name, "correction"):
        record.update(payload.get("fields", {}))
        record.setdefault("corrections", []).append({"at_utc": at_utc, **payload})
    return record


def _later(db: sqlite3.Connection, name: str, kind: str) -> list[tuple[str, dict[str, Any]]]:
    rows = db.execute(
        "SELECT t_utc, body FROM entry JOIN payload USING (seq)"
        " WHERE kind = ? AND transfer_id = ? ORDER BY seq",
        (kind, name),
    )
    return [(t_utc, json.loads(body)) for t_utc, body in rows]
