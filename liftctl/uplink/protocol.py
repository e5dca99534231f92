"""What a home and a knowledge centre say to each other: a closed list of messages.

Role: the rows a home sends; orders and reports are in liftctl/remote/documents.py, and there is no
third list. Process: uplink and ingest. Must never: hold a message that can move, reset or release a
device (design rule 13): a home tells and asks, a centre answers. Every connection is opened by the
home.

One POST, one message, one answer. The body is msgpack; its Ed25519 signature by the controller's
key travels in the header SIGNATURE and covers CONTEXT and the bytes as they are. A replay is
harmless: what is already there is acknowledged again.

A record is a row of an append-only chain (`liftctl/recorder/ledger.py`):
hash = SHA256(prev || header || commitment), commitment = SHA256(salt || body).
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Meta

PATH = "/uplink/v1"
SIGNATURE = "liftctl-signature"
MEDIA_TYPE = "application/msgpack"
CONTEXT = b"liftctl-uplink-v1\n"
STREAMS = ("transfers", "events")
MAX_BODY_BYTES = 4 << 20
MAX_RECORDS = 1000
MAX_HEADER_BYTES = 16 << 10
MAX_CONTENT_BYTES = 256 << 10
MAX_NOTE_CHARS = 4096
HASH_BYTES = 32
Place = Annotated[int, Meta(ge=0, le=2**53)]  # what a ledger can hold, and every JSON reader


class ProtocolError(ValueError):
    """Bytes that are no message; the text is one line."""


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of everything that travels."""


class Record(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """One row. `summary`: JSON of what may leave the home, where the body itself may not.

    `sealed`: why the home kept the contents back; then only header and commitment travel, and if
    even the header is too large, only `digest`.
    """

    header: bytes
    commitment: bytes
    salt: bytes = b""
    body: bytes = b""
    summary: bytes = b""
    sealed: str = ""
    digest: bytes = b""


# --- from a home ----------------------------------------------------------------------------------


class Enrol(Message, frozen=True, tag="enrol", omit_defaults=True):
    """A one-time code turns a public key into a controller; signed by that key.

    `site_key`: the public key that its reports of help from afar will be signed with.
    """

    code: str
    public_key: bytes
    kind: str  # lift | chair
    title: str
    site_key: bytes = b""


class Batch(Message, frozen=True, tag="batch"):
    """Rows `first_seq`.. of one epoch, without a gap; `prev` is the hash before the first.

    `sent_ms`: the home's wall clock at sending, Unix milliseconds; it is believed to be wrong by
    what it differs from the centre's. `note`: the newest signed head of this chain (a
    checkpoint that note tools read), which the centre keeps as a witness.
    """

    municipality: str
    controller: str
    stream: str  # one of STREAMS
    epoch: int
    first_seq: int
    prev: bytes
    records: tuple[Record, ...]
    sent_ms: int
    note: str = ""


# --- from the centre ------------------------------------------------------------------------------


class Enrolled(Message, frozen=True, tag="enrolled", omit_defaults=True):
    """Who this controller is from now on. `token` opens its box for orders; told once."""

    municipality: str
    home: str
    controller: str
    token: str = ""


class Ack(Message, frozen=True, tag="ack"):
    """Everything up to `seq` of `epoch` is committed in the centre's database."""

    epoch: Place
    seq: Place


class Need(Message, frozen=True, tag="need"):
    """Send from `seq` of `epoch` on; 0: from the first epoch on."""

    epoch: Place
    seq: Place


class Conflict(Message, frozen=True, tag="conflict"):
    """Rows that contradict what is stored. Kept in quarantine, an alarm is up, nothing is lost."""

    epoch: Place
    seq: Place
    why: str


class Refused(Message, frozen=True, tag="refused"):
    """Not taken: `code` is stable, `why` is for a person, and what to do about it."""

    code: str
    why: str
    retry_after_s: float = 0.0


FromHome = Enrol | Batch
FromCentre = Enrolled | Ack | Need | Conflict | Refused

_encoder = msgspec.msgpack.Encoder()
_from_home = msgspec.msgpack.Decoder(FromHome)
_from_centre = msgspec.msgpack.Decoder(FromCentre)


def encode(message: Message) -> bytes:
    """Bytes of one message."""
    return _encoder.encode(message)


def from_home(body: bytes) -> FromHome:
    """A home's message; ProtocolError."""
    try:
        found: FromHome = _from_home.decode(body)
    except (ValueError, RecursionError) as error:  # msgspec's, bad UTF-8, nesting without end
        raise ProtocolError(f"no message of this protocol: {error}") from error
    return found


def from_centre(body: bytes) -> FromCentre:
    """A centre's answer; ProtocolError."""
    try:
        found: FromCentre = _from_centre.decode(body)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"no answer of this protocol: {error}") from error
    return found


def sign(key: Ed25519PrivateKey, body: bytes) -> str:
    """The header's value, hex."""
    return key.sign(CONTEXT + body).hex()


def signed_by(public_key: bytes, body: bytes, signature: str) -> bool:
    """Whether `signature` is that key's over this body."""
    try:
        key = Ed25519PublicKey.from_public_bytes(public_key)
        key.verify(bytes.fromhex(signature), CONTEXT + body)
    except (InvalidSignature, ValueError):
        return False
    return True
