"""What one carer leaves on the screen is not the next one's: locks, badges, names, refusals."""

from __future__ import annotations

import time
from typing import Any

import pytest
from playwright.sync_api import expect

from liftctl import ipc
from tests.panel.house import transfer, until
from tests.panel.wall import REQUEST, Enrolled, Wall

pytestmark = pytest.mark.browser
HELD = ipc.MotionState(False, False, "HOLD", ("cleaning",))
# Three seconds of a finger in 0.3 s.
HURRY = """() => {
  const real = setTimeout;
  window.setTimeout = (act, ms) => real(act, ms === 3000 ? 300 : ms);
}"""


@pytest.fixture
def wiped(wall: Wall) -> Wall:
    """A lift that is locked while its screen is wiped."""
    wall.page.get_by_role("button", name="Wipe the screen").click()
    until(lambda: said(wall) == ["cleaning_on"])
    wall.page.evaluate(HURRY)
    motions = dict.fromkeys(("UP", "DOWN", "LEFT", "RIGHT"), HELD)
    wall.house.changes = {"active": ("cleaning",), "motions": motions}
    wall.page.get_by_role("button", name="Hold for 3 seconds to end cleaning").wait_for()
    return wall


def said(wall: Wall) -> list[str]:
    return [one.action for one in wall.house.heard(ipc.Workflow, "controller")]


def began(wall: Wall) -> dict[str, float]:
    at = wall.middle('[data-id="cleaning_off"]')
    wall.touch("touchStart", at)
    return at


def assert_locked(wall: Wall) -> None:
    time.sleep(0.4)
    assert said(wall) == ["cleaning_on"]


def test_only_a_finger_that_stays_ends_the_lock_for_wiping(wiped: Wall) -> None:
    assert wiped.page.get_by_text("New transfer").count() == 0
    assert wiped.page.locator("#lowering").is_hidden(), "nobody hangs: no emergency way down"
    wiped.page.locator('[data-id="cleaning_off"]').click()
    assert_locked(wiped)
    began(wiped)
    until(lambda: said(wiped) == ["cleaning_on", "cleaning_off"])


def test_a_cloth_that_wanders_off_the_button_does_not_end_the_lock(wiped: Wall) -> None:
    at = began(wiped)
    wiped.touch("touchMove", {"x": at["x"] + 150, "y": at["y"]})
    wiped.touch("touchMove", {"x": at["x"] + 450, "y": at["y"]})
    assert_locked(wiped)
    wiped.touch("touchEnd")


def test_a_short_touch_does_not_end_the_lock_when_the_card_is_redrawn_under_it(wiped: Wall) -> None:
    began(wiped)
    wiped.page.locator('[data-id="cleaning_off"]').evaluate("one => { one.dataset.old = '' }")
    wiped.house.notices = {"r-7f3a": ("sling_due",)}
    wiped.page.wait_for_selector('[data-id="cleaning_off"]:not([data-old])')
    wiped.touch("touchEnd")
    assert_locked(wiped)


def test_a_second_badge_takes_the_place_of_the_first(wall: Wall) -> None:
    badge = wall.page.locator("#badge")
    for focus in (False, True):
        badge.fill("")
        badge.focus() if focus else badge.blur()
        for number in ("A123", "B456"):
            wall.page.keyboard.type(number)
            wall.page.keyboard.press("Enter")
            assert badge.input_value() == number


def fill(wall: Wall) -> Any:
    wall.page.get_by_text("Resident A").click()
    wall.page.locator("#badge").fill("A123")
    return wall.page.locator('.tile.resident[aria-checked="true"], .resident [aria-checked="true"]')


def test_a_form_that_was_left_is_empty_for_the_next_carer(wall: Wall) -> None:
    wall.hasten()
    chosen = fill(wall)
    wall.page.clock.fast_forward(60_000)
    wall.page.wait_for_selector(".word.ready")
    assert chosen.count() == 1 and wall.page.locator("#badge").input_value() == "A123"
    wall.page.clock.fast_forward(61_000)
    wall.page.wait_for_selector(".word.ready")
    wall.page.locator("#badge").wait_for()
    assert chosen.count() == 0 and wall.page.locator("#badge").input_value() == ""
    fill(wall)
    wall.house.running = transfer("lift", "planned")  # begun at another panel
    wall.page.locator("#badge").wait_for(state="detached")
    wall.house.running = None
    wall.page.locator("#badge").wait_for()
    assert chosen.count() == 0 and wall.page.locator("#badge").input_value() == ""


def test_a_refusal_goes_when_it_was_read(wall: Wall) -> None:
    wall.hasten()
    wall.house.running = transfer("lift", "planned", "nonsense")
    wall.page.locator('[data-id="nonsense"]').click()
    refused = wall.page.get_by_text("do this")
    refused.wait_for()
    wall.page.clock.fast_forward(8100)
    refused.wait_for(state="detached")


def test_the_language_chosen_last_wins_whichever_answer_comes_last(wall: Wall) -> None:
    late: list[Any] = []

    def keep(route: Any) -> None:
        late.append(route)

    wall.page.route("**/da.json", keep)
    wall.page.get_by_role("button", name="DA", exact=True).click()
    until(lambda: wall.page.evaluate("1") and late)
    wall.page.get_by_role("button", name="EN", exact=True).click()
    with wall.page.expect_response("**/da.json"):
        late[0].continue_()
    wall.page.evaluate("new Promise((done) => setTimeout(done, 50))")
    assert wall.page.locator("html").get_attribute("lang") == "en"
    assert wall.page.locator("#langs [aria-pressed=true]").inner_text() == "EN"


def test_a_name_is_not_kept_for_the_next_person(afar: Enrolled) -> None:
    name = afar.page.locator("#afar_name")

    def asked(who: str) -> None:
        afar.says = {"request": {**REQUEST, "who": who}}
        afar.page.get_by_text(f"{who} asks").wait_for()

    asked("T. One")
    name.fill("Nurse N.")
    afar.click("support_yes")
    until(lambda: [args["name"] for _, args in afar.steps()] == ["Nurse N."])
    expect(name).to_have_value("")
    name.fill("Nurse O.")
    asked("T. Two")
    assert name.input_value() == ""
