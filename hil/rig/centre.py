"""Figures of the knowledge centre: ingest against COPY, a month offline, pages of a nation, cost at
home.

Role: measurement for `make bench`; alone: `python -m hil.rig.centre`. Must never: judge.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
from sqlalchemy import Engine, text

from config.schema import load
from hil.figures.table import Spread, row, say
from hil.judge.ward import WardUnderTest
from hil.rig.figures import SITE, tick_gaps_ms
from liftctl.centre import database, people
from liftctl.centre.embedded import embedded
from liftctl.centre.ingest.directory import invite, put_home
from liftctl.centre.people import Person
from liftctl.recorder.ledger import Entry, Ledger
from liftctl.uplink.enrol import enrol
from liftctl.uplink.outbox import Outbox
from liftctl.uplink.sender import Sender
from liftctl.uplink.state import Enrolment, Folder

PHASES, PER_DAY, DAYS = 12, 10, 30
ROUNDS = 20
START_S = 180.0


@dataclass(frozen=True, slots=True)
class Centre:
    """A database, and one ingest process before it."""

    engine: Engine
    url: str
    ingest: str


@contextmanager
def centre() -> Iterator[Centre]:
    """In a folder of its own, with durable commits."""
    place = tempfile.TemporaryDirectory(prefix="liftctl-bench-", ignore_cleanup_errors=True)
    with place as name, embedded(Path(name) / "postgres") as url:
        engine = database.connect(url)
        database.migrate(engine, datetime.now(UTC).date())
        with _serving("ingest", url) as ingest:
            yield Centre(engine, url, ingest)
        engine.dispose()


@contextmanager
def _serving(what: str, database_url: str) -> Iterator[str]:
    """One process of the centre; its address."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
    child = subprocess.Popen(
        [sys.executable, "-m", "liftctl", "centre", what, "--port", str(port)],
        env=os.environ | {"LIFTCTL_CENTRE_DATABASE": database_url},
    )
    try:
        _wait(f"http://127.0.0.1:{port}/healthz", child)
        yield f"http://127.0.0.1:{port}"
    finally:
        child.terminate()
        child.wait()


def _wait(url: str, child: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and child.poll() is None:
        try:
            httpx.get(url, timeout=1)
            return
        except httpx.HTTPError:
            time.sleep(0.1)
    raise SystemExit(f"{url} does not answer (status {child.poll()})")


def month_offline(found: Centre, folder: Path) -> None:
    """A month of one lift, drained; and the same rows by COPY."""
    path = folder / "ledger.sqlite"
    _month(path)
    enrolment = _enrolled(found, folder, "bench", "home", "lift")
    boxes = (Outbox(path, "transfers"),)
    uplink = Folder(folder / "uplink")
    sender = Sender(uplink, enrolment, uplink.key(), boxes, time.time_ns, time.monotonic_ns)
    rows = boxes[0].pending(0).rows
    began = time.perf_counter()
    while sender.step():
        pass
    took_s = time.perf_counter() - began
    copy_s = _copy(found.engine)
    say(f"{DAYS} days offline, {PER_DAY} transfers a day: {rows} rows, {took_s:.2f} s to catch up")
    say(f"  one ingest  {rows / took_s:9.0f} rows/s (HTTP, signature, chain, tables, commits)")
    say(f"  baseline    {rows / copy_s:9.0f} rows/s  COPY of the same rows, one transaction")
    say(f"  ratio       {copy_s / took_s:.3f}")


def _month(path: Path) -> None:
    ledger = Ledger(path, time.time_ns)
    ledger.db.execute("PRAGMA synchronous = OFF")  # how fast it was written is not the question
    for n in range(DAYS * PER_DAY):
        name = f"t{n}"
        ledger.append(Entry("opened", name, 1, {"id": name}))
        for phase in range(PHASES):
            ledger.append(Entry("phase", name, 1, {"name": f"phase-{phase}", "data": {}}))
        record = {"id": name, "kind": "bed-chair", "carers_actual": 1, "elapsed_s": 200.0,
                  "staff_s": 200.0, "outcome": "completed"}  # fmt: skip
        ledger.append(Entry("closed", name, 1, record, {"outcome": "completed"}))
    ledger.close()


def _enrolled(found: Centre, folder: Path, town: str, home: str, name: str) -> Enrolment:
    with found.engine.begin() as db:
        put_home(db, town, home, home, town)
    code = invite(found.engine, town, home, name, datetime.now(UTC))
    os.environ["LIFTCTL_DATA"] = str(folder)
    enrolment = enrol(load(SITE), found.ingest, code)
    shutil.copytree(folder / "demo-lift" / "uplink", folder / "uplink", dirs_exist_ok=True)
    return enrolment


def _copy(engine: Engine) -> float:
    """Out to memory, then into a table of the same columns and key."""
    with engine.connect() as db:
        db.execute(text("CREATE TABLE copied (LIKE entry INCLUDING INDEXES)"))
        db.commit()
        cursor = db.connection.cursor()
        with cursor.copy("COPY (SELECT * FROM entry) TO STDOUT (FORMAT binary)") as out:
            data = b"".join(bytes(part) for part in out)
        began = time.perf_counter()
        with cursor.copy("COPY copied FROM STDIN (FORMAT binary)") as into:
            into.write(data)
        db.commit()
        return time.perf_counter() - began


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
"""
TRANSFERS = """
INSERT INTO transfer SELECT 'town-' || (c % 1000) % 98, 'home-' || c % 1000, 'lift-' || c, 1, n,
  now() - make_interval(secs => (n * 31536000.0 / :total)), 't' || n, 'bed-chair', 'completed',
  1 + (n % 7 = 0)::int, 180 + n % 200, 200 + n % 300, n % 9 / 8, 0, '{}'
FROM (SELECT n, (n * 7907) % 40000 AS c FROM generate_series(CAST(:first AS bigint), :last) n) made
"""
TALLY = """
INSERT INTO tally SELECT municipality, home, at::date, kind, outcome, coalesce(carers, 0), count(*),
  sum(elapsed_s), sum(staff_s), sum(blocks), sum(alarms) FROM transfer
  WHERE municipality LIKE 'town-%' GROUP BY 1, 2, 3, 4, 5, 6
"""
CHUNK = 200_000
PAGES = {
    "fleet, 40,000 devices by risk": "/api/fleet?limit=50",
    "fleet of one municipality": "/api/fleet?municipality=town-1&limit=50",
    "search in 40,000 devices": "/api/fleet?search=room%20399",
    "one device": "/api/devices/town-1/lift-1",
    "its events": "/api/devices/town-1/lift-1/events",
    "evidence of all homes, a year": "/api/evidence?days=365",
}


def pages(found: Centre, transfers: int) -> None:
    """Page times over a made-up nation."""
    began = time.perf_counter()
    with found.engine.begin() as db:
        db.execute(text("SET LOCAL statement_timeout = 0"))
        for statement in NATION.split(";\n"):
            if statement.strip():
                db.execute(text(statement))
        for first in range(0, transfers, CHUNK):
            last = min(transfers, first + CHUNK) - 1
            db.execute(text(TRANSFERS), {"first": first, "last": last, "total": transfers})
        db.execute(text(TALLY))
    with found.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
        db.execute(text("SET statement_timeout = 0"))
        db.execute(text("VACUUM ANALYZE"))
    made_s = time.perf_counter() - began
    say(f"nation: 40,000 devices, {transfers:,} transfers (made in {made_s:.0f} s)")
    token = people.add_token(found.engine, Person("bench", "centre"), 1, datetime.now(UTC))
    with _serving("console", found.url) as url, httpx.Client(base_url=url) as http:
        http.headers["authorization"] = f"Bearer {token}"
        empty = _times(lambda: http.get("/healthz"))
        for name, path in PAGES.items():
            row(name, "ms", _times(lambda path=path: http.get(path)), empty, "GET /healthz")  # type: ignore[misc]


def _times(ask: Callable[[], httpx.Response]) -> Spread:
    found = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        ask().raise_for_status()
        found.append((time.perf_counter() - began) * 1000)
    return Spread.of(found)


def at_home(found: Centre, seconds: float) -> None:
    """The uplink beside a running gate: its processor time, and the gate's lateness with it."""
    with WardUnderTest(rooms=("lift",)) as ward:
        run, data = ward.root / "run", ward.root / "data"
        deadline = time.monotonic() + 60
        while len(tick_gaps_ms(run, 1.0).gate) < 40 and time.monotonic() < deadline:
            pass
        _enrolled(found, data, "bench", "home", "lift-at-home")
        without = tick_gaps_ms(run, seconds)
        uplink = subprocess.Popen(
            [sys.executable, "-m", "liftctl.uplink", "--site", str(SITE)], env=ward.env
        )
        time.sleep(3.0)  # its start is not its running
        before = _cpu_s(uplink.pid)
        beside = tick_gaps_ms(run, seconds)
        used = _cpu_s(uplink.pid) - before
        uplink.terminate()
        uplink.wait()
    late = [[max(0.0, gap - 20.0) for gap in it.gate] for it in (beside, without)]
    row("gate lateness with an uplink beside it", "ms", Spread.of(late[0]), Spread.of(late[1]),
        "the same gate without")  # fmt: skip
    say(f"  the uplink used {100 * used / seconds:.1f} % of one processor (50 states a second)")


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def figures(transfers: int, seconds: float) -> None:
    """All of them."""
    say("--- knowledge centre")
    with tempfile.TemporaryDirectory() as folder, centre() as found:
        month_offline(found, Path(folder))
        at_home(found, seconds)
        pages(found, transfers)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m hil.rig.centre")
    parser.add_argument("--transfers", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=10.0)
    given = parser.parse_args()
    figures(given.transfers, given.seconds)
