"""Everything is killed at random; at the end the centre holds what the homes acknowledged."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx
import msgspec
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from config.schema import load
from hil.rig.balancer import Balancer, balancing
from liftctl.centre.ingest.directory import invite
from liftctl.centre.verify import chains
from liftctl.recorder.readonly import connect
from liftctl.recorder.verify import verify
from liftctl.uplink.enrol import enrol
from liftctl.uplink.sender import Sender
from liftctl.uplink.state import Folder
from tests.centre.home import Home, add_home
from tests.centre.test_ingest import chain, ledger

NIGHTLY = bool(os.environ.get("LIFTCTL_NIGHTLY"))
CHAOS_S, HOMES, INGESTS = (60.0, 4, 3) if NIGHTLY else (4.5, 2, 2)
LIFE_S = 1.0  # of a connection through the balancer, at most
DRAIN_S = 120.0
SITE = Path("config/sites/demo-lift.toml").resolve()


@dataclass(slots=True)
class Process:
    """Started again whenever it is found dead."""

    args: list[str]
    env: dict[str, str] = field(default_factory=dict)
    popen: subprocess.Popen[bytes] | None = None
    kills: int = 0

    def run(self) -> None:
        if self.popen is None or self.popen.poll() is not None:
            self.popen = subprocess.Popen(
                [sys.executable, *self.args], env=os.environ | self.env, stderr=subprocess.DEVNULL
            )

    def kill(self) -> None:
        if self.popen is not None:
            self.popen.kill()
            self.popen.wait()
            self.kills += 1


def _port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


def _until(done: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=1).is_success
    except httpx.HTTPError:
        return False


@dataclass(slots=True)
class Town:
    """Ingest processes behind one address, and for each home a recorder, a writer, an uplink."""

    balancer: Balancer
    ingests: list[Process]
    recorders: list[Process]
    writers: list[Process]
    uplinks: list[Process]
    folders: list[Path]

    def all(self) -> list[Process]:
        return [*self.ingests, *self.recorders, *self.writers, *self.uplinks]


@pytest.fixture
def town(engine: Engine, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
         ) -> Iterator[Town]:  # fmt: skip
    ports = tuple(_port() for _ in range(INGESTS))
    ingests = [
        Process(["-m", "liftctl", "centre", "ingest", "--port", str(port)],
                {"LIFTCTL_CENTRE_DATABASE": database_url})
        for port in ports
    ]  # fmt: skip
    for process in ingests:
        process.run()
    for port in ports:
        _until(lambda port=port: _answers(port), 60, "the ingest starts")  # type: ignore[misc]
    with balancing(ports, LIFE_S) as balancer:
        found = Town(balancer, ingests, [], [], [], [])
        for n in range(HOMES):
            data, run = tmp_path / f"home-{n}", tmp_path / f"run-{n}"
            monkeypatch.setenv("LIFTCTL_DATA", str(data))
            add_home(engine, f"town-{n % 2}", f"home-{n}")
            code = invite(engine, f"town-{n % 2}", f"home-{n}", f"gateway-{n}", datetime.now(UTC))
            enrol(load(SITE), f"http://127.0.0.1:{ports[0]}", code)
            _behind(balancer, data / "demo-lift" / "uplink")
            _home(found, data / "demo-lift", run / "demo-lift",
                  {"LIFTCTL_DATA": str(data), "LIFTCTL_RUN": str(run)})  # fmt: skip
        yield found
    for process in found.all():
        process.kill()


def _behind(balancer: Balancer, folder: Path) -> None:
    """Enrolled once, by a connection that was not cut; from here on by the common address."""
    uplink = Folder(folder)
    url = f"http://127.0.0.1:{balancer.port}"
    uplink.keep(msgspec.structs.replace(uplink.enrolment(), url=url))


def _home(found: Town, data: Path, run: Path, env: dict[str, str]) -> None:
    """The site's real recorder, somebody who tells it transfers, and the real uplink."""
    run.mkdir(parents=True)
    found.folders.append(data)
    found.recorders.append(Process(["-m", "liftctl.recorder", "--site", str(SITE)], env))
    words = ["-m", "tests.centre.writer", str(run / "recorder.sock"), str(data / "acknowledged")]
    found.writers.append(Process(words))
    found.uplinks.append(Process(["-m", "liftctl.uplink", "--site", str(SITE)], env))


def _kill_backend(engine: Engine, rng: random.Random) -> int:
    """SIGKILL one database backend: PostgreSQL restarts all of them."""
    with engine.connect() as db:
        pids = db.execute(
            text("SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'"
                 " AND pid <> pg_backend_pid()")
        ).scalars().all()  # fmt: skip
    if not pids:
        return 0
    os.kill(rng.choice(list(pids)), signal.SIGKILL)
    return 1


def _ledger(folder: Path) -> list[tuple[int, bytes]]:
    with connect(folder / "ledger.sqlite") as db:
        return [tuple(row) for row in db.execute("SELECT seq, hash FROM entry ORDER BY seq")]


def _centre(engine: Engine, n: int) -> list[tuple[int, bytes]]:
    with engine.connect() as db:
        rows = db.execute(
            text("SELECT seq, hash FROM entry WHERE municipality = :m AND controller = :c"
                 " ORDER BY seq"), {"m": f"town-{n % 2}", "c": f"gateway-{n}"}
        ).all()  # fmt: skip
    return [(int(seq), bytes(digest)) for seq, digest in rows]


@pytest.mark.process
def test_killed_at_random_and_nothing_acknowledged_is_lost(
    town: Town, engine: Engine, home: Home
) -> None:
    for process in town.all():
        process.run()
    for n, folder in enumerate(town.folders):
        told = folder / "acknowledged"
        _until(lambda told=told: told.exists() and told.stat().st_size > 0, 60, f"home {n}")  # type: ignore[misc]
    rng, backends, until = random.Random(), 0, time.monotonic() + CHAOS_S
    while time.monotonic() < until:
        for process in town.all():
            process.run()
        time.sleep(rng.uniform(0.2, 0.9))
        who = rng.choice(["writer", "recorder", "recorder", "uplink", "ingest", "backend"])
        if who == "backend":
            with contextlib.suppress(SQLAlchemyError):  # still coming back from the last one
                backends += _kill_backend(engine, rng)
        else:
            kinds = {"writer": town.writers, "uplink": town.uplinks, "ingest": town.ingests,
                     "recorder": town.recorders}  # fmt: skip
            rng.choice(kinds[who]).kill()
    for process in (*town.writers, *town.recorders):
        process.kill()
    for n, folder in enumerate(town.folders):
        _until(lambda n=n, folder=folder: _drained(town, engine, n, folder), DRAIN_S, f"home {n}")  # type: ignore[misc]
    for n, folder in enumerate(town.folders):
        _holds(engine, n, folder)
    _one_by_one(town, engine, home)
    told = chains(engine)
    assert len(told) == HOMES + 2  # both chains of the home that only sends
    assert all(item["ok"] for item in told), told
    kills = sum(process.kills for process in town.all())
    assert kills + backends >= 4
    assert town.balancer.cut


def _one_by_one(town: Town, engine: Engine, home: Home) -> None:
    """Each ingest dies under a home that is sending; the home goes on with the others."""
    url = f"http://127.0.0.1:{town.balancer.port}"
    home.enrolment = msgspec.structs.replace(home.enrolment, url=url)
    with httpx.Client(timeout=60) as home.http:
        sender = home.sender()
        for process in town.ingests:
            for port, other in zip(town.balancer.ports, town.ingests, strict=True):
                other.run()
                _until(lambda port=port: _answers(port), 60, "all ingests are there")  # type: ignore[misc]
            home.transfers(3)
            sender.step()
            process.kill()
            home.transfers(3)
            _until(lambda: _sent(engine, home, sender), 60, "another ingest goes on")
    assert set(town.balancer.served) == set(town.balancer.ports)


def _sent(engine: Engine, home: Home, sender: Sender) -> bool:
    home.drain(sender)
    return chain(engine, home) == ledger(home)


def _drained(town: Town, engine: Engine, n: int, folder: Path) -> bool:
    """What ends while the database comes back is started again, as a supervisor does."""
    for process in (*town.ingests, *town.uplinks):
        process.run()
    try:
        return len(_centre(engine, n)) == len(_ledger(folder))
    except SQLAlchemyError:
        return False


def _holds(engine: Engine, n: int, folder: Path) -> None:
    """Hash by hash, every acknowledged transfer once, and the home's own chain too."""
    assert _centre(engine, n) == _ledger(folder)
    assert verify(folder / "ledger.sqlite").ok
    acknowledged = set((folder / "acknowledged").read_text().split())
    with engine.connect() as db:
        ids = db.execute(
            text("SELECT id FROM transfer WHERE controller = :c"), {"c": f"gateway-{n}"}
        ).scalars().all()  # fmt: skip
    assert len(ids) == len(set(ids))
    assert acknowledged <= set(ids)
    with engine.connect() as db:
        tallied = db.execute(
            text("SELECT sum(n) FROM tally WHERE home = :h"), {"h": f"home-{n}"}
        ).scalar()
    assert tallied == len(ids)


def test_a_home_restored_from_a_backup_opens_a_new_epoch_and_both_are_kept(
    home: Home, engine: Engine
) -> None:
    backup = home.backed_up()
    first = home.ledger.epoch
    home.transfers(4)
    sender = home.drain()
    home.restore(backup)
    assert home.ledger.epoch != first
    home.transfers(3)
    home.drain(sender)
    home.drain()
    told = [item for item in chains(engine) if item["stream"] == "transfers"]
    assert [item["rows"] for item in told] == [10, 4]
    assert all(item["ok"] for item in told)
    with engine.begin() as db:
        assert db.execute(text("SELECT quarantined_at FROM controller")).scalar() is None
        assert db.execute(text("SELECT count(*) FROM transfer")).scalar() == 12
