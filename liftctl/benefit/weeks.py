"""Sums per week, of weeks that give nobody away.

Role: what a baseline keeps for the time series. Process: library, plain Python. Must never: keep a
week of one to four residents.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta

from liftctl.benefit.rows import Row
from liftctl.benefit.units import shown


def weeks_of(rows: Iterable[Row]) -> Iterable[tuple[str, int, float, int]]:
    """(ISO Monday, transfers, staff-seconds, residents), without weeks of one to four residents and
    those they could be worked out from.
    """
    weeks: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row.day:
            weeks[(row.day - timedelta(row.day.weekday())).isoformat()].append(row)
    who = {week: {row.resident for row in items} for week, items in weeks.items()}
    for week in shown(who, {week: len(items) for week, items in weeks.items()}):
        staff_s = math.fsum(row.staff_s or 0.0 for row in weeks[week])
        yield week, len(weeks[week]), staff_s, len(who[week])
