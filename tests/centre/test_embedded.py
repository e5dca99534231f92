"""The PostgreSQL of a demo ends with whoever started it, however that ended."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from liftctl.centre.database import CentreError
from liftctl.centre.embedded import embedded

PATIENCE_S = 60.0
SERVE = """
import signal, sys
from pathlib import Path
from liftctl.centre.embedded import embedded
with embedded(Path(sys.argv[1])) as url:
    print(url, flush=True)
    signal.pause()
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """Not pytest's own: as root the server is another user."""
    with tempfile.TemporaryDirectory(prefix="liftctl-pg-", ignore_cleanup_errors=True) as name:
        yield Path(name) / "postgres"


def ended(pid: int) -> bool:
    """Gone, or only waiting for whoever adopted it to look."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def until(done: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not done():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def children(pid: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(path.read_text().rsplit(")", 1)[1].split()[1]) == pid:
                found.append(int(path.parent.name))
    return found


@pytest.mark.process
def test_whoever_is_killed_takes_the_server_along_and_what_was_committed_stays(
    folder: Path,
) -> None:
    owner = subprocess.Popen([sys.executable, "-c", SERVE, str(folder)], stdout=subprocess.PIPE)
    assert owner.stdout is not None
    with psycopg.connect(owner.stdout.readline().decode().strip()) as db:
        db.execute("CREATE TABLE kept AS SELECT 1 AS n")
    (pid,) = children(owner.pid)
    with pytest.raises(CentreError, match="lock file"), embedded(folder):
        pass  # two would share one folder
    owner.kill()
    owner.wait()
    until(lambda: ended(pid), "the server ends")
    with embedded(folder) as url, psycopg.connect(url) as db:
        assert db.execute("SELECT n FROM kept").fetchall() == [(1,)]
        pid = int((folder / "postmaster.pid").read_text().split()[0])
    assert ended(pid)


def the_whole_demo_is_killed(folder: Path) -> None:
    """At night: PostgreSQL, two ingests and three homes."""
    folder.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
    words = ("-m", "liftctl", "centre", "demo", "--port", str(port), "--data", str(folder))
    demo = subprocess.Popen([sys.executable, *words], stderr=subprocess.PIPE)
    assert demo.stderr is not None
    while b"are there" not in (line := demo.stderr.readline()):
        assert line, "the demo ended"
    family = children(demo.pid)
    assert len(family) == 6
    demo.kill()
    demo.wait()
    until(lambda: all(ended(pid) for pid in family), "everything ends")


if os.environ.get("LIFTCTL_NIGHTLY"):
    test_the_whole_demo_is_killed = pytest.mark.process(the_whole_demo_is_killed)
