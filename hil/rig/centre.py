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
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import msgspec
from sqlalchemy import Engine, text

from config.schema import load
from hil.figures.table import Spread, row, say
from hil.judge.ward import WardUnderTest
from hil.rig import nation
from hil.rig.balancer import balancing
from hil.rig.figures import SITE, tick_gaps_ms
from liftctl.centre import database
from liftctl.centre.embedded import embedded
from liftctl.centre.ingest.directory import invite, put_home
from liftctl.recorder.ledger import Entry, Ledger
from liftctl.uplink.enrol import enrol
from liftctl.uplink.outbox import Outbox
from liftctl.uplink.sender import Sender
from liftctl.uplink.state import Enrolment, Folder

PHASES, PER_DAY, DAYS = 12, 10, 30
SENDERS = 4
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


def several(found: Centre, folder: Path) -> None:
    """Four homes catch up at once through a balancer, with one process behind it and with two."""
    with _serving("ingest", found.url) as second:
        ports = [int(url.rpartition(":")[2]) for url in (found.ingest, second)]
        took_s = [_together(found, folder / f"behind-{n}", tuple(ports[:n])) for n in (1, 2)]
    say(f"{SENDERS} homes at once through a balancer: {took_s[0]:.2f} s with one ingest,")
    say(f"  {took_s[1]:.2f} s with two; ratio {took_s[0] / took_s[1]:.2f} ({os.cpu_count()} cores)")


def _together(found: Centre, folder: Path, ports: tuple[int, ...]) -> float:
    """Seconds until all are drained; each home is a process of its own."""
    with balancing(ports) as balancer:
        senders = []
        for n in range(SENDERS):
            home = folder / f"home-{n}"
            home.mkdir(parents=True)
            _month(home / "ledger.sqlite")
            name = f"{folder.name}-{n}"
            enrolment = _enrolled(found, home, "bench", name, name)
            url = f"http://127.0.0.1:{balancer.port}"
            Folder(home / "uplink").keep(msgspec.structs.replace(enrolment, url=url))
            senders.append([sys.executable, "-m", "hil.rig.centre", "--drain", str(home)])
        pipe = subprocess.PIPE
        children = [subprocess.Popen(it, stdin=pipe, stdout=pipe, text=True) for it in senders]
        for child in children:
            child.stdout.readline()  # type: ignore[union-attr]  # its start is not its sending
        began = time.perf_counter()
        for child in children:
            child.stdin.close()  # type: ignore[union-attr]
        for child in children:
            child.wait()
        return time.perf_counter() - began


def drain(folder: Path) -> int:
    """One home sends what it has when its input ends, and ends."""
    uplink = Folder(folder / "uplink")
    boxes = (Outbox(folder / "ledger.sqlite", "transfers"),)
    sender = Sender(
        uplink, uplink.enrolment(), uplink.key(), boxes, time.time_ns, time.monotonic_ns
    )
    say("ready")
    sys.stdin.read()
    while sender.step():
        pass
    return 0


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
    """Of the process and its children: the uplink's network is a process of its own."""
    inner = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    own_s = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return own_s + sum(_cpu_s(int(child)) for child in inner)


def figures(transfers: int, seconds: float) -> None:
    """All of them."""
    say("--- knowledge centre")
    with tempfile.TemporaryDirectory() as folder, centre() as found:
        month_offline(found, Path(folder))
        several(found, Path(folder))
        at_home(found, seconds)
        nation.populate(found.engine, transfers)
        with _serving("console", found.url) as url:
            nation.pages(found.engine, url)
        nation.terms(found.engine)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m hil.rig.centre")
    parser.add_argument("--transfers", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--drain", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.drain:
        sys.exit(drain(given.drain))
    figures(given.transfers, given.seconds)
