"""The console over a made-up nation: 98 municipalities, 1,000 homes, 40,000 devices, a year.

Role: measurement for `hil.rig.centre`. Must never: judge, or be taken for real wear.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

import httpx
from sqlalchemy import Engine, text

from hil.figures.table import Spread, row, say
from liftctl.centre import people
from liftctl.centre.people import Person
from liftctl.centre.prune import prune, put_term

ROUNDS = 20
CHUNK = 200_000
NATION = """
INSERT INTO municipality SELECT 'town-' || n, 'Town ' || n FROM generate_series(0, 97) n;
INSERT INTO home SELECT 'town-' || n % 98, 'home-' || n, 'Home ' || n
  FROM generate_series(0, 999) n;
INSERT INTO controller (municipality, controller, home, kind, title, public_key, enrolled_at,
  durable_at, durable_seq, reported, trends, commissioned, cycles, service_cycles, service_by,
  inspection_by, transfers_28d, active_days_28d, trips_7d)
SELECT 'town-' || (n % 1000) % 98, 'lift-' || n, 'home-' || n % 1000, 'lift', 'Room ' || n,
  sha256(n::text::bytea), now(), now() - make_interval(mins => (n * 7919) % 3000), n,
  jsonb_build_object('mode', 'ready', 'latched', '[]'::jsonb, 'battery_pct', 15 + (n * 31) % 85),
  jsonb_build_object('motor_current_pct_at_swl', 60 + (n * 17) % 20, 'brake_drift_mm', n % 12),
  '{"motor_current_pct_at_swl": 62}', n % 2600, 2500, current_date + (n * 13) % 400 - 20,
  current_date + (n * 29) % 400 - 10, 200 + n % 90, 28, n % 5 FROM generate_series(0, 39999) n;
INSERT INTO event SELECT municipality, home, controller, 2, n, now() - n * interval '14 days',
  CASE n % 5 WHEN 0 THEN 'service' ELSE 'trip' END, 'slack', '{"row": "slack", "moving": "UP"}'
  FROM controller, generate_series(1, 25) n;
INSERT INTO trend SELECT municipality, home, controller, name, current_date - n, 60 + n % 9
  FROM controller, generate_series(1, 400) n, unnest('{battery_pct,brake_drift_mm,comms_errors,
  motor_current_pct_at_swl}'::text[]) name WHERE municipality = 'town-1';
INSERT INTO audit (municipality, at, who, what, detail) SELECT 'town-' || n % 98,
  now() - n * interval '2 minutes', 'the room', 'support granted', '{"minutes": "30"}'
  FROM generate_series(1, 200000) n;
"""
TRANSFERS = """
INSERT INTO transfer SELECT 'town-' || (c % 1000) % 98, 'home-' || c % 1000, 'lift-' || c, 1, n,
  now() - make_interval(secs => (n * 31536000.0 / :total)), 't' || n,
  ('{bed-chair,chair-bed,bed-toilet,toilet-bed,bed-bath,stand-sit}'::text[])[1 + n % 6],
  CASE WHEN n % 97 = 0 THEN 'fault' WHEN n % 31 = 0 THEN 'aborted' WHEN n % 23 = 0 THEN 'fallback2'
    ELSE 'completed' END,
  1 + (n % 7 = 0)::int, 180 + n % 200, 200 + n % 300, n % 9 / 8, 0, '{}'
FROM (SELECT n, (n * 7907) % 40000 AS c FROM generate_series(CAST(:first AS bigint), :last) n) made
"""
TALLY = """
INSERT INTO tally SELECT municipality, home, date_trunc('month', at)::date, outcome,
  coalesce(carers, 0), count(*), sum(elapsed_s), sum(staff_s), sum(blocks), sum(alarms)
  FROM transfer WHERE municipality LIKE 'town-%' GROUP BY 1, 2, 3, 4, 5
"""
EVERYONE, TOWN = Person("bench", "centre"), Person("bench", "municipality", "town-1")
PAGES = (
    ("fleet, 40,000 devices by risk", EVERYONE, "/api/fleet?limit=50"),
    ("its last page", EVERYONE, "/api/fleet?limit=50&offset=39950"),
    ("fleet of one municipality", TOWN, "/api/fleet?limit=50"),
    ("search in 40,000 devices", EVERYONE, "/api/fleet?search=room%20399"),
    ("one device, 400 days of trends", TOWN, "/api/devices/town-1/lift-1"),
    ("its events", TOWN, "/api/devices/town-1/lift-1/events"),
    ("evidence of all homes, a year", EVERYONE, "/api/evidence?days=365"),
    ("evidence of one municipality, a year", TOWN, "/api/evidence?days=365"),
    ("audit trail of all", EVERYONE, "/api/audit"),
    ("audit trail of one municipality", TOWN, "/api/audit"),
    ("who am I, with all places", EVERYONE, "/api/me"),
    ("metrics", EVERYONE, "/metrics"),
)


def populate(engine: Engine, transfers: int) -> None:
    """The nation's rows, and a database that knows how many they are."""
    began = time.perf_counter()
    with engine.begin() as db:
        db.execute(text("SET LOCAL statement_timeout = 0"))
        for statement in NATION.split(";\n"):
            if statement.strip():
                db.execute(text(statement))
        for first in range(0, transfers, CHUNK):
            last = min(transfers, first + CHUNK) - 1
            db.execute(text(TRANSFERS), {"first": first, "last": last, "total": transfers})
        db.execute(text(TALLY))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
        db.execute(text("SET statement_timeout = 0"))
        db.execute(text("VACUUM ANALYZE"))
        size = db.execute(text("SELECT pg_size_pretty(pg_database_size(current_database()))"))
        say(f"nation: 40,000 devices, {transfers:,} transfers, 1,000,000 events, {size.scalar()}"
            f" (made in {time.perf_counter() - began:.0f} s)")  # fmt: skip


def pages(engine: Engine, url: str) -> None:
    """Each page's time through a console process."""
    now = datetime.now(UTC)
    bearers = {person: f"Bearer {people.add_token(engine, person, 1, now)}"
               for person in (EVERYONE, TOWN)}  # fmt: skip
    with httpx.Client(base_url=url, timeout=60) as http:
        empty = _times(lambda: http.get("/healthz"))
        for name, person, path in PAGES:
            headers = {"authorization": bearers[person]}
            took = _times(lambda path=path, headers=headers: http.get(path, headers=headers))  # type: ignore[misc]
            row(name, "ms", took, empty, "GET /healthz")


def _times(ask: Callable[[], httpx.Response]) -> Spread:
    found = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        ask().raise_for_status()
        found.append((time.perf_counter() - began) * 1000)
    return Spread.of(found)


def terms(engine: Engine) -> None:
    """A municipality forgets all but half a year of its transfers."""
    put_term(engine, "town-1", "transfers", 180)
    began = time.perf_counter()
    (*_, told) = prune(engine, datetime.now(UTC))
    took_s = time.perf_counter() - began
    gone = told["rows"]["transfer"]
    say(f"one municipality's term: {gone:,} transfers pruned in {took_s:.2f} s,"
        f" {gone / took_s:.0f} rows/s")  # fmt: skip
