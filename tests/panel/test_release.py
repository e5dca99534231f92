"""`liftctl release`: a short visit to a gate that never stops speaking."""

from __future__ import annotations

import subprocess
import sys

import pytest

from liftctl import ipc
from tests.panel.house import House, until

ROW = "estop_discrepancy"


@pytest.mark.parametrize(
    ("latched", "silent", "said"),
    [
        ((), False, f"{ROW} is released"),
        ((ROW,), False, f"{ROW} is still latched: its cause is not gone"),
        ((), True, "the gate does not answer"),
    ],
)
def test_a_technician_is_told_what_came_of_it(
    lift: House, latched: tuple[str, ...], silent: bool, said: str
) -> None:
    lift.changes["latched"], lift.silent = latched, silent
    lift.every_s = 0.01
    words = ["--site", "config/sites/demo-lift.toml", "--row", ROW, "--by", "A. Technician"]
    command = [sys.executable, "-m", "liftctl", "release", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert said in done.stdout
    until(lambda: lift.heard(ipc.ReleaseLatch))
    assert lift.heard(ipc.ReleaseLatch) == [ipc.ReleaseLatch(ROW, "A. Technician")]
