"""A trial's end: found good on site, or the last good one comes back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from liftctl import ipc
from liftctl.remote.envelope import sign
from liftctl.support.values import Arrived, Link, Wrote
from tests.support.world import DEEP, TECH, TWO, Room, speed


def test_what_nobody_finds_good_in_time_goes_back() -> None:
    room = Room().on_trial()
    room.after(29 * 60)
    assert speed(room) == 50 and not room.state.change
    room.after(61)
    room.exchange()
    assert speed(room) == 60 and room.codes()[-1] == "LC-REM-UNHEALTHY"
    assert room.events()[-2:] == ["setup_returning", "setup_returned"]


def test_a_trial_goes_back_also_while_a_document_nested_without_end_lies_in_the_box() -> None:
    room = Room().on_trial()
    room.after(31 * 60)
    room.turn(Arrived(sign(DEEP, [("support", TECH)])))
    assert room.state.change and room.state.change.code == "LC-REM-UNHEALTHY"


def test_it_waits_with_going_back_until_nobody_hangs() -> None:
    room = Room().on_trial()
    room.hear(aloft=True, in_flight=True)
    room.after(1861)
    asked = room.asked_gate()
    assert asked and len(room.writes()) == 1, "the gate itself says no"
    room.turn(ipc.StoodDown("somebody hangs or stands"))
    room.after(5)
    assert room.asked_gate() > asked and len(room.writes()) == 1 and room.state.change
    room.hear(aloft=False, in_flight=False)
    room.after(2)
    room.exchange()
    assert speed(room) == 60


GATES: dict[str, dict[str, Any]] = {
    "falls back": {"config_fallback": True},
    "runs another": {"config_hash": "0123456789abcdef"},
}


@pytest.mark.parametrize("name", GATES)
def test_a_gate_that_does_not_take_it_gets_the_last_good_one(name: str) -> None:
    room = Room().on_trial()
    room.hear(**GATES[name])
    room.after(31)
    room.changes.clear()
    room.exchange()
    assert speed(room) == 60 and room.codes()[-1] == "LC-REM-GATE"


def test_a_gate_that_never_comes_back_gets_the_last_good_one() -> None:
    room = Room().on_trial()
    room.turn(Link("gate", False))
    room.now = replace(room.now, boot_s=room.now.boot_s + 31, wall_s=room.now.wall_s + 31)
    room.turn()
    assert room.writes()[-1].applied.changes == {} and room.writes()[-1].between


def test_somebody_on_site_can_send_it_back_and_cannot_keep_what_does_not_run() -> None:
    room = Room().on_trial()
    room.press("setup_bad", name="Nurse N.")
    room.exchange()
    assert speed(room) == 60 and "setup_found_bad" in room.events()
    room = Room().on_trial()
    room.hear(config_hash="0123456789abcdef")
    room.press("setup_good", name="Nurse N.")
    assert room.state.applied and room.state.applied.trial


def test_what_is_found_good_and_cannot_be_written_stays_on_trial_and_is_not_told_good() -> None:
    room = Room().on_trial()
    room.good("No space left on device")
    assert room.state.applied and room.state.applied.trial
    assert room.codes()[-1] == "LC-REM-DISK" and "good" not in room.codes()
    assert "setup_kept" not in room.events() and room.refused() == ["LC-REM-DISK"]
    room.good()
    assert room.state.applied.trial is None and room.codes()[-1] == "good", "and may say it again"


def test_nobody_is_told_good_before_it_is_on_disk() -> None:
    room = Room().on_trial()
    room.press("setup_good", name="Nurse N.")
    assert room.writes()[-1].applied.trial is None and "good" not in room.codes()
    room.press("setup_bad", name="Nurse N.")
    assert room.refused() == ["LC-REM-STEP"]
    room.turn(Wrote(""))
    assert room.codes()[-1] == "good" and room.state.change is None


def test_a_no_before_the_ledger_has_the_good_goes_back() -> None:
    room = Room().on_trial()
    room.ledger = False
    room.press("setup_good", name="Nurse N.")
    room.press("setup_bad", name="Nurse N.")
    room.turn(ipc.Written(room.recorded("setup_found_good"), "audit", 1, "head"))
    assert room.state.applied and room.state.applied.trial and "good" not in room.codes()
    room.exchange()
    assert speed(room) == 60


def test_a_trial_goes_on_over_a_restart_and_ends_over_a_reboot() -> None:
    room = Room().on_trial()
    again = room.restart()
    assert speed(again) == 50 and again.state.change is None
    late = room.restart(boot_s=room.now.boot_s + 1801, wall_s=room.now.wall_s + 1801)
    assert late.state.change and late.state.change.code == "LC-REM-UNHEALTHY"
    rebooted = room.restart(boot="boot-2", boot_s=20.0)
    assert rebooted.state.change and rebooted.state.change.code == "LC-REM-UNHEALTHY"


def test_a_second_version_goes_back_to_the_first_and_not_to_the_file() -> None:
    room = Room().on_trial()
    room.good()
    room.on_trial(version=2, base=room.state.site.hash, changes={"limits.traverse_mm_s": 100.0})
    assert room.state.site.limits.traverse_mm_s == 100 and speed(room) == 50
    room.press("setup_bad", name="Nurse N.")
    room.exchange()
    assert room.state.site.limits.traverse_mm_s == 150 and speed(room) == 50
    assert room.state.applied and room.state.applied.version == 1


def test_there_is_no_way_back_by_an_old_version() -> None:
    room = Room().on_trial()
    room.press("setup_bad", name="Nurse N.")
    room.exchange()
    for version in (0, 1):
        if version:
            room.order(room.proposal(version=version), *TWO)
    assert room.codes()[-1] == "LC-REM-VERSION" and room.state.kept.offer is None
    room.order(room.proposal(version=2), *TWO)
    assert room.codes()[-1] == "offered"
    assert room.restart().state.kept.newest_version == 2


def test_a_proposal_waits_for_the_end_of_a_trial_and_expires() -> None:
    room = Room().on_trial()
    room.order(room.proposal(version=2), *TWO)
    assert room.codes()[-1] == "LC-REM-BUSY"
    room = Room().offered()
    room.after(3601)
    assert room.state.kept.offer is None and room.codes()[-1] == "LC-REM-EXPIRED"


def test_a_site_that_fell_back_takes_no_proposal() -> None:
    room = Room(fallback=True)
    room.order(room.proposal(), *TWO)
    assert room.codes() == ["LC-REM-FALLBACK"]


def test_an_edited_file_has_the_last_word() -> None:
    room = Room().on_trial()
    applied = room.state.applied
    assert applied is not None
    other = Room(applied=replace_base(applied))
    assert other.state.applied is None and speed(other) == 60


def replace_base(applied: Any) -> Any:
    import msgspec

    return msgspec.structs.replace(applied, base="f" * 16)
