"""A failing scenario is made small, and still fails in the same way."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hil.run import Bench
from hil.scenario.load import load
from hil.scenario.source import ScenarioError
from hil.shrink import ShrinkError, minimal, shrink
from hil.timeline import Verdict

TEXT = """
hil: 1
id: SHRINK-1
title: Three faults, one of which raises the alarm nobody may hear
hazards: [H{number}]
rig: lift
parameters:
  late: {{vary: [20 ms, 30 ms]}}
steps:
  - wait: 100 ms
  - fault: {{id: L3.duplicate, as: twice, with: {{target: load}}}}
  - fault: {{id: {culprit}, as: dark, for: 1 s, prove_within: 900 ms}}
  - fault: {{id: L3.delay, as: slow, with: {{target: load, by: $late}}}}
  - wait: 1 s
  - clear: twice
  - wait: 300 ms
expect:
  - never: {{that: "speed > 5 mm/s"}}
  - never: {{that: "active has bus_off"}}
"""


def write(folder: Path, culprit: str = "L2.bus_off") -> Path:
    path = folder / "shrink.yaml"
    path.write_text(TEXT.format(number=23, culprit=culprit), "utf-8")
    return path


def test_of_three_faults_the_one_that_fails_is_left(tmp_path: Path) -> None:
    said: list[str] = []
    found = shrink(write(tmp_path), said.append)
    assert found.faults == (3, 1)
    assert found.steps[1] < found.steps[0]
    small = yaml.safe_load(found.text)
    (fault,) = (step["fault"] for step in small["steps"] if "fault" in step)
    assert fault["id"] == "L2.bus_off"
    assert "for" not in fault
    assert len(small["expect"]) == 1
    assert "parameters" not in small
    assert said[0].startswith("faults: 1 faults")
    again = tmp_path / "again.yaml"
    again.write_text(found.text, "utf-8")
    (scenario,) = load(again)
    assert Bench()(scenario).result.verdict is Verdict.FAIL


def test_a_scenario_that_passes_has_nothing_to_shrink(tmp_path: Path) -> None:
    with pytest.raises(ShrinkError, match="nothing to shrink"):
        shrink(write(tmp_path, "L3.duplicate, with: {target: battery}"))


def test_a_broken_scenario_is_named(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="no fault"):
        shrink(write(tmp_path, "L9.nothing"))


@given(st.lists(st.integers(0, 30), unique=True, max_size=24), st.data())
def test_what_is_left_is_minimal_and_all_of_the_culprits(
    items: list[int], data: st.DataObject
) -> None:
    culprits = set(
        data.draw(st.lists(st.sampled_from(items), unique=True) if items else st.just([]))
    )
    assert set(minimal(items, lambda kept: culprits <= set(kept))) == culprits
