"""Entries of a ledger with what proves them: hashes between two signed heads.

Role: take entries out so that somebody without the ledger can check them, and the check. Process:
the CLI; read-only. Must never: carry another transfer's header or payload (its hash is enough).

From the tree's frontier at a head before the first entry, every hash is added until the head after
the last one: both roots must come out as signed.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

from liftctl.recorder.checkpoint import NoteError, Tree, parse, signer
from liftctl.recorder.entries import commitment_of, digest_of

COLUMNS = (
    "seq, kind, transfer_id, t_utc, header, commitment, prev, hash, salt, body"
    " FROM entry LEFT JOIN payload USING (seq)"
)


def of_transfer(db: sqlite3.Connection, name: str) -> list[int]:
    """Numbers of a transfer's entries, and of settings of the clock meanwhile."""
    rows = db.execute(
        "SELECT seq FROM entry WHERE transfer_id = :id OR (kind = 'clock' AND seq BETWEEN"
        " (SELECT min(seq) FROM entry WHERE transfer_id = :id) AND"
        " (SELECT max(seq) FROM entry WHERE transfer_id = :id)) ORDER BY seq",
        {"id": name},
    )
    return [int(row[0]) for row in rows]


def of_window(db: sqlite3.Connection, since: str, until: str) -> list[int]:
    """Numbers of the entries from `since` up to `until` (UTC as the ledger writes it)."""
    rows = db.execute(
        "SELECT seq FROM entry WHERE t_utc >= ? AND t_utc < ? ORDER BY seq", (since, until)
    )
    return [int(row[0]) for row in rows]


def proof(db: sqlite3.Connection, seqs: Sequence[int]) -> dict[str, Any]:
    """The entries, the hashes around them and the two heads; `after` None: no head covers them."""
    first, last = seqs[0], seqs[-1]
    before = db.execute(
        "SELECT seq, frontier, note FROM checkpoint WHERE seq < ? ORDER BY seq DESC LIMIT 1",
        (first,),
    ).fetchone() or (0, b"", None)
    after = db.execute(
        "SELECT seq, note FROM checkpoint WHERE seq >= ? ORDER BY seq LIMIT 1", (last,)
    ).fetchone() or (last, None)
    hashes = db.execute(
        "SELECT hash FROM entry WHERE seq > ? AND seq <= ? ORDER BY seq", (before[0], after[0])
    )
    return {
        "before": {"size": before[0], "frontier": before[1].hex(), "note": before[2]},
        "after": {"size": after[0], "note": after[1]},
        "hashes": [digest.hex() for (digest,) in hashes],
        "entries": [_entry(db, seq) for seq in seqs],
        "keys": _keys(db),
    }


def _entry(db: sqlite3.Connection, seq: int) -> dict[str, Any]:
    row = db.execute(f"SELECT {COLUMNS} WHERE seq = ?", (seq,)).fetchone()
    header, commitment, prev, digest, salt, body = row[4:]
    return {
        "seq": row[0],
        "kind": row[1],
        "transfer_id": row[2],
        "t_utc": row[3],
        "header": header.decode(),
        "commitment": commitment.hex(),
        "prev": prev.hex(),
        "hash": digest.hex(),
        "salt": salt.hex() if salt is not None else None,
        "body": body.decode() if body is not None else None,
        "erased": salt is None,
    }


def _keys(db: sqlite3.Connection) -> list[str]:
    """What the ledger says it signs with; whoever checks compares one with a key kept elsewhere."""
    rows = db.execute("SELECT header FROM entry WHERE kind IN ('epoch', 'key') ORDER BY seq")
    told = [json.loads(header).get("public_key") for (header,) in rows]
    return list(dict.fromkeys(key for key in told if key))


def problems(told: dict[str, Any], keys: Sequence[str] = ()) -> Iterator[str]:
    """What does not hold. `keys`: hex, got from elsewhere; default: those in the proof itself."""
    try:
        yield from _problems(told, [bytes.fromhex(key) for key in keys or told["keys"]])
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        yield f"the ledger's proof cannot be read: {type(error).__name__}: {error}"


def _problems(told: dict[str, Any], keys: list[bytes]) -> Iterator[str]:
    before, after = told["before"], told["after"]
    hashes = [bytes.fromhex(item) for item in told["hashes"]]
    tree = Tree.of(before["size"], bytes.fromhex(before["frontier"]))
    yield from _head_problems(before["note"], tree, keys)
    for digest in hashes:
        tree = tree.grown(digest)
    if tree.size != after["size"]:
        yield f"the ledger's proof ends at entry {tree.size}, its head at {after['size']}"
    yield from _head_problems(after["note"], tree, keys)
    for entry in told["entries"]:
        at = entry["seq"] - before["size"] - 1
        yield from _entry_problems(entry, hashes[at] if 0 <= at < len(hashes) else b"")


def _head_problems(note: str | None, tree: Tree, keys: list[bytes]) -> Iterator[str]:
    if note is None:
        return  # the pack says that no head covers it
    try:
        head = parse(note)
        if (head.size, head.root) != (tree.size, tree.root):
            yield f"the entries do not lead to the head at {head.size}"
        if signer(note, keys) is None:
            yield f"the head at {head.size} is not signed by a known key"
    except NoteError as error:
        yield f"a head of the ledger: {error}"


def _entry_problems(entry: dict[str, Any], digest: bytes) -> Iterator[str]:
    seq, commitment = entry["seq"], bytes.fromhex(entry["commitment"])
    made = digest_of(bytes.fromhex(entry["prev"]), entry["header"].encode(), commitment)
    if made != digest or made.hex() != entry["hash"]:
        yield f"entry {seq}: hash is wrong"
    if entry["salt"] is None:
        return
    if commitment_of(bytes.fromhex(entry["salt"]), entry["body"].encode()) != commitment:
        yield f"entry {seq}: payload does not match its commitment"
