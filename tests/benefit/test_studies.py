"""Ten thousand studies whose truth is known: the interval holds it as often as it says."""

from __future__ import annotations

import os

from tests.benefit.studies import coverage

NIGHTLY = bool(os.environ.get("LIFTCTL_NIGHTLY"))


def test_the_interval_holds_the_truth_as_often_as_it_says_and_the_naive_one_does_not() -> None:
    found = coverage(10_000 if NIGHTLY else 200, seed=20261124)
    low, high = (0.935, 0.965) if NIGHTLY else (0.89, 0.99)
    assert low <= found["ours"] <= high, found
    assert found["naive"] < 0.8, found
    assert abs(found["bias_s"]) < (1.0 if NIGHTLY else 8.0), found
