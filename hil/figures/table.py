"""Numbers as rows: percentiles of a figure beside those of its baseline.

Role: arithmetic and printing. Must never: judge; machines are shared and noisy, the reader compares
ratios.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spread:
    """Percentiles of a sample, in the unit of the sample."""

    n: int
    p50: float
    p99: float
    worst: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Of at least one value."""
        ordered = sorted(values)
        return cls(
            len(ordered),
            ordered[len(ordered) // 2],
            ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))],
            ordered[-1],
        )


def say(text: str) -> None:
    """One line of the report."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def row(name: str, unit: str, figure: Spread, baseline: Spread, against: str) -> None:
    """One figure, its baseline and their ratio."""

    def cells(it: Spread) -> str:
        return f"p50 {it.p50:8.2f}  p99 {it.p99:8.2f}  max {it.worst:8.2f} {unit} (n={it.n})"

    say(name)
    say(f"  measured  {cells(figure)}")
    say(f"  baseline  {cells(baseline)}  {against}")
    ratio = figure.p50 / baseline.p50 if baseline.p50 else float("inf")
    say(f"  ratio     p50 {ratio:.2f}")
