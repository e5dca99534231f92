"""Transfers to a web address, signed, in order, each until it was taken.

Role: delivery from the ledger as outbox: the position moves only after a 2xx. Process: CLI (a
timer), centre. Must never: skip a transfer, send one to an address that is not https (but for
loopback), or follow a redirect with a signature.

Signatures are those of Standard Webhooks 1.0: `webhook-id`, `webhook-timestamp`,
`webhook-signature` over `ID.TIMESTAMP.BODY`; `v1,` HMAC-SHA256 with a shared secret (`whsec_...`),
`v1a,` Ed25519. The id is the same on every attempt: a receiver drops what it has.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from liftctl.exports.rows import changed_seq, rows
from liftctl.files import replace_file

TOLERANCE_S = 300
TRIES = 5
FIRST_WAIT_S = 1.0
TIMEOUT_S = 15.0
LOOPBACK = ("127.0.0.1", "::1", "localhost")
Secret = bytes | Ed25519PrivateKey


class WebhookError(Exception):
    """It cannot be delivered, or is not to be believed; one line with the remedy."""


def secret(text: str) -> bytes:
    """The key in `whsec_BASE64`; WebhookError."""
    try:
        key = base64.b64decode(text.strip().removeprefix("whsec_"), validate=True)
    except binascii.Error as error:
        raise WebhookError(f"the secret is no base64: {error}; give whsec_...") from error
    if not 24 <= len(key) <= 64:
        raise WebhookError(f"the secret has {len(key)} bytes; give 24 to 64")
    return key


def key_in(secret_file: Path | None, key_file: Path | None) -> Secret:
    """Of the one that is given; OSError, ValueError or WebhookError."""
    if secret_file is not None:
        return secret(secret_file.read_text(encoding="ascii"))
    assert key_file is not None  # noqa: S101
    return Ed25519PrivateKey.from_private_bytes(key_file.read_bytes())


def signature(key: Secret, id_: str, timestamp: int, body: bytes) -> str:
    """One entry of `webhook-signature`."""
    content = f"{id_}.{timestamp}.".encode() + body
    if isinstance(key, Ed25519PrivateKey):
        return "v1a," + base64.b64encode(key.sign(content)).decode()
    return "v1," + base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()


class Receiver:
    """The other side: believes a delivery once. `seen` ids are kept as long as a repetition could
    still be in time.
    """

    def __init__(self, key: bytes | Ed25519PublicKey) -> None:
        self._key = key
        self._seen: dict[str, int] = {}

    def take(self, headers: Mapping[str, str], body: bytes, now_s: int) -> bool:
        """True when it is new, False when it was here before; WebhookError when it is not to be
        believed.
        """
        try:
            id_, said = headers["webhook-id"], int(headers["webhook-timestamp"])
            signatures = headers["webhook-signature"].split(" ")
        except (KeyError, ValueError) as error:
            raise WebhookError("a header is missing or malformed") from error
        if abs(now_s - said) > TOLERANCE_S:
            raise WebhookError("the timestamp is too old or from the future; check the clocks")
        content = f"{id_}.{said}.".encode() + body
        if not any(self._holds(item, content) for item in signatures):
            raise WebhookError("no signature holds")
        self._seen = {k: t for k, t in self._seen.items() if now_s - t <= 2 * TOLERANCE_S}
        fresh = id_ not in self._seen
        self._seen[id_] = now_s
        return fresh

    def _holds(self, item: str, content: bytes) -> bool:
        version, _, text = item.partition(",")
        try:
            told = base64.b64decode(text, validate=True)
            if isinstance(self._key, bytes):
                right = hmac.digest(self._key, content, hashlib.sha256)
                return version == "v1" and hmac.compare_digest(told, right)
            if version != "v1a":
                return False
            self._key.verify(told, content)
        except (binascii.Error, InvalidSignature):
            return False
        return True


def checked(url: str) -> str:
    """The address, if a secret may be sent there; WebhookError."""
    parts = urlsplit(url)
    safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
    if not safe or not parts.hostname or parts.username:
        raise WebhookError(f"{url}: only https (http on loopback), without a name in it")
    return url


@dataclass(frozen=True, slots=True)
class Sender:
    """`position`: the file that says up to which ledger entry the address has everything."""

    url: str
    key: Secret
    position: Path
    http: httpx.Client
    now_s: Callable[[], int]
    wait: Callable[[float], None]

    def sent(self) -> int:
        """The newest entry the address has taken; WebhookError when the file is no number."""
        try:
            return int(self.position.read_text(encoding="ascii"))
        except FileNotFoundError:
            return 0
        except ValueError as error:
            raise WebhookError(
                f"{self.position} holds no number; remove it to begin anew"
            ) from error

    def deliver(self, records: Iterable[Mapping[str, Any]]) -> int:
        """Send what is newer, corrections and erasures too, oldest first; how many. WebhookError at
        the first that is not taken: the others wait, in order.
        """
        after, count = self.sent(), 0
        for row in sorted(rows(records), key=changed_seq):
            seq = changed_seq(row)
            if seq <= after:
                continue
            kind = "transfer.closed" if seq == row["ledger_seq"] else "transfer.changed"
            self._send(seq, {"type": kind, "timestamp": row["ended_utc"], "data": row})
            replace_file(self.position, str(seq).encode())
            count += 1
        return count

    def _send(self, seq: int, event: Mapping[str, Any]) -> None:
        body = json.dumps(event, separators=(",", ":"), sort_keys=True).encode()
        data: Any = event["data"]
        id_ = "msg_" + hashlib.sha256(f"{data['site']}\n{seq}\n".encode() + body).hexdigest()[:32]
        why = ""
        for attempt in range(TRIES):
            if attempt:
                self.wait(FIRST_WAIT_S * 4 ** (attempt - 1))
            why = self._once(id_, body)
            if not why:
                return
        raise WebhookError(f"entry {seq} was not taken: {why}; it is tried again next time")

    def _once(self, id_: str, body: bytes) -> str:
        """ "" when it was taken, else why not. Signed anew: the receiver checks how old it is."""
        timestamp = self.now_s()
        headers = {
            "content-type": "application/json",
            "webhook-id": id_,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature(self.key, id_, timestamp, body),
        }
        try:
            answer = self.http.post(self.url, content=body, headers=headers)
        except httpx.HTTPError as error:
            return type(error).__name__
        return "" if answer.is_success else f"status {answer.status_code}"
