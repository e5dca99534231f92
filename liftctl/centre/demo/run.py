"""`make centre`: PostgreSQL, two ingest processes, a console and three demo homes on this machine.

Role: supervisor of the demo; serves the console itself. Process: its own. Must never: listen beyond
this machine (its sign-in has no password).
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine, text

from liftctl.centre import database, people
from liftctl.centre.app import create
from liftctl.centre.demo.cast import HOMES, PEOPLE, DemoHome
from liftctl.centre.embedded import embedded
from liftctl.centre.ingest.directory import invite, put_home
from liftctl.centre.signin import DEMO, SignIn
from liftctl.panel.edge import listen, server
from liftctl.up import die_with_parent

HOST = "127.0.0.1"
QUIET_S = 3600 * 31
GRACE_S = 5.0


def run(port: int, data: Path | None) -> int:
    """Until Ctrl-C; the exit status."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # leave nothing behind then either
    with ExitStack() as stack:
        folder = data or Path(stack.enter_context(_temporary()))
        started = time.monotonic()
        url = stack.enter_context(embedded((folder / "postgres").resolve()))
        engine = database.connect(url)
        stack.callback(engine.dispose)
        database.migrate(engine, datetime.now(UTC).date())
        _people(engine)
        stack.enter_context(_children(engine, url, folder, port))
        settings = SignIn(secrets.token_hex(32), f"http://{HOST}:{port}", None, _persons())
        sock = listen(HOST, port, "console")
        threading.Thread(target=_tell, args=(engine, port, started), daemon=True).start()
        server(create(engine, settings)).run(sockets=[sock])
    return 0


@contextmanager
def _temporary() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="liftctl-centre-", ignore_cleanup_errors=True) as name:
        yield name


def _persons() -> tuple[tuple[str, str], ...]:
    return tuple((subject, person.name) for subject, person in PEOPLE.items())


def _people(engine: Engine) -> None:
    for subject, person in PEOPLE.items():
        people.add_member(engine, DEMO, subject, person)
    with engine.begin() as db:
        for home in HOMES:
            put_home(db, home.municipality, home.home, home.title, home.municipality_title)


@contextmanager
def _children(engine: Engine, url: str, folder: Path, port: int) -> Iterator[None]:
    """Ingest processes and homes; they die with us."""
    doors = [port + 1, port + 2]
    commands = [[sys.executable, "-m", "liftctl", "centre", "ingest", "--port", str(door)]
                for door in doors]  # fmt: skip
    found = [_start(command, {"LIFTCTL_CENTRE_DATABASE": url}) for command in commands]
    try:
        _wait_for(doors)
        for n, home in enumerate(HOMES):
            found.append(_home(engine, home, folder, doors[n % len(doors)]))
        yield
    finally:
        for child in found:
            child.send_signal(signal.SIGTERM)
        for child in found:
            try:
                child.wait(GRACE_S)
            except subprocess.TimeoutExpired:
                child.kill()


def _home(engine: Engine, home: DemoHome, folder: Path, door: int) -> subprocess.Popen[bytes]:
    now = datetime.now(UTC)
    codes = {
        item.name: invite(engine, home.municipality, home.home, item.name, now)
        for item in home.gateways
    }
    told = ",".join(f"{name}={code}" for name, code in codes.items())
    place = folder / "homes" / home.home
    command = [sys.executable, "-m", "liftctl.centre.demo.homes", home.home, str(place),
               f"http://{HOST}:{door}"]  # fmt: skip
    return _start(command, {"LIFTCTL_DEMO_CODES": told})


def _start(command: list[str], also: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        env=os.environ | also,
        stdin=subprocess.DEVNULL,
        preexec_fn=die_with_parent,  # noqa: PLW1509
    )


def _wait_for(doors: list[int]) -> None:
    import httpx

    deadline = time.monotonic() + 30
    for door in doors:
        while True:
            try:
                httpx.get(f"http://{HOST}:{door}/healthz", timeout=1)
                break
            except httpx.HTTPError as error:
                if time.monotonic() > deadline:
                    raise database.CentreError("the ingest did not start") from error
                time.sleep(0.1)


def _tell(engine: Engine, port: int, started: float) -> None:
    """Says where to look, and when all histories have arrived."""
    gateways = sum(len(home.gateways) for home in HOMES)
    say = sys.stderr.write
    say(f"liftctl centre: http://{HOST}:{port}  (choose who you are; demo data is filling in)\n")
    there = text("SELECT count(*) FROM controller WHERE reported <> '{}'")
    while True:
        with engine.connect() as db:
            if (db.execute(there).scalar() or 0) >= gateways:
                break
        time.sleep(0.5)
    with engine.begin() as db:  # the one thing that cannot be sent: not having sent anything
        quiet = "UPDATE controller SET durable_at = now() - make_interval(secs => :s)"
        db.execute(text(f"{quiet} WHERE controller = 'skovly-3'"), {"s": QUIET_S})
    took_s = time.monotonic() - started
    say(
        f"liftctl centre: {gateways} gateways of {len(HOMES)} homes are there after {took_s:.0f} s."
    )
    say(" Rooms and figures are made up. Ctrl-C ends.\n")
