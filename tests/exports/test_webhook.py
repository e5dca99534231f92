"""Signed, in order, each until it was taken; a receiver believes each once."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from liftctl.exports.webhook import Receiver, Sender, WebhookError, checked, secret, signature
from tests.exports.test_exports import nameless, record

HMAC = b"0123456789abcdef0123456789abcdef"
PAIR = Ed25519PrivateKey.generate()
KEYS: dict[str, tuple[Any, Any]] = {
    "a shared secret": (HMAC, HMAC),
    "a key pair": (PAIR, PAIR.public_key()),
}
NOW_S = 1_800_000_000


class Other:
    """A receiver of somebody else's; `answers` are given in order, then 204."""

    def __init__(self, key: Any = HMAC) -> None:
        self.receiver = Receiver(key)
        self.answers: list[int] = []
        self.taken: list[dict[str, Any]] = []
        self.repeated = 0
        self.bodies: list[bytes] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        status = self.answers.pop(0) if self.answers else 204
        if status == 0:
            raise httpx.ConnectError("gone")
        if self.receiver.take(request.headers, request.content, NOW_S):
            self.bodies.append(request.content)
            self.taken.append(httpx.Response(200, content=request.content).json())
        else:
            self.repeated += 1
        return httpx.Response(status)


def sender(other: Other, folder: Path, key: Any = HMAC) -> tuple[Sender, list[float]]:
    waits: list[float] = []
    http = httpx.Client(transport=httpx.MockTransport(other))
    position = folder / "webhook.position"
    made = Sender("https://x.example", key, position, http, lambda: NOW_S, waits.append)
    return made, waits


@pytest.mark.parametrize("name", KEYS)
def test_everything_arrives_once_in_order_and_without_a_name(name: str, tmp_path: Path) -> None:
    mine, theirs = KEYS[name]
    other = Other(theirs)
    one, _ = sender(other, tmp_path, mine)
    assert one.deliver([record(9), record(4), record(6)]) == 3
    assert [item["data"]["ledger_seq"] for item in other.taken] == [4, 6, 9]
    again, _ = sender(other, tmp_path, mine)
    assert again.deliver([record(4), record(6), record(9), record(11)]) == 1
    assert len(other.taken) == 4 and not other.repeated
    assert nameless(b"".join(other.bodies).decode())


def test_a_correction_is_sent_with_the_id_of_what_it_corrects(tmp_path: Path) -> None:
    other = Other()
    one, _ = sender(other, tmp_path)
    one.deliver([record(4), record(6)])
    assert one.deliver([record(4, carers_actual=2, changed_seq=9), record(6)]) == 1
    told = other.taken[-1]
    assert told["type"] == "transfer.changed"
    assert (told["data"]["id"], told["data"]["carers_actual"]) == ("t-4", 2)
    assert one.deliver([record(4, carers_actual=2, changed_seq=9), record(6)]) == 0


def test_what_is_not_taken_is_tried_again_and_the_others_wait(tmp_path: Path) -> None:
    other = Other()
    other.answers = [204, 503, 0, 429, 500, 302]
    one, waits = sender(other, tmp_path)
    with pytest.raises(WebhookError, match="entry 6 was not taken: status 302"):
        one.deliver([record(4), record(6), record(9)])
    assert waits == [1.0, 4.0, 16.0, 64.0] and one.sent() == 4
    assert one.deliver([record(4), record(6), record(9)]) == 2
    assert other.taken[-1]["data"]["ledger_seq"] == 9
    assert other.repeated == 4, "the same id on every attempt: the receiver drops what it has"


def delivery(**changes: str) -> tuple[dict[str, str], bytes]:
    body = b'{"a":1}'
    headers = {"webhook-id": "msg_1", "webhook-timestamp": str(NOW_S)}
    headers["webhook-signature"] = signature(HMAC, "msg_1", NOW_S, body)
    return {**headers, **changes}, body


FORGED: dict[str, Callable[[], tuple[dict[str, str], bytes]]] = {
    "another body": lambda: (delivery()[0], b'{"a":2}'),
    "another id": lambda: delivery(**{"webhook-id": "msg_2"}),
    "an old timestamp": lambda: delivery(**{"webhook-timestamp": str(NOW_S - 301)}),
    "one from the future": lambda: delivery(**{"webhook-timestamp": str(NOW_S + 301)}),
    "a timestamp moved within the tolerance": lambda: delivery(
        **{"webhook-timestamp": str(NOW_S - 5)}
    ),
    "no signature": lambda: delivery(**{"webhook-signature": ""}),
    "no base64": lambda: delivery(**{"webhook-signature": "v1,%%"}),
    "another version's name": lambda: delivery(
        **{"webhook-signature": delivery()[0]["webhook-signature"].replace("v1,", "v1a,")}
    ),
    "no header": lambda: ({}, b""),
}


@pytest.mark.parametrize("name", FORGED)
def test_it_is_not_believed_with(name: str) -> None:
    receiver = Receiver(HMAC)
    with pytest.raises(WebhookError):
        receiver.take(*FORGED[name](), NOW_S)
    assert receiver.take(*delivery(), NOW_S)


def test_one_of_several_signatures_is_enough_and_a_repetition_is_seen() -> None:
    headers, body = delivery()
    headers["webhook-signature"] = f"v1,{'A' * 44} {headers['webhook-signature']}"
    receiver = Receiver(HMAC)
    assert receiver.take(headers, body, NOW_S) and not receiver.take(headers, body, NOW_S + 299)


@pytest.fixture
def vector() -> Iterator[str]:
    """Key, id, time and body of the libraries of the standard, for its own check value."""
    yield "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_the_signature_is_the_standards_own(vector: str) -> None:
    said = signature(
        secret(vector), "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
    )
    assert said == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("text", ["whsec_%%%", "whsec_" + base64.b64encode(b"short").decode()])
def test_a_secret_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(WebhookError):
        secret(text)


@pytest.mark.parametrize(
    "url", ["http://x.example", "ftp://x", "https://", "https://me:pw@x.example", "x"]
)
def test_no_signature_goes_to_an_address_that_is_not_fit(url: str) -> None:
    with pytest.raises(WebhookError):
        checked(url)
    assert checked("http://127.0.0.1:9/x") and checked("https://x.example/y")
