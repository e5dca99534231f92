"""Waiting for the second carer: from arrival, or from the call, and unknown where nobody knows."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from liftctl.benefit.presence import Stay, staffing
from tests.benefit.ledgers import ledger_of, record
from tests.benefit.made import FIRST_AFTER, FIRST_BEFORE, drawn, write
from tests.benefit.test_own_ledger import over

ALONE, LATE = (0.0, 400.0), (300.0, 400.0)


@pytest.mark.parametrize(
    ("stays", "planned", "called_s", "waiting_s"),
    [
        ([ALONE, LATE], 2, None, 300.0),
        ([(-90.0, 400.0), (10.0, 400.0)], 2, None, 100.0),
        ([ALONE], 2, None, None),  # planned for two, only one was ever seen
        ([], 2, None, None),
        ([ALONE, LATE], 1, 60.0, 240.0),
        ([ALONE, LATE], 1, None, None),  # came without a call: nobody knows since when needed
        ([ALONE, (20.0, 50.0)], 1, 60.0, None),  # had left again when another was called
        ([ALONE], 1, 60.0, 0.0),  # called, managed alone
        ([ALONE], 1, None, 0.0),
    ],
)
def test_waiting_lasts_until_as_many_are_there_as_are_due(
    stays: list[Stay], planned: int, called_s: float | None, waiting_s: float | None
) -> None:
    assert staffing(stays, 400.0, planned, called_s).waiting_s == waiting_s


def test_a_transfer_whose_waiting_nobody_knows_does_not_shorten_the_mean(tmp_path: Path) -> None:
    helped = {"carers_present": [{"joined_s": 0.0, "left_s": 400.0},
                                 {"joined_s": 300.0, "left_s": 400.0}]}  # fmt: skip
    told = [
        record(n, FIRST_AFTER + timedelta(hours=n), 1, 400.0, outcome="fallback2", **helped,
               **({"helper": {"called_s": 60.0}} if n % 2 else {}))
        for n in range(48)
    ]  # fmt: skip
    before = write(tmp_path / "b.csv", drawn(FIRST_BEFORE, 2, 273.6))
    waiting = over(ledger_of(tmp_path / "ledger.sqlite", told), before)["waiting"]
    assert (waiting["n_two_carers"], waiting["n_known"]) == (48, 24)
    assert waiting["seconds_per_two_carer_transfer"] == 240
    assert waiting["hours_total"] == pytest.approx(24 * 240 / 3600)
