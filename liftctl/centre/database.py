"""The centre's PostgreSQL: engine, tenancy of a transaction, schema, month partitions.

Role: the only place that opens a connection. Process: centre. Must never: run a tenant's query
outside `tenant`, `everyone`, `ingesting` or `door`: each takes a database role that row-level
security judges, inside one transaction.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import date
from pathlib import Path

import alembic.command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.engine import make_url

MONTHLY = ("event", "transfer")
MONTHS_BACK, MONTHS = 13, 17
POOL = 8


class CentreError(Exception):
    """The centre cannot work; one line with the remedy."""


def connect(url: str) -> Engine:
    """A pool whose connections are tried before use: a killed backend is nobody's error."""
    address = make_url(url).set(drivername="postgresql+psycopg")
    options = "-c timezone=UTC -c statement_timeout=30s -c lock_timeout=10s -c work_mem=32MB"
    return create_engine(
        address,
        pool_size=POOL,
        max_overflow=POOL,
        pool_pre_ping=True,
        pool_timeout=10,
        connect_args={"options": options, "connect_timeout": 5},
    )


@contextmanager
def _as(engine: Engine, role: str, municipality: str = "", home: str = "") -> Iterator[Connection]:
    with engine.begin() as connection:
        connection.execute(
            text(
                "SELECT set_config('role', :role, true),"
                " set_config('liftctl.municipality', :municipality, true),"
                " set_config('liftctl.home', :home, true)"
            ),
            {"role": role, "municipality": municipality, "home": home},
        )
        yield connection


def ingesting(engine: Engine, municipality: str) -> AbstractContextManager[Connection]:
    """A transaction that writes one municipality's rows."""
    return _as(engine, "liftctl_ingest", municipality)


def tenant(engine: Engine, municipality: str, home: str = "") -> AbstractContextManager[Connection]:
    """A transaction that reads one municipality's rows, or one home's."""
    return _as(engine, "liftctl_tenant", municipality, home)


def everyone(engine: Engine) -> AbstractContextManager[Connection]:
    """A transaction of the centre: every municipality's devices."""
    return _as(engine, "liftctl_centre")


def door(engine: Engine) -> AbstractContextManager[Connection]:
    """A transaction of the sign-in: who somebody is, nothing else."""
    return _as(engine, "liftctl_door")


def migrate(engine: Engine, today: date) -> None:
    """The newest schema, and partitions for the months around `today`."""
    settings = Config()
    settings.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(6120)"))
        settings.attributes["connection"] = connection
        alembic.command.upgrade(settings, "head")
        for month in range(first_month(today), first_month(today) + MONTHS):
            add_month(connection, month)


def first_month(today: date) -> int:
    """The oldest month that has partitions from the beginning, counted from year 0."""
    return today.year * 12 + today.month - 1 - MONTHS_BACK


def add_month(connection: Connection, month: int) -> None:
    """Partitions for one month, counted from year 0; what lies outside the months made here is kept
    in the default partition.
    """
    first, after = (date(n // 12, n % 12 + 1, 1) for n in (month, month + 1))
    for table in MONTHLY:
        name = f"{table}_{first:%Y_%m}"
        if connection.execute(text("SELECT to_regclass(:name)"), {"name": name}).scalar():
            continue
        span = f"FROM ('{first}') TO ('{after}')"
        moved = f"at >= '{first}' AND at < '{after}'"
        connection.execute(
            text(
                f"CREATE TABLE {name} (LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS);"
                f"WITH gone AS (DELETE FROM {table}_other WHERE {moved} RETURNING *)"
                f" INSERT INTO {name} SELECT * FROM gone;"
                f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES {span}"
            )
        )
