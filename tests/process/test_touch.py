"""A finger on the arrow of the real panel of the real ward: Chromium, touch, truth."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import CDPSession

from tests.chromium import chromium
from tests.panel.wall import SIZE
from tests.process.room import Room

pytestmark = [pytest.mark.process, pytest.mark.browser]


@pytest.fixture
def tablet(room: Room) -> Iterator[tuple[Any, CDPSession]]:
    """The panel's page on a touch screen."""
    with chromium() as browser:
        context = browser.new_context(viewport=SIZE, has_touch=True, locale="en")
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{room.ward.port}/")
        page.wait_for_selector(".arrow.up", timeout=30_000)
        yield page, context.new_cdp_session(page)


def test_the_bar_moves_while_a_finger_touches_the_arrow(
    flying: Room, tablet: tuple[Any, CDPSession]
) -> None:
    room, (page, cdp) = flying, tablet
    room.page.until(lambda s: s["owner"] == "", "nobody to own")
    page.wait_for_selector(".arrow.up:not(.blocked)", timeout=30_000)
    box = page.locator(".arrow.up").bounding_box()
    point = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    cdp.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
    room.rises(40)
    t_ns = room.truth.last()["t_ns"]
    cdp.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    room.stopped_within("panel or network freezes", t_ns)
    room.stays(1.0, "the finger left the screen")
