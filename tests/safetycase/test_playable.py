"""The page to play with says what the kernel says: its own script, in Chromium, against `step`."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from liftctl.controller.rows import priority_of
from liftctl.safetycase.book import FOLDER
from liftctl.safetycase.learn import flips, spoken
from liftctl.safetycase.playable import direct, switches, table_page, words
from liftctl.safetycase.steady import Flips, rig
from safety.evaluate import active_rows, ladder
from safety.table import FOR_KIND, NOT_PERMITTED, ROWS
from safety.types import ALL_MOTIONS, Motion
from safety.verdict import Verdict
from tests.chromium import chromium

pytestmark = pytest.mark.browser
KINDS = ("lift", "chair")
SAID = words()
SAMPLE = 5000 if os.environ.get("LIFTCTL_NIGHTLY") == "1" else 300
Hands = Mapping[str, bool | None]  # rows set by hand
ASK = """([kind, cases]) => cases.map((flips) => {
  const settings = play.settings(kind);
  for (const [place, option] of flips) settings[place] = option;
  return JSON.stringify(play.outcome(kind, settings));
})"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """The file as it lies in the folder; it may ask for nothing else and complain of nothing."""
    found = browser.new_page(viewport={"width": 1280, "height": 900})
    asked: list[str] = []
    wrong: list[str] = []
    found.on("request", lambda request: asked.append(request.url))
    found.on("console", lambda message: wrong.append(message.text))
    found.on("pageerror", lambda error: wrong.append(str(error)))
    address = (FOLDER / "table.html").as_uri()
    found.goto(address)
    yield found
    assert (asked, wrong) == ([address], [])
    found.close()


def told(name: str) -> list[str]:
    """An alarm as the page shows it."""
    row = ROWS[name.rstrip("?")]
    return [name, priority_of(row.id), row.clear.value, SAID[f"row.{name}"]]


def expected(kind: str, verdict: Verdict, hands: Hands) -> str:
    """The kernel's verdict; with rows set by hand, its ladder over them and what it found."""
    motions, active = verdict.motions, verdict.active
    if hands:
        facts = {
            row.id: True if row.id in active else None if f"{row.id}?" in active else False
            for row in FOR_KIND[kind]
        }
        refused = any(NOT_PERMITTED in item.rows for item in motions)
        acting = active_rows(kind, {**facts, **hands}, ())
        motions = ladder(kind, acting, Motion.NONE if refused else ALL_MOTIONS)
        active = tuple(item.name for item in acting)
    acts = [[item.motion.name, int(item.act), list(item.rows)] for item in motions]
    found = {"motions": acts, "alarms": [told(name) for name in active]}
    return json.dumps(found, ensure_ascii=False, separators=(",", ":"))


def by_hand(kind: str) -> Iterator[tuple[str, int, bool | None]]:
    """Every setting of every row set by hand: the row, the option, what its fact is then."""
    for row in direct(kind):
        yield row, 1, True
        if ROWS[row].when_unknown:
            yield row, 2, None


class Asked:
    """Settings in the page's own numbers, each with what the kernel says."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.places = {n: place for place, (n, _) in enumerate(switches(kind))}
        self.hand_places = {item.id: place for place, (_, item) in enumerate(switches(kind))}
        self.cases: list[list[tuple[int, int]]] = []
        self.says: list[str] = []

    def add(self, flipped: Flips, verdict: Verdict, *hands: tuple[str, int, bool | None]) -> None:
        if all(number in self.places for number, _ in flipped):
            case = [(self.places[number], option) for number, option in flipped]
            case += [(self.hand_places[f"row:{row}"], option) for row, option, _ in hands]
            facts = {row: truth for row, _, truth in hands}
            self.cases.append(case)
            self.says.append(expected(self.kind, verdict, facts))

    def compare(self, page: Page) -> int:
        """How many were compared; the first difference fails."""
        answers: list[str] = page.evaluate(ASK, [self.kind, self.cases])
        for case, says, answer in zip(self.cases, self.says, answers, strict=True):
            assert json.loads(answer) == json.loads(says), self.names(case)
        return len(answers)

    def names(self, case: list[tuple[int, int]]) -> list[str]:
        shown = [item for _, item in switches(self.kind)]
        return [f"{shown[place].id}: {shown[place].options[at].label}" for place, at in case]


@pytest.mark.parametrize("kind", KINDS)
def test_all_single_and_paired_switches_agree_with_the_kernel(kind: str, page: Page) -> None:
    asked, heard = Asked(kind), spoken(kind)
    for flipped in flips(rig(kind).switches):
        asked.add(flipped, heard[flipped])
    alone = [item for item in heard if len(item) <= 1]
    for hand in by_hand(kind):
        for flipped in alone:
            asked.add(flipped, heard[flipped], hand)
    for one, two in combinations(by_hand(kind), 2):
        if one[0] != two[0]:
            asked.add((), heard[()], one, two)
    assert asked.compare(page) > 3000


@pytest.mark.parametrize("kind", KINDS)
def test_many_switches_at_once_agree_with_the_kernel(kind: str, page: Page) -> None:
    """A sample only: three to six switches, seed fixed."""
    dice, bench, asked = random.Random(3), rig(kind), Asked(kind)
    shown = sorted(asked.places.keys() & set(range(len(bench.switches))))
    for _ in range(SAMPLE):
        chosen = dice.sample(shown, dice.randint(3, 6))
        flipped = tuple(
            (n, dice.randrange(1, len(bench.switches[n].options))) for n in sorted(chosen)
        )
        asked.add(flipped, bench.settle(flipped).verdict)
    assert asked.compare(page) == SAMPLE


def test_every_row_can_be_made_true_on_the_page() -> None:
    for kind in KINDS:
        heard = {name for verdict in spoken(kind).values() for name in verdict.active}
        missing = {row.id for row in FOR_KIND[kind]} - heard - set(direct(kind))
        assert not missing


def test_the_page_is_one_file_and_stays_small() -> None:
    text = (FOLDER / "table.html").read_text("utf-8")
    assert text == table_page(), "table.html is old; run make docs"
    assert len(text) < 150_000
    assert "src=" not in text
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")


def choose(page: Page, label: str, option: str) -> None:
    """What a mouse does: open the group if need be, press the setting."""
    page.evaluate("document.querySelectorAll('details').forEach((item) => { item.open = true; })")
    page.get_by_role("radiogroup", name=label, exact=True).get_by_text(option, exact=True).click()


def rung(page: Page, motion: str) -> str:
    return page.locator(f"[data-motion={motion}] .rung").inner_text()


def rows(page: Page) -> list[str]:
    found = page.locator("#alarms [data-row]")
    return [found.nth(n).get_attribute("data-row") or "" for n in range(found.count())]


def test_an_emergency_stop_stays_until_it_is_closed_and_reset(page: Page) -> None:
    page.get_by_role("button", name="Emergency stop").click()
    assert rung(page, "DOWN") == "power stage off, the brake holds"
    assert "Emergency stop is pressed" in page.locator("#alarms").inner_text()
    page.get_by_role("button", name="Reset at a station").click()
    assert "estop" in rows(page)
    for channel in ("E-stop A closed", "E-stop B closed"):
        choose(page, channel, "yes")
    assert "estop" in rows(page)
    page.get_by_role("button", name="Reset at a station").click()
    assert "estop" not in rows(page)


def test_a_quarantine_outlives_the_latch_that_caused_it(page: Page) -> None:
    page.get_by_role("button", name="It moves by itself").click()
    assert {"hoist_runaway", "quarantine"} <= set(rows(page))
    page.locator(".chips button").first.click()
    release = page.get_by_role("button", name="Technician releases")
    release.click()
    assert "hoist_runaway" not in rows(page)
    if "quarantine" in rows(page):
        release.click()
    assert "quarantine" not in rows(page)


def test_everything_works_with_keys_alone(page: Page) -> None:
    page.get_by_role("radio", name="Standing chair").focus()
    page.keyboard.press("Space")
    assert page.locator("[data-motion=SIT]").count() == 1
    group = page.get_by_role("radiogroup", name="Brakes applied")
    group.get_by_role("radio", name="yes").focus()
    page.keyboard.press("ArrowRight")
    assert rows(page) == ["brakes"]
    page.keyboard.press("ArrowRight")
    assert rows(page) == ["brakes?"]
    page.get_by_role("button", name="All healthy").focus()
    page.keyboard.press("Enter")
    assert rows(page) == []


def test_every_control_has_a_name_and_no_page_is_too_wide(page: Page) -> None:
    for kind in KINDS:
        page.evaluate("(kind) => play.choose(kind)", kind)
        for width in (390, 1280):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
        nameless: Any = page.evaluate(
            "[...document.querySelectorAll('input, select, button')].filter((item) =>"
            " !(item.labels && item.labels.length) && !item.textContent.trim()).length"
        )
        assert nameless == 0
