"""Every signal of both kinds of device, held against a second list."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from safety.signals import KNOWN, NS_PER_MS, OPTIONAL, SPECS
from safety.types import SignalId

LINES = (Path(__file__).parent / "signals.csv").read_text(encoding="utf-8").splitlines()
LISTED = list(csv.DictReader(line for line in LINES if not line.startswith("#")))


@pytest.mark.parametrize("line", LISTED, ids=[f"{x['kind']}-{x['signal']}" for x in LISTED])
def test_a_signal_is_what_the_list_says(line: dict[str, str]) -> None:
    has = SPECS if line["has"] == "must" else OPTIONAL
    spec = has[line["kind"]][SignalId(line["signal"])]
    assert spec == KNOWN[line["kind"]][SignalId(line["signal"])]
    assert (spec.max_age, spec.minimum, spec.maximum) == (
        line["max_age"], float(line["minimum"]), float(line["maximum"]),
    )  # fmt: skip


def test_the_list_is_complete() -> None:
    for has, specs in (("must", SPECS), ("may", OPTIONAL)):
        for kind, known in specs.items():
            listed = [x["signal"] for x in LISTED if (x["kind"], x["has"]) == (kind, has)]
            assert listed == [str(signal) for signal in known]
    assert {x["signal"] for x in LISTED} == {str(signal) for signal in SignalId}
    assert NS_PER_MS == 1_000_000
