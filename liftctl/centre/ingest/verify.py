"""Does a batch continue the chain that is stored.

Role: arithmetic on a batch and a stored head. Process: ingest; pure. Must never: repair a chain or
guess a link.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from liftctl.uplink.protocol import (
    HASH_BYTES,
    MAX_CONTENT_BYTES,
    MAX_HEADER_BYTES,
    MAX_NOTE_CHARS,
    MAX_RECORDS,
    STREAMS,
    Batch,
    Record,
)

GENESIS = bytes(HASH_BYTES)


class Unacceptable(ValueError):
    """A batch that no honest home sends; one line."""


@dataclass(frozen=True, slots=True)
class Link:
    """A record with its place: `header` is the parsed one, {} where it was sealed."""

    seq: int
    digest: bytes
    header: dict[str, Any]
    record: Record


@dataclass(frozen=True, slots=True)
class Head:
    """The newest stored row of an epoch; `pruned_*`: the newest that was pruned, 0: none."""

    stream: str
    first_seq: int
    seq: int
    digest: bytes
    pruned_seq: int = 0
    pruned_digest: bytes = b""


def links(batch: Batch) -> list[Link]:
    """Every record's digest, computed anew; Unacceptable names the first that does not fit."""
    if batch.stream not in STREAMS:
        raise Unacceptable(f"stream '{batch.stream[:20]}' is unknown; use {' or '.join(STREAMS)}")
    if not 1 <= len(batch.records) <= MAX_RECORDS:
        raise Unacceptable(f"{len(batch.records)} records; send 1 to {MAX_RECORDS}")
    if len(batch.note) > MAX_NOTE_CHARS:
        raise Unacceptable("the signed head is too long")
    if batch.first_seq < 1 or len(batch.prev) != HASH_BYTES or not 0 <= batch.epoch < 1 << 63:
        raise Unacceptable("first_seq, prev or epoch is out of range")
    found, prev = [], batch.prev
    for seq, record in enumerate(batch.records, batch.first_seq):
        prev = _digest(record, prev, seq)
        found.append(Link(seq, prev, _header(record, batch.epoch, seq), record))
    return found


def _digest(record: Record, prev: bytes, seq: int) -> bytes:
    sizes = (record.body, record.summary, record.salt)
    if len(record.header) > MAX_HEADER_BYTES or max(map(len, sizes)) > MAX_CONTENT_BYTES:
        raise Unacceptable(f"record {seq} is too large; set it aside at home")
    if record.digest:
        if not record.sealed or record.header or len(record.digest) != HASH_BYTES:
            raise Unacceptable(f"record {seq}: a digest alone stands only for a sealed record")
        return record.digest
    if record.body and hashlib.sha256(record.salt + record.body).digest() != record.commitment:
        raise Unacceptable(f"record {seq}: contents do not match their commitment")
    return hashlib.sha256(prev + record.header + record.commitment).digest()


def _header(record: Record, epoch: int, seq: int) -> dict[str, Any]:
    if record.digest:
        return {}
    header = plain(record.header)
    if header.get("seq") != seq or header.get("epoch") != epoch:
        raise Unacceptable(f"record {seq}: its header names another place or epoch")
    return header


def plain(text: bytes) -> dict[str, Any]:
    """JSON as PostgreSQL can hold it: no NUL, lone surrogate or NaN; {} when it is no object."""
    try:
        found = _clean(json.loads(text, parse_constant=lambda _: None))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_clean(key): _clean(item) for key, item in value.items()}
    return [_clean(item) for item in value] if isinstance(value, list) else value


@dataclass(frozen=True, slots=True)
class Verdict:
    """`need`: rewind to there. `conflict`: why. Else the links after `known` are new."""

    known: int = 0
    need: int | None = None
    conflict: str = ""


def judge(head: Head | None, batch: Batch, found: list[Link], stored: bytes | None) -> Verdict:
    """`stored`: the digest the centre holds at the newest row both know, None when it holds none.

    For a new epoch it is the digest before the first row, in whatever epoch.
    """
    if head is None:
        return _opening(batch, found, stored)
    if head.stream != batch.stream:
        return Verdict(conflict=f"epoch {batch.epoch} is of stream {head.stream}")
    if batch.first_seq > head.seq + 1:
        return Verdict(need=head.seq + 1)
    if batch.first_seq < head.first_seq:
        return Verdict(conflict=f"epoch {batch.epoch} began at {head.first_seq}")
    last = min(head.seq, found[-1].seq)
    known = last - batch.first_seq + 1
    if last < head.pruned_seq:  # taken long ago; the rows that follow will show a difference
        return Verdict(known=known)
    ours = found[known - 1].digest if known else batch.prev
    if ours != stored:
        return Verdict(conflict=f"row {last} of epoch {batch.epoch} differs from what is stored")
    return Verdict(known=known)


def _opening(batch: Batch, found: list[Link], stored: bytes | None) -> Verdict:
    if found[0].header.get("kind") != "epoch":
        return Verdict(need=0)
    if batch.prev == GENESIS and batch.first_seq == 1:
        return Verdict()
    if stored is None or stored != batch.prev:
        return Verdict(need=0)
    return Verdict()
