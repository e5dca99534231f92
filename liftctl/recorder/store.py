"""The ledger's database on disk.

Role: open and create what stands on disk. Process: the recorder. Must never: repair or delete a
database; a corrupt one is kept under another name.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from pathlib import Path

from liftctl.recorder.wallclock import utc_text

SCHEMA = """
CREATE TABLE IF NOT EXISTS entry(seq INTEGER PRIMARY KEY, epoch INTEGER NOT NULL,
  kind TEXT NOT NULL, transfer_id TEXT NOT NULL, t_utc TEXT NOT NULL, t_mono_ns INTEGER NOT NULL,
  header BLOB NOT NULL, commitment BLOB NOT NULL, prev BLOB NOT NULL, hash BLOB NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS entry_of ON entry(kind, transfer_id);
CREATE TABLE IF NOT EXISTS payload(seq INTEGER PRIMARY KEY, salt BLOB NOT NULL,
  body BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS checkpoint(seq INTEGER PRIMARY KEY, epoch INTEGER NOT NULL,
  t_utc TEXT NOT NULL, frontier BLOB NOT NULL, note TEXT NOT NULL) STRICT;
CREATE TRIGGER IF NOT EXISTS entry_update BEFORE UPDATE ON entry
  BEGIN SELECT RAISE(ABORT,'append-only'); END;
CREATE TRIGGER IF NOT EXISTS entry_delete BEFORE DELETE ON entry
  BEGIN SELECT RAISE(ABORT,'append-only'); END;
CREATE TRIGGER IF NOT EXISTS entry_insert BEFORE INSERT ON entry
  WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM entry)
  BEGIN SELECT RAISE(ABORT,'append-only'); END;
CREATE TRIGGER IF NOT EXISTS checkpoint_update BEFORE UPDATE ON checkpoint
  BEGIN SELECT RAISE(ABORT,'append-only'); END;
CREATE TRIGGER IF NOT EXISTS checkpoint_delete BEFORE DELETE ON checkpoint
  BEGIN SELECT RAISE(ABORT,'append-only'); END;
CREATE TRIGGER IF NOT EXISTS payload_update BEFORE UPDATE ON payload
  BEGIN SELECT RAISE(ABORT,'erase, never change'); END;
"""


class LedgerError(Exception):
    """The ledger cannot be used; the message is one line."""


class Busy(LedgerError):
    """Another process holds the ledger open."""


def public_key_path(ledger: Path) -> Path:
    """Where the ledger's public key stands, in hex."""
    return ledger.with_suffix(".pub")


def lock(path: Path) -> int:
    """A descriptor that holds the one-writer lock; Busy when another process does."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise Busy(f"{path}: another recorder is writing it") from error
    return descriptor


def connect(path: Path) -> sqlite3.Connection:
    """The one writing connection, checked; makes the tables a new or older database lacks."""
    db = sqlite3.connect(path, isolation_level=None, timeout=0.2)
    try:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.execute("PRAGMA secure_delete=ON")
        verdict = db.execute("PRAGMA quick_check(1)").fetchone()[0]
        if verdict != "ok":
            raise sqlite3.DatabaseError(verdict)
        tables = db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'checkpoint'")
        if not tables.fetchone()[0]:
            db.executescript(f"BEGIN; {SCHEMA} COMMIT;")
    except BaseException:
        db.close()
        raise
    path.chmod(0o600)
    return db


def set_aside(path: Path, wall_ns: int) -> Path:
    """Keep a corrupt database under another name."""
    stamp = utc_text(wall_ns).replace(":", "").split("+")[0]
    kept, number = path.with_name(f"{path.name}.corrupt-{stamp}"), 1
    while kept.exists():  # a clock that stands still must not overwrite what was kept before
        number += 1
        kept = path.with_name(f"{path.name}.corrupt-{stamp}-{number}")
    for suffix in ("-wal", "-shm", ""):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(kept.with_name(kept.name + suffix))
    return kept
