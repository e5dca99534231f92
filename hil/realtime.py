"""Simulated hardware does not wait for other programs: real-time scheduling where it is permitted.

Role: one call at the start of bus and hardware processes. Must never: be a condition of working.
"""

from __future__ import annotations

import os
from contextlib import suppress

PRIORITY = 30  # above the service: hardware is never late because the service is busy


def real_time() -> None:
    """SCHED_FIFO, if the system lets us."""
    with suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY))
