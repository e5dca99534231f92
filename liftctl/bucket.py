"""A token bucket: how much somebody may ask for at once, and for long.

Role: value, pure; time is an argument. Process: panel, desk, support. Must never: hold back a STOP
or a release (its callers see to that).
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Bucket:
    """A token bucket: `size` at once, `per_s` for long."""

    size: float
    per_s: float
    level: float
    at_ns: int = 0

    def take(self, now_ns: int) -> tuple[Bucket, bool]:
        """The bucket after one more, and whether that one was within the budget."""
        refill = max(0, now_ns - self.at_ns) * 1e-9 * self.per_s
        level = min(self.size, self.level + refill)
        if level < 1:
            return replace(self, level=level, at_ns=now_ns), False
        return replace(self, level=level - 1, at_ns=now_ns), True
