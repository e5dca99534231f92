"""Transfers that have no end yet.

Role: what an earlier run left open. Process: the recorder, at its start; reads only. Must never:
close anything (transfers.py does).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from typing import Any

from liftctl.recorder.entries import OUTCOME_INTERRUPTED, Orphan


def orphans(db: sqlite3.Connection) -> list[Orphan]:
    """Transfers opened and not closed, oldest first."""
    rows = db.execute(
        "SELECT o.transfer_id, o.t_mono_ns, p.body FROM entry o LEFT JOIN payload p USING (seq)"
        " WHERE o.kind = 'opened' AND NOT EXISTS (SELECT 1 FROM entry c WHERE c.kind = 'closed'"
        " AND c.transfer_id = o.transfer_id) ORDER BY o.seq"
    ).fetchall()
    return [
        Orphan(name, t_ns, json.loads(body or b"{}"), tuple(_phases(db, name, t_ns)))
        for name, t_ns, body in rows
    ]


def _phases(
    db: sqlite3.Connection, transfer_id: str, t_ns: int
) -> Iterator[tuple[str, float, dict[str, Any]]]:
    rows = db.execute(
        "SELECT t_mono_ns, body FROM entry JOIN payload USING (seq)"
        " WHERE kind = 'phase' AND transfer_id = ? ORDER BY seq",
        (transfer_id,),
    )
    for at_ns, body in rows:
        phase = json.loads(body)
        yield phase.get("name", ""), (at_ns - t_ns) / 1e9, phase.get("data", {})


def unfollowed(db: sqlite3.Connection) -> str:
    """The interrupted transfer that nothing has followed yet, or ""."""
    row = db.execute(
        "SELECT kind, transfer_id, header FROM entry WHERE kind IN ('opened', 'closed')"
        " ORDER BY seq DESC LIMIT 1"
    ).fetchone()
    if row is None or row[0] != "closed":
        return ""
    interrupted = json.loads(row[2]).get("outcome") == OUTCOME_INTERRUPTED
    return str(row[1]) if interrupted else ""
