"""What a report refuses, and what it leaves out rather than give somebody away."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import Result

from tests.benefit.made import FIRST_AFTER, against, drawn, run


@pytest.fixture
def touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home where somebody made the transfers shorter past the triggers."""
    monkeypatch.setenv("LIFTCTL_DATA", str(tmp_path / "var"))
    home = tmp_path / "touched"
    made = run("synth", "--out", home, "--residents", 6, "--days", 30, "--before-days", 14)
    assert made.exit_code == 0, made.output
    with closing(sqlite3.connect(home / "ledger.sqlite")) as db:
        db.execute("DROP TRIGGER payload_update")
        db.execute(
            "UPDATE payload SET body = CAST(json_set(CAST(body AS TEXT), '$.elapsed_s', 31.0) AS"
            " BLOB) WHERE json_extract(CAST(body AS TEXT), '$.elapsed_s') IS NOT NULL"
        )
        db.commit()
    return home


def reported(home: Path, out: Path, *more: str) -> Result:
    return run(
        "report", "--ledger", home, "--baseline", home / "baseline.json", "--out", out, *more
    )


def test_a_ledger_that_does_not_hold_makes_no_report(touched: Path, tmp_path: Path) -> None:
    done = reported(touched, tmp_path / "out")
    assert done.exit_code == 2
    assert "ledger touched/ledger.sqlite does not hold: entry " in done.stderr
    assert "`liftctl ledger verify`; --unverified" in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_ledger_that_does_not_hold_makes_no_baseline(touched: Path, tmp_path: Path) -> None:
    out = tmp_path / "before.json"
    done = run("baseline", "freeze", "--ledger", touched, "--out", out)
    assert done.exit_code == 2
    assert "ledger touched/ledger.sqlite does not hold: entry " in done.stderr
    assert "`liftctl ledger verify`" in done.stderr
    assert not out.exists()


def test_who_wants_its_report_all_the_same_reads_it_on_the_first_page_and_gets_no_pack(
    touched: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert reported(touched, out, "--unverified").exit_code == 0
    assert not (out / "evidence.zip").exists()
    told = {"en": "does not hold", "da": "holder ikke", "sv": "håller inte"}
    for language, word in told.items():
        first = (out / f"report-{language}.html").read_text("utf-8").split('class="rest"')[0]
        assert f"touched/ledger.sqlite {word}" in first
    found = json.loads((out / "numbers.json").read_text("utf-8"))
    assert found["context"]["not_holding"] == ["touched/ledger.sqlite"]


def test_a_full_disk_is_said_in_one_line_and_the_older_report_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIFTCTL_DATA", str(tmp_path / "var"))
    asked = against(tmp_path, drawn(FIRST_AFTER, 1, 156.9), tmp_path / "reports" / "r")
    write_bytes, calls = Path.write_bytes, list[Path]()

    def full(self: Path, body: bytes) -> int:
        calls.append(self)
        if len(calls) % 3 == 0:
            raise OSError(28, "No space left on device")
        return write_bytes(self, body)

    def said() -> None:
        with monkeypatch.context() as patch:
            patch.setattr(Path, "write_bytes", full)
            done = run(*asked)
        assert done.exit_code == 2
        (line,) = done.stderr.splitlines()
        assert "cannot be written (No space left on device); make room" in line

    said()
    assert list((tmp_path / "reports").iterdir()) == []
    assert run(*asked).exit_code == 0
    before = {path.name: path.read_bytes() for path in (tmp_path / "reports" / "r").iterdir()}
    said()
    assert [path.name for path in (tmp_path / "reports").iterdir()] == ["r"]
    after = {path.name: path.read_bytes() for path in (tmp_path / "reports" / "r").iterdir()}
    assert after == before


def test_rows_of_four_residents_of_whom_none_counts_do_not_leave_either(tmp_path: Path) -> None:
    lines = [{**item, "outcome": "aborted"} for item in drawn(FIRST_AFTER, 1, 150, residents=4)]
    done = run(*against(tmp_path, lines, tmp_path / "out"))
    assert done.exit_code == 0
    left = {path.name for path in (tmp_path / "out").iterdir()}
    assert not left & {"evidence.zip", "rows.parquet"}
