"""No statement crosses tenants: by the planner's word on each, and by row-level security alone."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError
from starlette.testclient import TestClient

from liftctl.centre.database import add_month, ingesting, tenant
from liftctl.centre.ingest import app as ingest_app
from tests.centre.conftest import emptied
from tests.centre.statements import REFERENCE, Ear, Said, listen, plan, read, unheard
from tests.centre.walk import OLD_MONTH, OTHER, OWN, walk

# What the centre's own people ask of every municipality at once; joined by municipality, so that a
# cluster answers it beside each shard and adds up. Everything else names one municipality.
WIDE = {
    "fleet.py:fleet": "the day's work: every device by risk, and the sums",
    "fleet.py:places": "which municipalities and homes there are, to choose one",
    "fleet.py:evidence": "evidence across homes: sums of the tallies",
    "fleet.py:audit": "what the centre's own people did, newest first",
    "metrics.py:metrics": "one row of sums for each municipality, for monitoring",
    "prune.py:prune": "every municipality's own terms",
    "prune.py:_drop": "whether a month holds a row that any municipality keeps",
    "verify.py:chains": "`liftctl centre verify` begins with the list of all chains",
}


@pytest.fixture(scope="module")
def ear(
    migrated: Engine, database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Ear]:
    """What was heard on one walk past everything."""
    emptied(migrated)
    with TestClient(ingest_app.create(migrated)) as ingest, listen() as heard:
        walk(migrated, ingest, tmp_path_factory.mktemp("walk"), database_url)
    with migrated.begin() as db:
        add_month(db, OLD_MONTH)  # its statements are explained when it was dropped
    yield heard
    emptied(migrated)


@pytest.fixture
def owner(migrated: Engine) -> Iterator[Connection]:
    """Whom no policy holds back: what a plan says, the statement said."""
    with migrated.connect() as db:
        yield db
        db.rollback()


def test_the_walk_passes_every_place_that_sends_a_statement(ear: Ear) -> None:
    assert unheard(ear) == set()


def test_every_statement_names_its_own_municipality_for_every_table_it_touches(
    ear: Ear, owner: Connection
) -> None:
    wide = set()
    for said in read(ear):
        found, town = plan(owner, said), said.municipality or _told(said)
        if not found.touches() or (town and not found.fault(town)):
            continue
        assert said.role in ("liftctl_centre", "owner"), (found.fault(town), said)
        assert said.place in WIDE, (found.fault(town), said)
        assert not found.apart(), said
        wide.add(said.place)
    assert wide == set(WIDE)


def _told(said: Said) -> str:
    """The municipality a statement of the centre or of the administration was given."""
    values = said.values if isinstance(said.values, dict) else {}
    return str(values.get("municipality") or values.get("m") or "")


def test_a_forgotten_condition_is_found_in_the_plan_and_shows_nothing_foreign(
    ear: Ear, owner: Connection, migrated: Engine
) -> None:
    """Each condition on the municipality is taken out of each statement, one at a time."""
    forgotten = 0
    for said in read(ear):
        if said.role not in ("liftctl_tenant", "liftctl_ingest"):
            continue
        for sql in _without_one(said.sql):
            broken = Said(said.place, 0, said.role, said.municipality, sql, said.values)
            assert plan(owner, broken).fault(said.municipality), sql
            forgotten += 1
            assert OTHER not in _shown(migrated, broken), sql
    assert forgotten > 20


CONDITION = re.compile(r"(?:\b\w+\.)?municipality = (?:%\(\w+\)s(?:::\w+)?|c\.municipality)")


def _without_one(sql: str) -> Iterator[str]:
    for found in CONDITION.finditer(sql):
        yield f"{sql[: found.start()]}true{sql[found.end() :]}"


def _shown(engine: Engine, said: Said) -> str:
    """What comes back as the role that row-level security judges; nothing is kept."""
    opened = tenant if said.role == "liftctl_tenant" else ingesting
    with pytest.raises(_Undo) as shown, opened(engine, said.municipality) as db:
        try:
            done = db.exec_driver_sql(said.sql, said.values)
            raise _Undo(str(done.all()) if done.returns_rows else "")
        except SQLAlchemyError as error:  # a row that is there already: nothing was shown
            raise _Undo("") from error
    return str(shown.value)


class _Undo(Exception):
    """Rolls the transaction back, with what it showed."""


def test_row_level_security_alone_keeps_tenants_apart(ear: Ear, migrated: Engine) -> None:
    tables = ("controller", "head", "event", "transfer", "trend", "tally", "home")
    for opened in (tenant(migrated, OWN), ingesting(migrated, OWN)):
        with opened as db:
            for table in tables:
                seen = db.execute(text(f"SELECT DISTINCT municipality FROM {table}")).scalars()
                assert set(seen) == {OWN}, table
    with tenant(migrated, OWN, "nowhere") as db:
        assert db.execute(text("SELECT count(*) FROM transfer")).scalar() == 0
    with tenant(migrated, "") as db:
        assert db.execute(text("SELECT count(*) FROM transfer")).scalar() == 0


KEYS = """
SELECT c.conrelid::regclass::text, c.conname, c.contype::text,
  array(SELECT a.attname FROM unnest(c.conkey) WITH ORDINALITY k(n, i)
    JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.n ORDER BY k.i)::text[]
FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid
WHERE c.connamespace = 'public'::regnamespace AND c.contype IN ('p', 'u', 'f')
  AND NOT t.relispartition
UNION ALL
SELECT i.indrelid::regclass::text, i.indexrelid::regclass::text, 'i',
  array(SELECT a.attname FROM unnest(i.indkey) WITH ORDINALITY k(n, o)
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.n ORDER BY k.o)::text[]
FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid
WHERE t.relnamespace = 'public'::regnamespace AND i.indisunique AND NOT t.relispartition
"""


def test_every_key_unique_index_and_reference_begins_with_the_distribution_column(
    owner: Connection,
) -> None:
    keys = [row for row in owner.execute(text(KEYS)).all() if row[0] not in REFERENCE]
    assert {row[2] for row in keys} == {"p", "f", "i"}
    assert {row[0] for row in keys} >= {"entry", "event", "transfer", "trend", "tally", "head"}
    assert [row for row in keys if row[3][0] != "municipality"] == []
    columns = owner.execute(
        text("SELECT attrelid::regclass::text FROM pg_attribute WHERE attname = 'municipality'"
             " AND attnum = 1 AND attrelid::regclass::text = ANY(:tables)"),
        {"tables": sorted({row[0] for row in keys})},
    ).scalars().all()  # fmt: skip
    assert sorted(columns) == sorted({row[0] for row in keys})
