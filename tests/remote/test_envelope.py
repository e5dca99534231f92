"""Replayed, forged, expired, for another, with another role: each refused, each with its reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from liftctl.remote import documents as d
from liftctl.remote.envelope import (
    MOST_BYTES,
    Envelope,
    Trust,
    TrustedKey,
    Verified,
    add,
    encode,
    sign,
    verify,
    verify_report,
)
from liftctl.remote.reasons import REASONS, Refusal
from tests.support.world import (
    ANNE,
    DEEP,
    SAM,
    TECH,
    TECH_KEY,
    TRUST,
    TWO,
    WALL_S,
    Room,
    head,
    signed,
)

LIVE = d.LiveRequest(**head())


def refused(data: bytes, now_s: float = WALL_S, trust: Trust = TRUST) -> str:
    with pytest.raises(Refusal) as caught:
        verify(data, trust, now_s)
    assert caught.value.text.startswith(REASONS[caught.value.code])
    return caught.value.code


def altered(data: bytes, **changes: Any) -> bytes:
    """The body with one field set, under the old signatures."""
    envelope = msgspec.json.decode(data, type=Envelope)
    body = {**msgspec.json.decode(envelope.body), **changes}
    return msgspec.json.encode(msgspec.structs.replace(envelope, body=msgspec.json.encode(body)))


def resigned(order: Any, **changes: Any) -> bytes:
    """The body with one field set, signed as it stands by the right person."""
    body = {**msgspec.json.decode(encode(order)), **changes}
    return sign(msgspec.json.encode(body), [("support", TECH)])


STRANGER = Ed25519PrivateKey.generate()
CASES: dict[str, tuple[Callable[[], bytes], str]] = {
    "larger than a site takes": (lambda: b" " * (MOST_BYTES + 1), "LC-REM-SIZE"),
    "no JSON": (lambda: b"\x00\xff", "LC-REM-FORM"),
    "no signature": (lambda: msgspec.json.encode({"body": "", "signatures": []}), "LC-REM-FORM"),
    "signed by a stranger": (lambda: sign(encode(LIVE), [("support", STRANGER)]), "LC-REM-KEY"),
    "forged": (lambda: altered(signed(LIVE), id="another-order"), "LC-REM-SIGNATURE"),
    "signed in a role the key has not": (
        lambda: sign(encode(LIVE), [("configurator", TECH)]),
        "LC-REM-ROLE",
    ),
    "an approver alone": (lambda: sign(encode(LIVE), [("safety", SAM)]), "LC-REM-ROLE"),
    "a technician proposes": (
        lambda: signed(Room().proposal(), ("support", TECH)),
        "LC-REM-ROLE",
    ),
    "one good signature beside a bad one": (
        lambda: add(signed(LIVE), "safety", STRANGER),
        "LC-REM-KEY",
    ),
    "for another controller": (
        lambda: signed(d.LiveRequest(**head(controller="south-9"))),
        "LC-REM-OTHER",
    ),
    "expired": (lambda: signed(d.LiveRequest(**head(expires=WALL_S))), "LC-REM-EXPIRED"),
    "from the future": (lambda: signed(d.LiveRequest(**head(issued=WALL_S + 301))), "LC-REM-EARLY"),
    "valid for ever": (
        lambda: signed(d.LiveRequest(**head(expires=WALL_S + 90_000))),
        "LC-REM-LONG",
    ),
    "an unknown field": (lambda: resigned(LIVE, motion="UP"), "LC-REM-FORM"),
    "an unknown document": (lambda: resigned(LIVE, type="hold"), "LC-REM-FORM"),
    "a missing field": (lambda: sign(b'{"type":"guide"}', [("support", TECH)]), "LC-REM-FORM"),
    "nested without end": (lambda: sign(DEEP, [("support", TECH)]), "LC-REM-FORM"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_it_is_refused_with_its_own_reason(name: str) -> None:
    make, code = CASES[name]
    assert refused(make()) == code


def test_an_unknown_field_is_named() -> None:
    with pytest.raises(Refusal, match="motion"):
        verify(resigned(LIVE, motion="UP"), TRUST, WALL_S)


def test_what_is_right_is_taken() -> None:
    assert verify(signed(LIVE), TRUST, WALL_S).order == LIVE
    both = add(signed(Room().proposal(), ("configurator", ANNE)), "safety", SAM)
    assert verify(both, TRUST, WALL_S).two_people


def test_a_clock_a_year_off_refuses_in_both_directions() -> None:
    assert refused(signed(LIVE), WALL_S + 366 * 86_400) in ("LC-REM-EXPIRED", "LC-REM-KEY")
    assert refused(signed(LIVE), WALL_S - 366 * 86_400) == "LC-REM-EARLY"


def test_one_person_with_two_keys_is_not_two_people() -> None:
    proposal = Room().proposal()
    data = signed(proposal, *TWO)
    assert verify(data, TRUST, WALL_S).two_people
    same_holder = tuple(msgspec.structs.replace(key, holder="A. Anne") for key in TRUST.keys)
    again = verify(data, msgspec.structs.replace(TRUST, keys=same_holder), WALL_S)
    assert not again.two_people
    anne = next(key for key in TRUST.keys if key.role == "configurator")
    twice = (anne, msgspec.structs.replace(anne, role="safety", holder="S. Sam"))
    both = signed(proposal, ("configurator", ANNE), ("safety", ANNE))
    found = verify(both, msgspec.structs.replace(TRUST, keys=twice), WALL_S)
    assert isinstance(found, Verified) and not found.two_people


def test_a_key_past_its_time_counts_no_more() -> None:
    old = TrustedKey(TECH_KEY.public, "support", "T. Technician", WALL_S - 1)
    assert refused(signed(LIVE), trust=Trust("north-1", "", (old,))) == "LC-REM-KEY"


@given(st.integers(0, 10**6), st.integers(0, 255))
def test_no_changed_byte_is_taken(at: int, value: int) -> None:
    data = bytearray(signed(LIVE))
    at %= len(data)
    if data[at] == value:
        return
    data[at] = value
    try:
        found = verify(bytes(data), TRUST, WALL_S)
    except Refusal:
        return
    assert found.order == LIVE, "only what no signature covers may differ: spelling of the envelope"


@given(st.binary(max_size=200))
def test_no_bytes_break_it(data: bytes) -> None:
    with pytest.raises(Refusal):
        verify(data, TRUST, WALL_S)


def test_a_centre_believes_a_report_of_its_own_site_only() -> None:
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes_raw().hex()
    said = d.Answer(controller="north-1", at=1, to="", code="good", text="")
    data = sign(encode(said), [("site", key)])
    assert verify_report(data, "north-1", public) == said
    for controller, other in (("south-9", public), ("north-1", TECH_KEY.public)):
        with pytest.raises(Refusal):
            verify_report(data, controller, other)
