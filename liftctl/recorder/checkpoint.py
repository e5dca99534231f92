"""Checkpoints: the head of the ledger as a signed note that public tools can read.

Role: RFC 6962 tree over the entries' hashes, C2SP tlog-checkpoint text, C2SP signed-note signatures
(Ed25519, type 0x01). Process: the recorder writes, anybody reads; pure. Must never: sign two heads
of one origin that do not follow from each other (a restore begins a new origin).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

DIGEST = 32
ED25519 = b"\x01"
DASH = "\u2014"
MOST_BYTES = 64 << 10


class NoteError(ValueError):
    """Not a checkpoint, or not signed as it says; the message is one line."""


# --- the tree (RFC 6962, section 2.1) ------------------------------------------------------------


def leaf(data: bytes) -> bytes:
    """Hash of a leaf."""
    return hashlib.sha256(b"\0" + data).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


@dataclass(slots=True)
class Tree:
    """A growing tree as the roots of its full subtrees, largest first."""

    size: int = 0
    frontier: tuple[bytes, ...] = ()

    @classmethod
    def of(cls, size: int, packed: bytes) -> Tree:
        """From what `packed` gave."""
        roots = tuple(packed[at : at + DIGEST] for at in range(0, len(packed), DIGEST))
        return cls(size, roots)

    @property
    def packed(self) -> bytes:
        return b"".join(self.frontier)

    def grown(self, data: bytes) -> Tree:
        """The tree with one more leaf."""
        node, rest, size = leaf(data), list(self.frontier), self.size
        while size & 1:
            node, size = _node(rest.pop(), node), size >> 1
        return Tree(self.size + 1, (*rest, node))

    @property
    def root(self) -> bytes:
        """The tree head; that of no leaves is the hash of nothing."""
        if not self.frontier:
            return hashlib.sha256(b"").digest()
        node = self.frontier[-1]
        for left in reversed(self.frontier[:-1]):
            node = _node(left, node)
        return node


# --- the note ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Origin, number of entries, tree head, and the note they came in."""

    origin: str
    size: int
    root: bytes
    note: str = ""

    @property
    def text(self) -> str:
        """What is signed."""
        root = base64.b64encode(self.root).decode()
        return f"{self.origin}\n{self.size}\n{root}\n"


def origin_of(site: str, epoch: int) -> str:
    """The name of the log of one epoch; also the name of the key that signs it."""
    return f"liftctl/{re.sub(r'[^A-Za-z0-9._-]+', '-', site) or 'site'}/{epoch}"


def raw_public(key: Ed25519PrivateKey | Ed25519PublicKey) -> bytes:
    """The 32 bytes of RFC 8032."""
    public = key.public_key() if isinstance(key, Ed25519PrivateKey) else key
    return public.public_bytes(Encoding.Raw, PublicFormat.Raw)


def key_id(name: str, public: bytes) -> bytes:
    """Four bytes that say which key a signature is of (signed-note, Ed25519)."""
    return hashlib.sha256(name.encode() + b"\n" + ED25519 + public).digest()[:4]


def verifier_key(name: str, public: bytes) -> str:
    """The key as note tools take it: NAME+ID+KEY."""
    packed = base64.b64encode(ED25519 + public).decode()
    return f"{name}+{key_id(name, public).hex()}+{packed}"


def sign(head: Checkpoint, key: Ed25519PrivateKey) -> str:
    """The signed note of `head`."""
    signature = key_id(head.origin, raw_public(key)) + key.sign(head.text.encode())
    return f"{head.text}\n{DASH} {head.origin} {base64.b64encode(signature).decode()}\n"


def parse(note: str) -> Checkpoint:
    """The checkpoint in a note; nothing is verified yet. NoteError."""
    text, blank, _ = note.rpartition("\n\n")
    lines = text.split("\n")
    if not blank or len(note) > MOST_BYTES or len(lines) < 3 or not all(lines):
        raise NoteError("not a checkpoint: expected origin, size, root and a signature")
    origin, size, root = lines[:3]
    if not re.fullmatch("0|[1-9][0-9]{0,18}", size):
        raise NoteError(f"not a checkpoint: '{size[:20]}' is no size")
    try:
        digest = base64.b64decode(root, validate=True)
    except binascii.Error:
        digest = b""
    if len(digest) != DIGEST:
        raise NoteError("not a checkpoint: the root is not 32 bytes of base64")
    return Checkpoint(origin, int(size), digest, note)


def _signatures(note: str) -> Iterable[tuple[str, bytes]]:
    for line in note.rpartition("\n\n")[2].splitlines():
        words = line.split(" ")
        if len(words) == 3 and words[0] == DASH:
            try:
                yield words[1], base64.b64decode(words[2], validate=True)
            except binascii.Error as error:
                raise NoteError("a signature is not base64") from error


def signer(note: str, keys: Iterable[bytes]) -> bytes | None:
    """Which of these public keys signed the note, or None; NoteError when one of them lies."""
    head, known = parse(note), tuple(keys)
    signed = head.note.rpartition("\n\n")[0] + "\n"
    for name, raw in _signatures(note):
        for public in known:
            if name != head.origin or raw[:4] != key_id(name, public):
                continue
            try:
                Ed25519PublicKey.from_public_bytes(public).verify(raw[4:], signed.encode())
            except InvalidSignature as error:
                raise NoteError(f"the signature of {name} is wrong") from error
            return public
    return None
