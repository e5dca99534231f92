"""Transfers from anywhere: what counts, what does not, and with which words it is refused."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.benefit.made import FIRST_AFTER, FIRST_BEFORE, drawn, line, report, run, write

ISO = datetime.fromisoformat


def test_the_report_holds_what_is_promised(tmp_path: Path, baseline: Path) -> None:
    found = report(write(tmp_path / "t.csv", drawn(FIRST_AFTER, 1, 156.9)), baseline)
    low, high = found["saved_s_per_transfer"]["ci95"]
    assert found["saved_s_per_transfer"]["mean"] == pytest.approx(390.3, abs=0.01)
    assert 0 < low < 390.3 < high
    assert found["saved_hours_total"]["mean"] == pytest.approx(390.3 * 144 / 3600, abs=0.01)
    assert (found["n_logged"], found["n_analysed"], found["n_residents"]) == (144, 144, 12)
    assert found["single_handed_share"] == 1.0
    assert found["excluded"] == {}
    assert found["statement"].startswith("each transfer took 6.5 staff-minutes less than before")


def test_no_saving_is_claimed_when_the_interval_spans_zero(tmp_path: Path, baseline: Path) -> None:
    found = report(write(tmp_path / "t.csv", drawn(FIRST_AFTER, 2, 270.0, seed=2)), baseline)
    low, high = found["saved_s_per_transfer"]["ci95"]
    assert low < 0 < high
    assert found["statement"].startswith("no demonstrated saving: ")


def test_a_loss_is_called_a_loss(tmp_path: Path, baseline: Path) -> None:
    found = report(write(tmp_path / "t.csv", drawn(FIRST_AFTER, 2, 500.0)), baseline)
    assert found["saved_s_per_transfer"]["mean"] == pytest.approx(-452.8, abs=0.01)
    assert found["statement"].startswith("no saving: each transfer took 7.5 staff-minutes more")


def test_a_second_carer_counts_wherever_it_came_from(tmp_path: Path, baseline: Path) -> None:
    lines = drawn(FIRST_AFTER, 1, 156.9)
    for number in range(0, len(lines), 4):
        lines[number] |= {"carers": 2, "outcome": "fallback2" if number % 8 else "completed"}
    found = report(write(tmp_path / "t.csv", lines), baseline)
    assert found["n_analysed"] == 144
    assert found["single_handed_share"] == 0.75
    assert found["saved_s_per_transfer"]["mean"] < 390.3 - 30


BAD: dict[str, dict[str, Any]] = {
    "aborted": {"outcome": "aborted"},
    "fault": {"outcome": "fault"},
    "interrupted": {"outcome": "interrupted", "ended_at": ""},
    "training": {"outcome": "training"},
    "unknown_outcome": {"outcome": "done"},
    "missing_end": {"ended_at": ""},
    "unreadable_time": {"started_at": "yesterday"},
    "negative_duration": {"seconds": -60.0},
    "implausible_duration": {"seconds": 4000.0},
    "carers_unknown": {"carers": "two"},
    "resident_missing": {"resident": ""},
    "no_baseline": {"kind": "bath"},
    "baseline_newer_than_use": {"started": FIRST_BEFORE - timedelta(days=30)},
    "ambiguous_time": {
        "started_at": "2026-10-25T02:30:00", "ended_at": "2026-10-25T02:33:00",
    },
    "wrong_time_zone": {
        "started_at": "2026-07-06T10:00:00+02:00", "ended_at": "2026-07-06T10:03:00+01:00",
    },
}  # fmt: skip


@pytest.mark.parametrize("reason", BAD)
def test_what_cannot_count_stands_in_the_flow(tmp_path: Path, baseline: Path, reason: str) -> None:
    lines = [*drawn(FIRST_AFTER, 1, 156.9), line(500, **BAD[reason])]
    found = report(write(tmp_path / "t.csv", lines), baseline)
    assert found["excluded"] == {reason: 1}
    assert (found["n_logged"], found["n_analysed"]) == (145, 144)


@pytest.mark.parametrize(
    ("column", "told", "reason"),
    [
        ("staff_s", "120,5", "unreadable_number"),
        ("staff_s", "n/a", "unreadable_number"),
        ("staff_s", "-300", "unreadable_number"),
        ("staff_s", "1e200", "unreadable_number"),
        ("waiting_s", "a while", "unreadable_number"),
        ("trips", "1.5", "unreadable_number"),
        ("adverse", "101", "unreadable_number"),
        ("carers_planned", "both", "unreadable_number"),
        ("staff_s", "0", "implausible_duration"),
        ("staff_s", "5.0", "implausible_duration"),
        ("staff_s", "150000", "implausible_duration"),  # milliseconds
    ],
)
def test_a_number_that_makes_no_sense_is_left_out_and_said(
    tmp_path: Path, baseline: Path, column: str, told: str, reason: str
) -> None:
    lines = [{**item, column: told if at < 3 else ""} for at, item in
             enumerate(drawn(FIRST_AFTER, 2, 150.0))]  # fmt: skip
    path = write(tmp_path / "t.csv", lines)
    done = run("report", "--transfers", path, "--baseline", baseline, "--json")
    assert json.loads(done.stdout)["excluded"] == {reason: 3}
    said = f"{column} is {told!r}; it must be a " if reason == "unreadable_number" else "staff_s "
    assert f"t.csv:2: {said}" in done.stderr


def test_a_carer_who_was_there_before_the_begin_is_no_slip(tmp_path: Path, baseline: Path) -> None:
    lines = [{**item, "staff_s": "1300" if at == 3 else ""} for at, item in
             enumerate(drawn(FIRST_AFTER, 2, 150.0))]  # fmt: skip
    assert report(write(tmp_path / "t.csv", lines), baseline)["excluded"] == {}


def test_the_hour_that_happens_twice_is_no_riddle_with_an_offset(
    tmp_path: Path, baseline: Path
) -> None:
    twice = line(500, started_at="2026-10-25T02:58:00+02:00", ended_at="2026-10-25T02:01:00+01:00")
    found = report(write(tmp_path / "t.csv", [*drawn(FIRST_AFTER, 1, 156.9), twice]), baseline)
    assert found["excluded"] == {}  # three minutes


def test_a_row_that_came_twice_counts_once_and_a_contradiction_not_at_all(
    tmp_path: Path, baseline: Path
) -> None:
    lines = drawn(FIRST_AFTER, 1, 156.9)
    again, other = dict(lines[5]), {**lines[7], "carers": 2}
    found = report(write(tmp_path / "t.csv", [*lines, again, other]), baseline)
    assert found["excluded"] == {"duplicate": 1, "conflicting_duplicate": 2}


@pytest.mark.parametrize("column", ["lift", "resident"])
def test_two_at_once_are_left_out(tmp_path: Path, baseline: Path, column: str) -> None:
    lines = [{**item, "lift": f"lift-{n}"} for n, item in enumerate(drawn(FIRST_AFTER, 1, 156.9))]
    there = {column: lines[3][column]}
    start = ISO(lines[3]["started_at"]) + timedelta(seconds=20)
    lines.append({**line(500, started=start), "lift": "lift-500", **there})
    found = report(write(tmp_path / "t.csv", lines), baseline)
    assert found["excluded"] == {"overlapping": 2}


def test_times_that_separate_nothing_are_said_to_and_not_judged(
    tmp_path: Path, baseline: Path
) -> None:
    lines = [
        {**item, "started_at": FIRST_AFTER.isoformat(),
         "ended_at": (FIRST_AFTER + timedelta(seconds=150)).isoformat()}
        for item in drawn(FIRST_AFTER, 1, 156.9)
    ]  # fmt: skip
    found = report(write(tmp_path / "t.csv", lines), baseline)
    assert found["excluded"] == {}
    assert "overlaps were not judged" in found["context"]["remarks"][0]


def test_a_learning_period_is_left_out_when_asked(tmp_path: Path, baseline: Path) -> None:
    path = write(tmp_path / "t.csv", drawn(FIRST_AFTER, 1, 156.9, each=40))
    found = report(path, baseline, "--learning-days", 14)
    assert found["excluded"] == {"learning_period": 14 * 24 - 7}  # from seven in the morning


def test_odd_lines_are_named_with_their_numbers(tmp_path: Path, baseline: Path) -> None:
    lines = [*drawn(FIRST_AFTER, 1, 156.9), line(500, seconds=-60.0), line(501, outcome="done")]
    path = write(tmp_path / "t.csv", lines)
    told = run("report", "--transfers", path, "--baseline", baseline).stderr
    assert "t.csv:146: ends 60 s before it starts: excluded" in told
    assert "t.csv:147: outcome 'done' is not one of completed," in told


REFUSED = {
    "columns missing: carers": "transfer_id,resident,home,kind,started_at,ended_at,outcome\n",
    "more cells than columns": ",".join(
        ("transfer_id", "resident", "home", "kind", "carers", "started_at", "ended_at", "outcome")
    ) + "\na,b,c,d,1,e,f,g,h\n",
    "column named twice: kind": "transfer_id,resident,home,kind,kind\n",
    "no CSV table in UTF-8": "transfer_id\xff",
}  # fmt: skip


@pytest.mark.parametrize("words", REFUSED)
def test_a_file_that_is_no_such_table_is_refused(
    tmp_path: Path, baseline: Path, words: str
) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(REFUSED[words].encode("latin-1"))
    done = run("report", "--transfers", path, "--baseline", baseline, "--json")
    assert done.exit_code == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_what_is_missing_on_the_command_line_is_named(tmp_path: Path, baseline: Path) -> None:
    path = write(tmp_path / "t.csv", [line(1)])
    asked = ("report", "--transfers", path)
    assert "--baseline" in run(*asked).stderr
    assert "unknown" in run(*asked, "--baseline", baseline, "--timezone", "Mars/Base").stderr
    assert "none of da, sv, en" in run(*asked, "--baseline", baseline, "--language", "de").stderr
    assert run(*asked, "--baseline", tmp_path / "absent.csv").exit_code == 2


def test_a_table_as_a_spreadsheet_saves_it_is_read(tmp_path: Path, baseline: Path) -> None:
    """Byte order mark, semicolons, an empty column at the end, an empty line."""
    plain = write(tmp_path / "t.csv", drawn(FIRST_AFTER, 1, 156.9))
    lines = [line.replace(",", ";") + ";" for line in plain.read_text("utf-8").splitlines()]
    odd = tmp_path / "odd.csv"
    odd.write_text("\n".join([*lines[:9], ";;;;;;;;", *lines[9:]]), encoding="utf-8-sig")
    assert report(odd, baseline) == report(plain, baseline)


def test_when_nothing_counts_every_page_still_says_so(
    tmp_path: Path, baseline: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIFTCTL_DATA", str(tmp_path / "data"))  # for the key that is made
    lines = [item | {"outcome": "aborted"} for item in drawn(FIRST_AFTER, 1, 156.9)]
    path, out = write(tmp_path / "t.csv", lines), tmp_path / "out"
    done = run("report", "--transfers", path, "--baseline", baseline, "--out", out)
    assert done.exit_code == 0, done.output
    assert "nothing to analyse yet" in done.stdout
    assert "Nothing to analyse yet." in (out / "report-en.html").read_text("utf-8")
