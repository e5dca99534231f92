"""A page that lost something: the gate, its line, its first question, its configuration."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Browser

from liftctl import ipc
from liftctl.panel.app import create
from tests.panel.house import VALUES, House, serving, site, until
from tests.panel.line import Line, line
from tests.panel.wall import Wall, tablet

pytestmark = pytest.mark.browser


@pytest.fixture
def far(browser: Browser, lift: House) -> Iterator[tuple[Wall, Line]]:
    """A wall whose line to the panel can fail."""
    with serving(create(site("lift"))) as port, line(port) as between, tablet(browser) as context:
        wall = Wall(context.new_page(), lift)
        wall.page.clock.install()
        wall.open(between.port)
        yield wall, between


def test_after_an_over_speed_a_lost_gate_does_not_bring_back_the_red_strap(wall: Wall) -> None:
    """Rule: after an over-speed nobody lowers, and a gate that says nothing has not ended it."""
    wall.hasten()
    wall.house.changes = {"latched": ("hoist_overspeed",)}
    wall.page.wait_for_selector(".lowering.never")
    wall.house.silent = True
    wall.page.wait_for_selector(".word.nocontact")
    wall.page.clock.fast_forward(2000)
    wall.page.get_by_text("not even STOP. Touch no button.").wait_for()
    assert wall.page.locator(".lowering.never").is_visible()
    assert "hand control" not in wall.page.locator("body").inner_text()
    wall.page.reload()
    wall.page.wait_for_selector(".lowering.never")
    wall.house.changes, wall.house.silent = {}, False
    wall.page.wait_for_selector(".word.ready")
    wall.page.wait_for_selector("#lowering", state="hidden")
    wall.complaints.clear()  # the reload cuts a socket


def test_a_page_whose_first_questions_fail_says_so_and_comes_to_life(
    browser: Browser, lift: House
) -> None:
    with serving(create(site("lift"))) as port, tablet(browser) as context:
        wall, away = Wall(context.new_page(), lift), True

        def sometimes(route: Any) -> None:
            route.abort() if away else route.continue_()

        for path in ("**/site.json", "**/languages/*.json"):
            wall.page.route(path, sometimes)
        wall.page.goto(f"http://127.0.0.1:{port}/")
        wall.page.get_by_text("Ingen kontakt / No contact").wait_for()
        wall.page.wait_for_selector("body:not(.starting)")
        wall.touch("touchStart", wall.middle("#stop"))
        wall.touch("touchEnd")
        until(lambda: lift.heard(ipc.StopPress))
        away = False
        wall.page.wait_for_selector(".word.ready")


def test_stop_is_not_drawn_as_live_before_the_page_runs(browser: Browser, lift: House) -> None:
    def colour() -> Any:
        return page.locator("#stop").evaluate("one => getComputedStyle(one).backgroundColor")

    with serving(create(site("lift"))) as port, tablet(browser) as context:
        page = context.new_page()
        page.route("**/main.js", lambda route: route.abort())
        page.goto(f"http://127.0.0.1:{port}/")
        page.get_by_text("Ingen kontakt / No contact").wait_for()
        dead = colour()
        page.unroute("**/main.js")
        page.reload()
        page.wait_for_selector(".word.ready")
        assert dead != colour()


def test_a_page_that_stays_open_follows_a_new_configuration_once_no_finger_is_down(
    far: tuple[Wall, Line],
) -> None:
    wall, between = far
    new = replace(site("lift"), title="Room 9", languages=("en",))
    with serving(create(new)) as port:
        between.panel = port
        wall.press()
        between.cut()
        wall.page.wait_for_selector(".word.nocontact")
        wall.page.wait_for_selector(".word.ready")
        assert wall.page.locator("#title").inner_text() != "Room 9", "a finger is down"
        wall.touch("touchEnd")
        wall.page.wait_for_selector("#title:text-is('Room 9')")
        wall.page.wait_for_selector(".word.ready")
        assert wall.page.locator("#langs button").count() == 1


def test_a_page_whose_line_died_without_a_word_connects_anew(far: tuple[Wall, Line]) -> None:
    wall, between = far
    old = wall.last().station
    between.die()
    wall.page.wait_for_selector(".word.nocontact")
    wall.page.clock.fast_forward(3500)
    wall.page.wait_for_selector(".word.ready")
    until(lambda: wall.last().station != old)


def test_a_slow_line_shows_old_values_as_no_contact(far: tuple[Wall, Line]) -> None:
    wall, between = far
    between.rate = 5000  # a state gets through every 0.2 s or so, later and later
    wall.page.wait_for_selector(".word.nocontact")
    wall.house.changes = {"values": {**VALUES, "load_kg": 82.0}}
    assert wall.page.locator(".gauge.load b").inner_text() == "unknown"
    between.rate = 0
    wall.page.wait_for_selector(".word.ready")
    wall.page.wait_for_selector(".gauge.load b:text-is('82 kg')")


CONTRAST = """one => {
  const luminance = (colour) => {
    const parts = colour.match(/[0-9.]+/g).slice(0, 3).map((part) => part / 255)
      .map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
  };
  for (let up = one; up; up = up.parentElement) if (getComputedStyle(up).opacity !== '1') return 0;
  const text = luminance(getComputedStyle(one).color);
  const ground = luminance(getComputedStyle(one.closest('button')).backgroundColor);
  return (Math.max(text, ground) + 0.05) / (Math.min(text, ground) + 0.05);
}"""


def test_without_contact_nothing_says_that_you_can_lower_and_the_reason_can_be_read(
    wall: Wall,
) -> None:
    wall.house.silent = True
    wall.page.wait_for_selector(".word.nocontact")
    assert "lower" not in wall.page.locator("#task").inner_text().lower()
    assert wall.page.locator(".arrow.up .why").evaluate(CONTRAST) >= 4.5
