"""Where two timelines part is said in words, with what was so before."""

from __future__ import annotations

import copy

import pytest

from hil import diff
from hil.timeline import Timeline
from tests.hil.pack import ROW, lift_stopped_by


def changed(index_of: str, **fields: object) -> Timeline:
    line = copy.deepcopy(lift_stopped_by())
    event = next(e for e in line.events if e["lane"] == index_of and e["t_ns"] > 1_500_000_000)
    event.update(fields)
    return line


def test_equal_timelines_are_called_the_same() -> None:
    assert diff.first(lift_stopped_by(), lift_stopped_by()) is None
    assert diff.words(lift_stopped_by(), lift_stopped_by(), ("a", "b")).startswith("the same")


def test_the_first_difference_is_named_with_time_field_and_context() -> None:
    said = diff.words(lift_stopped_by(), changed("gate", active=["slack"]), ("old", "new"))
    assert "they part at event" in said
    assert "2.000000 s" in said
    assert f"active: only old has {ROW}; only new has slack" in said
    assert "fault active" in said  # what both said before


def test_a_timeline_that_ends_early_is_told() -> None:
    short = Timeline(lift_stopped_by().events[:300])
    said = diff.words(lift_stopped_by(), short, ("old", "new"))
    assert "new: (ended)" in said


def test_the_plants_distance_is_told_when_they_part() -> None:
    other = lift_stopped_by()
    for event in other.events:
        if event["lane"] == "plant" and event["t_ns"] > 3_000_000_000:
            event["height_mm"] += 100.0
    said = diff.words(lift_stopped_by(), other, ("old", "new"))
    assert "the plants part most in:\n  height_mm" in said


@pytest.mark.parametrize(("field", "same"), [("title", True), ("seed", False)])
def test_of_what_was_run_only_seed_and_parameters_are_compared(field: str, same: bool) -> None:
    other = lift_stopped_by()
    other.events[0][field] = 99
    assert (diff.first(lift_stopped_by(), other) is None) is same
    assert (lift_stopped_by().hash() == other.hash()) is same
