"""The interlock table held against a hand-written list: a wrong one passes its own tests."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from safety.evaluate import active_rows, ladder
from safety.table import FOR_KIND, ROWS
from safety.types import ALL_MOTIONS, Act

WORDS = {
    Act.NONE: "free",
    Act.WARN: "free",
    Act.SLOW: "slow",
    Act.HOLD: "stop",
    Act.QUICK: "quick",
    Act.ISOLATE: "cut",
}
# Conditions that only warn: nothing to say about the motions.
ONLY_WARN = {(row, None) for row in ("lag_warn", "key_held", "drive_waits")}


def expected() -> list[tuple[str, str, str, bool | None, dict[str, str]]]:
    text = (Path(__file__).parent / "expected.csv").read_text(encoding="utf-8")
    found, names = [], []
    for cells in csv.reader(line for line in text.splitlines() if not line.startswith("#")):
        if cells[0] == "kind":
            names = cells[4:]
            continue
        kind, hazard, row, condition = cells[:4]
        truth = True if condition == "true" else None
        found.append((kind, hazard, row, truth, dict(zip(names, cells[4:], strict=True))))
    return found


EXPECTED = expected()


@pytest.mark.parametrize("line", EXPECTED, ids=[f"{e[0]}-{e[2]}-{e[3]}" for e in EXPECTED])
def test_row_does_what_the_hazard_asks(
    line: tuple[str, str, str, bool | None, dict[str, str]],
) -> None:
    kind, hazard, row, truth, words = line
    facts: dict[str, bool | None] = {other.id: False for other in FOR_KIND[kind]} | {row: truth}
    verdicts = ladder(kind, active_rows(kind, facts, ()), ALL_MOTIONS)
    assert {str(item.motion.name): WORDS[item.act] for item in verdicts} == words
    assert ROWS[row].hazard == hazard


def test_every_row_and_condition_is_on_the_list() -> None:
    listed = {(kind, row, truth) for kind, _, row, truth, _ in EXPECTED}
    for kind, rows in FOR_KIND.items():
        for row in rows:
            for truth in (True, None):
                assert (kind, row.id, truth) in listed or (row.id, truth) in ONLY_WARN, (
                    row.id,
                    truth,
                )
