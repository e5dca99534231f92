"""The simulator's truth log, and what it says about evidence.

Role: the plant's positions in ns against the times the finger was down. Must never: use what the
service says about itself.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

SETTLE_NS = 1_500_000_000  # after a release: time to react and ramp down, with a wide margin


@dataclass(frozen=True, slots=True)
class Travel:
    """How far an axis went without a finger: while stopping, and after it had stopped."""

    stopping_mm: float
    after_standstill_mm: float


class TruthLog:
    """An unlinked file: only who inherits the descriptor can write it, only we read it."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115

    @property
    def fd(self) -> int:
        """To be inherited by the simulated hardware."""
        return self._file.fileno()

    def rows(self) -> list[dict[str, Any]]:
        """Everything written so far, whole lines only."""
        return self.rows_after(0)[0]

    def rows_after(self, offset: int) -> tuple[list[dict[str, Any]], int]:
        """The whole lines written since this offset, and the next offset."""
        text = os.pread(self.fd, os.fstat(self.fd).st_size - offset, offset)
        whole = text[: text.rfind(b"\n") + 1]
        return [json.loads(line) for line in whole.splitlines()], offset + len(whole)


def travel(rows: Iterable[dict[str, Any]], key: str, holds: Iterable[tuple[int, int]]) -> Travel:
    """The largest travel of `key` (mm) in any stretch without a hold; `holds` as (from, to) in
    ns.
    """
    stopping = after = 0.0
    edges = sorted(holds)
    starts = [0, *(end for _, end in edges)]
    ends = [*(begin for begin, _ in edges), 1 << 63]
    found = list(rows)
    for begin, end in zip(starts, ends, strict=True):
        part = [row for row in found if begin <= row["t_ns"] < end]
        if part:
            still = [row[key] for row in part if row["t_ns"] >= begin + SETTLE_NS] or [
                part[-1][key]
            ]
            stopping = max(stopping, *(abs(row[key] - part[0][key]) for row in part))
            after = max(after, max(still) - min(still))
    return Travel(round(stopping, 2), round(after, 2))
