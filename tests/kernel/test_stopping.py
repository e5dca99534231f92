"""Time becomes distance (design rule 11): worked by hand for the default numbers."""

from __future__ import annotations

import pytest

from safety.bounds import Params
from safety.stopping import distance_mm, distances, too_far
from safety.types import Axis

# Reaction: the bound, one turn of 20 ms, 5 ms of bus, 10 ms of drive. Then v * t + v * v / 2a.
FAULTS = {
    "panel or network freezes": ("evidence_ms", 285),
    "controller dies": ("permission_ms", 135),
    "guard dies": ("guard_ms", 235),
    "gate dies": ("device_deadman_ms", 235),
    "feedback goes stale": ("feedback_ms", 185),
    "gate stalls and thaws": ("lag_stop_ms", 115),
}
AXES = [
    ("lift", Axis.HOIST, 60.0, 300.0, 50.0),
    ("lift", Axis.TRAVERSE, 150.0, 300.0, 200.0),
    ("chair", Axis.STANDER, 15.0, 40.0, 20.0),
]


@pytest.mark.parametrize(("kind", "axis", "speed", "decel", "limit"), AXES)
def test_every_path_of_every_axis(
    kind: str, axis: Axis, speed: float, decel: float, limit: float
) -> None:
    found = {item.fault: item for item in distances(kind, Params()) if item.axis is axis}
    assert set(found) == set(FAULTS)
    for fault, (bound, reaction) in FAULTS.items():
        item = found[fault]
        assert (item.bounds, item.reaction_ms) == ((bound,), reaction)
        assert (item.speed_mm_s, item.limit_mm) == (speed, limit)
        worked = speed * reaction / 1000 + speed * speed / (2 * decel)
        assert item.distance_mm == pytest.approx(worked)


def test_the_formula() -> None:
    assert distance_mm(60, 200, 300) == pytest.approx(18.0)
    assert distance_mm(150, 200, 300) == pytest.approx(67.5)


def test_each_kind_has_its_axes() -> None:
    assert {item.axis for item in distances("lift", Params())} == {Axis.HOIST, Axis.TRAVERSE}
    assert {item.axis for item in distances("chair", Params())} == {Axis.STANDER}
    assert not too_far("lift", Params())
    assert not too_far("chair", Params())


def test_the_faster_of_raising_and_lowering_counts_and_the_empty_bar_does_not() -> None:
    for params, speed in (
        (Params(hoist_loaded_mm_s=40, hoist_down_mm_s=90), 90.0),
        (Params(hoist_loaded_mm_s=70, hoist_down_mm_s=50, hoist_empty_mm_s=150), 70.0),
    ):
        hoist = [item for item in distances("lift", params) if item.axis is Axis.HOIST]
        assert {item.speed_mm_s for item in hoist} == {speed}


def test_a_distance_above_its_limit_says_how_much_and_what_to_lower() -> None:
    said = too_far("lift", Params(hoist_loaded_mm_s=150))
    assert len(said) == 6
    assert said[0] == (
        "hoist: when panel or network freezes it travels 80.2 mm, 30.2 mm above the limit of 50 mm;"
        " lower hoist_loaded_mm_s or hoist_down_mm_s or evidence_ms"
    )
    exactly = distances("lift", Params())[0].distance_mm
    assert not too_far("lift", Params(hoist_stop_limit_mm=exactly))
