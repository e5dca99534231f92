"""Who says so: a document's bytes and the Ed25519 signatures over them, against trusted keys.

Role: sign and verify, pure. Process: support (verifies orders, signs reports), centre and the
signing commands. Must never: read a document before every signature on it holds.

A signature covers context, role and key id with the bytes, so that none of them can be exchanged.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Annotated, Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Meta

from liftctl.remote.documents import Document, Down, Name, Proposal, Up, read_down, read_up
from liftctl.remote.reasons import Refusal

CONTEXT = b"liftctl-remote-v1\n"
MOST_BYTES = 65_536
MOST_REPORT_BYTES = 4 << 20  # a bundle, in base64 twice
MOST_SIGNATURES = 4
SKEW_S = 300  # clocks of signer and site may differ so much
LONGEST_S = {"proposal": 30 * 86_400, "": 86_400}

Role = Literal["support", "configurator", "safety", "site"]
# Whose word counts for a document; `safety` only ever adds to a configurator's.
MAY = {"proposal": "configurator", "": "support"}


class Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    key: Annotated[str, Meta(pattern=r"^[0-9a-f]{16}\Z")]
    role: Role
    signature: Annotated[bytes, Meta(min_length=64, max_length=64)]


class Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`v` is this format's version."""

    body: bytes
    signatures: Annotated[tuple[Signature, ...], Meta(min_length=1, max_length=MOST_SIGNATURES)]
    v: Literal[1] = 1


class TrustedKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One person's key in one role, until `until` (seconds since 1970)."""

    public: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
    role: Role
    holder: Name
    until: int

    @property
    def id(self) -> str:
        return key_id(bytes.fromhex(self.public))


class Trust(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Enrolment: this controller's name, its centre, whose word counts. Changed on site only."""

    controller: Name
    centre: str = ""
    keys: tuple[TrustedKey, ...] = ()


class Verified(msgspec.Struct, frozen=True):
    """An order that is what it says, and who signed it."""

    order: Down
    signers: tuple[TrustedKey, ...]

    @property
    def two_people(self) -> bool:
        """A configurator and somebody else who answers for safety, each with a key of their own."""
        first = [key for key in self.signers if key.role == "configurator"]
        second = [key for key in self.signers if key.role == "safety"]
        return any(a.public != b.public and a.holder != b.holder for a in first for b in second)


def key_id(public: bytes) -> str:
    """The name of a public key: 16 hex digits of its SHA-256."""
    return hashlib.sha256(public).hexdigest()[:16]


def _signed(role: str, key: str, body: bytes) -> bytes:
    return CONTEXT + f"{role} {key}\n".encode() + body


def sign(body: bytes, signers: Iterable[tuple[Role, Ed25519PrivateKey]]) -> bytes:
    """The envelope's bytes; each signer in a role."""
    found = []
    for role, private in signers:
        key = key_id(private.public_key().public_bytes_raw())
        found.append(Signature(key, role, private.sign(_signed(role, key, body))))
    return msgspec.json.encode(Envelope(body, tuple(found)))


def add(envelope: bytes, role: Role, private: Ed25519PrivateKey) -> bytes:
    """One more signature over the same document (the second person's)."""
    found = open_envelope(envelope)
    more = msgspec.json.decode(sign(found.body, [(role, private)]), type=Envelope)
    return msgspec.json.encode(Envelope(found.body, (*found.signatures, *more.signatures)))


def open_envelope(data: bytes, most_bytes: int = MOST_BYTES) -> Envelope:
    """Size and form only; Refusal."""
    if len(data) > most_bytes:
        raise Refusal("LC-REM-SIZE")
    try:
        return msgspec.json.decode(data, type=Envelope)
    except ValueError as error:
        raise Refusal("LC-REM-FORM", str(error)) from error


def signers(envelope: Envelope, trust: Trust, now_s: float) -> tuple[TrustedKey, ...]:
    """The trusted keys behind it; Refusal unless every signature holds."""
    known = {(key.id, key.role): key for key in trust.keys}
    found = []
    for item in envelope.signatures:
        key = known.get((item.key, item.role))
        if key is None and item.key in {name for name, _ in known}:
            raise Refusal("LC-REM-ROLE")
        if key is None or now_s > key.until:
            raise Refusal("LC-REM-KEY")
        try:
            public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key.public))
            public.verify(item.signature, _signed(item.role, item.key, envelope.body))
        except InvalidSignature as error:
            raise Refusal("LC-REM-SIGNATURE") from error
        found.append(key)
    return tuple(found)


def verify(data: bytes, trust: Trust, now_s: float) -> Verified:
    """The order in `data`, if it is one, for this controller, in time; else Refusal."""
    envelope = open_envelope(data)
    people = signers(envelope, trust, now_s)
    try:
        order = read_down(envelope.body)
    except ValueError as error:
        raise Refusal("LC-REM-FORM", str(error)) from error
    kind = "proposal" if isinstance(order, Proposal) else ""
    if MAY[kind] not in {key.role for key in people}:
        raise Refusal("LC-REM-ROLE")
    if order.controller != trust.controller:
        raise Refusal("LC-REM-OTHER", order.controller)
    if order.issued > now_s + SKEW_S:
        raise Refusal("LC-REM-EARLY")
    if now_s >= order.expires:
        raise Refusal("LC-REM-EXPIRED")
    if order.expires - order.issued > LONGEST_S[kind]:
        raise Refusal("LC-REM-LONG", f"at most {LONGEST_S[kind] // 3600} hours")
    return Verified(order, people)


def verify_report(data: bytes, controller: str, public: str) -> Up:
    """For the centre: a report of `controller`, signed with its own key; else Refusal."""
    trust = Trust(controller, keys=(TrustedKey(public, "site", controller, 2**40),))
    envelope = open_envelope(data, MOST_REPORT_BYTES)
    signers(envelope, trust, 0)
    try:
        report = read_up(envelope.body)
    except ValueError as error:
        raise Refusal("LC-REM-FORM", str(error)) from error
    if report.controller != controller:
        raise Refusal("LC-REM-OTHER", report.controller)
    return report


def encode(document: Document) -> bytes:
    """The bytes that are signed."""
    return msgspec.json.encode(document)
