"""Opening a ledger to read it.

Role: the one way in for everybody but the recorder. Process: any. Must never: open the database for
writing (a second checkpointing connection is the WAL-reset bug's other half).
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from urllib.parse import quote

from liftctl.recorder.store import LedgerError


def connect(path: Path) -> sqlite3.Connection:
    """A read-only connection; LedgerError when there is no ledger."""
    if not path.is_file():
        raise LedgerError(f"{path}: no ledger here")
    return sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=1.0)


def has_table(db: sqlite3.Connection, name: str) -> bool:
    """Older ledgers lack some."""
    found = db.execute("SELECT count(*) FROM sqlite_master WHERE name = ?", (name,)).fetchone()
    return bool(found[0])
