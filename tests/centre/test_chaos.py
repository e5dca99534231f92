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
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from config.schema import load
from liftctl.centre.ingest.directory import invite
from liftctl.centre.verify import chains
from liftctl.recorder.readonly import connect
from liftctl.recorder.verify import verify
from liftctl.uplink.enrol import enrol
from tests.centre.home import Home, add_home

NIGHTLY = bool(os.environ.get("LIFTCTL_NIGHTLY"))
CHAOS_S, HOMES = (60.0, 4) if NIGHTLY else (7.0, 2)
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
    """Ingest processes, and for each home a writer and an uplink."""

    ingests: list[Process]
    writers: list[Process]
    uplinks: list[Process]
    folders: list[Path]

    def all(self) -> list[Process]:
        return [*self.ingests, *self.writers, *self.uplinks]


@pytest.fixture
def town(engine: Engine, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
         ) -> Iterator[Town]:  # fmt: skip
    ports = [_port(), _port()]
    ingests = [
        Process(["-m", "liftctl", "centre", "ingest", "--port", str(port)],
                {"LIFTCTL_CENTRE_DATABASE": database_url})
        for port in ports
    ]  # fmt: skip
    found = Town(ingests, [], [], [])
    for process in ingests:
        process.run()
    for port in ports:
        _until(lambda port=port: _answers(port), 60, "the ingest starts")  # type: ignore[misc]
    for n in range(HOMES):
        data = tmp_path / f"home-{n}"
        monkeypatch.setenv("LIFTCTL_DATA", str(data))
        add_home(engine, f"town-{n % 2}", f"home-{n}")
        code = invite(engine, f"town-{n % 2}", f"home-{n}", f"lift-{n}", datetime.now(UTC))
        enrol(load(SITE), f"http://127.0.0.1:{ports[n % 2]}", code)
        folder = data / "demo-lift"
        found.folders.append(folder)
        found.writers.append(Process(["-m", "tests.centre.writer", str(folder / "ledger.sqlite"),
                                      str(folder / "acknowledged")]))  # fmt: skip
        found.uplinks.append(
            Process(["-m", "liftctl.uplink", "--site", str(SITE)], {"LIFTCTL_DATA": str(data)})
        )
    yield found
    for process in found.all():
        process.kill()


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
                 " ORDER BY seq"), {"m": f"town-{n % 2}", "c": f"lift-{n}"}
        ).all()  # fmt: skip
    return [(int(seq), bytes(digest)) for seq, digest in rows]


@pytest.mark.process
def test_killed_at_random_and_nothing_acknowledged_is_lost(town: Town, engine: Engine) -> None:
    rng, backends, until = random.Random(), 0, time.monotonic() + CHAOS_S
    while time.monotonic() < until:
        for process in town.all():
            process.run()
        time.sleep(rng.uniform(0.2, 0.9))
        who = rng.choice(["writer", "uplink", "uplink", "ingest", "backend"])
        if who == "backend":
            with contextlib.suppress(SQLAlchemyError):  # still coming back from the last one
                backends += _kill_backend(engine, rng)
        else:
            kinds = {"writer": town.writers, "uplink": town.uplinks, "ingest": town.ingests}
            rng.choice(kinds[who]).kill()
    for process in town.writers:
        process.kill()
    for n, folder in enumerate(town.folders):
        _until(lambda n=n, folder=folder: _drained(town, engine, n, folder), DRAIN_S, f"home {n}")  # type: ignore[misc]
    for n, folder in enumerate(town.folders):
        _holds(engine, n, folder)
    told = chains(engine)
    assert len(told) == HOMES
    assert all(item["ok"] for item in told), told
    kills = sum(process.kills for process in town.all())
    assert kills + backends >= 4


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
            text("SELECT id FROM transfer WHERE controller = :c"), {"c": f"lift-{n}"}
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
    path = home.path / "ledger.sqlite"
    home.close()
    home.heads = home.path / "heads"
    home.open()
    home.transfers(5)
    home.close()
    backup = path.read_bytes()
    home.open()
    first = home.ledger.epoch
    home.transfers(4)
    sender = home.drain()
    home.close()
    for name in ("ledger.sqlite-wal", "ledger.sqlite-shm"):
        (home.path / name).unlink(missing_ok=True)
    path.write_bytes(backup)
    home.open()
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
