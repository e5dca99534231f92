"""What one home may ask of an ingest process, so that a flood is its own trouble.

Role: token buckets. Process: ingest; each process counts for itself. Must never: refuse without
saying when to come back.
"""

from __future__ import annotations

from dataclasses import dataclass, field

MOST_KEYS = 100_000


@dataclass(slots=True)
class Bucket:
    """`level` units are left; it fills by `rate_per_s` up to `burst`."""

    level: float
    at_ns: int


@dataclass(slots=True)
class Limiter:
    """Units (bytes, or calls) per second of each key, `price_per_call` beside its size."""

    rate_per_s: float = 512 * 1024
    burst: float = 64 << 20
    price_per_call: float = 2048
    _buckets: dict[str, Bucket] = field(default_factory=dict)

    def wait_s(self, key: str, size: int, now_ns: int) -> float:
        """0: taken. Else nothing was taken, and so many seconds from now it would be."""
        if len(self._buckets) >= MOST_KEYS:
            self._buckets.clear()
        bucket = self._buckets.setdefault(key, Bucket(self.burst, now_ns))
        filled = (now_ns - bucket.at_ns) / 1e9 * self.rate_per_s
        bucket.level, bucket.at_ns = min(self.burst, bucket.level + filled), now_ns
        price = min(self.burst, size + self.price_per_call)
        if bucket.level >= price:
            bucket.level -= price
            return 0.0
        return (price - bucket.level) / self.rate_per_s
