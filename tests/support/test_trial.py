"""A configuration from afar: offered, confirmed on site, tried, kept or taken back."""

from __future__ import annotations

from typing import Any

import pytest

from liftctl import ipc
from liftctl.remote import documents as d
from liftctl.support.values import Link, Wrote
from tests.panel.house import transfer
from tests.support.world import TWO, Room, speed

YES = {"name": "Nurse N.", "version": "1"}


# --- only with a yes on site, idle and unloaded ---------------------------------------------------


def test_nothing_is_changed_without_a_yes_on_site() -> None:
    room = Room().offered()
    for _ in range(50):
        room.after(60)
    assert not room.asked_gate() and not room.writes() and room.codes() == ["offered"]


def test_the_whole_way() -> None:
    room = Room().offered()
    room.press("setup_yes", **YES)
    assert room.asked_gate() and not room.writes(), "the gate has to go first"
    room.exchange()
    assert speed(room) == 50 and room.state.applied and room.state.applied.trial
    room.good()
    last = room.writes()[-1]
    assert last.applied.trial is None and not last.between
    assert room.events() == [
        "setup_proposed", "setup_confirmed", "setup_applied", "setup_found_good", "setup_kept",
    ]  # fmt: skip
    assert room.codes() == ["offered", "trial", "good"]
    assert all("Nurse" not in str(item) for item in room.told(d.Trail))


UNFIT: dict[str, dict[str, Any]] = {
    "it moves": {"moving": "UP"},
    "somebody hangs": {"aloft": True},
    "somebody stands": {"standing": True},
    "a motion is in flight": {"in_flight": True},
    "there is a load": {"values": {"load_kg": 6.0}},
    "the load is unknown": {"values": {"load_kg": None}},
    "an axis turns": {"values": {"hoist_speed_mm_s": -40.0}},
    "a speed is unknown": {"values": {"traverse_speed_mm_s": None}},
    "the gate's word is old": {"tick_ns": 1},
    "it runs its last accepted configuration": {"config_fallback": True},
}


@pytest.mark.parametrize("name", UNFIT)
def test_a_yes_does_not_count_while(name: str) -> None:
    room = Room().offered()
    room.hear(**UNFIT[name])
    room.press("setup_yes", **YES)
    assert not room.asked_gate() and not room.writes()
    assert room.refused() in (["LC-REM-IDLE"], ["LC-REM-FALLBACK"])


def test_a_yes_does_not_count_in_a_transfer_or_without_a_controller() -> None:
    room = Room().offered()
    room.transfer = transfer("lift", "checking")
    room.hear()
    room.press("setup_yes", **YES)
    room.transfer = None
    room.turn(Link("controller", False))
    room.press("setup_yes", **YES)
    assert room.refused() == ["LC-REM-IDLE"] * 2 and not room.asked_gate()


def test_a_chair_that_drives_is_not_idle() -> None:
    room = Room("chair").offered(changes={"limits.stand_mm_s": 12.0})
    room.hear(values={"drive_speed_rpm": 30.0})
    room.press("setup_yes", **YES)
    assert room.refused() == ["LC-REM-IDLE"]
    room.hear(values={"drive_speed_rpm": 0.0})
    room.press("setup_yes", **YES)
    assert room.asked_gate()


def test_a_yes_is_for_what_was_shown() -> None:
    room = Room().offered()
    room.order(room.proposal(version=2), *TWO)
    room.press("setup_yes", **YES)
    assert room.refused() == ["LC-REM-STEP"] and not room.asked_gate()


def test_a_yes_the_ledger_does_not_have_yet_is_no_yes_to_the_next_proposal() -> None:
    room = Room(ledger=False).offered()
    room.press("setup_yes", **YES)
    yes = room.recorded("setup_confirmed")
    room.order(room.proposal(version=2, changes={"limits.hoist_loaded_mm_s": 55.0}), *TWO)
    assert room.codes()[-1] == "LC-REM-BUSY"
    room.turn(ipc.Written(yes, "audit", 1, "head"))
    assert room.state.change and room.state.change.wanted.version == 1
    room.exchange()
    assert speed(room) == 50


def test_a_no_before_the_ledger_has_the_yes_is_a_no_also_when_another_proposal_follows() -> None:
    room = Room(ledger=False).offered()
    room.press("setup_yes", **YES)
    yes = room.recorded("setup_confirmed")
    room.press("setup_no")
    room.after(4)
    room.order(room.proposal(version=2), *TWO)
    room.turn(ipc.Written(yes, "audit", 1, "head"))
    assert room.state.change is None and not room.asked_gate()


def test_a_yes_does_not_count_without_name_or_ledger() -> None:
    room = Room(ledger=False).offered()
    room.press("setup_yes", name="", version="1")
    room.press("setup_yes", **YES)
    room.after(6)
    assert room.refused() == ["LC-REM-NAME", "LC-REM-RECORDER"] and not room.asked_gate()


def test_somebody_who_presses_at_the_last_moment_wins() -> None:
    room = Room().offered()
    room.press("setup_yes", **YES)
    room.turn(ipc.StoodDown("somebody presses"))
    room.turn(Link("gate", False))
    assert not room.writes() and room.codes()[-1] == "LC-REM-IDLE"
    room.turn(Link("gate", True))
    room.hear()
    room.press("setup_yes", **YES)
    room.exchange()
    assert speed(room) == 50, "and may say yes again"


def test_a_gate_that_is_back_already_is_asked_again() -> None:
    room = Room().offered()
    room.press("setup_yes", **YES)
    room.turn(Link("gate", False))
    room.turn(Wrote("running"), Link("gate", True))
    room.after(2)
    room.exchange()
    assert speed(room) == 50


def test_a_disk_that_fails_changes_nothing() -> None:
    room = Room().offered()
    room.press("setup_yes", **YES)
    room.exchange("No space left on device")
    assert speed(room) == 60 and room.state.applied is None and room.codes()[-1] == "LC-REM-DISK"
