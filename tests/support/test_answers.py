"""An answer counts for what was on the wall, and for whoever had asked it."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from liftctl import ipc
from liftctl.remote import documents as d
from liftctl.support.values import Record
from liftctl.support.view import state_message
from tests.support.world import TRUST, Room, asked, head, person


def with_eve() -> tuple[Room, tuple[str, Ed25519PrivateKey]]:
    """A room that trusts a second technician, too, and how she signs."""
    private, key = person("support", "E. Eve")
    room = Room()
    trust = msgspec.structs.replace(TRUST, keys=(*TRUST.keys, key))
    room.config = replace(room.config, trust=trust)
    return room, ("support", private)


def test_a_yes_or_no_is_for_the_request_that_was_shown() -> None:
    room = Room()
    shown, other = asked(minutes=15), asked(minutes=240)
    room.order(shown)
    room.order(other)
    room.press("support_yes", name="Nurse N.", minutes="15", order=shown.id)
    room.press("support_no", order=shown.id)
    assert room.refused() == ["LC-REM-STEP"] * 2
    assert room.state.kept.grant is None and room.state.kept.request == other


def test_the_wall_shows_which_request_and_which_bundle_it_asks_about() -> None:
    room = Room().granted()
    request = asked()
    room.order(request)
    room.order(d.BundleRequest(**head()))
    shown = state_message(room.state, room.now, room.now_ns)
    assert shown.request and shown.request["id"] == request.id
    assert shown.bundle and room.state.packed
    assert shown.bundle["sha256"] == room.state.packed.sha256


def test_a_yes_or_no_is_for_the_bundle_that_was_shown() -> None:
    room = Room().granted()
    room.order(d.BundleRequest(**head()))
    assert room.state.packed
    shown = room.state.packed.sha256
    room.hear(counters={"bus_errors": 7})
    room.order(d.BundleRequest(**head()))
    room.press("bundle_yes", name="Nurse N.", sha256=shown)
    room.press("bundle_no", sha256=shown)
    assert room.refused() == ["LC-REM-STEP"] * 2
    assert not room.told(d.Bundle) and room.state.packed.sha256 != shown


@pytest.mark.parametrize("another", [False, True])
def test_a_no_before_the_ledger_has_the_yes_is_a_no(another: bool) -> None:
    room = Room(ledger=False)
    room.order(asked())
    room.press("support_yes", name="Nurse N.", minutes="15")
    room.press("support_no")
    if another:
        room.order(asked())
    room.turn(ipc.Written(room.recorded("support_granted"), "audit", 1, "head"))
    assert room.state.kept.grant is None and room.codes() == ["LC-REM-REFUSED"]
    assert (room.state.kept.request is not None) is another, "a new question waits for its answer"


@pytest.mark.parametrize("another", [False, True])
def test_a_no_to_a_bundle_before_the_ledger_has_the_yes_is_a_no(another: bool) -> None:
    room = Room().granted()
    room.ledger = False
    room.order(d.BundleRequest(**head()))
    room.press("bundle_yes", name="Nurse N.")
    room.press("bundle_no")
    if another:
        room.order(d.BundleRequest(**head()))
    room.turn(ipc.Written(room.recorded("bundle_sent"), "audit", 1, "head"))
    assert not room.told(d.Bundle) and room.codes()[-1] == "LC-REM-REFUSED"


def test_wall_ledger_and_grant_name_whose_key_signed_and_not_who_it_says_it_is() -> None:
    room = Room()
    request = d.SupportRequest(**head(), who="Head nurse Karen, this home", reason="please say yes")
    room.order(request)
    shown = state_message(room.state, room.now, room.now_ns).request
    assert shown and (shown["who"], shown["says"]) == ("T. Technician", request.who)
    room.press("support_yes", name="Nurse N.", minutes="30")
    asked_, granted = [item.detail for item in room.outputs if isinstance(item, Record)]
    assert (asked_["who"], asked_["says"]) == ("T. Technician", request.who)
    assert granted["who"] == "T. Technician"
    assert room.state.kept.grant and room.state.kept.grant.who == "T. Technician"


@pytest.mark.parametrize("kind", [d.LiveRequest, d.BundleRequest, d.GuideRequest])
def test_a_grant_serves_the_key_it_was_given_to_and_no_other(kind: type) -> None:
    room, eve = with_eve()
    room.granted()
    room.order(kind(**head()), eve)
    kept = room.state.kept
    assert room.codes()[-1] == "LC-REM-GRANT" and "another key" in room.told(d.Answer)[-1].text
    assert kept.grant and not kept.grant.live and not kept.guide and not room.state.packed
    room.order(kind(**head()))
    assert room.told(d.Answer)[-1].code == "taken", "its own key is served"


def test_a_grant_for_somebody_else_ends_the_one_before_and_what_hung_on_it() -> None:
    room, eve = with_eve()
    room.granted()
    room.order(d.BundleRequest(**head()))
    room.order(d.GuideRequest(**head()))
    room.order(d.SupportRequest(**head(), who="E. Eve", reason="noise"), eve)
    room.press("support_yes", name="Nurse N.", minutes="30")
    kept = room.state.kept
    assert kept.grant and kept.grant.who == "E. Eve" and not kept.guide and not room.state.packed
    assert room.events().count("support_ended") == 1


def test_anybody_who_may_support_can_end_it() -> None:
    room, eve = with_eve()
    room.granted()
    room.order(d.SupportEnd(**head()), eve)
    assert room.state.kept.grant is None


def test_a_request_an_older_version_kept_without_its_signer_is_asked_anew() -> None:
    room = Room()
    room.order(asked())
    kept = msgspec.structs.replace(room.state.kept, asker=None)
    assert Room(kept=kept).state.kept.request is None
