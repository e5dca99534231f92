"""What a ward's disk says when a scenario is over: entries of the ledger, frozen black boxes.

Role: read as any reader may, into events of the timeline. Must never: write there, or believe what
the recorder only said.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from liftctl.blackbox.logfile import read
from liftctl.blackbox.ring import Kind
from liftctl.blackbox.turnlog import decode_turn
from liftctl.recorder.keeper import AFTER_NS

FREEZE = "freeze"
FROZEN_NS = AFTER_NS + 3_000_000_000  # when a freeze is on the disk, and a margin
Entry = tuple[int, str, dict[str, Any]]  # monotonic ns, kind, fields


def entries(data: Path) -> Iterator[Entry]:
    """Of the site's data folder."""
    path = data / "ledger.sqlite"
    if path.exists():
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
            rows = db.execute(
                "SELECT t_mono_ns, kind, transfer_id, body FROM entry LEFT JOIN payload USING (seq)"
                " WHERE kind IN ('opened', 'closed', 'phase') ORDER BY seq"
            ).fetchall()
        for t_ns, kind, name, body in rows:
            yield t_ns, kind, {"id": name, "payload": json.loads(body) if body else {}}
    for box in sorted(data.glob("blackbox/freeze-*.lbb")):
        yield from _freeze(box)


def _freeze(box: Path) -> Iterator[Entry]:
    """The moment of its last trigger: a freeze ends a fixed time after that."""
    turns = [decode_turn(r.payload).now_ns for r in read(box) if r.kind == Kind.TURN]
    if turns:
        row = box.stem.rpartition("Z-")[2]
        yield turns[-1] - AFTER_NS, FREEZE, {"row": row, "turns": len(turns)}
