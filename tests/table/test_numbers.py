"""The kernel's numbers held against a second list: a number does not change by a slip."""

from __future__ import annotations

import csv
from dataclasses import fields
from pathlib import Path

import pytest

from safety.bounds import Params, bound_of, violations

LINES = (Path(__file__).parent / "numbers.csv").read_text(encoding="utf-8").splitlines()
NUMBERS = list(csv.DictReader(line for line in LINES if not line.startswith("#")))
BELOW = [
    ("aloft_clear_kg", "aloft_kg"),
    ("standing_clear_mm", "standing_mm"),
    ("battery_critical_pct", "battery_reserve_pct"),
    ("lag_warn_ms", "lag_stop_ms"),
    ("overload_stop_ratio", "overload_hard_ratio"),
    ("battery_dead_v", "battery_deep_v"),
    ("battery_deep_v", "battery_sag_v"),
    ("rail_min_mm", "rail_max_mm"),
]


@pytest.mark.parametrize("line", NUMBERS, ids=[line["number"] for line in NUMBERS])
def test_a_number_is_what_the_list_says(line: dict[str, str]) -> None:
    name = line["number"]
    bound, value = bound_of(name), getattr(Params(), name)
    found = (value, bound.minimum, bound.maximum, bound.safer)
    assert found == (
        float(line["default"]), float(line["minimum"]), float(line["maximum"]), line["safer"],
    )  # fmt: skip
    assert bound.why


def test_the_list_is_complete_and_the_defaults_are_inside() -> None:
    assert [line["number"] for line in NUMBERS] == [item.name for item in fields(Params)]
    assert violations(Params()) == ()


@pytest.mark.parametrize("line", NUMBERS, ids=[line["number"] for line in NUMBERS])
def test_a_number_may_reach_its_bounds_and_not_pass_them(line: dict[str, str]) -> None:
    name, low, high = line["number"], float(line["minimum"]), float(line["maximum"])
    for value, said in ((low, False), (high, False), (low - 0.01, True), (high + 0.01, True)):
        found = [text for text in violations(Params(**{name: value})) if "is outside" in text]
        assert bool(found) is said, value
        if said:
            assert found[0].startswith(f"{name} = {value:g} is outside {low:g} to {high:g} (")


@pytest.mark.parametrize(("low", "high"), BELOW)
def test_one_number_stays_below_another(low: str, high: str) -> None:
    value = float(getattr(Params(), high))
    sentence = f"{low} must be below {high}"
    assert sentence in violations(Params(**{low: value}))
    assert sentence not in violations(Params(**{low: value - 0.001}))


@pytest.mark.parametrize("speed", ["hoist_loaded_mm_s", "hoist_empty_mm_s", "hoist_down_mm_s"])
def test_a_hoist_at_full_speed_is_not_too_fast(speed: str) -> None:
    """Over-speed latched: nobody lowers. It must not come from going as fast as configured (H7)."""
    said = f"{speed} = 90.1 is above overspeed_max_mm_s - overspeed_margin_mm_s = 90 (H7 would"
    for value, refused in ((90.0, False), (90.1, True)):
        params = Params(overspeed_max_mm_s=100, overspeed_margin_mm_s=10, **{speed: value})
        assert any(text.startswith(said) for text in violations(params)) is refused
    assert violations(Params(hoist_empty_mm_s=148, overspeed_margin_mm_s=2)) == ()


def test_a_joint_ends_where_it_begins_or_later() -> None:
    """H11: the other way round there would be no joint at all. Equal means: there is none."""
    for end, refused in ((1500.0, True), (1999.9, True), (2000.0, False), (2500.0, False)):
        found = violations(Params(joint_from_mm=2000, joint_to_mm=end))
        assert any("joint_to_mm must not be below joint_from_mm" in t for t in found) is refused
