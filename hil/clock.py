"""Virtual time: integer nanoseconds, an order of equal moments, and a seeded tree of chance.

Role: what every plane's events wait in. Must never: read a clock of the machine, or keep time in a
float.
"""

from __future__ import annotations

import hashlib
import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field

NS_PER_MS = 1_000_000
MOST_AT_ONCE = 10_000  # actions in one moment: more is a loop that time never leaves


class StuckInTime(RuntimeError):
    """Actions keep adding actions to the same moment."""


@dataclass(slots=True)
class Clock:
    """A queue of what is due. Equal moments: lower priority first, then as they were added."""

    now_ns: int = 0
    _due: list[tuple[int, int, int, Callable[[], None]]] = field(default_factory=list)
    _sequence: int = 0

    def at(self, t_ns: int, action: Callable[[], None], priority: int = 0) -> None:
        """Do it at `t_ns`, or in this moment if that is past."""
        self._sequence += 1
        heapq.heappush(self._due, (max(t_ns, self.now_ns), priority, self._sequence, action))

    def run_to(self, t_ns: int) -> None:
        """Everything due up to and at `t_ns`; then it is `t_ns`."""
        moment, count = -1, 0
        while self._due and self._due[0][0] <= t_ns:
            self.now_ns, _, _, action = heapq.heappop(self._due)
            count = count + 1 if self.now_ns == moment else 1
            moment = self.now_ns
            if count > MOST_AT_ONCE:
                raise StuckInTime(f"{count} actions at {moment} ns")
            action()
        self.now_ns = t_ns


def seed_of(seed: int, *path: str) -> int:
    """The seed of one branch: the same whatever other branches there are."""
    name = "/".join((str(seed), *path)).encode()
    return int.from_bytes(hashlib.sha256(name).digest()[:8], "big")


def random_of(seed: int, *path: str) -> random.Random:
    """The chance of one branch, for example `random_of(7, "fault", "L3.loss")`."""
    return random.Random(seed_of(seed, *path))
