"""Alarm priority, end and place of every row, held against a second list."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from safety.table import LOCKS, ROWS, Row

LINES = (Path(__file__).parent / "rows.csv").read_text(encoding="utf-8").splitlines()
LISTED = list(csv.DictReader(line for line in LINES if not line.startswith("#")))


@pytest.mark.parametrize("line", LISTED, ids=[line["row"] for line in LISTED])
def test_a_row_is_what_the_list_says(line: dict[str, str]) -> None:
    row = ROWS[line["row"]]
    assert (row.hazard, str(row.priority), str(row.clear)) == (
        line["hazard"], line["priority"], line["clear"],
    )  # fmt: skip
    assert row.kinds == set(line["kinds"].split())
    assert row.needs == set(line["needs"].split())


def test_the_list_is_complete() -> None:
    assert [line["row"] for line in LISTED] == list(ROWS)


def test_what_a_lease_may_lock() -> None:
    assert {"cleaning", "overdue", "paused", "relocated"} == LOCKS
    assert set(ROWS) >= LOCKS


def test_a_row_that_says_nothing_else_is_low_and_ends_by_itself() -> None:
    row = Row("any", "H1", lambda scene: False, (), ())
    assert (str(row.priority), str(row.clear), row.kinds, row.needs) == (
        "low", "auto", {"lift", "chair"}, set(),
    )  # fmt: skip
