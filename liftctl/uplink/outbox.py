"""The ledger as outbox: reads a chain from any place on.

Role: rows of a chain file, in order. Process: uplink. Must never: open it for writing, or skip a
row.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from liftctl.recorder.readonly import connect, has_table
from liftctl.recorder.store import LedgerError
from liftctl.uplink.protocol import MAX_BODY_BYTES, Batch, Record
from liftctl.uplink.share import Row, record, sealed

BATCH_ROWS = 1000
BATCH_BYTES = MAX_BODY_BYTES // 2
COLUMNS = "seq, e.epoch, kind, header, commitment, prev, hash, salt, body"


@dataclass(frozen=True, slots=True)
class Pending:
    """Rows that wait: how many, and when the oldest was written (UTC text or "")."""

    rows: int = 0
    oldest_utc: str = ""


@dataclass(frozen=True, slots=True)
class Outbox:
    """One chain file. OSError, sqlite3.Error or LedgerError when it cannot be read."""

    path: Path
    stream: str

    def batch(
        self, after: int, who: tuple[str, str], sent_ms: int, most: int = BATCH_ROWS, seal: int = 0
    ) -> Batch | None:
        """The rows after `after` that fit into one batch, all of one epoch; None: nothing new.

        `seal`: a row the centre cannot take; only its place in the chain travels.
        """
        rows = self._rows(after, most)
        if not rows:
            return None
        records, size = list[Record](), 0
        for row in rows:
            item = sealed(row) if row.seq == seal else record(row, self.stream)
            size += len(item.header) + len(item.body) + len(item.summary) + 200
            if records and (size > BATCH_BYTES or row.epoch != rows[0].epoch):
                break
            records.append(item)
        first = rows[0]
        return Batch(
            *who,
            stream=self.stream,
            epoch=first.epoch,
            first_seq=first.seq,
            prev=first.prev,
            records=tuple(records),
            sent_ms=sent_ms,
            note=self._note(first.seq + len(records)),
        )

    def _note(self, below: int) -> str:
        with closing(connect(self.path)) as db:
            if not has_table(db, "checkpoint"):
                return ""
            row = db.execute(
                "SELECT note FROM checkpoint WHERE seq < ? ORDER BY seq DESC LIMIT 1", (below,)
            ).fetchone()
        return str(row[0]) if row else ""

    def holds(self, epoch: int, seq: int) -> bool:
        """Whether this file still has that row; False after a restore from an older copy."""
        if not seq or not self.path.is_file():
            return True
        return self.place_before(epoch, seq) is not None

    def _rows(self, after: int, most: int) -> list[Row]:
        if not self.path.is_file():
            return []
        with closing(connect(self.path)) as db:
            found = db.execute(
                f"SELECT {COLUMNS} FROM entry e LEFT JOIN payload USING (seq)"  # noqa: S608
                " WHERE seq > ? ORDER BY seq LIMIT ?",
                (after, most),
            ).fetchall()
        return [Row(*row) for row in found]

    def place_before(self, epoch: int, seq: int) -> int | None:
        """Where to go on so that `seq` of `epoch` (0: the first of all) is sent next.

        None: this file does not hold that row; it was replaced by an older copy.
        """
        if seq == 0:
            return 0
        with closing(connect(self.path)) as db:
            row = db.execute(
                "SELECT 1 FROM entry WHERE epoch = ? AND seq = ?", (epoch, seq)
            ).fetchone()
        return seq - 1 if row else None

    def pending(self, after: int) -> Pending:
        """What the centre does not have yet; nothing when the file cannot be read now."""
        if not self.path.is_file():
            return Pending()
        try:
            with closing(connect(self.path)) as db:
                row = db.execute(
                    "SELECT count(*), coalesce(min(t_utc), '') FROM entry WHERE seq > ?", (after,)
                ).fetchone()
        except (sqlite3.Error, LedgerError):
            return Pending()
        return Pending(int(row[0]), str(row[1]))
