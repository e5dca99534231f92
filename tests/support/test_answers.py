"""An answer counts for what was on the wall, and for whoever had asked it."""

from __future__ import annotations

from pathlib import Path

import pytest

from liftctl import ipc
from liftctl.remote import documents as d
from liftctl.support.view import state_message
from tests.support.world import Room, head


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIFTCTL_RUN", str(tmp_path / "run"))
    monkeypatch.setenv("LIFTCTL_DATA", str(tmp_path / "data"))


def asked(minutes: int = 60) -> d.SupportRequest:
    return d.SupportRequest(**head(), who="T. Technician", reason="it squeaks", minutes=minutes)


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
