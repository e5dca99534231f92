"""A report over a home's own ledger, which may hold the baseline's period too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.benefit.ledgers import ledger_of, two_periods
from tests.benefit.made import run


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
