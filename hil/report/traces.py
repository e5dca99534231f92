"""Plant truth as thinned curves.

Role: which quantities of a run are worth a curve, and their points. Must never: draw a quantity
that did not change, or thin away an extreme.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from hil.coverage.matrix import Event

# In the order they are drawn: key of the truth, label, unit, the axis whose command goes with it.
QUANTITIES = (
    ("height_mm", "bar height", "mm", ""),
    ("speed_mm_s", "hoist speed", "mm/s", "hoist"),
    ("x_mm", "along the rail", "mm", ""),
    ("x_speed_mm_s", "rail speed", "mm/s", "traverse"),
    ("load_kg", "load", "kg", ""),
    ("stroke_mm", "stand stroke", "mm", ""),
    ("stroke_speed_mm_s", "stand speed", "mm/s", "stander"),
    ("feet_kg", "on the feet", "kg", ""),
    ("pitch_deg", "pitch", "deg", ""),
    ("drive_mm_s", "chair speed", "mm/s", ""),
    ("voltage_v", "battery", "V", ""),
)
MOST_TRACES, BUCKETS = 5, 160
LEAST_CHANGE = 0.02  # of the largest value: less is a straight line
Points = tuple[tuple[float, float], ...]


class Trace(NamedTuple):
    """A curve of (seconds, value), and what was commanded, where that is known."""

    label: str
    unit: str
    points: Points
    command: Points = ()

    @property
    def low(self) -> float:
        return min(value for _, value in (*self.points, *self.command))

    @property
    def high(self) -> float:
        return max(value for _, value in (*self.points, *self.command))


def traces(events: Iterable[Event], begin_ns: int = 0) -> list[Trace]:
    """The curves of a run from a moment on, at most five."""
    kept = [event for event in events if event["t_ns"] >= begin_ns]
    samples = [event for event in kept if event["lane"] == "plant"]
    found: list[Trace] = []
    for key, label, unit, axis in QUANTITIES:
        if len(found) == MOST_TRACES or not samples or not _number(samples[0].get(key)):
            continue
        points = [(e["t_ns"] / 1e9, float(e[key])) for e in samples]
        if len(points) > 1 and _changes(points):
            found.append(Trace(label, unit, thinned(points), _commanded(kept, axis)))
    return found


def _commanded(events: list[Event], axis: str) -> Points:
    """The gate's command as steps: each speed until the next one."""
    found: list[tuple[float, float]] = []
    for event in (e for e in events if axis and "commands" in e):
        t_s = event["t_ns"] / 1e9
        speed = next((float(item[2]) for item in event["commands"] if item[0] == axis), 0.0)
        if found and found[-1][1] != speed:
            found += [(t_s, found[-1][1]), (t_s, speed)]
        elif not found:
            found.append((t_s, speed))
    end_s = max((event["t_ns"] for event in events), default=0) / 1e9
    return (*found, (end_s, found[-1][1])) if found else ()


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
    kept = tuple(dict.fromkeys(found))
    around = zip(kept, kept[1:], kept[2:], strict=False)
    bends = (now for was, now, then in around if not was[1] == now[1] == then[1])
    return (kept[0], *bends, kept[-1])
