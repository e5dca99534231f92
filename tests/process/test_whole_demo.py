"""`make demo` as a stranger runs it, and its sabotages: each fails with its own message.

By default gate_lies and guard_off; LIFTCTL_NIGHTLY=1 adds ledger_drop, which plays the whole demo
again before it misses the record.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import pytest

from hil.demo import AXES, STANDSTILL_MM

pytestmark = [pytest.mark.process, pytest.mark.usefixtures("alone")]
NIGHTLY = os.environ.get("LIFTCTL_NIGHTLY") == "1"
MESSAGES = {
    "gate_lies": r"the gate lied and moved (\d+\.\d+) mm .* the guard cut \('no_evidence'\)",
    "guard_off": r"the guard is off: nothing rises .* in vain for a gate that is ready",
    "ledger_drop": "the ledger dropped a record",
}
KINDS = [kind for kind in MESSAGES if NIGHTLY or kind != "ledger_drop"]


@dataclass(frozen=True)
class Ran:
    """How one run ended."""

    status: int
    said: str
    told: dict[str, Any]


def demo(*flags: str) -> Ran:
    command = [sys.executable, "-m", "hil.demo", *flags]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    lines = done.stdout.strip().splitlines() or ["{}"]
    return Ran(done.returncode, done.stderr, json.loads(lines[-1]))


def test_demo() -> None:
    ran = demo()
    assert ran.status == 0, ran.said
    assert ran.told["ok"] is True
    for room, transfer in (("lift", "bed-chair"), ("chair", "stand-sit")):
        _check_truth(room, ran.told[room]["truth"])
        _check_figures(ran.told[room], transfer)
    assert ran.told["lift"]["blocked_arrow"] == "RIGHT"
    assert ran.told["lift"]["reason"] in ("tension_pause", "loops_unconfirmed")
    assert ran.told["lift"]["reason"] in str(ran.told["lift"]["record"]["blocks"])
    assert 60 < ran.told["lift"]["peak_load_kg"] < 90
    assert ran.told["lift"]["truth"]["x_mm"]["highest"] > 2900


def _check_truth(room: str, truth: dict[str, Any]) -> None:
    assert truth["rows"] > 1000
    for key, _, limit_mm in AXES[room]:
        axis = truth[key]
        assert axis["highest"] - axis["lowest"] > 100, f"{key} never moved"
        assert axis["largest_travel_without_evidence_mm"] <= limit_mm == axis["limit_mm"]
        assert axis["largest_movement_after_standstill_mm"] <= STANDSTILL_MM


def _check_figures(told: dict[str, Any], transfer: str) -> None:
    record, baseline = told["record"], told["baseline"][transfer]
    assert record["outcome"] == "completed"
    assert record["kind"] == transfer
    assert told["staff_s"] == pytest.approx(told["carers"] * record["elapsed_s"], abs=0.1)
    assert baseline["staff_s"] == pytest.approx(baseline["carers"] * baseline["mean_s"])
    assert told["saved_staff_s"] == pytest.approx(baseline["staff_s"] - told["staff_s"], abs=0.1)
    assert len(told["head"]) == 64
    assert told["verdicts"]["guard"]["cut"] == ""
    assert told["verdicts"]["guard"]["checks"] > 100


@pytest.mark.parametrize("kind", KINDS)
def test_sabotage(kind: str) -> None:
    ran = demo("--sabotage", kind)
    assert ran.status == 1, ran.said
    assert ran.told["ok"] is False
    said = re.match(MESSAGES[kind], ran.told["why"])
    assert said, ran.told["why"]
    if kind == "gate_lies":
        assert 0 < float(said[1]) <= 50, "it lied, and the guard cut within the limit"
