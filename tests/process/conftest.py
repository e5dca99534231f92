from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.process.demos import Demos
from tests.process.room import Room, lift_room


@pytest.fixture(scope="session")
def ward() -> Iterator[Room]:
    """One lift room for every test that leaves it as it found it: usable."""
    with lift_room() as room:
        yield room


@pytest.fixture
def room(ward: Room) -> Iterator[Room]:
    """The shared room; a test that failed in the middle leaves no finger, no strap, no page."""
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


@pytest.fixture(scope="session", autouse=True)
def demos(request: pytest.FixtureRequest) -> Iterator[Demos]:
    """`make demo` and its sabotages take minutes of waiting: they run beside the other tests."""
    wanted = {
        item.callspec.params["kind"]
        for item in request.session.items
        if "test_whole_demo" in item.nodeid and hasattr(item, "callspec")
    }
    found = Demos(wanted)
    yield found
    found.end()
