"""What may leave the home: an allow-list.

Role: from a row of the ledger to a record of the protocol. Process: uplink; pure. Must never: let a
resident, a carer, a weight, a free text or a wall-clock habit of one person through. What is not
named here stays at home.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from liftctl.uplink.protocol import MAX_CONTENT_BYTES, MAX_HEADER_BYTES, Record

CLOSED = (
    "schema", "device", "kind", "outcome", "reason", "carers_planned", "carers_actual",
    "elapsed_s", "staff_s", "out_of_plan", "out_of_plan_why", "exclude", "battery_start_pct",
    "battery_end_pct", "asymmetry_pct", "raised_mm", "traversed_mm", "peak_speed_mm_s",
    "started_utc", "ended_utc", "clock", "version", "config_hash", "firmware",
)  # fmt: skip
LISTS = {"blocks": ("row", "at_s"), "alarms": ("row", "priority", "at_s")}


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a chain as it stands in the database; `salt` None: erased."""

    seq: int
    epoch: int
    kind: str
    header: bytes
    commitment: bytes
    prev: bytes
    digest: bytes
    salt: bytes | None
    body: bytes | None


def record(row: Row, stream: str) -> Record:
    """The row as it travels; what cannot travel is sealed and says why."""
    if len(row.header) > MAX_HEADER_BYTES:
        return sealed(row, "its header is too large")
    if row.salt is None or row.body is None:
        return Record(row.header, row.commitment)  # erased at home; the chain still holds
    if stream == "events":
        return _whole(row, row.salt, row.body)
    return _summary(row, row.body)


def sealed(row: Row, why: str = "the centre could not take it") -> Record:
    """Only the row's place in the chain."""
    return Record(b"", b"", digest=row.digest, sealed=why)


def _whole(row: Row, salt: bytes, body: bytes) -> Record:
    if len(body) > MAX_CONTENT_BYTES:
        return Record(row.header, row.commitment, sealed="its contents are too large")
    return Record(row.header, row.commitment, salt, body)


def _summary(row: Row, body: bytes) -> Record:
    if row.kind not in READERS:
        return Record(row.header, row.commitment)
    try:
        shared = READERS[row.kind](json.loads(body))
    except (ValueError, AttributeError, TypeError, KeyError, RecursionError) as error:
        return Record(row.header, row.commitment, sealed=f"unreadable: {type(error).__name__}")
    summary = json.dumps(shared, sort_keys=True, separators=(",", ":")).encode()
    if len(summary) > MAX_CONTENT_BYTES:
        return Record(row.header, row.commitment, sealed="its summary is too large")
    return Record(row.header, row.commitment, summary=summary)


def _closed(told: dict[str, Any]) -> dict[str, Any]:
    shared = _named(told)
    for name, keys in LISTS.items():
        shared[name] = [_part(item, keys) for item in told.get(name) or ()]
    return shared


def _correction(told: dict[str, Any]) -> dict[str, Any]:
    return {"fields": _named(told["fields"])}


def _named(told: dict[str, Any]) -> dict[str, Any]:
    return {name: told[name] for name in CLOSED if told.get(name) is not None}


READERS = {"closed": _closed, "correction": _correction}


def _part(item: Any, keys: tuple[str, ...]) -> dict[str, Any]:
    """One of a list; a list of plain words (records of version 1) names rows."""
    return {key: item.get(key) for key in keys} if isinstance(item, dict) else {"row": str(item)}
