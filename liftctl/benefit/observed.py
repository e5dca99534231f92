"""Resident-days: for how long each resident could have been seen in a transfer.

Role: the denominator of transfers per resident and day, the same before and now. Process: library,
plain Python. Must never: depend on how long the period is.

Counted from first to last transfer, three weekly ones in three weeks would be three in 15 days, and
52 in a year 52 in 358: moved less often today, by arithmetic alone. So a resident is observed for
the whole period of the home, cut only where the transfers show that the resident came or left.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from itertools import pairwise

from liftctl.benefit.rows import Row

SILENCE_DAYS = 14
SILENCE_FACTOR = 3


def resident_days(rows: Iterable[Row]) -> float:
    """Summed over homes and residents; rows without a day are nobody's."""
    homes: dict[tuple[str, str], dict[str, list[date]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if row.day:
            homes[row.municipality, row.home][row.resident].append(row.day)
    return float(sum(_of_home(list(seen.values())) for seen in homes.values()))


def _of_home(seen: list[list[date]]) -> int:
    first, last = min(map(min, seen)), max(map(max, seen))
    return sum(_stay(sorted(days), first, last) for days in seen)


def _stay(days: list[date], first: date, last: date) -> int:
    """Silent for more than two weeks, and three times the own longest pause, is not there."""
    if len(days) == 1:
        return (last - first).days + 1
    pause = max((later - day).days for day, later in pairwise(days))
    most = max(SILENCE_DAYS, SILENCE_FACTOR * pause)
    begin = first if (days[0] - first).days <= most else days[0]
    end = last if (last - days[-1]).days <= most else days[-1]
    return (end - begin).days + 1
