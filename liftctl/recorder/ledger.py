"""The ledger: every transfer as an append-only chain that still verifies after an erasure.

Role: the only writer of `ledger.sqlite`. Process: the recorder (its writer thread). Must never:
acknowledge what is not durable, change an entry, or put resident or details into the chained
header.

hash = SHA256(prev || header || commitment), commitment = SHA256(salt || payload). Heads are
checkpoints (checkpoint.py) of the tree over those hashes. One connection writes and checkpoints
(the WAL-reset bug of SQLite < 3.51.3 needs two); readers open `mode=ro`.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from liftctl.recorder import keys, store
from liftctl.recorder.checkpoint import Checkpoint, NoteError, Tree, origin_of, raw_public, sign
from liftctl.recorder.checkpoint import signer as signer_of
from liftctl.recorder.entries import (
    GENESIS,
    OUTCOME_INTERRUPTED,
    Appended,
    Entry,
    canonical,
    commitment_of,
    digest_of,
)
from liftctl.recorder.heads import Heads
from liftctl.recorder.wallclock import utc_text

SIGN_EVERY = 32
SIGNED_AT_ONCE = frozenset({"closed", "epoch", "erased", "key", "correction", "audit"})
EPOCH_BITS = 53  # what every JSON reader holds exactly
NOTICES = {
    "corrupt": "the ledger was corrupt and is kept aside",
    "missing": "the ledger is gone, heads of an earlier one are there",
    "restored": "the ledger has lost its newest entries, or is another copy",
    "new key": "the signing key is another one, nobody vouched for it",
}
__all__ = ("Entry", "Ledger")
log = logging.getLogger(__name__)


class Ledger:
    """The open ledger; sqlite3.Error, OSError or LedgerError when it cannot be used.

    A new epoch begins with a new ledger, and where this one does not continue what was signed
    last; `notice` then says why. `heads`: the second place for the last signed head.
    """

    def __init__(self, path: Path, wall_ns: Callable[[], int], heads: Path | None = None) -> None:
        self.notice = ""
        self.heads_complaint = ""
        self.head_seq = 0
        self.path = path
        self._wall_ns = wall_ns
        self._heads = Heads(heads) if heads else None
        self._lock = store.lock(path)
        try:
            self.key = keys.signing_key(path)
            self.db = self._open()
        except BaseException:
            os.close(self._lock)
            raise
        try:
            self._load()
        except BaseException:
            self.close()
            raise

    def _open(self) -> sqlite3.Connection:
        try:
            return store.connect(self.path)
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as error:
            kept = store.set_aside(self.path, self._wall_ns())
            self.notice = f"ledger was corrupt ({error}); kept as {kept.name}"
            return store.connect(self.path)

    # --- what is there ---------------------------------------------------------------------------

    def _load(self) -> None:
        log.info("ledger %s, sqlite_version %s", self.path, sqlite3.sqlite_version)
        last = self.db.execute(
            "SELECT seq, hash, epoch FROM entry ORDER BY seq DESC LIMIT 1"
        ).fetchone()
        self.seq: int
        self._hash: bytes
        self.epoch: int
        self.seq, self._hash, self.epoch = last or (0, GENESIS, 0)
        self._begun = self._epoch_header()
        self._tree = self._grow()
        why = self._why_new_epoch()
        if why:
            self._begin_epoch(why)
        else:
            self.seal()
            self._keep_head()

    def _epoch_header(self) -> dict[str, Any]:
        row = self.db.execute(
            "SELECT header FROM entry WHERE kind = 'epoch' ORDER BY seq DESC LIMIT 1"
        ).fetchone()
        found: dict[str, Any] = json.loads(row[0]) if row else {}
        return found

    def _grow(self) -> Tree:
        """The tree of all entries, from the last signed head on."""
        row = self.db.execute(
            "SELECT seq, frontier FROM checkpoint ORDER BY seq DESC LIMIT 1"
        ).fetchone()
        tree = Tree.of(*row) if row else Tree()
        self.head_seq = tree.size
        rows = self.db.execute("SELECT hash FROM entry WHERE seq > ? ORDER BY seq", (tree.size,))
        for (digest,) in rows:
            tree = tree.grown(digest)
        return tree

    def _why_new_epoch(self) -> str:
        if not self.seq:
            known = self._heads.newest() if self._heads else None
            return "corrupt" if self.notice else "missing" if known else "first"
        if "origin" not in self._begun:
            return "upgrade"
        if not self._own_key():
            return "new key"
        return "" if self._continues() else "restored"

    def _own_key(self) -> bool:
        """Is our key the one this ledger signs with? Finishes a rotation that was cut short."""
        row = self.db.execute(
            "SELECT header FROM entry WHERE kind IN ('epoch', 'key') ORDER BY seq DESC LIMIT 1"
        ).fetchone()
        wanted = bytes.fromhex(json.loads(row[0])["public_key"])
        waiting = keys.next_key(self.path)
        if waiting is not None and raw_public(waiting) == wanted:
            self.key = keys.adopt_next(self.path)
        return raw_public(self.key) == wanted

    def _own_keys(self) -> list[bytes]:
        rows = self.db.execute("SELECT header FROM entry WHERE kind IN ('epoch', 'key')")
        told = [json.loads(header).get("public_key") for (header,) in rows]
        return [bytes.fromhex(key) for key in told if key]

    def _continues(self) -> bool:
        """Does it hold what was signed last? Only a head that an own key signed can say no."""
        head = self._heads.of(self.epoch) if self._heads else None
        try:
            signed = head and signer_of(head.note, self._own_keys())
        except NoteError:
            signed = None
        if head is None or not signed or head.origin != self.origin:
            return True
        row = self.db.execute("SELECT note FROM checkpoint WHERE seq = ?", (head.size,)).fetchone()
        return bool(row) and row[0] == head.note

    def _begin_epoch(self, why: str) -> None:
        known = self._heads.newest() if self._heads and why != "first" else None
        follows = {"epoch": self.epoch, "size": self.seq} if self.seq else None
        self.epoch = secrets.randbits(EPOCH_BITS) or 1
        header = {
            "why": why,
            "origin": origin_of(self.path.parent.name, self.epoch),
            "public_key": raw_public(self.key).hex(),
            "follows": follows,
            "last_known": {"origin": known.origin, "size": known.size} if known else None,
        }
        told = NOTICES.get(why, "")
        if told:
            last = f"; the last head known is {known.size} of {known.origin}" if known else ""
            self.notice = f"{self.notice or told}{last}; new epoch begun"
            log.critical(self.notice)
        self._begun = header
        keys.publish(self.path, self.key)
        self.append(Entry("epoch", "", 0, {"sqlite_version": sqlite3.sqlite_version}, header))

    @property
    def origin(self) -> str:
        """The name of this epoch's log."""
        return str(self._begun["origin"])

    @property
    def head(self) -> str:
        """The newest hash, hex."""
        return self._hash.hex()

    # --- writing ---------------------------------------------------------------------------------

    def append(self, entry: Entry) -> Appended:
        """Durable when it returns; an opened or closed entry already there is not repeated."""
        earlier = self._earlier(entry)
        if earlier is not None and not self._corrects(entry, earlier):
            return Appended(earlier[0], earlier[1].hex(), fresh=False)
        extra = {"corrects": earlier[0]} if earlier is not None else {}
        return self.write(entry, extra)

    def write(
        self,
        entry: Entry,
        extra: dict[str, Any] | None = None,
        also: Callable[[sqlite3.Connection], object] | None = None,
    ) -> Appended:
        """Append without looking for an earlier one; `also` happens in the same transaction."""
        sign_now = entry.kind in SIGNED_AT_ONCE or self.seq + 1 - self.head_seq >= SIGN_EVERY
        with self._transaction():
            digest = self._insert(entry, extra or {})
            tree = self._tree.grown(digest)
            if also is not None:
                also(self.db)
            note = self._sign(tree) if sign_now else ""
        self.seq, self._hash, self._tree = tree.size, digest, tree
        if note:
            self.head_seq = tree.size
            self._keep_head(note)
        return Appended(tree.size, digest.hex())

    def seal(self) -> str:
        """The signed head of everything there is."""
        if self.head_seq < self.seq:
            with self._transaction():
                note = self._sign(self._tree)
            self.head_seq = self.seq
            self._keep_head(note)
        row = self.db.execute(
            "SELECT note FROM checkpoint WHERE seq = ?", (self.head_seq,)
        ).fetchone()
        return str(row[0])

    def rotate(self) -> bytes:
        """A new signing key that the old one vouches for; returns its public half."""
        new = keys.prepare_next(self.path)
        word = keys.vouch(self.key, raw_public(new))
        header = {
            "public_key": word.new.hex(),
            "previous": word.old.hex(),
            "vouched": word.signature.hex(),
        }
        self.write(Entry("key", "", 0, {}, header))
        self.key = keys.adopt_next(self.path)
        return word.new

    def _earlier(self, entry: Entry) -> tuple[int, bytes, bytes] | None:
        if entry.kind not in ("opened", "closed"):
            return None
        found: tuple[int, bytes, bytes] | None = self.db.execute(
            "SELECT seq, hash, header FROM entry WHERE kind = ? AND transfer_id = ?"
            " ORDER BY seq DESC LIMIT 1",
            (entry.kind, entry.transfer_id),
        ).fetchone()
        return found

    def _corrects(self, entry: Entry, earlier: tuple[int, bytes, bytes]) -> bool:
        """The controller's own close outranks the one we made for it."""
        before = json.loads(earlier[2]).get("outcome")
        now = entry.header.get("outcome")
        return before == OUTCOME_INTERRUPTED and now != OUTCOME_INTERRUPTED

    def _insert(self, entry: Entry, extra: dict[str, Any]) -> bytes:
        seq, t_utc = self.seq + 1, utc_text(self._wall_ns())
        fixed = {"seq": seq, "epoch": self.epoch, "kind": entry.kind, "t_utc": t_utc}
        fixed |= {"transfer_id": entry.transfer_id, "t_mono_ns": entry.t_mono_ns}
        header = canonical({**entry.header, **extra, **fixed})
        salt, body = os.urandom(32), canonical(entry.payload)
        commitment = commitment_of(salt, body)
        digest = digest_of(self._hash, header, commitment)
        row = (seq, self.epoch, entry.kind, entry.transfer_id, t_utc, entry.t_mono_ns)
        self.db.execute(
            "INSERT INTO entry VALUES (?,?,?,?,?,?,?,?,?,?)",
            (*row, header, commitment, self._hash, digest),
        )
        self.db.execute("INSERT INTO payload VALUES (?,?,?)", (seq, salt, body))
        return digest

    def _sign(self, tree: Tree) -> str:
        note = sign(Checkpoint(self.origin, tree.size, tree.root), self.key)
        self.db.execute(
            "INSERT INTO checkpoint VALUES (?,?,?,?,?)",
            (tree.size, self.epoch, utc_text(self._wall_ns()), tree.packed, note),
        )
        return note

    def _keep_head(self, note: str = "") -> None:
        if self._heads is None:
            return
        try:
            self._heads.put(self.epoch, note or self.seal())
            self.heads_complaint = ""
        except OSError as error:
            self.heads_complaint = f"the second place for signed heads cannot be written: {error}"
            log.error(self.heads_complaint)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.db.execute("COMMIT")
        except BaseException:
            if self.db.in_transaction:
                self.db.execute("ROLLBACK")
            raise

    def close(self) -> None:
        self.db.close()
        os.close(self._lock)
