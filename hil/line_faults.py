"""What a bad serial line does to bytes, one direction at a time. Pure, seeded, countable.

The bytes are 8N1. A wrong baud rate is not a guess: the receiver samples the sender's waveform at
its own times. Every fault counts what it did, as proof that it was there.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

_BITS = 10  # start, eight data bits, stop


@dataclass(frozen=True, slots=True)
class LineSpec:
    """Shares are of bytes, 0..1; `count` ends flips, drops and framing errors after so many."""

    drop: float = 0.0
    flip: float = 0.0
    framing: float = 0.0
    delay_ms: float = 0.0
    sent_baud: int = 115_200
    read_baud: int = 115_200
    count: int | None = None

    def __post_init__(self) -> None:
        for name in ("drop", "flip", "framing"):
            share = getattr(self, name)
            if not 0.0 <= share <= 1.0:
                raise ValueError(f"'{name}' is a share from 0 to 1, not {share}")
        if self.delay_ms < 0 or min(self.sent_baud, self.read_baud) <= 0:
            raise ValueError("'delay_ms' cannot be negative, and a baud rate is above 0")

    @staticmethod
    def of(request: Mapping[str, Any]) -> LineSpec:
        """From a request's fields; raises ValueError naming what is unknown or no number."""
        known = set(LineSpec.__dataclass_fields__)
        fields = {key: value for key, value in request.items() if key not in ("do", "way")}
        for key, value in fields.items():
            if key not in known:
                raise ValueError(f"no field '{key}'; a line has: {', '.join(sorted(known))}")
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise ValueError(f"'{key}' is a number")
        return LineSpec(**fields)


class LineFaults:
    """One direction of a line; `counted` is the proof."""

    def __init__(self, seed: int = 0) -> None:
        self.spec = LineSpec()
        self.counted: Counter[str] = Counter()
        self._random = Random(seed)
        self._late: deque[tuple[int, bytes]] = deque()
        self._left: int | None = None

    def set(self, spec: LineSpec) -> None:
        """Begin another fault; LineSpec() is a good line again."""
        self.spec, self._left = spec, spec.count

    def carry(self, data: bytes, now_ns: int) -> bytes:
        """Bytes go in; those that arrive by now come out, in order."""
        if data:
            self._late.append((now_ns + round(self.spec.delay_ms * 1e6), self._spoil(data)))
            if self.spec.delay_ms:
                self.counted["delayed"] += len(data)
        arrived = b""
        while self._late and self._late[0][0] <= now_ns:
            arrived += self._late.popleft()[1]
        return arrived

    @property
    def next_ns(self) -> int | None:
        """When delayed bytes arrive."""
        return self._late[0][0] if self._late else None

    def _spoil(self, data: bytes) -> bytes:
        spec = self.spec
        if spec.sent_baud != spec.read_baud:
            data, wrong = sampled(data, spec.sent_baud, spec.read_baud)
            self.counted["misread"] += wrong
        out = bytearray()
        for byte in data:
            if self._strikes("drop", spec.drop):
                continue
            if self._strikes("framing", spec.framing):
                out.append(0)  # what a terminal delivers for a byte without a stop bit
            elif self._strikes("flip", spec.flip):
                out.append(byte ^ 1 << self._random.randrange(8))
            else:
                out.append(byte)
        return bytes(out)

    def _strikes(self, what: str, share: float) -> bool:
        if not share or self._left == 0 or self._random.random() >= share:
            return False
        if self._left is not None:
            self._left -= 1
        self.counted[what] += 1
        return True


def sampled(data: bytes, sent_baud: int, read_baud: int) -> tuple[bytes, int]:
    """What a receiver at another rate reads, and how many of its bytes had no stop bit."""
    levels = [bit for byte in data for bit in (0, *((byte >> n & 1) for n in range(8)), 1)]
    ratio = sent_baud / read_baud  # of its bit time, in the sender's

    def level(at: float) -> int:
        return levels[int(at)] if at < len(levels) else 1

    out, framing, at = bytearray(), 0, 0.0
    while at < len(levels):
        if level(at):
            at = float(int(at) + 1)  # idle: wait for the next falling edge
            continue
        bits = [level(at + (n + 1.5) * ratio) for n in range(9)]
        good = bits[8] == 1
        framing += not good
        out.append(sum(bit << n for n, bit in enumerate(bits[:8])) if good else 0)
        at += (_BITS - 0.5) * ratio
    return bytes(out), framing
