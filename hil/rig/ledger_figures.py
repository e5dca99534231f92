"""What the ledger costs: a durable entry against a bare fsync, and how fast it is verified.

Role: measurement for `make bench`. Must never: run on a ledger that is somebody's.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import tempfile
import time
from contextlib import closing
from pathlib import Path

from hil.figures.table import Spread, row, say
from liftctl.recorder.entries import Entry
from liftctl.recorder.ledger import Ledger
from liftctl.recorder.verify import verify

BYTES = 512
PAYLOAD = {"name": "traverse", "data": {"step": "traversing", "carers": 1, "filler": "x" * 300}}


def ledger_figures(times: int = 1000, folder: Path | None = None) -> None:
    """On the disk of `folder` (default: where temporary files are)."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        place = Path(name)
        bare = _fsync_us(place / "bare", times)
        path = place / "ledger.sqlite"
        with closing(Ledger(path, time.time_ns, place / "heads")) as ledger:
            phases = [_append_us(ledger, "phase", n) for n in range(times)]
            closes = [_append_us(ledger, "closed", n) for n in range(times // 5)]
        floor = Spread.of(bare)
        row("ledger entry, durable", "us", Spread.of(phases), floor, f"fsync of {BYTES} B")
        row("closing entry: signed, head kept twice", "us", Spread.of(closes), floor,
            f"fsync of {BYTES} B")  # fmt: skip
        rate, bare_rate = 1e6 * len(phases) / sum(phases), 1e6 * len(bare) / sum(bare)
        say(f"  rows/s    {rate:.0f} against {bare_rate:.0f} fsyncs/s: {rate / bare_rate:.0%}")
        _verify_rate(path)


def _fsync_us(path: Path, times: int) -> list[float]:
    file, found = os.open(path, os.O_WRONLY | os.O_CREAT), []
    try:
        for _ in range(times):
            begun = time.perf_counter()
            os.write(file, b"x" * BYTES)
            os.fsync(file)
            found.append((time.perf_counter() - begun) * 1e6)
    finally:
        os.close(file)
    return found


def _append_us(ledger: Ledger, kind: str, number: int) -> float:
    begun = time.perf_counter()
    ledger.append(Entry(kind, f"t{number}", number, PAYLOAD, {"outcome": "completed"}))
    return (time.perf_counter() - begun) * 1e6


def _verify_rate(path: Path) -> None:
    """Entries a second against hashing the same payloads and nothing else."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        bodies = [body for (body,) in db.execute("SELECT body FROM payload")]
    begun = time.perf_counter()
    for body in bodies:
        hashlib.sha256(body).digest()
    bare_s = time.perf_counter() - begun
    begun = time.perf_counter()
    result = verify(path)
    took_s = time.perf_counter() - begun
    say(
        f"ledger verify: {result.entries / took_s:.0f} entries/s, {result.heads} heads "
        f"({'holds' if result.ok else 'DOES NOT HOLD'}); "
        f"one bare SHA-256 each: {len(bodies) / bare_s:.0f}/s; sqlite {sqlite3.sqlite_version}"
    )
