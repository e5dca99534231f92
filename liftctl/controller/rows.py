"""Alarm priorities, and which latches a technician releases.

Role: adapter to `safety.table`. Process: controller. Must never: decide what a row does.
"""

from __future__ import annotations

from safety.table import ROWS
from safety.types import Clear

# Steps of an ordinary transfer, no reason for an alarm.
EXPECTED = frozenset({"tension_pause", "stood", "person_low", "paused", "cleaning"})
SERVICE_ROWS = frozenset(row.id for row in ROWS.values() if row.clear is Clear.SERVICE)


def priority_of(row: str) -> str:
    """high, medium, low, or "" when the row is no alarm ("?" marks an unknown input)."""
    found = ROWS.get(row.rstrip("?"))
    return "" if found is None or found.id in EXPECTED else found.priority.value
