"""Two pages, a hand control, an e-stop: who may stop, who may move (design rules 2, 6, 8)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.process.page import Page
from tests.process.room import Room
from tests.process.truth import wait

pytestmark = pytest.mark.process


@pytest.fixture
def other(flying: Room) -> Iterator[Page]:
    """A second panel page."""
    page = Page(flying.ward.port)
    yield page
    page.close()


def test_a_second_panel_stops_and_does_not_take_over(flying: Room, other: Page) -> None:
    room = flying
    room.page.press("UP")
    room.rises(30)
    t_ns = room.truth.last()["t_ns"]
    other.stop()
    room.stopped_within("controller dies", t_ns)
    room.stays(0.5, "STOP by another page, the finger is still down")
    room.page.release()
    room.page.press("UP")
    room.rises(30)
    t_ns = room.truth.last()["t_ns"]
    other.press("DOWN")
    room.stopped_within("controller dies", t_ns)
    room.stays(0.5, "two fingers on two pages")
    assert room.page.state["owner"] != "", "the first page still owns"
    room.page.release()
    room.stays(0.3, "the first page let go, the second one's press is dead")
    other.release()
    room.page.press("DOWN")
    room.sinks(15)
    room.page.release()
    room.standstill("letting go")


def test_the_hand_control_outranks_the_panel(flying: Room) -> None:
    room = flying
    room.page.press("UP")
    room.rises(30)
    t_ns = room.truth.last()["t_ns"]
    room.hands.do("hand", keys=["up"])
    room.stopped_within("controller dies", t_ns)
    room.page.until(lambda s: s["owner"] == "hand", "the hand control to own")
    room.stays(0.5, "both still held")
    room.page.release()
    room.hands.do("hand", keys=[])
    room.stays(0.1, "both let go")
    room.hands.do("hand", keys=["up"])
    room.rises(15)
    room.page.press("UP")
    room.standstill("a panel pressed while the hand control owns")
    room.page.release()
    room.hands.do("hand", keys=[])
    room.page.until(lambda s: s["owner"] == "", "ownership to lapse")


def test_estop_red_strap_reset_and_a_fresh_press(flying: Room) -> None:
    room = flying
    room.page.press("UP")
    room.rises(30)
    t_ns = room.truth.last()["t_ns"]
    room.hands.do("estop", value=True)
    room.stopped_within("controller dies", t_ns)
    wait(lambda: room.truth.last()["torque_off"], "the torque to be off")
    room.page.until(lambda s: "estop" in s["latched"], "the panel to show it")
    for motion, shown in room.page.state["motions"].items():
        assert not shown["allowed"], motion
        assert "estop" in shown["rows"], motion
    room.hands.do("strap", value=True)
    room.sinks(20)
    room.hands.do("strap", value=False)
    room.standstill("the red strap")
    room.page.reset()
    room.stays(0.3, "a reset while the button is in")
    assert "estop" in room.page.state["latched"]
    room.hands.do("estop", value=False)
    room.page.until(lambda s: "estop" in s["resettable"], "the reset to be offered")
    room.stays(0.5, "the button is out, UP is still held")
    assert "estop" in room.page.state["latched"]
    room.page.reset()
    room.page.until(lambda s: not s["latched"], "the latch to be gone")
    room.stays(1.0, "reset, UP is still held")
    room.page.release()
    room.in_the_air()
    room.page.hold("UP", lambda _: room.speed() > 0, "a fresh press after the reset")
    room.standstill("letting go")
