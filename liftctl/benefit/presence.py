"""Who was there, for how long: staff-seconds out of each carer's stay.

Role: pure arithmetic. Process: library. Must never: shorten a stay to make a transfer cheaper.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Stay = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Staffing:
    """`carers`: most at once; `staff_s`: summed presence; `waiting_s`: alone while two were due."""

    carers: int
    staff_s: float
    waiting_s: float


def staffing(stays: Sequence[Stay], elapsed_s: float, planned: int) -> Staffing:
    """From (joined, left) in seconds from begin; a carer may have been there before it.

    Without any stay the planned carers count for the whole time.
    """
    inside = [(joined, min(left, elapsed_s)) for joined, left in stays]
    inside = [(joined, left) for joined, left in inside if left > joined]
    if not inside:
        return Staffing(planned, planned * elapsed_s, 0.0)
    staff_s = sum(left - joined for joined, left in inside)
    return Staffing(_most(inside), staff_s, _waiting(inside, planned))


def _most(stays: Sequence[Stay]) -> int:
    edges = sorted([(left, -1) for _, left in stays] + [(joined, 1) for joined, _ in stays])
    now = most = 0
    for _, change in edges:
        now += change
        most = max(most, now)
    return most


def _waiting(stays: Sequence[Stay], planned: int) -> float:
    """From the first carer's arrival to the moment the planned number was there."""
    if planned < 2 or len(stays) < planned:
        return 0.0
    arrivals = sorted(joined for joined, _ in stays)
    return arrivals[planned - 1] - arrivals[0]
