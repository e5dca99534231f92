"""Carers per transfer x time per transfer x transfers per resident: the Danish three factors.

Role: splits the change of staff-seconds per resident and day exactly (logarithmic mean Divisia
index: no remainder, no order of factors). Process: library, plain Python. Must never: hide that
residents are moved more often than before, which may be why the lift was bought.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Period:
    """One kind of transfer in one period: `n` per resident-day, carers and staff-seconds each."""

    n: float
    carers: float
    staff_s: float

    @property
    def factors(self) -> tuple[float, float, float]:
        """Carers per transfer, seconds per carer, transfers per resident-day."""
        return self.carers, self.staff_s / self.carers, self.n


def log_mean(a: float, b: float) -> float:
    """The logarithmic mean."""
    return a if math.isclose(a, b, rel_tol=1e-12) else (a - b) / (math.log(a) - math.log(b))


def split(pairs: Iterable[tuple[Period, Period]]) -> tuple[float, float, float]:
    """What each factor saved, summed over kinds: the three add up to before minus now."""
    parts = [0.0, 0.0, 0.0]
    for before, now in pairs:
        weight = log_mean(before.n * before.staff_s, now.n * now.staff_s)
        for place, (old, new) in enumerate(zip(before.factors, now.factors, strict=True)):
            parts[place] += weight * math.log(old / new)
    return parts[0], parts[1], parts[2]


def decomposition(pairs: list[tuple[Period, Period]], rate_known: bool) -> dict[str, Any]:
    """The table of the three factors; a baseline that is no census has today's rate."""
    carers, time, rate = split(pairs)
    held = split((replace(old, n=new.n), new) for old, new in pairs)
    transfers = math.fsum(new.n for _, new in pairs)
    before, now = [item for item, _ in pairs], [item for _, item in pairs]
    unit = {"baseline": _per_day(before), "now": _per_day(now)}
    old, new = _factors(before), _factors(now)
    return {
        "carers_per_transfer": {"baseline": old[0], "now": new[0], "saved_s": carers},
        "seconds_per_transfer": {"baseline": old[1], "now": new[1], "saved_s": time},
        "transfers_per_resident": {
            "baseline": old[2] if rate_known else None,
            "now": new[2],
            "saved_s": rate if rate_known else None,
        },
        "staff_s_per_resident_day": {**unit, "saved_s": carers + time + rate},
        "saved_s_per_transfer": {
            "by_carers": held[0] / transfers,
            "by_time": held[1] / transfers,
            "total": (held[0] + held[1]) / transfers,
        },
    }


def _per_day(periods: list[Period]) -> float:
    return math.fsum(item.n * item.staff_s for item in periods)


def _factors(periods: list[Period]) -> tuple[float, float, float]:
    n = math.fsum(item.n for item in periods)
    carers = math.fsum(item.n * item.carers for item in periods)
    return carers / n, _per_day(periods) / carers, n
