"""The statements that store a batch.

Role: SQL of the ingest; every statement names the municipality. Process: ingest. Must never: commit
(the caller's transaction does).
"""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, text

from liftctl.centre.ingest.project import Rows, Transfer, corrected
from liftctl.centre.ingest.verify import Link

Key = dict[str, Any]


def entries(db: Connection, key: Key, new: list[Link]) -> None:
    """The chain as it came."""
    records = [link.record for link in new]
    db.execute(
        text(
            "INSERT INTO entry SELECT :municipality, :home, :controller, :epoch, new.seq, :now,"
            " new.header, new.commitment, new.hash, new.salt, new.body, new.summary, new.sealed"
            " FROM unnest(CAST(:seq AS bigint[]), CAST(:header AS bytea[]),"
            " CAST(:commitment AS bytea[]), CAST(:hash AS bytea[]), CAST(:salt AS bytea[]),"
            " CAST(:body AS bytea[]), CAST(:summary AS bytea[]), CAST(:sealed AS text[]))"
            " AS new(seq, header, commitment, hash, salt, body, summary, sealed)"
        ),
        {
            **key,
            "seq": [link.seq for link in new],
            "hash": [link.digest for link in new],
            "header": [item.header for item in records],
            "commitment": [item.commitment for item in records],
            "salt": [item.salt for item in records],
            "body": [item.body for item in records],
            "summary": [item.summary for item in records],
            "sealed": [item.sealed[:200].replace("\0", "") for item in records],
        },
    )


def events(
    db: Connection, key: Key, new: list[tuple[int, datetime, str, str, dict[str, Any]]]
) -> None:
    """Events as the device's page shows them."""
    if not new:
        return
    db.execute(
        text(
            "INSERT INTO event SELECT :municipality, :home, :controller, :epoch, new.seq, new.at,"
            " new.kind, new.name, CAST(new.detail AS jsonb)"
            " FROM unnest(CAST(:seq AS bigint[]), CAST(:at AS timestamptz[]),"
            " CAST(:kind AS text[]), CAST(:name AS text[]), CAST(:detail AS text[]))"
            " AS new(seq, at, kind, name, detail)"
        ),
        {
            **key,
            "seq": [item[0] for item in new],
            "at": [item[1] for item in new],
            "kind": [item[2] for item in new],
            "name": [item[3] for item in new],
            "detail": [json.dumps(item[4]) for item in new],
        },
    )


def alarm(db: Connection, key: Key) -> None:
    """The centre's own event: an alarm beside the chain, seq 0."""
    db.execute(
        text(
            "INSERT INTO event VALUES (:municipality, :home, :controller, 0, 0, :now, 'conflict',"
            " 'ledger_conflict', CAST(:detail AS jsonb)) ON CONFLICT DO NOTHING"
        ),
        key,
    )


def transfers(db: Connection, key: Key, new: list[Transfer]) -> None:
    """Closed transfers and the home's tally; a correction takes the place of the earlier close."""
    if not new:
        return
    if replaced := [item.corrects for item in new if item.corrects]:
        _take_back(db, key, replaced)
    db.execute(
        text(
            "WITH new AS (INSERT INTO transfer SELECT :municipality, :home, :controller, :epoch,"
            " new.seq, new.at, new.id, new.kind, new.outcome, new.carers, new.elapsed_s,"
            " new.staff_s, new.blocks, new.alarms, CAST(new.detail AS jsonb)"
            " FROM unnest(CAST(:seq AS bigint[]), CAST(:at AS timestamptz[]), CAST(:id AS text[]),"
            " CAST(:kind AS text[]), CAST(:outcome AS text[]), CAST(:carers AS integer[]),"
            " CAST(:elapsed_s AS float8[]), CAST(:staff_s AS float8[]), CAST(:blocks AS integer[]),"
            " CAST(:alarms AS integer[]), CAST(:detail AS text[]))"
            " AS new(seq, at, id, kind, outcome, carers, elapsed_s, staff_s, blocks, alarms,"
            f" detail) RETURNING *) {TALLY.format(sign='')}"
        ),
        {
            **key,
            **{
                name: [getattr(item, name) for item in new]
                for name in ("seq", "at", "id", "kind", "outcome", "carers", "elapsed_s",
                             "staff_s", "blocks", "alarms")
            },
            "detail": [json.dumps(item.detail) for item in new],
        },
    )  # fmt: skip


TALLY = (
    "INSERT INTO tally AS old SELECT CAST(:municipality AS text), home,"
    " date_trunc('month', at)::date, outcome,"
    " coalesce(carers, 0), {sign}count(*), {sign}coalesce(sum(elapsed_s), 0),"
    " {sign}coalesce(sum(staff_s), 0), {sign}sum(blocks), {sign}sum(alarms)"
    " FROM new GROUP BY 1, 2, 3, 4, 5"
    " ON CONFLICT (municipality, home, month, outcome, carers) DO UPDATE SET"
    " n = old.n + excluded.n, elapsed_s = old.elapsed_s + excluded.elapsed_s,"
    " staff_s = old.staff_s + excluded.staff_s, blocks = old.blocks + excluded.blocks,"
    " alarms = old.alarms + excluded.alarms"
)


def _take_back(db: Connection, key: Key, seqs: list[int]) -> None:
    """The chain keeps both closes; only the later one counts."""
    db.execute(
        text(
            "WITH new AS (DELETE FROM transfer WHERE municipality = :municipality"
            " AND controller = :controller AND epoch = :epoch"
            f" AND seq = ANY(CAST(:seqs AS bigint[])) RETURNING *) {TALLY.format(sign='-')}"
        ),
        {**key, "seqs": seqs},
    )


def corrections(db: Connection, key: Key, new: list[tuple[str, dict[str, Any]]]) -> None:
    """A later word about a closed transfer changes how it is read, never the chain."""
    for name, content in new:
        row = (
            db.execute(
                text(
                    "SELECT epoch, seq, at, id, kind, outcome, carers, elapsed_s, staff_s, blocks,"
                    " alarms, detail FROM transfer WHERE municipality = :municipality"
                    " AND controller = :controller AND id = :id ORDER BY at DESC LIMIT 1"
                ),
                {**key, "id": name},
            )
            .mappings()
            .one_or_none()
        )
        if row is not None:
            told = dict(row)
            there = {**key, "epoch": told.pop("epoch")}
            _take_back(db, there, [told["seq"]])
            transfers(db, there, [corrected(Transfer(**told, corrects=0), content)])


def trends(db: Connection, key: Key, new: dict[tuple[str, date], float]) -> None:
    """One value a day and name; the later one stays."""
    if not new:
        return
    db.execute(
        text(
            "INSERT INTO trend SELECT :municipality, :home, :controller, new.name, new.day,"
            " new.value FROM unnest(CAST(:name AS text[]), CAST(:day AS date[]),"
            " CAST(:value AS float8[])) AS new(name, day, value)"
            " ON CONFLICT (municipality, controller, name, day) DO UPDATE"
            " SET value = excluded.value"
        ),
        {
            **key,
            "name": [name for name, _ in new],
            "day": [day for _, day in new],
            "value": list(new.values()),
        },
    )


def facts(db: Connection, key: Key, read: Rows, seq: int, off_s: float) -> None:
    """The controller's newest facts; the last durable seq and when it became durable."""
    told = read.facts
    values = {
        **{name: told.get(name) for name in ("reported_at", "cycles", "service_cycles",
                                             "service_by", "inspection_by")},
        **{name: json.dumps(told[name]) if name in told else None
           for name in ("reported", "trends", "commissioned")},
        "seq": seq, "off": off_s, "aside": read.set_aside,
    }  # fmt: skip
    db.execute(text(FACTS), {**key, **values})
    if read.transfers or read.events:
        db.execute(text(LATELY), key)


FACTS = """
UPDATE controller SET durable_at = :now, durable_seq = :seq, durable_epoch = :epoch,
  clock_off_s = :off, set_aside = set_aside + :aside,
  reported = coalesce(CAST(:reported AS jsonb), reported),
  reported_at = coalesce(:reported_at, reported_at),
  trends = trends || coalesce(CAST(:trends AS jsonb), '{}'),
  commissioned = coalesce(CAST(:commissioned AS jsonb), commissioned),
  cycles = coalesce(CAST(:cycles AS bigint), cycles),
  service_cycles = coalesce(CAST(:service_cycles AS bigint), service_cycles),
  service_by = coalesce(CAST(:service_by AS date), service_by),
  inspection_by = coalesce(CAST(:inspection_by AS date), inspection_by)
WHERE municipality = :municipality AND controller = :controller
"""
LATELY = """
UPDATE controller SET
  (transfers_28d, active_days_28d) = (
    SELECT count(*), count(DISTINCT at::date) FROM transfer
    WHERE municipality = :municipality AND controller = :controller
      AND at > :now - interval '28 days'),
  trips_7d = (SELECT count(*) FROM event WHERE municipality = :municipality
    AND controller = :controller AND kind = 'trip' AND at > :now - interval '7 days')
WHERE municipality = :municipality AND controller = :controller
"""
