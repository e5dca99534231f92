"""The room grants, for a time, by name; everything is recorded, and it ends by itself."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from liftctl.remote import documents as d
from liftctl.support import bundle
from liftctl.support.clock import Now, after, left_s
from liftctl.support.values import Link
from tests.support.world import WALL_S, Room, asked, head

# --- giving ---------------------------------------------------------------------------------------


def test_nothing_is_granted_without_a_name_on_site() -> None:
    room = Room()
    room.order(asked())
    for name in ("", " ", "x"):
        room.press("support_yes", name=name, minutes="30")
    assert room.state.kept.grant is None and room.refused() == ["LC-REM-NAME"] * 3
    room.press("support_yes", name="Nurse N.", minutes="30")
    assert room.state.kept.grant is not None and "granted" in room.codes()
    assert room.events() == ["support_asked", "support_granted"]


@pytest.mark.parametrize("minutes", ["", "0", "31", "9999", "-15", "1e3", "٣٠"])
def test_the_time_is_one_of_those_offered(minutes: str) -> None:
    room = Room()
    room.order(asked())
    room.press("support_yes", name="Nurse N.", minutes=minutes)
    assert room.state.kept.grant is None and room.refused() == ["LC-REM-STEP"]


def test_it_is_never_longer_than_was_asked_for() -> None:
    room = Room()
    room.order(asked(minutes=20))
    room.press("support_yes", name="Nurse N.", minutes="120")
    assert room.state.kept.grant is not None
    assert left_s(room.state.kept.grant.until, room.now) == 20 * 60


def test_no_grant_without_a_ledger() -> None:
    room = Room(ledger=False)
    room.order(asked())
    room.press("support_yes", name="Nurse N.", minutes="30")
    assert room.state.kept.grant is None, "not before it is durable"
    room.after(6)
    assert room.state.kept.grant is None and room.refused() == ["LC-REM-RECORDER"]


def test_a_no_is_told_and_nothing_is_granted() -> None:
    room = Room()
    room.order(asked())
    room.press("support_no")
    assert room.state.kept.request is None and room.codes() == ["LC-REM-REFUSED"]
    room.press("support_yes", name="Nurse N.", minutes="30")
    assert room.state.kept.grant is None


# --- what it covers -------------------------------------------------------------------------------

WANTS: dict[str, tuple[type, str]] = {
    "live": (d.LiveRequest, "live_view"),
    "bundle": (d.BundleRequest, "bundle_asked"),
    "guide": (d.GuideRequest, "guide_begun"),
}


@pytest.mark.parametrize("want", WANTS)
def test_without_a_grant_for_it_there_is_nothing(want: str) -> None:
    kind, event = WANTS[want]
    room = Room()
    room.order(kind(**head()))
    others: Any = tuple(name for name in WANTS if name != want)
    room.order(d.SupportRequest(**head(), who="T. T.", reason="noise", wants=others))
    room.press("support_yes", name="Nurse N.", minutes="30")
    room.order(kind(**head()))
    assert room.codes().count("LC-REM-GRANT") == 2 and event not in room.events()
    granted = Room().granted()
    granted.order(kind(**head()))
    assert event in granted.events()


def test_the_live_view_is_the_desks_own_and_names_nobody() -> None:
    room = Room().granted()
    assert not room.told(d.Live)
    room.order(d.LiveRequest(**head()))
    for _ in range(5):
        room.after(0.5)
    assert len(room.told(d.Live)) in (2, 3), "once a second"
    shown = json.dumps(room.told(d.Live)[-1].picture)
    assert "load_kg" in shown and "r-7f3a" not in shown and "Resident" not in shown
    assert room.site.title and room.site.title not in shown, "a room's title may be a name"


# --- its end --------------------------------------------------------------------------------------


def ended(room: Room) -> bool:
    return room.state.kept.grant is None and "support_ended" in room.events()


def test_it_ends_by_itself_and_takes_everything_with_it() -> None:
    room = Room().granted()
    room.order(d.LiveRequest(**head()))
    room.order(d.GuideRequest(**head()))
    room.order(d.BundleRequest(**head()))
    assert room.state.kept.guide and room.state.packed
    room.after(29 * 60)
    assert room.state.kept.grant is not None
    room.after(61)
    assert ended(room) and room.state.kept.guide is None and room.state.packed is None
    seen = len(room.told(d.Live))
    room.after(5)
    room.press("bundle_yes", name="Nurse N.")
    assert len(room.told(d.Live)) == seen and not room.told(d.Bundle)


def test_the_room_and_the_technician_can_end_it() -> None:
    room = Room().granted()
    room.press("support_end")
    assert ended(room)
    room = Room().granted()
    room.order(d.SupportEnd(**head()))
    assert ended(room)


CLOCKS = {
    "set back an hour": (-3600.0, 10.0, True),
    "set back a year": (-366 * 86_400.0, 10.0, True),
    "set forward a year": (366 * 86_400.0, 10.0, True),
    "set back a little, and the time is over": (-4.0, 30 * 60 + 1.0, True),
    "right": (0.0, 10.0, False),
}


@pytest.mark.parametrize("name", CLOCKS)
def test_the_stricter_clock_counts_when_the_wall_clock_is(name: str) -> None:
    step_s, passed_s, over = CLOCKS[name]
    room = Room().granted()
    room.after(passed_s, wall_s=room.now.wall_s + passed_s + step_s)
    assert ended(room) is over


def test_it_ends_in_time_over_a_restart_and_at_once_over_a_reboot() -> None:
    room = Room().granted()
    again = room.restart(boot_s=room.now.boot_s + 60, wall_s=room.now.wall_s + 60)
    assert again.state.kept.grant is not None
    over = room.restart(boot_s=room.now.boot_s + 1801, wall_s=room.now.wall_s + 1801)
    assert ended(over)
    rebooted = room.restart(boot="boot-2", boot_s=30.0, wall_s=room.now.wall_s + 60)
    assert ended(rebooted), "nobody knows how long the machine was off"


def test_a_deadline_is_never_longer_than_given_whatever_the_clocks_do() -> None:
    now = Now(100.0, WALL_S, "b")
    for boot_s in (100.0, 150.0, 161.0):
        for wall_s in (WALL_S - 10**6, WALL_S - 1, WALL_S, WALL_S + 59, WALL_S + 10**6):
            left = left_s(after(now, 60), replace(now, boot_s=boot_s, wall_s=wall_s))
            assert 0 <= left <= max(0.0, 60 - (boot_s - 100))


# --- the guided way down --------------------------------------------------------------------------


def test_only_the_room_turns_the_page_and_the_centre_sees_how_far() -> None:
    room = Room().granted()
    room.order(d.GuideRequest(**head()))
    for action in ("guide_next", "guide_next", "guide_back", "guide_next"):
        room.press(action)
    assert [item.step for item in room.told(d.GuideProgress)] == [1, 2, 3, 2, 3]
    assert room.told(d.GuideProgress)[0].of == 4
    room.press("guide_next")
    room.press("guide_next")
    assert room.state.kept.guide is None and room.told(d.GuideProgress)[-1].ended
    assert room.events().count("guide_step") == 5


@pytest.mark.parametrize("when", ["before", "during"])
def test_after_an_overspeed_the_script_is_not_to_lower(when: str) -> None:
    room = Room().granted()
    if when == "before":
        room.hear(latched=("hoist_overspeed",))
    room.order(d.GuideRequest(**head()))
    if when == "during":
        assert room.state.kept.guide and room.state.kept.guide.script == "red_strap"
        room.hear(latched=("hoist_overspeed",))
    assert room.state.kept.guide and room.state.kept.guide.script == "never"


@pytest.mark.parametrize("how", ["the gate goes", "support goes, too"])
def test_after_an_overspeed_the_script_is_not_to_lower_while_the_gate_is_silent(how: str) -> None:
    room = Room().granted()
    room.hear(latched=("hoist_overspeed",))
    room.turn(Link("gate", False))
    if how != "the gate goes":
        room = room.restart(hears=False)
    room.order(d.GuideRequest(**head()))
    assert room.state.kept.guide and room.state.kept.guide.script == "never"


def test_only_a_gate_without_the_latch_brings_the_script_back() -> None:
    room = Room().granted()
    room.hear(latched=("hoist_overspeed",))
    room.turn(Link("gate", False), Link("gate", True))
    room.hear(latched=())
    room.order(d.GuideRequest(**head()))
    assert room.state.kept.guide and room.state.kept.guide.script == "red_strap"


def test_the_chair_has_its_own_script() -> None:
    room = Room("chair").granted()
    room.order(d.GuideRequest(**head()))
    assert room.state.kept.guide and room.state.kept.guide.script == "manual_sit"


# --- the bundle -----------------------------------------------------------------------------------


def test_a_bundle_leaves_only_after_a_yes_that_the_ledger_has() -> None:
    room = Room().granted()
    room.order(d.BundleRequest(**head()))
    assert room.state.packed and not room.told(d.Bundle)
    room.ledger = False
    room.press("bundle_yes", name="Nurse N.")
    assert not room.told(d.Bundle)
    room.after(6)
    room.ledger = True
    room.press("bundle_yes", name="Nurse N.")
    (sent,) = room.told(d.Bundle)
    trail = next(item for item in room.told(d.Trail) if item.event == "bundle_sent")
    assert trail.detail["sha256"] == sent.sha256 and trail.seq > 0
    assert "Nurse" not in str(trail), "who said yes stays on site"


def test_a_no_sends_no_bundle() -> None:
    room = Room().granted()
    room.order(d.BundleRequest(**head()))
    room.press("bundle_no")
    room.press("bundle_yes", name="Nurse N.")
    assert not room.told(d.Bundle) and "LC-REM-REFUSED" in room.codes()


def test_the_bundle_holds_the_listed_parts_and_no_name(place: Path) -> None:
    room = Room()
    leak = {"r-7f3a": "Resident A (one carer)", "note": "resident a (ONE carer) fell"}
    gate = {"devices": {"hoist": {"velocity_mm_s": 1.0}, **leak}, "secret": "x", "mode": "ready"}
    blackbox = place / "data" / "demo-lift" / "blackbox"
    blackbox.mkdir(parents=True)
    (blackbox / "freeze-20261124T101010.123456Z-estop.lbb").write_bytes(b"raw")
    (blackbox / "seg-1.lbb").write_bytes(b"raw motion")
    (blackbox / "notes.txt").write_text("Mrs. Hansen")
    packed = bundle.pack(room.site, gate)
    archive = zipfile.ZipFile(BytesIO(packed.data))
    parts = {name: archive.read(name).decode() for name in archive.namelist()}
    assert tuple(parts) == tuple(bundle.PARTS) == tuple(name for name, _ in packed.contents)
    whole = "".join(parts.values())
    for word in ("r-7f3a", "r-21c9", "Resident", "secret", "Hansen", "seg-1", "raw"):
        assert word.lower() not in whole.lower(), word
    assert "Room 1" not in whole and "Alamgir" not in whole
    assert "freeze-20261124" in parts["blackbox.json"] and "hoist_loaded_mm_s" in whole
    assert bundle.pack(room.site, gate) == packed, "the same parts, the same hash"


def test_a_part_that_is_too_large_is_refused_with_its_name() -> None:
    room = Room().granted()
    room.hear(counters={f"counter-{n}": n for n in range(20_000)})
    room.order(d.BundleRequest(**head()))
    assert room.state.packed is None
    assert "gate.json" in next(a.text for a in room.told(d.Answer) if a.code == "LC-REM-SIZE")
