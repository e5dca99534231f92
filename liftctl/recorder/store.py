"""The ledger's files: database, one-writer lock and signing key.

Role: open and create what stands on disk. Process: the recorder. Must never: repair or delete a
database; a corrupt one is kept under another name.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from liftctl.recorder.wallclock import utc_text

SCHEMA = """
CREATE TABLE entry(seq INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, kind TEXT NOT NULL,
  transfer_id TEXT NOT NULL, t_utc TEXT NOT NULL, t_mono_ns INTEGER NOT NULL, header BLOB NOT NULL,
  commitment BLOB NOT NULL, prev BLOB NOT NULL, hash BLOB NOT NULL) STRICT;
CREATE INDEX entry_of ON entry(kind, transfer_id);
CREATE TABLE payload(seq INTEGER PRIMARY KEY, salt BLOB NOT NULL, body BLOB NOT NULL) STRICT;
CREATE TABLE head(seq INTEGER PRIMARY KEY, hash BLOB NOT NULL, t_utc TEXT NOT NULL,
  signature BLOB NOT NULL) STRICT;
CREATE TRIGGER entry_update BEFORE UPDATE ON entry BEGIN SELECT RAISE(ABORT,'append-only'); END;
CREATE TRIGGER entry_delete BEFORE DELETE ON entry BEGIN SELECT RAISE(ABORT,'append-only'); END;
CREATE TRIGGER entry_insert BEFORE INSERT ON entry
  WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM entry)
  BEGIN SELECT RAISE(ABORT,'append-only'); END;
CREATE TRIGGER head_update BEFORE UPDATE ON head BEGIN SELECT RAISE(ABORT,'append-only'); END;
CREATE TRIGGER head_delete BEFORE DELETE ON head BEGIN SELECT RAISE(ABORT,'append-only'); END;
CREATE TRIGGER payload_update BEFORE UPDATE ON payload
  BEGIN SELECT RAISE(ABORT,'erase, never change'); END;
"""


class LedgerError(Exception):
    """The ledger cannot be used; the message is one line."""


def public_key_path(ledger: Path) -> Path:
    """Where the ledger's public key stands, in hex."""
    return ledger.with_suffix(".pub")


def lock(path: Path) -> int:
    """A descriptor that holds the one-writer lock; LedgerError when another process does."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise LedgerError(f"{path}: another recorder is writing it") from error
    return descriptor


def connect(path: Path) -> sqlite3.Connection:
    """The one writing connection, checked; makes the tables of a new database."""
    db = sqlite3.connect(path, isolation_level=None, timeout=0.2)
    try:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.execute("PRAGMA secure_delete=ON")
        verdict = db.execute("PRAGMA quick_check(1)").fetchone()[0]
        if verdict != "ok":
            raise sqlite3.DatabaseError(verdict)
        tables = db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'head'").fetchone()
        if not tables[0]:
            db.executescript(f"BEGIN; {SCHEMA} COMMIT;")
    except BaseException:
        db.close()
        raise
    path.chmod(0o600)
    return db


def set_aside(path: Path, wall_ns: int) -> Path:
    """Keep a corrupt database under another name."""
    stamp = utc_text(wall_ns).replace(":", "").split("+")[0]
    kept = path.with_name(f"{path.name}.corrupt-{stamp}")
    for suffix in ("-wal", "-shm", ""):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(kept.with_name(kept.name + suffix))
    return kept


def signing_key(ledger: Path) -> tuple[Ed25519PrivateKey, str]:
    """The signing key (raw, 0600) beside the ledger, made with it, and a complaint or ""."""
    path = ledger.with_suffix(".key")
    if not path.exists():
        fresh = Ed25519PrivateKey.generate()
        half = path.with_name(path.name + ".new")
        half.unlink(missing_ok=True)
        descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(fresh.private_bytes_raw())
            file.flush()
            os.fsync(descriptor)
        half.rename(path)
    try:
        key = Ed25519PrivateKey.from_private_bytes(path.read_bytes())
    except ValueError as error:
        raise LedgerError(f"{path}: not a signing key; restore it") from error
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
    known = public_key_path(ledger)
    told = known.read_text().strip() if known.exists() else ""
    if not told:
        known.write_text(public + "\n")
    return key, "" if told in ("", public) else f"{path} is not the key of {known.name}"
