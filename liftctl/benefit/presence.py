"""Who was there, for how long: staff-seconds out of each carer's stay.

Role: pure arithmetic. Process: library. Must never: shorten a stay to make a transfer cheaper.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Stay = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Staffing:
    """`carers`: most at once; `staff_s`: summed presence; `waiting_s`: alone while two were due.

    `waiting_s` is None where it is not known since when the second carer was due.
    """

    carers: int
    staff_s: float
    waiting_s: float | None


def staffing(
    stays: Sequence[Stay], elapsed_s: float, planned: int, called_s: float | None = None
) -> Staffing:
    """From (joined, left) in seconds from begin; a carer may have been there before it.

    Without any stay the planned carers count for the whole time. `called_s`: when a carer alone
    called for another.
    """
    inside = [(joined, min(left, elapsed_s)) for joined, left in stays]
    inside = [(joined, left) for joined, left in inside if left > joined]
    if not inside:
        return Staffing(planned, planned * elapsed_s, None if planned > 1 else 0.0)
    staff_s = sum(left - joined for joined, left in inside)
    most = _most(inside)
    return Staffing(most, staff_s, _waiting(inside, max(planned, 1), most, called_s))


def _most(stays: Sequence[Stay]) -> int:
    edges = sorted([(left, -1) for _, left in stays] + [(joined, 1) for joined, _ in stays])
    now = most = 0
    for _, change in edges:
        now += change
        most = max(most, now)
    return most


def _waiting(
    stays: Sequence[Stay], planned: int, most: int, called_s: float | None
) -> float | None:
    """From the first carer's arrival, or else the call, to when as many as were due were there."""
    arrivals = sorted(joined for joined, _ in stays)
    if planned > 1:
        return arrivals[planned - 1] - arrivals[0] if len(arrivals) >= planned else None
    if most < 2:
        return 0.0
    if called_s is None:
        return None
    return next((joined - called_s for joined in arrivals if joined >= called_s), None)
