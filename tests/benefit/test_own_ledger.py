"""A report over a home's own ledger, which may hold the baseline's period too."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from liftctl.benefit.flow import Rules, judge
from liftctl.benefit.ledger_rows import rows_of
from tests.benefit.ledgers import ledger_of, record, two_periods
from tests.benefit.made import FIRST_AFTER, run


def over(book: Path, baseline: Path, *more: object) -> dict[str, Any]:
    """The JSON of `liftctl report --ledger`."""
    done = run("report", "--ledger", book, "--baseline", baseline, "--json", *more)
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    ("learning", "left_out"),
    [(0, {"baseline_period": 240}), (2, {"baseline_period": 240, "learning_period": 43})],
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
    found = judge(rows_of([began, rest]), Rules())
    assert found.reasons == ("interrupted", reason)


def test_what_follows_an_erased_interrupted_transfer_may_be_its_rest() -> None:
    began = record(1, FIRST_AFTER, 1, 200.0, id="a", outcome="interrupted")
    gone = {"id": "a", "outcome": "interrupted", "erased": True}
    rest = record(1, FIRST_AFTER + timedelta(seconds=230), 1, 70.0, id="b", follows="a")
    for told in (began, gone):
        assert judge(rows_of([told, rest]), Rules()).reasons[1] == "after_interruption"
