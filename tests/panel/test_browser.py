"""A finger on an arrow: Chromium, touch through CDP, the real panel, a fake gate."""

from __future__ import annotations

import time

import pytest

from liftctl import ipc
from tests.panel.house import VALUES, transfer, until
from tests.panel.wall import Wall

pytestmark = pytest.mark.browser


def test_a_held_arrow_beats_and_a_lifted_finger_is_neutral_at_once(wall: Wall) -> None:
    def pressed(at: str = "gate") -> list[ipc.Hold]:
        return [hold for hold in wall.house.heard(ipc.Hold, at) if hold.press]

    wall.press()
    wall.page.wait_for_selector(".arrow.up.held.moving")
    until(lambda: len(pressed()) > 8 and len(pressed("guard")) > 8)
    before = time.monotonic()
    wall.touch("touchEnd")
    wall.assert_neutral()
    late = [at for at, _, said in wall.house.said if isinstance(said, ipc.Hold) and said.press]
    assert late[-1] - before < 0.2
    assert {(hold.press, hold.motion) for hold in pressed()} == {(1, "UP")}
    echoes = [hold.echo_ns for hold in pressed()]
    assert echoes == sorted(echoes) and len(set(echoes)) > 4
    wall.press()
    assert wall.last().press == 2
    wall.touch("touchEnd")


@pytest.mark.parametrize(
    "script",
    [
        "window.dispatchEvent(new Event('blur'))",
        "window.dispatchEvent(new Event('pagehide'))",
        "window.dispatchEvent(new Event('resize'))",
        "document.dispatchEvent(new Event('freeze'))",
        "document.dispatchEvent(new Event('visibilitychange'))",
        "window.dispatchEvent(new Event('contextmenu'))",
    ],
)
def test_the_page_ends_the_press(wall: Wall, script: str) -> None:
    wall.press()
    wall.page.evaluate(script)
    wall.assert_neutral()
    wall.touch("touchEnd")


def test_cancel_second_finger_and_sliding_off_end_the_press(wall: Wall) -> None:
    wall.press()
    wall.touch("touchCancel")
    wall.assert_neutral()
    at = wall.press()
    wall.touch("touchStart", at, wall.middle(".arrow.down"))
    wall.assert_neutral()
    wall.touch("touchEnd")
    at = wall.press("down")
    wall.touch("touchMove", {"x": at["x"], "y": at["y"] + 20})
    time.sleep(0.1)
    assert wall.last().press > 0, "a small move is no release"
    wall.touch("touchMove", {"x": at["x"], "y": at["y"] + 120})
    wall.assert_neutral()
    wall.touch("touchEnd")
    assert {m.motion for m in wall.house.holds()} == {"", "UP", "DOWN"}


def test_reloading_says_gone_and_starts_neutral(wall: Wall) -> None:
    wall.press()
    old = wall.last().station
    wall.page.reload()
    until(lambda: ipc.StationGone(old) in wall.house.heard(ipc.StationGone))
    until(lambda: wall.last().station != old)
    time.sleep(0.2)
    assert all(m.press == 0 for m in wall.house.holds() if m.station != old)
    wall.complaints.clear()


def test_stop_is_one_touch_and_ends_the_press(wall: Wall) -> None:
    at = wall.press()
    wall.touch("touchStart", at, wall.middle("#stop"))
    until(lambda: wall.house.heard(ipc.StopPress, "guard"))
    wall.assert_neutral()
    wall.touch("touchEnd")
    wall.touch("touchStart", wall.middle("#stop"))
    wall.touch("touchEnd")
    until(lambda: len(wall.house.heard(ipc.StopPress)) == 2)


def test_the_machine_stops_and_only_a_new_press_moves(wall: Wall) -> None:
    wall.press()
    wall.page.wait_for_selector(".arrow.up.moving")
    refused = ipc.MotionState(False, False, "HOLD", ("tension_pause",))
    motions = dict.fromkeys(("UP", "LEFT", "RIGHT"), refused)
    motions["DOWN"] = ipc.MotionState(True, False, "NONE", ())
    wall.house.changes = {"moving": "", "motions": motions}
    wall.assert_neutral()
    wall.page.wait_for_selector(".arrow.up.stopped")
    assert "Check all loops" in wall.page.locator(".arrow.up").inner_text()
    wall.touch("touchEnd")


def test_made_up_events_and_other_buttons_move_nothing(wall: Wall) -> None:
    wall.page.evaluate(
        """() => { const up = document.querySelector('.arrow.up');
        const down = new PointerEvent('pointerdown', {isPrimary: true, button: 0, bubbles: true});
        up.dispatchEvent(down);
        up.dispatchEvent(new KeyboardEvent('keydown', {key: ' ', bubbles: true}));
        up.click();
        document.getElementById('stop').dispatchEvent(new PointerEvent('pointerdown')); }"""
    )
    at = wall.middle(".arrow.up")
    wall.page.mouse.move(at["x"], at["y"])
    wall.page.mouse.down(button="right")
    time.sleep(0.2)
    wall.page.mouse.up(button="right")
    assert {m.press for m in wall.house.holds()} == {0}
    assert not wall.house.heard(ipc.StopPress)


def test_the_keyboard_holds_too(wall: Wall) -> None:
    wall.page.locator(".arrow.down").focus()
    wall.page.keyboard.down(" ")
    until(lambda: wall.last().motion == "DOWN")
    wall.page.keyboard.down(" ")  # auto-repeat
    wall.page.keyboard.up(" ")
    wall.assert_neutral()
    assert max(m.press for m in wall.house.holds()) == 1
    wall.page.keyboard.press("Escape")
    until(lambda: wall.house.heard(ipc.StopPress))


def test_a_badge_reader_fills_the_form_and_moves_nothing(wall: Wall) -> None:
    wall.page.locator(".arrow.up").focus()
    wall.page.keyboard.type('<b>04A7"')
    wall.page.keyboard.press("Enter")
    wall.page.get_by_text("Resident A").click()
    wall.page.get_by_text("Start transfer").click()
    until(lambda: wall.house.heard(ipc.Workflow, "controller"))
    work = wall.house.heard(ipc.Workflow, "controller")[0]
    assert work.args == {
        "resident": "r-7f3a",
        "kind": "bed-chair",
        "carers": "1",
        "badge": '<b>04A7"',
    }
    assert {m.press for m in wall.house.holds()} == {0}


def test_steps_outcome_and_a_hostile_name(wall: Wall) -> None:
    name = '<img src=x onerror="document.title=1">'
    wall.house.running = transfer("lift", "tension_pause", "loops_ok", resident=name)
    wall.page.get_by_text("Yes, all tight and correct").click()
    wall.page.get_by_text(name).wait_for()
    wall.house.running = transfer("lift", "outcome", "finish")
    wall.page.get_by_text("Stopped early").click()
    wall.page.get_by_text("Pain or unwell").click()
    wall.page.locator("#note").fill(name)
    wall.page.get_by_label("This was training").check()
    wall.page.get_by_role("button", name="Finish").click()
    until(lambda: len(wall.house.heard(ipc.Workflow, "controller")) == 2)
    steps = wall.house.heard(ipc.Workflow, "controller")
    said = {"outcome": "aborted", "carers": "1", "reason": "pain", "note": name, "training": "yes"}
    assert [(step.action, step.args) for step in steps] == [
        ("loops_ok", {}),
        ("finish", said),
    ]


def test_an_assessment_and_a_sling_that_ran_out_are_said_beside_the_resident(wall: Wall) -> None:
    wall.house.notices = {"r-7f3a": ("sling_overdue", "assessment_expired")}
    tile = wall.page.locator('[data-id="resident.r-7f3a"]')
    tile.get_by_text("Sling inspection is overdue: do not use").wait_for()
    assert "Assessment has expired: two carers" in tile.inner_text()


def test_estop_shows_the_red_strap_and_the_reset(wall: Wall) -> None:
    refused = ipc.MotionState(False, False, "ISOLATE", ("estop",))
    arrows = dict.fromkeys(("UP", "DOWN", "LEFT", "RIGHT"), refused)
    wall.house.changes = {"latched": ("estop",), "motions": arrows, "aloft": True}
    wall.house.alarms = (("estop", "high", "on"),)
    wall.page.get_by_text("Lower with the red strap").wait_for()
    assert wall.page.locator("#lowering img").evaluate("image => image.naturalWidth") > 0
    wall.page.get_by_role("button", name="Seen").click()
    wall.page.locator("#reset").click()
    until(lambda: wall.house.heard(ipc.ResetPress))
    assert wall.house.heard(ipc.Workflow, "controller")[0].args == {"row": "estop"}
    wall.house.changes |= {"latched": ("hoist_overspeed",)}
    wall.page.get_by_text("Do not lower. Call emergency services: 112").first.wait_for()


def test_a_motor_in_fault_shows_reset_before_the_red_strap(wall: Wall) -> None:
    """H23: nothing is latched; the button is there, and the guide says to try it first."""
    refused = ipc.MotionState(False, False, "HOLD", ("hoist_fault",))
    arrows = dict.fromkeys(("UP", "DOWN", "LEFT", "RIGHT"), refused)
    first = wall.page.get_by_text("First let go of the arrow, press Reset")
    assert wall.page.locator("#reset").is_hidden()
    wall.house.changes = {"active": ("hoist_fault",), "motions": arrows, "aloft": True}
    first.wait_for()
    wall.page.get_by_text("Lower with the red strap").wait_for()
    wall.page.locator("#reset").click()
    until(lambda: wall.house.heard(ipc.ResetPress))
    wall.house.changes |= {"values": {**VALUES, "estop_a_closed": 0.0}}
    first.wait_for(state="detached")
    wall.page.get_by_text("Lower with the red strap").wait_for()
    assert wall.page.locator("#reset").is_hidden()


def test_a_waiting_joystick_shows_a_reset_that_says_to_let_go_of_it(wall: Wall) -> None:
    """H3: a joystick is not seen; freed while somebody leans on it, the chair drives."""
    wall.house.changes = {"active": ("drive_waits",)}
    wall.page.get_by_role("button", name="Reset (hands off the joystick)").click()
    until(lambda: wall.house.heard(ipc.ResetPress))
    wall.house.changes = {"active": ("hoist_fault",)}
    wall.page.get_by_role("button", name="Reset (nothing moves)").wait_for()


def test_a_silent_gate_dims_everything_and_says_so(wall: Wall) -> None:
    wall.press()
    wall.house.silent = True
    wall.page.get_by_text("No contact: this screen works nothing").wait_for()
    wall.page.get_by_text("Lower with the red strap").wait_for()
    wall.touch("touchEnd")
    wall.assert_neutral()
    wall.touch("touchStart", wall.middle(".arrow.down"))
    time.sleep(0.2)
    assert wall.last().press == 0
    wall.touch("touchEnd")


def test_danish(wall: Wall) -> None:
    wall.page.get_by_role("button", name="DA").click()
    wall.page.get_by_text("Hæv", exact=True).wait_for()
    wall.page.reload()
    wall.page.get_by_role("button", name="EN").wait_for()


def test_a_lift_that_was_moved_asks_for_its_pull_test(wall: Wall) -> None:
    wall.house.changes = {"active": ("relocated",)}
    wall.page.get_by_text("Do the pull test first").first.wait_for()
    wall.page.get_by_role("button", name="Pull test done").click()
    until(lambda: wall.house.heard(ipc.Workflow, "controller"))
    assert wall.house.heard(ipc.Workflow, "controller")[0].action == "pull_test_ok"
