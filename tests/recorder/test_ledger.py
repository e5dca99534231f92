"""The ledger: append-only, verifiable, erasable, and never behind what it acknowledged."""

from __future__ import annotations

import math
import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import typer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from liftctl.recorder.cli import verify_command
from liftctl.recorder.entries import Entry, canonical
from liftctl.recorder.erasure import erase, scrub
from liftctl.recorder.ledger import Ledger
from liftctl.recorder.reader import read_transfers
from liftctl.recorder.store import LedgerError, public_key_path
from liftctl.recorder.unfinished import orphans, unfollowed
from liftctl.recorder.verify import verify

WALL_NS = 1_800_000_000_000_000_000


def wall() -> int:
    return WALL_NS


def closed(name: str, outcome: str = "completed", **payload: Any) -> Entry:
    return Entry("closed", name, 2, {"id": name, **payload}, {"outcome": outcome})


def opened(name: str) -> Entry:
    return Entry("opened", name, 1, {"id": name, "resident": "r-1"})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "site" / "ledger.sqlite"


def filled(path: Path, transfers: int = 3) -> None:
    with closing(Ledger(path, wall)) as ledger:
        for n in range(transfers):
            ledger.append(opened(f"t{n}"))
            ledger.append(Entry("phase", f"t{n}", 1, {"name": "raise", "data": {}}))
            ledger.append(closed(f"t{n}", elapsed_s=100.0 + n))


def test_a_fresh_ledger_verifies_and_reads_newest_first(path: Path) -> None:
    filled(path)
    result = verify(path)
    assert (result.ok, result.entries, result.unsigned_tail) == (True, 10, 0)
    assert [item["id"] for item in read_transfers(path)] == ["t2", "t1", "t0"]
    assert [item["id"] for item in read_transfers(path, limit=1, offset=1)] == ["t1"]


def test_the_key_is_private(path: Path) -> None:
    filled(path, 1)
    assert stat.S_IMODE(path.with_suffix(".key").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE entry SET kind = 'x' WHERE seq = 2",
        "DELETE FROM entry WHERE seq = 10",
        "REPLACE INTO entry SELECT * FROM entry WHERE seq = 2",
        "INSERT INTO entry SELECT 99, epoch, kind, transfer_id, t_utc, t_mono_ns, header,"
        " commitment, prev, hash FROM entry WHERE seq = 2",
        "UPDATE checkpoint SET seq = 1",
        "DELETE FROM checkpoint",
        "UPDATE payload SET body = x'00'",
    ],
)
def test_the_database_itself_refuses_changes(path: Path, sql: str) -> None:
    filled(path)
    with closing(sqlite3.connect(path)) as db, pytest.raises(sqlite3.DatabaseError):
        db.execute(sql)


TAMPERING = {
    "UPDATE entry SET header = CAST(replace(header, 'completed', 'aborted') AS BLOB)"
    " WHERE seq = 4": "hash",
    "UPDATE entry SET transfer_id = 't9' WHERE seq = 3": "columns differ",
    "UPDATE payload SET body = x'7b7d' WHERE seq = 3": "commitment",
    "DELETE FROM payload WHERE seq = 3": "no erasure says so",
    "DELETE FROM entry WHERE seq = 5": "expected number",
    "DELETE FROM entry WHERE seq > 7": "cut off",
    "UPDATE checkpoint SET note = replace(note, 'liftctl/site', 'liftctl/s')": "signature",
    "UPDATE checkpoint SET note = substr(note, 1, length(note) - 9) || 'AAAAAAA=' || char(10)"
    " WHERE seq = 4": "signature",
    "UPDATE checkpoint SET note = (SELECT note FROM checkpoint WHERE seq = 7)"
    " WHERE seq = 4": "not the head of its entries",
    "UPDATE checkpoint SET frontier = zeroblob(32) WHERE seq = 4": "subtrees",
    "DELETE FROM checkpoint": "no head is signed",
}


@pytest.mark.parametrize("sql", TAMPERING)
def test_tampering_past_the_triggers_is_found(path: Path, sql: str) -> None:
    filled(path)
    with closing(sqlite3.connect(path)) as db:
        names = db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in names:
            db.execute(f"DROP TRIGGER {name}")
        db.execute(sql)
        db.commit()
    problems = verify(path).problems
    assert any(TAMPERING[sql] in problem for problem in problems), problems


def test_another_key_does_not_verify(path: Path, tmp_path: Path) -> None:
    filled(path)
    filled(tmp_path / "other.sqlite")
    other = public_key_path(tmp_path / "other.sqlite").read_text().strip()
    assert not verify(path, [other]).ok


def test_an_erased_payload_leaves_a_chain_that_verifies(path: Path) -> None:
    filled(path)
    with closing(Ledger(path, wall)) as ledger:
        assert erase(ledger, "t1", "asked") == 3
        assert erase(ledger, "t1", "asked") == 0
        with pytest.raises(LedgerError, match="code"):
            erase(ledger, "t2", "Mrs Hansen asked")
        assert scrub(ledger)
    result = verify(path)
    assert (result.ok, result.erased) == (True, 3)
    assert b"101.0" not in path.read_bytes()
    erased = read_transfers(path)[1]
    assert (erased["id"], erased["erased"], erased["outcome"]) == ("t1", True, "completed")


def test_nothing_is_written_twice_and_a_real_end_outranks_an_interrupted_one(path: Path) -> None:
    with closing(Ledger(path, wall)) as ledger:
        first = ledger.append(opened("t"))
        assert ledger.append(opened("t")).seq == first.seq
        ledger.append(closed("t", "interrupted"))
        late = ledger.append(closed("t", "completed", elapsed_s=99.0))
        assert late.fresh
        assert not ledger.append(closed("t", "interrupted")).fresh
        assert ledger.append(closed("t", "completed")).seq == late.seq
    (record,) = read_transfers(path)
    assert (record["outcome"], record["elapsed_s"]) == ("completed", 99.0)
    assert verify(path).ok


def test_orphans_and_what_they_told(path: Path) -> None:
    with closing(Ledger(path, wall)) as ledger:
        ledger.append(Entry("opened", "t", 1_000_000_000, {"resident": "r"}))
        ledger.append(Entry("phase", "t", 3_000_000_000, {"name": "raise", "data": {}}))
    with closing(Ledger(path, wall)) as ledger:
        (orphan,) = orphans(ledger.db)
        assert (orphan.id, orphan.phases) == ("t", (("raise", 2.0, {}),))
        assert unfollowed(ledger.db) == ""
        ledger.append(closed("t", "interrupted"))
        assert (orphans(ledger.db), unfollowed(ledger.db)) == ([], "t")


def test_only_one_recorder_writes(path: Path) -> None:
    with closing(Ledger(path, wall)), pytest.raises(LedgerError, match="another recorder"):
        Ledger(path, wall)


@pytest.mark.parametrize("damage", ["header", "middle"])
def test_a_corrupt_database_is_kept_aside_and_said(
    path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    filled(path, 40)
    before = verify(path).epoch
    raw = bytearray(path.read_bytes())
    at = 0 if damage == "header" else 4096
    raw[at : at + 6000] = b"\xa5" * 6000
    path.write_bytes(raw)
    with closing(Ledger(path, lambda: WALL_NS + 10**9)) as ledger:
        assert "kept as ledger.sqlite.corrupt-" in ledger.notice
        assert ledger.epoch != before
    assert [record.levelname for record in caplog.records].count("CRITICAL") == 1
    (kept,) = path.parent.glob("ledger.sqlite.corrupt-*[0-9]")
    assert kept.read_bytes() == raw
    assert verify(path).ok


JSONLIKE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(value=JSONLIKE)
def test_anything_a_message_can_hold_has_one_spelling(value: Any) -> None:
    assert canonical(value) == canonical(value)
    assert b"NaN" not in canonical({"x": math.nan})


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_flipped_byte_of_a_chained_column_is_found(path: Path, data: st.DataObject) -> None:
    if not path.exists():
        filled(path)
        with closing(sqlite3.connect(path)) as db:
            db.execute("DROP TRIGGER entry_update")
            db.commit()
    seq = data.draw(st.integers(1, 10))
    column = data.draw(st.sampled_from(["header", "commitment", "prev", "hash"]))
    with closing(sqlite3.connect(path)) as db:
        (value,) = db.execute(f"SELECT {column} FROM entry WHERE seq = ?", (seq,)).fetchone()
        at = data.draw(st.integers(0, len(value) - 1))
        other = value[:at] + bytes([value[at] ^ 1]) + value[at + 1 :]
        db.execute(f"UPDATE entry SET {column} = ? WHERE seq = ?", (other, seq))
        db.commit()
        assert not verify(path).ok
        db.execute(f"UPDATE entry SET {column} = ? WHERE seq = ?", (value, seq))
        db.commit()
    assert verify(path).ok


WRITER = """
import sys, resource, signal
from pathlib import Path
from liftctl.recorder.ledger import Entry, Ledger
path, start, limit = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
ledger = Ledger(path, lambda: 1_800_000_000_000_000_000)
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
n = start
while True:
    n += 1
    try:
        seq = ledger.append(Entry("closed", f"t{n}", n, {"x": "y" * 200}, {"outcome": "c"})).seq
    except Exception as error:
        print("FULL", type(error).__name__, flush=True)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        ledger.append(Entry("closed", f"t{n}", n, {}, {"outcome": "c"}))
        break
    print(n, seq, flush=True)
"""


def writer(path: Path, start: int, limit: int = 0) -> subprocess.Popen[str]:
    argv = [sys.executable, "-c", WRITER, str(path), str(start), str(limit)]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)


@pytest.mark.process
def test_a_full_disk_refuses_cleanly_and_goes_on_afterwards(path: Path) -> None:
    process = writer(path, 0, limit=200_000)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "FULL OperationalError" in out
    assert verify(path).ok
    assert verify(path).entries == len(out.splitlines()) + 1


def test_the_command(path: Path) -> None:
    filled(path)
    app = typer.Typer()
    app.command()(verify_command)
    good = CliRunner().invoke(app, [str(path)])
    assert (good.exit_code, "ledger holds: 10 entries" in good.stdout) == (0, True)
    bad = CliRunner().invoke(app, [os.devnull, "--json"])
    assert bad.exit_code == 1
