"""Killed at any point, a full or read-only disk, a clock that is set: nothing acknowledged is lost.

The writer is a real process, killed with SIGKILL. `LIFTCTL_NIGHTLY=1` kills it a thousand times.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from liftctl.recorder.entries import Entry
from liftctl.recorder.ledger import Ledger
from liftctl.recorder.reader import read_transfers
from liftctl.recorder.verify import SECOND_PLACE, verify

pytestmark = pytest.mark.process
KILLS = 1000 if os.environ.get("LIFTCTL_NIGHTLY") else 40
WALL_NS = 1_800_000_000_000_000_000

# Forks a writer for each line it reads: the modules are loaded once, each writer is a process.
NURSERY = """
import os, sys
from pathlib import Path
from liftctl.recorder.entries import Entry
from liftctl.recorder.erasure import erase
from liftctl.recorder.ledger import Ledger
path, heads = Path(sys.argv[1]), Path(sys.argv[2])

def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())

def write(life):
    ledger = Ledger(path, lambda: 1_800_000_000_000_000_000, heads)
    if ledger.notice:
        say("notice", ledger.notice)
    n = 0
    while True:
        n += 1
        name = f"t{life}.{n}"
        ledger.append(Entry("opened", name, n, {"id": name}))
        seq = ledger.append(Entry("closed", name, n, {"x": "y" * 200}, {"outcome": "c"})).seq
        say("closed", name, seq)
        if n % 4 == 0:
            erase(ledger, f"t{life}.{n - 2}", "asked")
            say("erased", f"t{life}.{n - 2}")
        if n % 9 == 5:
            ledger.rotate()
            say("rotated", ledger.seq)

for life, _ in enumerate(sys.stdin):
    child = os.fork()
    if child == 0:
        try:
            write(life)
        except BaseException as error:
            say("failed", repr(error))
            os._exit(1)
    say("pid", child)
    os.waitpid(child, 0)
    say("dead")
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "site" / "ledger.sqlite"


@pytest.fixture
def nursery(path: Path) -> Iterator[subprocess.Popen[bytes]]:
    argv = [sys.executable, "-c", NURSERY, str(path), str(path.parent / SECOND_PLACE)]
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    yield process
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(60) == 0


def one_life(nursery: subprocess.Popen[bytes], words: int) -> list[list[str]]:
    """Kill a writer after it has said `words`, in the midst of what it does next."""
    assert nursery.stdin is not None
    assert nursery.stdout is not None
    nursery.stdin.write(b"\n")
    nursery.stdin.flush()
    said: list[list[str]] = []
    pid = 0
    while not said or said[-1][0] != "dead":
        said.append(nursery.stdout.readline().decode().split())
        if said[-1][0] == "pid":
            pid = int(said[-1][1])
        if pid and len(said) > words:
            os.kill(pid, signal.SIGKILL)
            pid = words = 1 << 30
    return said


def test_kills_at_any_point_lose_nothing_that_was_acknowledged(
    path: Path, nursery: subprocess.Popen[bytes]
) -> None:
    draw = random.Random(5)
    closed: dict[str, int] = {}
    erased: set[str] = set()
    for _ in range(KILLS):
        for kind, *rest in one_life(nursery, draw.randint(1, 9)):
            assert kind not in ("failed", "notice"), rest
            if kind == "closed":
                closed[rest[0]] = int(rest[1])
            elif kind == "erased":
                erased.add(rest[0])
    result = verify(path)
    assert result.ok, result.problems
    assert result.compared == 1
    found = {item["id"]: item for item in read_transfers(path)}
    assert len(closed) > KILLS
    assert {name: found[name]["ledger_seq"] for name in closed} == closed
    assert erased
    assert all(found[name]["erased"] for name in erased)


POWERLESS = """
import ctypes, sys
from pathlib import Path
from liftctl.recorder.worker import FAILURES
from liftctl.recorder.ledger import Ledger
# Without capabilities even root obeys the modes of files.
ctypes.CDLL(None).capset((ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)())
path = Path(sys.argv[1])
try:
    Ledger(path, lambda: 1, path.parent / "heads")
except FAILURES as error:
    print(type(error).__name__, error)
"""


@pytest.mark.parametrize("what", ["ledger", "nothing yet"])
def test_a_read_only_disk_is_said_and_changes_nothing(path: Path, what: str) -> None:
    path.parent.mkdir()
    if what == "ledger":
        with closing(Ledger(path, lambda: WALL_NS)) as ledger:
            ledger.append(Entry("closed", "t", 1, {}, {"outcome": "completed"}))
    before = {file.name: file.read_bytes() for file in path.parent.iterdir()}
    for file in path.parent.iterdir():
        file.chmod(0o444)
    path.parent.chmod(0o555)
    argv = [sys.executable, "-c", POWERLESS, str(path)]
    told = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    path.parent.chmod(0o755)
    assert any(word in told for word in ("Permission denied", "readonly", "unable to open")), told
    assert {file.name: file.read_bytes() for file in path.parent.iterdir()} == before
    for file in path.parent.iterdir():
        file.chmod(0o644)
    with closing(Ledger(path, lambda: WALL_NS)) as ledger:
        ledger.append(Entry("closed", "u", 1, {}, {"outcome": "completed"}))
    assert verify(path).ok


def test_a_wall_clock_set_to_and_fro_leaves_order_and_chain_alone(path: Path) -> None:
    year_ns = 365 * 86_400 * 10**9
    times = iter([0, year_ns, -year_ns, -60 * year_ns, 7, *([0] * 99)])
    with closing(Ledger(path, lambda: WALL_NS + next(times))) as ledger:
        for name in "abcd":
            ledger.append(Entry("closed", name, 1, {"id": name}, {"outcome": "completed"}))
    assert [item["id"] for item in read_transfers(path)] == ["d", "c", "b", "a"]
    assert verify(path).ok
