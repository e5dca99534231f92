"""A third look at the recorder: how long the record of an incident is kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from liftctl import ipc
from liftctl.places import Places
from liftctl.recorder import erasure
from liftctl.recorder.entries import Entry
from liftctl.recorder.ledger import Ledger
from liftctl.recorder.requests import answer

DAY_NS = 86_400 * 10**9
NOW_NS = 1_800_000_000 * 10**9
KEEP = erasure.Retention(payload_days=730, incident_days=3650)


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    """Two transfers of one moment: an emergency, and one recorded as completed."""
    monkeypatch.setenv("LIFTCTL_DATA", str(tmp_path))
    places = Places("demo")
    with closing(Ledger(places.ledger, lambda: NOW_NS, places.heads)) as found:
        for name, outcome in (("told", "emergency"), ("found", "completed")):
            record = {"schema": 2, "id": name, "outcome": outcome, "resident": "r-1"}
            found.append(Entry("opened", name, 1, {"id": name, "resident": "r-1"}))
            found.append(Entry("closed", name, 2, record, {"outcome": outcome}))
        yield found


def correct(ledger: Ledger, fields: dict[str, str]) -> None:
    ask = ipc.LedgerAsk("correct", {"transfer": "found", "reason": "a bruise was seen"}, fields)
    said = answer(ledger, ask, KEEP, NOW_NS)
    assert said.ok, said.text


def due(ledger: Ledger, days: int) -> list[str]:
    return erasure.due(ledger.db, KEEP, NOW_NS + days * DAY_NS)


@pytest.mark.parametrize("outcome", erasure.INCIDENTS)
def test_a_transfer_corrected_into_an_incident_is_kept_as_long_as_an_incident(
    ledger: Ledger, outcome: str
) -> None:
    """H37: recorded as completed, found out on the next day that the person was hurt. After two
    years retention must not take the only record of it, eight years too early."""
    correct(ledger, {"outcome": outcome})
    assert due(ledger, 731) == due(ledger, 3650) == []
    assert due(ledger, 3651) == ["told", "found"]


def test_a_suspicion_that_was_taken_back_is_kept_too(ledger: Ledger) -> None:
    """H37: whoever takes an incident back must not shorten the time in which it can be asked."""
    correct(ledger, {"outcome": "emergency"})
    correct(ledger, {"outcome": "completed"})
    assert due(ledger, 731) == []


def test_another_correction_keeps_no_transfer_longer(ledger: Ledger) -> None:
    correct(ledger, {"note": "two carers were there", "outcome": "aborted"})
    assert due(ledger, 730) == []
    assert due(ledger, 731) == ["found"]
