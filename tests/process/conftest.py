from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.process.room import SHARED, Room


@pytest.fixture(scope="session", autouse=True)
def shared() -> Iterator[None]:
    """The shared room does not outlive the tests."""
    yield
    SHARED.end()


@pytest.fixture
def alone() -> None:
    """For a test that starts a ward without `open_ward`."""
    SHARED.end()


@pytest.fixture
def room() -> Iterator[Room]:
    """The shared room; a test that failed in the middle leaves no finger, no strap, no page."""
    ward = SHARED.room()
    ward.hands.do("hand", keys=[], present=True)
    if not ward.page.state or ward.page.finger._tasks[0].done():
        ward.new_page()
    yield ward
    ward.page.release()
    ward.hands.do("hand", keys=[])
    ward.hands.do("strap", value=False)
    ward.hands.do("estop", value=False)


@pytest.fixture
def flying(room: Room) -> Room:
    """A person hangs in the sling, a transfer runs."""
    room.in_the_air()
    return room
