"""The outsider of the random walk judges rightly where presses meet: he is no stricter than the
rules, and no milder.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from liftctl import ipc
from tests.gate.books import MS, Books
from tests.gate.wiring import Order

FAR = -300 * MS  # an echo too old to be evidence


@dataclass
class Page:
    """A chair's books, and what is put into them from one turn to the next."""

    books: Books = field(default_factory=lambda: Books("chair"))
    now: int = 10**12

    def holds(self, station: str, press: int, session: str = "s", old: int = 0) -> None:
        motion = "SIT" if press else ""
        hold = ipc.Hold(station, session, press, motion, self.now + old, self.now)
        self.books._note(hold, self.now, {})

    def sits(self, moves: bool = True) -> None:
        """The end of a turn in which the actuator was told to sit down, or nothing."""
        told = Order("stander", "SIT" if moves else "", 5.0 if moves else 0.0, brakes=not moves)
        self.books._moves(self.now, {"stander": told}, {"SIT"}, {}, {})
        self.now += 20 * MS


@pytest.fixture
def page() -> Page:
    """One panel presses in vain, another one was seen at neutral."""
    page = Page()
    page.holds("panel:1", 0)
    page.holds("panel:2", 0)
    page.holds("panel:1", 1)
    page.sits(moves=False)
    return page


def test_a_press_that_was_refused_is_nobodys_rival(page: Page) -> None:
    page.holds("panel:2", 1)
    page.sits()
    page.holds("panel:1", 1)
    page.holds("panel:2", 0)
    page.holds("panel:2", 2)
    page.sits()


def test_a_press_ends_the_one_before_it(page: Page) -> None:
    page.holds("panel:2", 1)
    page.holds("panel:2", 0)
    with pytest.raises(AssertionError, match="SIT without a live press"):
        page.sits()


def test_a_press_beside_one_that_moves_stops_it_and_moves_nothing(page: Page) -> None:
    page.sits()
    page.holds("panel:2", 1)
    with pytest.raises(AssertionError, match="SIT without a live press"):
        page.sits()


def test_a_session_nobody_vouches_for_ends_a_press_and_keeps_its_ids_spent(page: Page) -> None:
    page.holds("panel:1", 2, session="t", old=FAR)
    page.holds("panel:1", 0)
    page.holds("panel:1", 1)
    with pytest.raises(AssertionError, match="SIT without a live press"):
        page.sits()
