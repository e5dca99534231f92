"""Everything a pack of runs covers, in one value.

Role: reads the timelines of a pack once and measures. Must never: run a scenario.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.schema import load
from drivers.registry import build
from hil.coverage import faults, matrix, trace
from hil.coverage.faults import Faults, Met
from hil.coverage.matrix import Cell, Event, Matrix
from hil.coverage.trace import Line
from hil.faults import catalogue
from hil.timeline import Result
from liftctl.gate.turn import configure
from liftctl.safetycase import hazards

SITES = (Path("config/sites/demo-lift.toml"), Path("config/sites/demo-chair.toml"))


@dataclass(frozen=True, slots=True)
class Seen:
    """What one run met, by the id of its scenario."""

    name: str
    cells: frozenset[Cell]
    proved: frozenset[Met]
    requested: frozenset[str]


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the runs met of the table, the hazard list, the clauses and the fault catalogue."""

    matrix: Matrix
    faults: Faults
    hazards: tuple[Line, ...]
    clauses: tuple[Line, ...]

    def figures(self) -> dict[str, Any]:
        """As `result.json` holds it."""
        pairs, of = self.faults.pairs()
        tried = sum(line.worst is not None for line in self.hazards)
        return {
            "matrix": self.matrix.figures(),
            "faults": {"met": len(self.faults.proved), "of": len(self.faults.known)},
            "fault x state x direction, pairs": {"met": pairs, "of": of},
            "hazards": {"met": tried, "of": len(self.hazards)},
        }


def fitted(sites: Iterable[Path] = SITES) -> dict[str, frozenset[str]]:
    """Kind -> the signals the rig's site sends: a row that needs another does not exist there."""
    found: dict[str, frozenset[str]] = {}
    for path in sites:
        site = load(path)
        kernel = configure(site, tuple(build(spec, site.limits) for spec in site.device)).kernel
        found[kernel.kind] = frozenset(kernel.expected)
    return found


def seen(name: str, events: Iterable[Event]) -> Seen:
    """What one run met; its events are not needed any more after that."""
    kept = tuple(events)
    return Seen(name, matrix.met(kept), frozenset(faults.met(kept)), faults.requested(kept))


def measure(results: tuple[Result, ...], runs: tuple[Seen, ...]) -> Coverage:
    """`runs`: of every result that has a timeline."""
    known = {item.id: item.hazard for item in hazards.load().hazards.values()}
    return Coverage(
        matrix.measure(((run.name, run.cells) for run in runs), fitted()),
        faults.measure(((run.name, run.proved, run.requested) for run in runs), catalogue.KINDS),
        trace.hazards(results, known),
        trace.clauses(results),
    )
