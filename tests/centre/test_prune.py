"""What a retention term takes, what it never takes, and how the chain goes on behind the cut."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import Engine, text
from starlette.testclient import TestClient

from liftctl.centre.database import CentreError, add_month
from liftctl.centre.prune import prune as prune_at
from liftctl.centre.prune import put_term
from liftctl.centre.verify import chains
from liftctl.uplink.protocol import Ack, Conflict
from tests.centre.home import Home, add_home
from tests.centre.test_ingest import _bad, chain, count, ledger

AGED = {"transfer": "at", "event": "at", "trend": "day", "entry": "received_at",
        "quarantine": "at"}  # fmt: skip


def prune(engine: Engine) -> dict[tuple[str, str], dict[str, int]]:
    """Rows that went, by (municipality, what)."""
    found = prune_at(engine, datetime.now(UTC))
    return {(item["municipality"], item["what"]): item["rows"] for item in found[1:]}


def age(engine: Engine) -> None:
    """What is there now came 500 days ago."""
    with engine.begin() as db:
        for table, column in AGED.items():
            db.execute(text(f"UPDATE {table} SET {column} = {column} - interval '500 days'"))


@pytest.fixture
def old(engine: Engine, ingest: TestClient, tmp_path: Path) -> tuple[Home, Home]:
    """Two homes with an old past and a young present; only the first one's municipality forgets."""
    homes = (
        Home.enrolled(engine, ingest, tmp_path / "a", "nordby", "skovly", "lift-a"),
        Home.enrolled(engine, ingest, tmp_path / "b", "sydvig", "birkebo", "lift-b"),
    )
    for home in homes:
        home.transfers(10)
        home.event("commissioned", values={"motor_current_pct_at_swl": 60.0})
        home.event("trip", row="slack")
        home.event("service", done="inspection", result="passed")
        home.event("trend", values={"battery_pct": 80.0})
        home.drain()
    age(engine)
    for home in homes:
        home.transfers(3)
        home.drain()
    for what in ("transfers", "events"):
        put_term(engine, "nordby", what, 450)
    return homes


def rows(engine: Engine, statement: str, **values: Any) -> list[Any]:
    with engine.begin() as db:
        return list(db.execute(text(statement), values).scalars())


def test_what_is_past_goes_and_what_proves_or_belongs_to_the_device_stays(
    engine: Engine, old: tuple[Home, Home]
) -> None:
    gone = prune(engine)
    assert gone["nordby", "transfers"] == {"transfer": 10, "entry": 11}
    assert (gone["nordby", "events"]["event"], gone["nordby", "events"]["trend"]) == (1, 1)
    own = "WHERE municipality = 'nordby'"
    kinds = rows(engine, f"SELECT DISTINCT kind FROM event {own} ORDER BY kind")
    assert kinds == ["commissioned", "epoch", "service"]
    assert rows(engine, f"SELECT sum(n) FROM tally {own}") == [13]
    others = "WHERE municipality = 'sydvig'"
    assert rows(engine, f"SELECT count(*) FROM transfer {others}") == [13]
    assert rows(engine, f"SELECT detail ->> 'what' FROM audit {own} AND what = 'pruned'") == [
        "events", "transfers"]  # fmt: skip
    assert all(sum(item.values()) == 0 for item in prune(engine).values())


def test_the_chain_is_proven_behind_the_cut_and_goes_on(
    engine: Engine, old: tuple[Home, Home]
) -> None:
    prune(engine)
    home = old[0]
    home.transfers(5)
    home.drain()
    assert chain(engine, home) == ledger(home)[11:]
    told = {(item["controller"], item["stream"]): item for item in chains(engine)}
    cut = told["lift-a", "transfers"]
    assert (cut["ok"], cut["pruned_to"], cut["rows"]) == (True, 11, 8)
    assert told["lift-b", "transfers"]["pruned_to"] == 0
    with engine.begin() as db:
        db.execute(text("UPDATE entry SET header = header || ' ' WHERE controller = 'lift-a'"
                        " AND seq = 12"))  # fmt: skip
    assert "row 12" in next(item["problem"] for item in chains(engine) if not item["ok"])


def test_a_home_that_sends_everything_again_is_acknowledged_and_nothing_comes_twice(
    engine: Engine, old: tuple[Home, Home]
) -> None:
    prune(engine)
    before = [count(engine, table) for table in ("entry", "transfer", "event", "tally")]
    home = old[0]
    assert home.post(home.batch(most=4)) == Ack(home.batch().epoch, 14)  # all of it is gone here
    assert isinstance(home.post(home.batch(most=11)), Ack)  # to the cut itself
    assert isinstance(home.post(home.batch(after=5)), Ack)  # over the cut
    (home.folder.path / "memory.json").unlink()
    home.drain()
    assert [count(engine, table) for table in ("entry", "transfer", "event", "tally")] == before
    assert home.folder.memory().positions["transfers"].seq == 14


def test_a_ledger_rewritten_below_the_cut_is_caught_at_the_first_row_that_is_left(
    engine: Engine, old: tuple[Home, Home]
) -> None:
    prune(engine)
    home = old[0]
    batch, change = home.batch(), msgspec.structs.replace
    third = batch.records[2]
    false = change(third, header=third.header.replace(b"completed", b"abortedxx"))
    records = (*batch.records[:2], false, *batch.records[3:])
    assert isinstance(home.post(change(batch, records=records)), Conflict)
    assert isinstance(home.post(change(batch, records=records[:11])), Conflict)  # to the cut itself


def test_an_epoch_may_begin_after_a_row_that_was_pruned(home: Home, engine: Engine) -> None:
    """A gateway restored from an old backup, after its centre forgot that far back."""
    backup = home.backed_up()
    home.transfers(30)
    home.drain()
    age(engine)
    put_term(engine, "aarhus", "transfers", 450)
    assert prune(engine)["aarhus", "transfers"]["entry"] == 35
    home.restore(backup)
    home.transfers(3)
    home.drain()
    told = [item for item in chains(engine) if item["stream"] == "transfers"]
    assert [(item["rows"], item["ok"]) for item in told] == [(1, True), (4, True)]
    assert rows(engine, "SELECT quarantined_at FROM controller") == [None]


def test_an_open_conflict_is_kept_until_somebody_has_looked(home: Home, engine: Engine) -> None:
    home.transfers(11)
    forged, _, _ = _bad(home)["a changed record in the middle"]
    home.post(home.batch())
    assert isinstance(home.post(forged), Conflict)
    age(engine)
    put_term(engine, "aarhus", "events", 450)
    prune(engine)
    assert count(engine, "quarantine") == 1
    with engine.begin() as db:
        db.execute(text("UPDATE controller SET quarantined_at = NULL"))
    prune(engine)
    assert count(engine, "quarantine") == 0
    assert rows(engine, "SELECT kind FROM event WHERE seq = 0") == ["conflict"]


@pytest.mark.parametrize(("what", "days", "why"), [
    ("transfers", 30, "give 90"), ("audit", 400, "give 1826"), ("photos", 400, "has no term"),
])  # fmt: skip
def test_a_term_below_the_floor_is_refused(engine: Engine, what: str, days: int, why: str) -> None:
    add_home(engine, "nordby", "skovly")
    with pytest.raises(CentreError, match=why):
        put_term(engine, "nordby", what, days)
    with pytest.raises(CentreError, match="no municipality"):
        put_term(engine, "nowhere", "events", 400)


OLD = """
INSERT INTO transfer SELECT :town, 'h', 'c', 1, 1, '2019-05-05', 't', 'k', 'completed', 1, 1, 1,
  0, 0, '{}'
"""


def test_a_month_goes_whole_when_no_municipality_keeps_a_row_of_it(
    engine: Engine, old: tuple[Home, Home]
) -> None:
    with engine.begin() as db:
        add_month(db, 2019 * 12 + 4)
        for town in ("nordby", "sydvig"):
            db.execute(text(OLD), {"town": town})
    there = "SELECT to_regclass('transfer_2019_05') IS NOT NULL"
    prune(engine)
    assert rows(engine, there) == [True]
    kept = "SELECT municipality FROM transfer WHERE at < '2020-01-01'"
    assert rows(engine, kept) == ["sydvig"]
    put_term(engine, "sydvig", "transfers", 2000)
    prune(engine)
    assert rows(engine, there) == [False]
