"""Audit entries: what people did about this lift that is no transfer.

Role: makes them and reads them. Process: the recorder; readers. Must never: put a name or a free
text into the header (it is chained in clear, travels, and is never erased).

Header: `event` (a code), and of an inspection or service its dates. Payload: `detail` (names,
orders, hashes), and `resident` where one is concerned, so that it goes with the resident's.
Ledgers from before this kind hold the same as a `phase` whose id begins with `audit-`.
"""

from __future__ import annotations

import json
import re
import secrets
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from liftctl.ipc import Upkeep
from liftctl.recorder.entries import Entry
from liftctl.recorder.readonly import connect
from liftctl.recorder.store import LedgerError
from liftctl.upkeep import LONGEST_DAYS

KIND = "audit"
OLD = "kind = 'phase' AND transfer_id GLOB 'audit-*'"
CODE = re.compile(r"[a-z][a-z0-9_]{0,39}")
MOST_DETAILS, DETAIL_CHARS = 32, 500


def entry(
    name: str, t_ns: int, event: str, detail: Mapping[str, str], upkeep: Upkeep | None = None
) -> Entry:
    """`name` is the entry's own id. LedgerError when the event is no code, or too much is told."""
    if not CODE.fullmatch(event):
        raise LedgerError(f"event '{event}' stays in the chain for ever: use a code like exported")
    if len(detail) > MOST_DETAILS:
        raise LedgerError(f"{len(detail)} details of an event, at most {MOST_DETAILS}")
    told = {key: str(value)[:DETAIL_CHARS] for key, value in detail.items()}
    payload: dict[str, Any] = {"detail": told}
    if resident := told.pop("resident", ""):
        payload["resident"] = resident
    header = {"event": event} | (msgspec.structs.asdict(upkeep) if upkeep else {})
    return Entry(KIND, name, t_ns, payload, header)


def fresh_id() -> str:
    """An id that no transfer has."""
    return f"audit-{secrets.token_hex(8)}"


def is_own_id(name: str) -> bool:
    """Whether it is an audit entry's, not a transfer's."""
    return name.startswith("audit-")


def upkept(db: sqlite3.Connection) -> tuple[Upkeep, ...]:
    """The newest word about inspection and about service."""
    found = []
    for what in LONGEST_DAYS:
        row = db.execute(
            "SELECT header FROM entry WHERE kind = 'audit'"
            " AND json_extract(CAST(header AS TEXT), '$.what') = ? ORDER BY seq DESC LIMIT 1",
            (what,),
        ).fetchone()
        if row:
            found.append(msgspec.json.decode(row[0], type=Upkeep))
    return tuple(found)


def upkept_in(ledger: Path) -> tuple[Upkeep, ...] | None:
    """The same from a file; None while it cannot be read."""
    try:
        with closing(connect(ledger)) as db:
            return upkept(db)
    except (LedgerError, sqlite3.Error, msgspec.DecodeError):
        return None


def trail(db: sqlite3.Connection, limit: int = -1) -> list[dict[str, Any]]:
    """Audit entries, newest first: seq, t_utc, event, the header's own, detail (None: erased)."""
    rows = db.execute(
        "SELECT seq, t_utc, header, body FROM entry LEFT JOIN payload USING (seq)"  # noqa: S608
        f" WHERE kind = 'audit' OR ({OLD}) ORDER BY seq DESC LIMIT ?",
        (limit,),
    )
    return [_line(*row) for row in rows]


FIXED = frozenset({"seq", "epoch", "kind", "t_utc", "transfer_id", "t_mono_ns", "event"})


def _line(seq: int, t_utc: str, header: bytes, body: bytes | None) -> dict[str, Any]:
    told, payload = json.loads(header), json.loads(body) if body else {}
    event = told.get("event") or payload.get("name", "")
    own = {key: value for key, value in told.items() if key not in FIXED}
    detail = payload.get("detail", payload.get("data")) if body else None
    if payload.get("resident"):
        detail = {**(detail or {}), "resident": payload["resident"]}
    return {"seq": seq, "t_utc": t_utc, "event": event, **own, "detail": detail}
