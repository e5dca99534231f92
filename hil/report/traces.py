"""Plant truth as thinned curves.

Role: which quantities of a run are worth a curve, and their points. Must never: draw a quantity
that did not change, or thin away an extreme.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from hil.coverage.matrix import Event

# In the order they are drawn: key of the truth, label, unit.
QUANTITIES = (
    ("height_mm", "bar height", "mm"),
    ("speed_mm_s", "hoist speed", "mm/s"),
    ("x_mm", "along the rail", "mm"),
    ("load_kg", "load", "kg"),
    ("stroke_mm", "stand stroke", "mm"),
    ("stroke_speed_mm_s", "stand speed", "mm/s"),
    ("feet_kg", "on the feet", "kg"),
    ("pitch_deg", "pitch", "deg"),
    ("drive_mm_s", "chair speed", "mm/s"),
    ("voltage_v", "battery", "V"),
)
MOST_TRACES, BUCKETS = 5, 160
LEAST_CHANGE = 0.02  # of the largest value: less is a straight line


class Trace(NamedTuple):
    """A curve of (seconds, value)."""

    label: str
    unit: str
    points: tuple[tuple[float, float], ...]

    @property
    def low(self) -> float:
        return min(value for _, value in self.points)

    @property
    def high(self) -> float:
        return max(value for _, value in self.points)


def traces(events: Iterable[Event]) -> list[Trace]:
    """The curves of a run, at most five."""
    samples = [event for event in events if event["lane"] == "plant"]
    found = []
    for key, label, unit in QUANTITIES:
        points = [(e["t_ns"] / 1e9, float(e[key])) for e in samples if _number(e.get(key))]
        if len(points) > 1 and _changes(points):
            found.append(Trace(label, unit, thinned(points)))
    return found[:MOST_TRACES]


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _changes(points: list[tuple[float, float]]) -> bool:
    values = [value for _, value in points]
    largest = max(map(abs, values))
    return max(values) - min(values) > LEAST_CHANGE * largest


def thinned(points: list[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """The lowest and highest point of each stretch of time, so that every peak stays."""
    size = max(1, len(points) // BUCKETS)
    found: list[tuple[float, float]] = [points[0]]
    for n in range(0, len(points), size):
        part = points[n : n + size]
        ends = {min(part, key=lambda p: p[1]), max(part, key=lambda p: p[1])}
        found += sorted(ends)
    found.append(points[-1])
    return tuple(dict.fromkeys(found))
