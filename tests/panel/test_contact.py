"""A page that lost something: the gate, its line, its first question, its configuration."""

from __future__ import annotations

import pytest

from tests.panel.wall import Wall

pytestmark = pytest.mark.browser


def test_after_an_over_speed_a_lost_gate_does_not_bring_back_the_red_strap(wall: Wall) -> None:
    """Rule: after an over-speed nobody lowers, and a gate that says nothing has not ended it."""
    wall.page.clock.install()
    wall.page.reload()
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
