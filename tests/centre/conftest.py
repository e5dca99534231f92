"""One real PostgreSQL for all tests of the centre; every test begins with empty tables."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from starlette.testclient import TestClient

from liftctl.centre import database
from liftctl.centre.embedded import embedded
from liftctl.centre.ingest import app as ingest_app
from tests.centre.home import Home

TABLES = ("term", "letter", "bundle", "entry", "event", "transfer", "trend", "tally",
          "quarantine", "audit", "head", "controller", "enrolment", "home", "municipality",
          "member", "token")  # fmt: skip


@pytest.fixture(scope="session")
def database_url() -> Iterator[str]:
    """LIFTCTL_TEST_DATABASE, or the PostgreSQL that comes with the extra.

    Not in pytest's own folder: as root the server is another user, who may not look into it.
    """
    if given := os.environ.get("LIFTCTL_TEST_DATABASE"):
        yield given
        return
    with (
        tempfile.TemporaryDirectory(prefix="liftctl-pg-", ignore_cleanup_errors=True) as folder,
        embedded(Path(folder)) as url,
    ):
        yield url


@pytest.fixture(scope="session")
def migrated(database_url: str) -> Iterator[Engine]:
    found = database.connect(database_url)
    with found.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
        db.execute(text("ALTER SYSTEM SET fsync = off"))  # tests kill processes, never the power
        db.execute(text("SELECT pg_reload_conf()"))
    database.migrate(found, datetime.now(UTC).date())
    yield found
    found.dispose()


def emptied(found: Engine) -> Engine:
    """The same, without a row."""
    with found.begin() as db:
        for table in TABLES:
            db.execute(text(f"DELETE FROM {table}"))
    return found


@pytest.fixture
def engine(migrated: Engine) -> Engine:
    return emptied(migrated)


@pytest.fixture
def ingest(engine: Engine) -> Iterator[TestClient]:
    with TestClient(ingest_app.create(engine)) as client:
        yield client


@pytest.fixture
def home(engine: Engine, ingest: TestClient, tmp_path: Path) -> Home:
    """An enrolled gateway with a real ledger of its own."""
    return Home.enrolled(engine, ingest, tmp_path / "lift-1", "aarhus", "skovly", "lift-1")
