"""The ledger: every transfer as an append-only chain that still verifies after an erasure.

Role: the only writer of `ledger.sqlite`. Process: the recorder (its writer thread). Must never:
acknowledge what is not durable, change an entry, or put resident or details into the chained
header.

hash = SHA256(prev || header || commitment), commitment = SHA256(salt || payload). Heads are signed
with Ed25519. One connection writes and checkpoints (the WAL-reset bug of SQLite < 3.51.3 needs
two); readers open `mode=ro`.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from liftctl.recorder import store
from liftctl.recorder.wallclock import utc_text

GENESIS = bytes(32)
SIGN_EVERY = 32
HEAD_CONTEXT = b"liftctl-ledger-head-v1\n"
OUTCOME_INTERRUPTED = "interrupted"
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Entry:
    """One row to append. `header` is chained in clear and never erased; `payload` may be erased."""

    kind: str
    transfer_id: str
    t_mono_ns: int
    payload: dict[str, Any]
    header: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Appended:
    """Where an entry is, durably. `fresh` False: it had been written before."""

    seq: int
    head: str
    fresh: bool = True


@dataclass(frozen=True, slots=True)
class Orphan:
    """A transfer that was opened and never closed; `phases` are (name, offset_s, data)."""

    id: str
    t_ns: int
    record: dict[str, Any]
    phases: tuple[tuple[str, float, dict[str, Any]], ...]


def canonical(value: Any) -> bytes:
    """JSON with one spelling: sorted keys, no blanks, no NaN."""
    text = json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace")


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    return str(value)


def head_message(epoch: int, seq: int, digest: bytes, t_utc: str) -> bytes:
    """What a head's signature covers."""
    head = {"epoch": epoch, "seq": seq, "hash": digest.hex(), "t_utc": t_utc}
    return HEAD_CONTEXT + canonical(head)


class Ledger:
    """The open ledger; sqlite3.Error, OSError or LedgerError when it cannot be used.

    A database that SQLite calls corrupt is kept aside and a new epoch begins; `notice` then says
    so.
    """

    def __init__(self, path: Path, wall_ns: Callable[[], int]) -> None:
        self.notice = ""
        self.head_seq = 0
        self._path = path
        self._wall_ns = wall_ns
        self._lock = store.lock(path)
        try:
            self._key, self.notice = store.signing_key(path)
            self._db = self._open()
        except BaseException:
            os.close(self._lock)
            raise
        try:
            self._load()
        except BaseException:
            self.close()
            raise

    def _open(self) -> sqlite3.Connection:
        try:
            return store.connect(self._path)
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as error:
            kept = store.set_aside(self._path, self._wall_ns())
            self.notice = f"ledger was corrupt ({error}); kept as {kept.name}, new epoch begun"
            log.critical(self.notice)
            return store.connect(self._path)

    def _load(self) -> None:
        log.info("ledger %s, sqlite_version %s", self._path, sqlite3.sqlite_version)
        last = self._db.execute(
            "SELECT seq, hash, epoch FROM entry ORDER BY seq DESC LIMIT 1"
        ).fetchone()
        self._seq: int
        self._hash: bytes
        self.epoch: int
        self._seq, self._hash, self.epoch = last or (0, GENESIS, self._wall_ns())
        signed = self._db.execute("SELECT coalesce(max(seq), 0) FROM head").fetchone()
        self.head_seq = int(signed[0])
        if last is None:
            about = {"sqlite_version": sqlite3.sqlite_version, "notice": self.notice}
            self.append(Entry("epoch", "", 0, about))
        elif self.head_seq < self._seq:
            with self._transaction():
                self._sign(self._seq, self._hash)
            self.head_seq = self._seq

    @property
    def head(self) -> str:
        """The newest hash, hex."""
        return self._hash.hex()

    def append(self, entry: Entry) -> Appended:
        """Durable when it returns; an opened or closed entry already there is not repeated."""
        earlier = self._earlier(entry)
        if earlier is not None and not self._corrects(entry, earlier):
            return Appended(earlier[0], earlier[1].hex(), fresh=False)
        extra = {"corrects": earlier[0]} if earlier is not None else {}
        with self._transaction():
            seq, digest = self._insert(entry, extra)
            sign = entry.kind in ("closed", "epoch") or seq - self.head_seq >= SIGN_EVERY
            if sign:
                self._sign(seq, digest)
        self._seq, self._hash = seq, digest
        self.head_seq = seq if sign else self.head_seq
        return Appended(seq, digest.hex())

    def _earlier(self, entry: Entry) -> tuple[int, bytes, bytes] | None:
        if entry.kind not in ("opened", "closed"):
            return None
        found: tuple[int, bytes, bytes] | None = self._db.execute(
            "SELECT seq, hash, header FROM entry WHERE kind = ? AND transfer_id = ?"
            " ORDER BY seq DESC LIMIT 1",
            (entry.kind, entry.transfer_id),
        ).fetchone()
        return found

    def _corrects(self, entry: Entry, earlier: tuple[int, bytes, bytes]) -> bool:
        """The controller's own close outranks the one we made for it."""
        before = json.loads(earlier[2]).get("outcome")
        now = entry.header.get("outcome")
        return before == OUTCOME_INTERRUPTED and now != OUTCOME_INTERRUPTED

    def _insert(self, entry: Entry, extra: dict[str, Any]) -> tuple[int, bytes]:
        seq, t_utc = self._seq + 1, utc_text(self._wall_ns())
        fixed = {"seq": seq, "epoch": self.epoch, "kind": entry.kind, "t_utc": t_utc}
        fixed |= {"transfer_id": entry.transfer_id, "t_mono_ns": entry.t_mono_ns}
        header = canonical({**entry.header, **extra, **fixed})
        salt, body = os.urandom(32), canonical(entry.payload)
        commitment = hashlib.sha256(salt + body).digest()
        digest = hashlib.sha256(self._hash + header + commitment).digest()
        row = (seq, self.epoch, entry.kind, entry.transfer_id, t_utc, entry.t_mono_ns)
        self._db.execute(
            "INSERT INTO entry VALUES (?,?,?,?,?,?,?,?,?,?)",
            (*row, header, commitment, self._hash, digest),
        )
        self._db.execute("INSERT INTO payload VALUES (?,?,?)", (seq, salt, body))
        return seq, digest

    def _sign(self, seq: int, digest: bytes) -> None:
        t_utc = utc_text(self._wall_ns())
        signature = self._key.sign(head_message(self.epoch, seq, digest, t_utc))
        self._db.execute("INSERT INTO head VALUES (?,?,?,?)", (seq, digest, t_utc, signature))

    def erase(self, transfer_id: str, reason: str) -> int:
        """Remove a transfer's payloads for ever; returns how many. The chain keeps verifying."""
        rows = self._db.execute(
            "SELECT seq FROM payload JOIN entry USING (seq) WHERE transfer_id = ?"
            " AND kind != 'erased'",
            (transfer_id,),
        ).fetchall()
        seqs = [int(row[0]) for row in rows]
        if seqs:
            header = {"erased_seqs": seqs, "reason": reason}
            with self._transaction():
                seq, digest = self._insert(Entry("erased", transfer_id, 0, {}, header), {})
                self._sign(seq, digest)
                self._db.executemany("DELETE FROM payload WHERE seq = ?", [(n,) for n in seqs])
            self._seq, self._hash, self.head_seq = seq, digest, seq
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return len(seqs)

    def orphans(self) -> list[Orphan]:
        """Transfers opened and not closed, oldest first."""
        rows = self._db.execute(
            "SELECT o.transfer_id, o.t_mono_ns, p.body FROM entry o LEFT JOIN payload p USING (seq)"
            " WHERE o.kind = 'opened' AND NOT EXISTS (SELECT 1 FROM entry c WHERE c.kind = 'closed'"
            " AND c.transfer_id = o.transfer_id) ORDER BY o.seq"
        ).fetchall()
        return [
            Orphan(name, t_ns, json.loads(body or b"{}"), tuple(self._phases(name, t_ns)))
            for name, t_ns, body in rows
        ]

    def _phases(self, transfer_id: str, t_ns: int) -> Iterator[tuple[str, float, dict[str, Any]]]:
        rows = self._db.execute(
            "SELECT t_mono_ns, body FROM entry JOIN payload USING (seq)"
            " WHERE kind = 'phase' AND transfer_id = ? ORDER BY seq",
            (transfer_id,),
        )
        for at_ns, body in rows:
            phase = json.loads(body)
            yield phase.get("name", ""), (at_ns - t_ns) / 1e9, phase.get("data", {})

    def unfollowed(self) -> str:
        """The interrupted transfer that nothing has followed yet, or ""."""
        row = self._db.execute(
            "SELECT kind, transfer_id, header FROM entry WHERE kind IN ('opened', 'closed')"
            " ORDER BY seq DESC LIMIT 1"
        ).fetchone()
        if row is None or row[0] != "closed":
            return ""
        interrupted = json.loads(row[2]).get("outcome") == OUTCOME_INTERRUPTED
        return str(row[1]) if interrupted else ""

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def close(self) -> None:
        self._db.close()
        os.close(self._lock)
