"""The wall clock, and how far it may be trusted.

Role: monotonic moments as UTC, steps of the wall clock, the kernel's word on synchronisation.
Process: the recorder, the only one with a wall clock. Must never: hide that the clock was set.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

NS = 1_000_000_000
# Below it the clock was slewed, not set (500 ppm for a quarter of an hour).
STEP_NS = NS // 2
TIME_ERROR = 5  # adjtimex(2): "the system clock is not synchronized"
SYNCHRONISED = "synchronised"
TIMEX_BYTES = 256  # struct timex has 208 on 64-bit Linux; all zero asks and sets nothing


def utc_text(wall_ns: int) -> str:
    """ISO 8601 with milliseconds."""
    return datetime.fromtimestamp(wall_ns / 1e9, UTC).isoformat(timespec="milliseconds")


def kernel_sync() -> str:
    """synchronised, unsynchronised, or unknown where adjtimex(2) cannot be asked."""
    try:
        told = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(TIMEX_BYTES))
    except (OSError, AttributeError):
        return "unknown"
    if told < 0:
        return "unknown"
    return "unsynchronised" if told == TIME_ERROR else SYNCHRONISED


@dataclass(frozen=True, slots=True)
class Clock:
    """The only clocks the recorder knows; `sync` says how good the second one is."""

    mono_ns: Callable[[], int]
    wall_ns: Callable[[], int]
    sync: Callable[[], str] = field(default=kernel_sync)

    def offset_ns(self) -> int:
        """Wall clock less monotonic clock."""
        return self.wall_ns() - self.mono_ns()

    def utc(self, t_ns: int) -> str:
        """A monotonic moment by today's reading of the wall clock."""
        return utc_text(self.offset_ns() + t_ns)


def step_s(before_ns: int, now_ns: int) -> float:
    """By how much the wall clock was set between two offsets; 0 when it only drifted."""
    step_ns = now_ns - before_ns
    return round(step_ns / NS, 3) if abs(step_ns) >= STEP_NS else 0.0


def site_day(wall_ns: int) -> date:
    """The day at the site."""
    return datetime.fromtimestamp(wall_ns / 1e9).astimezone().date()
