"""One batch, one transaction: verified against the stored head, stored, acknowledged.

Role: the only writer of chains. Process: ingest. Must never: acknowledge before the commit, or drop
what contradicts: it is kept in quarantine.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DataError

from liftctl.centre.database import ingesting
from liftctl.centre.ingest import store
from liftctl.centre.ingest.project import Rows, clock_off_s, rows
from liftctl.centre.ingest.verify import Head, Link, Unacceptable, judge, links
from liftctl.uplink.protocol import Ack, Batch, Conflict, FromCentre, Need, Refused

KEPT = 20


@dataclass(frozen=True, slots=True)
class Sealed:
    """A batch with its bytes as they were signed."""

    batch: Batch
    body: bytes
    signature: str


def take(engine: Engine, sealed: Sealed, now: datetime) -> FromCentre:
    """Ack, Need or Conflict, each after its commit; Refused when no honest home sends this."""
    try:
        found = links(sealed.batch)
    except Unacceptable as error:
        return Refused("unacceptable", str(error))
    off_s = clock_off_s(sealed.batch.sent_ms, now)
    try:
        return _commit(engine, sealed, found, rows_of(found, off_s, now), now)
    except DataError:
        # A text or number the read tables cannot hold: the chain is kept, its reading set aside.
        return _commit(engine, sealed, found, lambda new: Rows(set_aside=len(new)), now)


def rows_of(found: list[Link], off_s: float, now: datetime) -> Any:
    """Reads only what is new; a replay is not read twice."""
    return lambda new: rows(new, off_s, now)


def _commit(
    engine: Engine, sealed: Sealed, found: list[Link], read: Any, now: datetime
) -> FromCentre:
    batch = sealed.batch
    with ingesting(engine, batch.municipality) as db:
        home = db.execute(
            text(
                "SELECT home FROM controller WHERE municipality = :municipality"
                " AND controller = :controller AND revoked_at IS NULL FOR UPDATE"
            ),
            _who(batch),
        ).scalar()
        if home is None:
            return Refused("unknown", "this controller is not enrolled here; enrol it again")
        head = _head(db, batch)
        verdict = judge(head, batch, found, _stored(db, batch, head, found))
        if verdict.conflict:
            _quarantine(db, sealed, home, verdict.conflict, now)
            return Conflict(batch.epoch, head.seq if head else 0, verdict.conflict)
        if verdict.need is not None:
            return Need(batch.epoch, verdict.need)
        new = found[verdict.known :]
        if new:
            _append(db, sealed, home, head, new, read(new), now)
        return Ack(batch.epoch, max(found[-1].seq, head.seq if head else 0))


def _who(batch: Batch) -> dict[str, Any]:
    return {"municipality": batch.municipality, "controller": batch.controller}


def _head(db: Connection, batch: Batch) -> Head | None:
    row = db.execute(
        text(
            "SELECT stream, first_seq, seq, hash, pruned_seq, pruned_hash FROM head WHERE"
            " municipality = :municipality AND controller = :controller AND epoch = :epoch"
        ),
        {**_who(batch), "epoch": batch.epoch},
    ).one_or_none()
    return Head(*row) if row else None


def _stored(db: Connection, batch: Batch, head: Head | None, found: list[Link]) -> bytes | None:
    """The digest at the newest row that both know."""
    if head is None:
        return _parent(db, batch)
    at = min(head.seq, found[-1].seq)
    if at == head.seq:
        return head.digest
    if at <= head.pruned_seq:
        return head.pruned_digest
    return _digest(db, batch, "epoch = :epoch", {"epoch": batch.epoch, "seq": at})


def _parent(db: Connection, batch: Batch) -> bytes | None:
    """The row before an epoch's first, of whatever epoch; one that was pruned is believed: the home
    holds it and the heads that sign it.
    """
    place = {"hash": batch.prev, "seq": batch.first_seq - 1}
    found = _digest(db, batch, "hash = :hash", place)
    if found is None:
        pruned = text(
            "SELECT 1 FROM head WHERE municipality = :municipality AND controller = :controller"
            " AND stream = :stream AND :seq BETWEEN first_seq AND pruned_seq LIMIT 1"
        )
        known = db.execute(pruned, {**_who(batch), **place, "stream": batch.stream}).scalar()
        return batch.prev if known else None
    return found


def _digest(db: Connection, batch: Batch, where: str, values: dict[str, Any]) -> bytes | None:
    found: bytes | None = db.execute(
        text(
            "SELECT hash FROM entry WHERE municipality = :municipality"
            f" AND controller = :controller AND seq = :seq AND {where} LIMIT 1"
        ),
        {**_who(batch), **values},
    ).scalar()
    return found


def _append(
    db: Connection, sealed: Sealed, home: str, head: Head | None, new: list[Link], read: Rows,
    now: datetime,
) -> None:  # fmt: skip
    batch = sealed.batch
    key = {**_who(batch), "home": home, "epoch": batch.epoch, "now": now}
    store.entries(db, key, new)
    store.events(db, key, read.events)
    store.transfers(db, key, read.transfers)
    store.corrections(db, key, read.corrections)
    store.trends(db, key, read.trends)
    store.facts(db, key, read, new[-1].seq, clock_off_s(batch.sent_ms, now))
    db.execute(
        text(
            "INSERT INTO head VALUES (:municipality, :controller, :epoch, :stream, :first, :seq,"
            " :hash, :parent, :sha, :signature, :now, :note)"
            " ON CONFLICT (municipality, controller, epoch) DO UPDATE SET seq = excluded.seq,"
            " hash = excluded.hash, body_sha256 = excluded.body_sha256,"
            " signature = excluded.signature, at = excluded.at, note = excluded.note"
        ),
        {
            **key,
            "stream": batch.stream,
            "first": batch.first_seq,
            "seq": new[-1].seq,
            "hash": new[-1].digest,
            "note": batch.note.replace("\0", ""),
            "parent": batch.prev,
            "sha": hashlib.sha256(sealed.body).digest(),
            "signature": bytes.fromhex(sealed.signature),
        },
    )


def _quarantine(db: Connection, sealed: Sealed, home: str, why: str, now: datetime) -> None:
    """The bytes are kept (the newest KEPT different ones of a controller), the alarm stands."""
    batch = sealed.batch
    key = {**_who(batch), "home": home, "now": now, "why": why, "kept": KEPT}
    db.execute(
        text(
            "INSERT INTO quarantine SELECT :municipality, :home, :controller, :sha, :now, :epoch,"
            " :seq, :why, CASE WHEN (SELECT count(*) FROM quarantine WHERE"
            " municipality = :municipality AND controller = :controller) < :kept THEN :body"
            " ELSE ''::bytea END ON CONFLICT (municipality, controller, body_sha256)"
            " DO UPDATE SET times = quarantine.times + 1"
        ),
        {
            **key,
            "sha": hashlib.sha256(batch.prev + _last(batch)).digest(),
            "epoch": batch.epoch,
            "seq": batch.first_seq,
            "body": sealed.body,
        },
    )
    first = db.execute(
        text(
            "UPDATE controller SET quarantined_at = :now, quarantine_why = :why WHERE"
            " municipality = :municipality AND controller = :controller AND quarantined_at IS NULL"
        ),
        key,
    )
    if first.rowcount:  # one alarm until a person has looked, however often it is sent
        store.alarm(db, key | {"detail": json.dumps({"why": why, "epoch": str(batch.epoch)})})


def _last(batch: Batch) -> bytes:
    """The same rows in another envelope are the same conflict."""
    return batch.records[0].header + batch.records[-1].commitment
