"""Does a ledger hold: chain, commitments, erasures, signed heads, and heads kept elsewhere.

Role: verification, read-only, in one pass. Process: any. Must never: trust a key because it stands
in the ledger; trust begins with a key or a head that was kept elsewhere.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from liftctl.recorder.checkpoint import Checkpoint, NoteError, Tree, parse, signer
from liftctl.recorder.entries import GENESIS, canonical, commitment_of, digest_of
from liftctl.recorder.keys import Vouched, trusted
from liftctl.recorder.readonly import connect, has_table
from liftctl.recorder.store import LedgerError, public_key_path

MAX_PROBLEMS = 20
COLUMNS = ("seq", "epoch", "kind", "transfer_id", "t_utc", "t_mono_ns")
OLD_CONTEXT = b"liftctl-ledger-head-v1\n"  # heads before checkpoints
SECOND_PLACE = Path("blackbox") / "heads"


@dataclass(slots=True)
class VerifyResult:
    """What verification found; `problems` empty means it holds.

    `unsigned_tail`: entries newer than the last signed head; cutting only those off would go
    unnoticed here. `compared`: heads kept elsewhere that were held against it. `losses`: what a
    later epoch itself says is missing.
    """

    entries: int = 0
    payloads: int = 0
    erased: int = 0
    heads: int = 0
    unsigned_tail: int = 0
    epoch: int = 0
    epochs: int = 0
    keys: int = 0
    head: str = ""
    checkpoint: str = ""
    compared: int = 0
    losses: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.problems


@dataclass(slots=True)
class _Walk:
    """What the pass over the entries remembers."""

    result: VerifyResult
    anchors: frozenset[bytes]
    wanted: dict[int, bytes] = field(default_factory=dict)  # size -> root, for heads elsewhere
    ends: dict[str, int] = field(default_factory=dict)  # origin -> last entry of its epoch
    known: list[dict[str, Any]] = field(default_factory=list)  # last_known of later epochs
    origin: str = ""
    key: bytes = b""
    tree: Tree = field(default_factory=Tree)
    prev: bytes = GENESIS
    missing: set[int] = field(default_factory=set)
    permitted: set[int] = field(default_factory=set)

    def problem(self, text: str) -> None:
        if len(self.result.problems) < MAX_PROBLEMS:
            self.result.problems.append(text)


def verify(
    path: Path, public_keys: Sequence[str] = (), against: Sequence[Path] = ()
) -> VerifyResult:
    """Everything that can be checked.

    `public_keys`: hex; default is the file beside the ledger. `against`: heads kept elsewhere
    (files, or folders of them); default is the second place beside the black box.
    """
    result = VerifyResult()
    try:
        anchors = _anchors(path, public_keys)
        heads = _heads_of(against or [path.parent / SECOND_PLACE])  # before the snapshot is taken
        with closing(connect(path)) as db:
            db.execute("BEGIN")  # one snapshot for all tables
            walk = _Walk(result, trusted(anchors, _chain(db)))
            walk.wanted = {head.size: b"" for head in heads}
            _entries(db, walk)
            if has_table(db, "head"):
                _old_heads(db, walk)
        for head in heads:
            _compare(walk, head, strict=bool(against))
        _finish(walk)
    except sqlite3.Error as error:
        result.problems.append(f"the database cannot be read: {error}")
    except (LedgerError, OSError, ValueError) as error:
        result.problems.append(str(error))
    return result


def _anchors(path: Path, given: Sequence[str]) -> list[bytes]:
    texts = given or public_key_path(path).read_text().split()
    return [bytes.fromhex(text) for text in texts]


def _heads_of(places: Sequence[Path]) -> list[Checkpoint]:
    files = [
        file
        for place in places
        for file in (sorted(place.glob("*.note")) if place.is_dir() else [place])
        if file.exists() or place.suffix  # a named file that is not there is an error
    ]
    return [parse(file.read_text(encoding="utf-8")) for file in files]


def _chain(db: sqlite3.Connection) -> list[Vouched]:
    rows = db.execute("SELECT header FROM entry WHERE kind = 'key' ORDER BY seq")
    told = [json.loads(header) for (header,) in rows]
    names = ("previous", "public_key", "vouched")
    return [Vouched(*(bytes.fromhex(item[name]) for name in names)) for item in told]


# --- entries and their heads ---------------------------------------------------------------------


def _entries(db: sqlite3.Connection, walk: _Walk) -> None:
    signed = _signed(db)
    upcoming = next(signed, None)
    rows = db.execute(
        "SELECT seq, epoch, kind, transfer_id, t_utc, t_mono_ns, header, commitment, prev, hash,"
        " salt, body FROM entry LEFT JOIN payload USING (seq) ORDER BY seq"
    )
    for row in rows:
        for problem in _entry_problems(row, walk):
            walk.problem(problem)
        before = walk.key
        _take(walk, row)
        while upcoming is not None and upcoming[0] <= walk.tree.size:
            _head(walk, upcoming, (before, walk.key))
            upcoming = next(signed, None)
    while upcoming is not None:
        walk.problem(f"head {upcoming[0]}: its entry is gone; the tail was cut off")
        upcoming = next(signed, None)


def _signed(db: sqlite3.Connection) -> Iterator[tuple[int, bytes, str]]:
    if has_table(db, "checkpoint"):
        yield from db.execute("SELECT seq, frontier, note FROM checkpoint ORDER BY seq")


def _entry_problems(row: tuple[Any, ...], walk: _Walk) -> Iterator[str]:
    seq, header, commitment, salt = row[0], row[6], row[7], row[10]
    if seq != walk.tree.size + 1:
        yield f"entry {seq}: expected number {walk.tree.size + 1}"
    if row[8] != walk.prev:
        yield f"entry {seq}: does not follow the one before"
    if digest_of(walk.prev, header, commitment) != row[9]:
        yield f"entry {seq}: hash is wrong"
    if salt is not None and commitment_of(salt, row[11]) != commitment:
        yield f"entry {seq}: payload does not match its commitment"
    told = _header(header)
    if any(told.get(name) != row[index] for index, name in enumerate(COLUMNS)):
        yield f"entry {seq}: columns differ from the header"


def _header(raw: bytes) -> dict[str, Any]:
    try:
        found = json.loads(raw)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _take(walk: _Walk, row: tuple[Any, ...]) -> None:
    """Chain, tree, erasures, epoch and key after this entry."""
    seq, kind = row[0], row[2]
    walk.prev, walk.tree = row[9], walk.tree.grown(row[9])
    walk.result.epoch = row[1]
    if row[10] is None:
        walk.missing.add(seq)
    if kind in ("erased", "epoch", "key"):
        told = _header(row[6])
        walk.permitted.update(told.get("erased_seqs", ()))
        walk.key = bytes.fromhex(told.get("public_key", "")) or walk.key
        if kind == "epoch":
            walk.result.epochs += 1
            walk.origin = told.get("origin", "")
            walk.known.append(told.get("last_known") or {})
    walk.ends[walk.origin] = seq
    if walk.tree.size in walk.wanted:
        walk.wanted[walk.tree.size] = walk.tree.root


def _head(walk: _Walk, row: tuple[int, bytes, str], keys: tuple[bytes, bytes]) -> None:
    seq, frontier, note = row
    walk.result.heads += 1
    try:
        head = parse(note)
        if head.origin != walk.origin:
            walk.problem(f"head {seq}: of {head.origin}, expected {walk.origin}")
        if (head.size, head.root) != (walk.tree.size, walk.tree.root) or seq != head.size:
            walk.problem(f"head {seq}: not the head of its entries")
        if frontier != walk.tree.packed:
            walk.problem(f"head {seq}: its subtrees are not those of its entries")
        key = signer(note, [key for key in keys if key])
    except NoteError as error:
        walk.problem(f"head {seq}: {error}; its signature does not hold")
        return
    walk.result.checkpoint = note
    if key is None:
        walk.problem(f"head {seq}: no signature of the ledger's key")
    elif key not in walk.anchors:
        walk.problem(f"head {seq}: the signature is of {key.hex()[:16]}, which nobody vouches for")


def _old_heads(db: sqlite3.Connection, walk: _Walk) -> None:
    rows = db.execute(
        "SELECT head.seq, head.hash, head.t_utc, signature, entry.hash, epoch"
        " FROM head LEFT JOIN entry USING (seq) ORDER BY head.seq"
    )
    for seq, digest, t_utc, signature, found, epoch in rows:
        walk.result.heads += 1
        if found is None:
            walk.problem(f"head {seq}: its entry is gone; the tail was cut off")
        elif found != digest:
            walk.problem(f"head {seq}: not the hash of its entry")
        told = {"epoch": epoch, "seq": seq, "hash": digest.hex(), "t_utc": t_utc}
        if not any(_verifies(key, signature, told) for key in walk.anchors):
            walk.problem(f"head {seq}: signature is wrong")


def _verifies(key: bytes, signature: bytes, told: dict[str, Any]) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, OLD_CONTEXT + canonical(told))
    except InvalidSignature:
        return False
    return True


# --- heads kept elsewhere, and the end -----------------------------------------------------------


def _compare(walk: _Walk, head: Checkpoint, strict: bool) -> None:
    name, end = f"head kept elsewhere ({head.size} of {head.origin})", walk.ends.get(head.origin)
    if end is None:
        if strict:
            walk.problem(f"{name}: this ledger knows no such epoch; it belongs to another file")
        return
    walk.result.compared += 1
    try:
        if signer(head.note, walk.anchors) is None:
            walk.problem(f"{name}: not signed by a key of this ledger")
            return
    except NoteError as error:
        walk.problem(f"{name}: {error}")
        return
    if head.size > end:
        text = f"{name}: the ledger ends at {end}; {head.size - end} entries are missing"
        said = {"origin": head.origin, "size": head.size} in walk.known
        if strict or not said:
            walk.problem(text)
        else:
            walk.result.losses.append(text)
    elif walk.wanted[head.size] != head.root:
        walk.problem(f"{name}: the ledger's entries are other ones")


def _finish(walk: _Walk) -> None:
    result = walk.result
    result.entries, result.head = walk.tree.size, walk.prev.hex()
    result.erased = len(walk.missing & walk.permitted)
    result.payloads = result.entries - len(walk.missing)
    result.keys = len(walk.anchors)
    for seq in sorted(walk.missing - walk.permitted):
        walk.problem(f"entry {seq}: payload is missing and no erasure says so")
    signed = parse(result.checkpoint).size if result.checkpoint else 0
    result.unsigned_tail = max(0, result.entries - signed)
    if result.entries and not result.heads:
        walk.problem("no head is signed")
