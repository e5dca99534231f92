"""Reading the ledger: verification and transfers.

Role: read-only views for the CLI, the desk and reports. Process: any but the recorder. Must never:
open the database for writing (a second checkpointing connection is the WAL-reset bug's other half).
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from liftctl.recorder.ledger import GENESIS, head_message
from liftctl.recorder.store import LedgerError, public_key_path

MAX_PROBLEMS = 20
COLUMNS = ("seq", "epoch", "kind", "transfer_id", "t_utc", "t_mono_ns")


@dataclass(slots=True)
class VerifyResult:
    """What verification found; `problems` empty means it holds.

    `unsigned_tail`: entries newer than the last signed head; cutting only those off would go
    unnoticed here.
    """

    entries: int = 0
    payloads: int = 0
    erased: int = 0
    heads: int = 0
    unsigned_tail: int = 0
    epoch: int = 0
    head: str = ""
    problems: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.problems


def connect(path: Path) -> sqlite3.Connection:
    """A read-only connection; LedgerError when there is no ledger."""
    if not path.is_file():
        raise LedgerError(f"{path}: no ledger here")
    return sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=1.0)


def verify(path: Path, public_key: str = "") -> VerifyResult:
    """Chain, commitments, erasures and signatures.

    `public_key`: hex; default is the file beside the ledger.
    """
    result = VerifyResult()
    try:
        with closing(connect(path)) as db:
            db.execute("BEGIN")  # one snapshot for all three tables
            hashes = _verify_chain(db, result)
            _verify_heads(db, result, hashes, _public_key(path, public_key))
    except sqlite3.Error as error:
        result.problems.append(f"the database cannot be read: {error}")
    except (LedgerError, OSError, ValueError) as error:
        result.problems.append(str(error))
    del result.problems[MAX_PROBLEMS:]
    return result


def _public_key(path: Path, given: str) -> Ed25519PublicKey:
    text = given or public_key_path(path).read_text().strip()
    return Ed25519PublicKey.from_public_bytes(bytes.fromhex(text))


def _verify_chain(db: sqlite3.Connection, result: VerifyResult) -> list[bytes]:
    prev, hashes, missing, permitted = GENESIS, [GENESIS], set[int](), set[int]()
    rows = db.execute(
        "SELECT seq, epoch, kind, transfer_id, t_utc, t_mono_ns, header, commitment, prev, hash,"
        " salt, body FROM entry LEFT JOIN payload USING (seq) ORDER BY seq"
    )
    for row in rows:
        seq, header, commitment, salt = row[0], row[6], row[7], row[10]
        result.problems.extend(_entry_problems(row, prev, len(hashes)))
        if salt is None:
            missing.add(seq)
        elif hashlib.sha256(salt + row[11]).digest() != commitment:
            result.problems.append(f"entry {seq}: payload does not match its commitment")
        if row[2] == "erased":
            permitted.update(json.loads(header).get("erased_seqs", []))
        prev = row[9]
        hashes.append(prev)
        result.epoch = row[1]
    result.entries, result.erased = len(hashes) - 1, len(missing & permitted)
    result.payloads, result.head = result.entries - len(missing), prev.hex()
    result.problems.extend(
        f"entry {seq}: payload is missing and no erasure says so"
        for seq in sorted(missing - permitted)
    )
    return hashes


def _entry_problems(row: tuple[Any, ...], prev: bytes, expected_seq: int) -> Iterator[str]:
    seq, header, commitment = row[0], row[6], row[7]
    if seq != expected_seq:
        yield f"entry {seq}: expected number {expected_seq}"
    if row[8] != prev:
        yield f"entry {seq}: does not follow the one before"
    if hashlib.sha256(prev + header + commitment).digest() != row[9]:
        yield f"entry {seq}: hash is wrong"
    try:
        told = json.loads(header)
    except ValueError:
        told = {}
    if any(told.get(name) != row[index] for index, name in enumerate(COLUMNS)):
        yield f"entry {seq}: columns differ from the header"


def _verify_heads(
    db: sqlite3.Connection, result: VerifyResult, hashes: list[bytes], key: Ed25519PublicKey
) -> None:
    last = 0
    for seq, digest, t_utc, signature in db.execute("SELECT * FROM head ORDER BY seq"):
        result.heads += 1
        last = seq
        if seq >= len(hashes):
            result.problems.append(f"head {seq}: its entry is gone; the tail was cut off")
        elif hashes[seq] != digest:
            result.problems.append(f"head {seq}: not the hash of its entry")
        try:
            key.verify(signature, head_message(result.epoch, seq, digest, t_utc))
        except InvalidSignature:
            result.problems.append(f"head {seq}: signature is wrong")
    result.unsigned_tail = max(0, result.entries - last)
    if result.entries and not result.heads:
        result.problems.append("no head is signed")


def read_transfers(path: Path, limit: int = -1, offset: int = 0) -> list[dict[str, Any]]:
    """Closed transfers, newest first, as their records; `limit` -1 is all.

    Added: ledger_seq, erased (nothing but the outcome is left), lowered_after (lowerings that
    followed an interruption). LedgerError or sqlite3.Error when it cannot be read.
    """
    with closing(connect(path)) as db:
        rows = db.execute(
            "SELECT e.seq, e.transfer_id, e.header, p.body FROM entry e LEFT JOIN payload p"
            " USING (seq) WHERE e.seq IN (SELECT max(seq) FROM entry WHERE kind = 'closed'"
            " GROUP BY transfer_id) ORDER BY e.seq DESC LIMIT ? OFFSET ?",
            (limit, offset),
        ).fetchall()
        return [_transfer(db, *row) for row in rows]


def _transfer(
    db: sqlite3.Connection, seq: int, name: str, header: bytes, body: bytes | None
) -> dict[str, Any]:
    lowered = db.execute(
        "SELECT body FROM entry JOIN payload USING (seq)"
        " WHERE kind = 'lowering_after_interruption' AND transfer_id = ? ORDER BY seq",
        (name,),
    ).fetchall()
    told = json.loads(header)
    record: dict[str, Any] = json.loads(body) if body else {}
    record["id"] = name
    record.setdefault("outcome", told.get("outcome", ""))
    record["ledger_seq"] = seq
    record["erased"] = body is None
    if told.get("follows"):
        record["follows"] = told["follows"]
    if lowered:
        record["lowered_after"] = [json.loads(row[0]) for row in lowered]
    return record
