"""A report over a home's own ledger, which may hold the baseline's period too."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from liftctl.benefit.flow import Rules, judge
from liftctl.benefit.ledger_rows import rows_of
from tests.benefit.ledgers import ledger_of, record, two_periods
from tests.benefit.made import FIRST_AFTER, drawn, report, run, write


def over(book: Path, baseline: Path, *more: object) -> dict[str, Any]:
    """The JSON of `liftctl report --ledger`."""
    done = run("report", "--ledger", book, "--baseline", baseline, "--json", *more)
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    ("learning", "left_out"),
    [(0, {"baseline_period": 240}), (2, {"baseline_period": 240, "learning_period": 41})],
)
def test_a_transfer_of_the_baseline_is_not_counted_as_todays_too(
    tmp_path: Path, learning: int, left_out: dict[str, int]
) -> None:
    before, after = two_periods()
    book, frozen = ledger_of(tmp_path / "ledger.sqlite", before + after), tmp_path / "b.json"
    done = run("baseline", "freeze", "--ledger", book, "--last", "2026-03-31", "--out", frozen)
    assert done.exit_code == 0, done.output
    found = over(book, frozen, "--learning-days", learning)
    assert found["baseline"]["n_transfers"] == 240
    assert found["excluded"] == left_out
    assert found["saved_s_per_transfer"]["mean"] == pytest.approx(354, abs=5)
    assert found["context"]["logged"] == found["safety"]["n_logged"] == 240


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"follows": "a"}, "after_interruption"),
        ({"follows": "a", "resident": "r2"}, ""),  # whoever came next on that lift
        ({"follows": "z"}, ""),
        ({"follows": "a", "outcome": "aborted"}, "aborted"),
    ],
)
def test_the_rest_of_an_interrupted_transfer_is_no_quick_transfer(
    changes: dict[str, Any], reason: str
) -> None:
    """A controller dies 200 s into a transfer; who hangs is brought down in a new one of 70 s."""
    began = record(1, FIRST_AFTER, 1, 200.0, id="a", outcome="interrupted", ended_utc=None,
                   elapsed_s=None, last_seen_s=200.0)  # fmt: skip
    rest = record(1, FIRST_AFTER + timedelta(seconds=230), 1, 70.0, id="b", **changes)
    found = judge(rows_of([began, rest], UTC), Rules())
    assert found.reasons == ("interrupted", reason)


def test_what_follows_an_erased_interrupted_transfer_may_be_its_rest() -> None:
    began = record(1, FIRST_AFTER, 1, 200.0, id="a", outcome="interrupted")
    gone = {"id": "a", "outcome": "interrupted", "erased": True}
    rest = record(1, FIRST_AFTER + timedelta(seconds=230), 1, 70.0, id="b", follows="a")
    for told in (began, gone):
        assert judge(rows_of([told, rest], UTC), Rules()).reasons[1] == "after_interruption"


DEAD = {"sync": "unsynchronised", "step_s": 0.0}


@pytest.mark.parametrize(
    ("told", "clock", "left_out"),
    [
        ("2000-01-01T00:10:00+00:00", DEAD, {}),
        ("2099-01-01T00:10:00+00:00", DEAD, {}),
        ("2099-01-01T00:10:00+00:00", {"sync": "unknown"}, {"unreadable_time": 1}),
    ],
)
def test_one_clock_that_was_wrong_does_not_move_the_year(
    tmp_path: Path, told: str, clock: dict[str, Any], left_out: dict[str, int]
) -> None:
    _, after = two_periods()
    means = tmp_path / "m.csv"
    means.write_text("kind,carers,mean_s\nbed-chair,2,273.6\n", "utf-8")
    stray = record(7, datetime.fromisoformat(told), 1, 150.0, id="stray", clock=clock)
    good = over(ledger_of(tmp_path / "good.sqlite", after), means)
    book = ledger_of(tmp_path / "bad.sqlite", [*after, stray])
    bad = over(book, means, "--learning-days", 1)
    assert bad["context"]["last_day"] == good["context"]["last_day"]
    assert bad["context"]["days"] == good["context"]["days"] - 1
    assert {name: n for name, n in bad["excluded"].items() if name != "learning_period"} == left_out
    assert bool(left_out) == ("after the day of this report" in str(bad["context"]["remarks"]))
    rate = [item["decomposition"]["transfers_per_resident"]["now"] for item in (good, bad)]
    assert rate[1] == pytest.approx(rate[0], rel=0.1)


def test_a_transfer_of_no_known_day_is_in_no_baseline_that_is_cut_by_days(tmp_path: Path) -> None:
    before, _ = two_periods()
    before[5]["clock"] = DEAD
    book = ledger_of(tmp_path / "ledger.sqlite", before)
    for name, more in (("cut", ("--last", "2026-03-31")), ("whole", ())):
        frozen = tmp_path / f"{name}.json"
        assert run("baseline", "freeze", "--ledger", book, "--out", frozen, *more).exit_code == 0
    cut, whole = (
        json.loads((tmp_path / f"{name}.json").read_text("utf-8"))["baseline"]
        for name in ("cut", "whole")
    )
    assert cut["excluded"] == {"unreadable_time": 1}
    assert sum(item["n"] for item in whole["sums"]) == 240


def test_a_table_that_tells_of_tomorrow_is_told_so(tmp_path: Path) -> None:
    lines = drawn(FIRST_AFTER, 1, 156.9)
    lines[3] |= {"started_at": "2098-04-06T07:00:00+02:00", "ended_at": "2098-04-06T07:03:00+02:00"}
    means = tmp_path / "m.csv"
    means.write_text("kind,carers,mean_s\nbed-chair,2,273.6\n", "utf-8")
    found = report(write(tmp_path / "t.csv", lines), means)
    assert found["excluded"] == {"unreadable_time": 1}
