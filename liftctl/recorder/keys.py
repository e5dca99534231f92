"""The ledger's signing key: made with the ledger, rotated by being vouched for.

Role: key files beside the ledger, and the word of an old key for a new one. Process: the recorder;
verifying: anybody. Must never: throw a key away before the ledger says that another signs.

LEDGER.key is private (0600, 32 raw bytes), LEDGER.key.next the one a rotation prepares, LEDGER.pub
the public half in hex. What signed which head stands in the ledger itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from liftctl.files import replace_file
from liftctl.recorder.checkpoint import raw_public
from liftctl.recorder.store import LedgerError, public_key_path

CONTEXT = b"liftctl-ledger-key-v1\n"


def signing_key(ledger: Path) -> Ed25519PrivateKey:
    """The signing key beside the ledger, made if there is none."""
    path = ledger.with_suffix(".key")
    if not path.exists():
        make(path)
    key = _read(path)
    if not public_key_path(ledger).exists():
        publish(ledger, key)
    return key


def next_key(ledger: Path) -> Ed25519PrivateKey | None:
    """The key a rotation has prepared, or None."""
    path = _next_path(ledger)
    return _read(path) if path.exists() else None


def prepare_next(ledger: Path) -> Ed25519PrivateKey:
    """A fresh key that signs nothing yet."""
    make(_next_path(ledger))
    return _read(_next_path(ledger))


def adopt_next(ledger: Path) -> Ed25519PrivateKey:
    """The prepared key becomes the signing key; the old private half is gone."""
    _next_path(ledger).replace(ledger.with_suffix(".key"))
    key = _read(ledger.with_suffix(".key"))
    publish(ledger, key)
    return key


def publish(ledger: Path, key: Ed25519PrivateKey) -> None:
    """Write the public half."""
    replace_file(public_key_path(ledger), raw_public(key).hex().encode() + b"\n", 0o644)


def make(path: Path) -> None:
    """A fresh private key at `path`."""
    replace_file(path, Ed25519PrivateKey.generate().private_bytes_raw())


def _next_path(ledger: Path) -> Path:
    return ledger.with_suffix(".key.next")


def _read(path: Path) -> Ed25519PrivateKey:
    try:
        return Ed25519PrivateKey.from_private_bytes(path.read_bytes())
    except ValueError as error:
        raise LedgerError(f"{path}: not a signing key; restore it") from error


# --- the chain of keys ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Vouched:
    """`old` says that `new` signs from now on."""

    old: bytes
    new: bytes
    signature: bytes

    def holds(self) -> bool:
        """Is it the old key's word?"""
        try:
            Ed25519PublicKey.from_public_bytes(self.old).verify(self.signature, CONTEXT + self.new)
        except (InvalidSignature, ValueError):
            return False
        return True


def vouch(old: Ed25519PrivateKey, new: bytes) -> Vouched:
    """The old key's word for the new one."""
    return Vouched(raw_public(old), new, old.sign(CONTEXT + new))


def trusted(anchors: Iterable[bytes], chain: Iterable[Vouched]) -> frozenset[bytes]:
    """Every key that is linked to an anchor by words that hold.

    Also backwards: a head of the new key covers the entry in which the old one stands.
    """
    found, links = set(anchors), [item for item in chain if item.holds()]
    while fresh := {
        key
        for item in links
        for key in (item.old, item.new)
        if key not in found and found.intersection((item.old, item.new))
    }:
        found |= fresh
    return frozenset(found)
