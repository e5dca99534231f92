"""Retention and clocks that were wrong: what was written yesterday is not old."""

from __future__ import annotations

from collections import deque
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from config.schema import LedgerSpec
from liftctl import ipc
from liftctl.places import Places
from liftctl.recorder.entries import Entry
from liftctl.recorder.erasure import DAY_NS, Retention
from liftctl.recorder.ledger import Ledger
from liftctl.recorder.reader import read_transfers
from liftctl.recorder.requests import answer
from liftctl.recorder.task import LedgerTask
from liftctl.recorder.wallclock import SYNCHRONISED, Clock

NOW_NS = 1_800_000_000 * 10**9  # January 2027
HOUR_NS = 3600 * 10**9
DEAD = {"clock": {"sync": "unsynchronised", "step_s": 0.0}}
GOOD = {"clock": {"sync": SYNCHRONISED, "step_s": 0.0}}


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    monkeypatch.setenv("LIFTCTL_DATA", str(tmp_path))
    return Places("demo")


class Book:
    """A ledger whose clock the test sets."""

    def __init__(self, places: Places, wall_ns: int) -> None:
        self.wall_ns = wall_ns
        self.ledger = Ledger(places.ledger, lambda: self.wall_ns, places.heads)

    def closed(self, name: str, wall_ns: int, outcome: str = "completed", **more: Any) -> None:
        self.wall_ns = wall_ns
        told = {"schema": 2, "id": name, "outcome": outcome, "resident": "r-1", **more}
        self.ledger.append(Entry("closed", name, 2, told, {"outcome": outcome}))

    def clock_set(self, wall_ns: int) -> None:
        step_s = (wall_ns - self.wall_ns) / 1e9
        self.wall_ns = wall_ns
        header = {"step_s": step_s, "sync": SYNCHRONISED}
        self.ledger.append(Entry("clock", "", 3, {}, header))


@pytest.fixture
def used(places: Places) -> Book:
    """A ledger with a transfer of yesterday."""
    book = Book(places, NOW_NS - DAY_NS)
    book.closed("yesterday", NOW_NS - DAY_NS, **GOOD)
    return book


@pytest.fixture
def fresh(places: Places) -> Book:
    """A ledger that begins on a gateway without a battery: in 1970."""
    return Book(places, HOUR_NS)


def tidied(places: Places, book: Book, now_ns: int = NOW_NS) -> tuple[set[str], str]:
    """(what the recorder erased unasked, what it says)."""
    book.ledger.close()
    clock = Clock(lambda: 10 * 10**9, lambda: now_ns, lambda: SYNCHRONISED)
    task, told = LedgerTask(places, clock, LedgerSpec()), list[Any]()
    for _ in range(5):
        task.run(deque(), told.append)
    task.close()
    erased = {item["id"] for item in read_transfers(places.ledger) if item["erased"]}
    return erased, told[-1].warning


def test_a_transfer_of_an_hour_ago_is_not_old_because_the_clock_was_dead(
    places: Places, used: Book
) -> None:
    """It follows one of yesterday, so it cannot be older, whatever its stamp says."""
    used.closed("fall", HOUR_NS, "emergency", **DEAD)
    used.clock_set(NOW_NS)
    assert tidied(places, used) == (set(), "")


@pytest.mark.parametrize("sync", [DEAD, {}, GOOD])
def test_what_a_clock_stamped_that_was_then_set_forward_is_left_to_a_person(
    places: Places, fresh: Book, sync: dict[str, Any]
) -> None:
    fresh.closed("fall", HOUR_NS, "emergency", **sync)
    fresh.clock_set(NOW_NS - DAY_NS)
    erased, said = tidied(places, fresh)
    assert erased == set()
    assert "1 payloads are due" in said and "`liftctl ledger erase --due`" in said
    with closing(Ledger(places.ledger, lambda: NOW_NS, places.heads)) as ledger:
        ask = ipc.LedgerAsk("erase", {"dry_run": "yes"})
        assert "1 transfers would be erased" in answer(ledger, ask, Retention(), NOW_NS).text


def test_an_unsynchronised_stamp_is_no_ground_to_erase(places: Places, fresh: Book) -> None:
    fresh.closed("t", NOW_NS - 800 * DAY_NS, **DEAD)
    erased, said = tidied(places, fresh)
    assert erased == set() and "1 payloads are due" in said


def test_the_doubt_ends_when_something_later_is_old_for_certain(
    places: Places, fresh: Book
) -> None:
    fresh.closed("doubtful", HOUR_NS, **DEAD)
    fresh.clock_set(NOW_NS - 740 * DAY_NS)
    fresh.closed("incident", NOW_NS - 740 * DAY_NS, "fault", **DEAD)
    assert tidied(places, fresh) == ({"doubtful"}, "")


def test_one_stamp_from_the_future_does_not_keep_everything_for_ever(
    places: Places, fresh: Book
) -> None:
    fresh.closed("future", NOW_NS + 9000 * DAY_NS, **GOOD)
    fresh.closed("old", NOW_NS - 800 * DAY_NS, **GOOD)
    assert tidied(places, fresh) == ({"old"}, "")
