"""Every arrow, STOP and the header can be seen and touched on each tablet, in both languages."""

from __future__ import annotations

from typing import Any

import pytest

from config.languages import texts
from liftctl import ipc
from safety.table import ROWS
from tests.panel.wall import REQUEST, SIZE, Enrolled

pytestmark = pytest.mark.browser
LYING = (
    (800, 480), (800, 600), (1024, 600), (1024, 768), (1280, 720), (1280, 800), (1920, 1080),
)  # fmt: skip
STANDING = ((600, 1024), (800, 1280))
GRANT = {"who": "T. Technician", "wants": ["live"], "live": True, "left_s": 870}
# What a finger cannot reach or an eye cannot read.
WRONG = """() => {
  const wrong = [];
  const reached = (one, at) => {
    const box = one.getBoundingClientRect();
    const hit = document.elementFromPoint(box.left + box.width / 2, box.top + box.height * at);
    return one === hit || one.contains(hit);
  };
  for (const one of document.querySelectorAll('.arrow, #stop, #word, #battery, #help, #langs, '
      + '#support:not([hidden]), #support_end')) {
    const name = one.id || one.className;
    const box = one.getBoundingClientRect();
    if (box.height && ![.1, .3, .5, .7, .9].every((at) => reached(one, at))) wrong.push(name);
    if (one.matches('.arrow, #stop') && box.height < 60) wrong.push(`${name} ${box.height} px`);
    for (const text of one.querySelectorAll('b, .why')) {
      const inner = text.getBoundingClientRect();
      if (inner.top < box.top - 1 || inner.bottom > box.bottom + 1
          || text.scrollWidth > text.clientWidth + 1 && text.className === 'why') {
        wrong.push(`${name} text`);
      }
    }
  }
  if (document.documentElement.scrollWidth > window.innerWidth) wrong.push('wider than the screen');
  return wrong;
}"""


def wrong(afar: Enrolled, case: str, sizes: Any = (*LYING, *STANDING)) -> list[Any]:
    found = []
    for width, height in sizes:
        afar.page.set_viewport_size({"width": width, "height": height})
        found += [(case, width, height, one) for one in afar.page.evaluate(WRONG)]
    return found


@pytest.mark.parametrize("code", ["da", "en"])
def test_stop_lies_over_no_arrow_and_nothing_is_cut_off(afar: Enrolled, code: str) -> None:
    page, house = afar.page, afar.house
    page.locator(f"#langs [lang={code}]").click()
    page.wait_for_selector(f"html[lang={code}]")
    found = wrong(afar, "calm")
    afar.says = {"grant": GRANT}
    page.wait_for_selector("#support:not([hidden])")
    longest = max(ROWS, key=lambda row: len(texts(code)[f"row.{row}"]))
    held = ipc.MotionState(False, False, "HOLD", (longest,))
    free = ipc.MotionState(True, True, "NONE", ())
    motions = {"UP": held, "LEFT": held, "RIGHT": held, "DOWN": free}
    house.changes = {"motions": motions, "aloft": True}
    page.get_by_text(texts(code)[f"row.{longest}"]).first.wait_for()
    found += wrong(afar, f"blocked by {longest}, support banner")
    house.silent = True
    page.get_by_text(texts(code)["ui.no_contact"]).wait_for()
    found += wrong(afar, "no contact", LYING)  # standing, the way down by hand comes before arrows
    page.set_viewport_size(SIZE)
    assert not found, "\n".join(map(str, found))


@pytest.mark.parametrize("size", [(1280, 720), (1280, 800)])
def test_a_new_transfer_is_begun_without_scrolling(afar: Enrolled, size: tuple[int, int]) -> None:
    """Half a button at the lower edge looked like the end of the card."""
    afar.page.set_viewport_size({"width": size[0], "height": size[1]})
    button = afar.page.get_by_role("button", name="Wipe the screen").bounding_box()
    assert button and button["y"] + button["height"] < size[1]


@pytest.mark.parametrize("size", [(800, 480), (1280, 800), (800, 1280)])
def test_support_moves_no_arrow_under_a_finger(afar: Enrolled, size: tuple[int, int]) -> None:
    afar.page.set_viewport_size({"width": size[0], "height": size[1]})
    arrow = afar.page.locator(".arrow.down")
    before = arrow.bounding_box()
    afar.says = {"request": REQUEST}
    afar.page.wait_for_selector("#afar h2")
    assert arrow.bounding_box() == before
    afar.says = {"grant": GRANT}
    afar.page.wait_for_selector("#support:not([hidden])")
    assert arrow.bounding_box() == before
