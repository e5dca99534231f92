"""The kill matrix: who x how x doing, a small set that meets every pair, and the measured table."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from itertools import combinations, product
from pathlib import Path
from typing import NamedTuple

from safety.types import Axis

WHO = ("panel", "controller", "gate", "guard", "recorder", "hardware")
HOW = ("frozen", "starved", "killed")  # a restart takes longest: last where any will do
DOING = ("idle", "raising", "traversing", "lowering", "standing")
TABLE = "LIFTCTL_KILL_TABLE"


class Cell(NamedTuple):
    """One cell."""

    who: str
    how: str
    doing: str


FULL = tuple(Cell(*values) for values in product(WHO, HOW, DOING))


def pairs(cell: Cell) -> frozenset[tuple[str, str]]:
    """The pairs that a cell meets."""
    return frozenset(combinations(cell, 2))


def pairwise(cells: tuple[Cell, ...] = FULL) -> tuple[Cell, ...]:
    """Greedy and always the same: the first cell that meets the most pairs nobody met yet."""
    left = frozenset().union(*map(pairs, cells))
    found: list[Cell] = []
    while left:
        best = max(cells, key=lambda cell: len(pairs(cell) & left))
        found.append(best)
        left -= pairs(best)
    return tuple(sorted(found, key=cells.index))


@dataclass(frozen=True, slots=True)
class Measured:
    """What the truth log said about a cell."""

    cell: Cell
    stop_ms: float
    travel_mm: float
    bound_mm: float
    late_ms: float
    remained: str


@dataclass(frozen=True, slots=True)
class Moving:
    """How a motion is begun, and where it shows in the truth log."""

    motion: str
    axis: Axis
    key: str
    speed_key: str
    top_mm_s: float
    run_up_mm: float


MOVING = {
    "raising": Moving("UP", Axis.HOIST, "height_mm", "speed_mm_s", 60.0, 25.0),
    "lowering": Moving("DOWN", Axis.HOIST, "height_mm", "speed_mm_s", 60.0, 25.0),
    "traversing": Moving("RIGHT", Axis.TRAVERSE, "x_mm", "x_speed_mm_s", 150.0, 90.0),
    "standing": Moving("STAND", Axis.STANDER, "stroke_mm", "stroke_speed_mm_s", 15.0, 8.0),
}


def report(rows: list[Measured]) -> str:
    """The table."""
    head = "who        how     doing       stop ms  travel mm  bound mm  late ms  what remained"
    lines = [
        f"{m.cell.who:<11}{m.cell.how:<8}{m.cell.doing:<12}{m.stop_ms:7.0f}{m.travel_mm:11.1f}"
        f"{m.bound_mm:10.1f}{m.late_ms:9.0f}  {m.remained}"
        for m in rows
    ]
    return "\n".join([head, *lines, ""])


def publish(rows: list[Measured]) -> None:
    """To the file that the environment names, else to where pytest shows it with -s."""
    if rows and (path := os.environ.get(TABLE)):
        Path(path).write_text(report(rows), encoding="utf-8")
    elif rows:
        sys.stdout.write("\n" + report(rows))
