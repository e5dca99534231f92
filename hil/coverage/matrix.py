"""Interlock x motion x mode x phase: which cells exist by the table, which ones a timeline met.

Role: the denominator comes from `safety.table` itself, the numerator from timelines. Must never:
believe a scenario's `cover` line, or count a row that the gate did not report.

An interlock is a row being true (`slack`) or unknown (`slack?`). It has a cell for a motion when
the table lets it slow or stop that motion. Phases of one interlock and one motion:

- before start: the button is pressed while the interlock stands, and nothing moves
- during motion: the interlock trips while the motion runs
- release: the finger lifts after it had met the interlock
- re-arm: the interlock is gone, and the motion starts again
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from safety.evaluate import MOTIONS_OF
from safety.table import FOR_KIND, Reactions, Row
from safety.types import Act, Motion

Event = Mapping[str, Any]
CARRIED_KG, STOOD_MM = 10.0, 60.0  # plant truth: a person hangs in the sling, or stands


class Phase(StrEnum):
    """Where in the life of a press the interlock was met."""

    BEFORE = "before start"
    DURING = "during motion"
    RELEASE = "release"
    REARM = "re-arm"


class Mode(StrEnum):
    """The situation: `faulted` is the gate's word, the other two are plant truth."""

    EMPTY = "empty"
    CARRYING = "carrying"
    FAULTED = "faulted"


class Cell(NamedTuple):
    """One cell; motions differ between lift and chair, so the kind needs no name."""

    interlock: str
    motion: str
    mode: Mode
    phase: Phase


def interlocks(
    kind: str, fitted: frozenset[str] | None = None
) -> Iterator[tuple[str, Row, Motion]]:
    """(name, row, motions it slows or stops); without the rows whose signals are not `fitted`."""
    for row in FOR_KIND[kind]:
        if fitted is not None and not row.needs <= fitted:
            continue
        for name, reactions in ((row.id, row.when_true), (f"{row.id}?", row.when_unknown)):
            if motions := _acts_on(reactions):
                yield name, row, motions


def _acts_on(reactions: Reactions) -> Motion:
    found = Motion.NONE
    for item in reactions:
        found |= item.motions if item.act >= Act.SLOW else Motion.NONE
    return found


def cells(kind: str, fitted: frozenset[str] | None = None) -> frozenset[Cell]:
    """The denominator."""
    return frozenset(
        Cell(name, str(motion.name), mode, phase)
        for name, _, motions in interlocks(kind, fitted)
        for motion in MOTIONS_OF[kind]
        if motion & motions
        for mode in Mode
        for phase in Phase
    )


def carrying(plant: Event) -> bool:
    """Does somebody hang or stand, by the plant's own truth."""
    if "stroke_mm" in plant:
        return bool(plant["stroke_mm"] > STOOD_MM)
    return bool(plant.get("hooked")) and plant.get("load_kg", 0.0) > CARRIED_KG


@dataclass(slots=True)
class _Walk:
    """What is so at this moment of the timeline."""

    rows: dict[str, frozenset[str]] = field(default_factory=dict)
    moving: str = ""
    faulted: bool = False
    carries: bool = False
    held: dict[str, list[str]] = field(default_factory=dict)  # station -> motions
    met: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))  # in this press
    past: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))  # in any press

    @property
    def mode(self) -> Mode:
        if self.faulted:
            return Mode.FAULTED
        return Mode.CARRYING if self.carries else Mode.EMPTY

    def hits(self, rows: Iterable[str], motion: str, phase: Phase) -> Iterator[Cell]:
        for row in sorted(rows):
            yield Cell(row, motion, self.mode, phase)

    def press(self, event: Event) -> Iterator[Cell]:
        motions = str(event.get("motion", "")).split("+")
        self.held[str(event.get("station", ""))] = motions
        for motion in motions:
            self.met[motion] = set()
            if not self.moving:
                yield from self._meets(motion, self.rows.get(motion, frozenset()), Phase.BEFORE)

    def _meets(self, motion: str, rows: Iterable[str], phase: Phase) -> Iterator[Cell]:
        self.met[motion].update(rows)
        self.past[motion].update(rows)
        yield from self.hits(rows, motion, phase)

    def release(self, event: Event) -> Iterator[Cell]:
        for motion in self.held.pop(str(event.get("station", "")), ()):
            yield from self.hits(self.met.pop(motion, ()), motion, Phase.RELEASE)

    def gate(self, event: Event) -> Iterator[Cell]:
        before, was = self.rows, self.moving
        self.rows = {name: frozenset(said["rows"]) for name, said in event["motions"].items()}
        self.moving, self.faulted = event["moving"] or "", event["mode"] == "faulted"
        for motion, rows in self.rows.items():
            fresh = rows - before.get(motion, frozenset())
            if motion == was:
                yield from self._meets(motion, fresh, Phase.DURING)
            elif not was and any(motion in held for held in self.held.values()):
                yield from self._meets(motion, fresh, Phase.BEFORE)
        if self.moving and not was:
            over = self.past[self.moving] - self.rows.get(self.moving, frozenset())
            self.past[self.moving] -= over
            yield from self.hits(over, self.moving, Phase.REARM)


def met(events: Iterable[Event]) -> frozenset[Cell]:
    """Every cell one timeline met. `not_permitted` and the like are no rows: they drop out when
    held against `cells`.
    """
    walk, found = _Walk(), set[Cell]()
    for event in events:
        match event["lane"], event["kind"]:
            case "plant", _:
                walk.carries = carrying(event)
            case "human", "press":
                found.update(walk.press(event))
            case "human", "release":
                found.update(walk.release(event))
            case "gate", _ if "motions" in event:
                found.update(walk.gate(event))
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class Matrix:
    """`all`: the denominator; `hit`: cell -> the runs that met it."""

    all: frozenset[Cell]
    hit: Mapping[Cell, tuple[str, ...]]

    def figures(self) -> dict[str, dict[str, int]]:
        """met and of, from the coarsest to the whole product."""
        parts = {
            "interlock": lambda c: c.interlock,
            "interlock x motion": lambda c: c[:2],
            "interlock x motion x phase": lambda c: (*c[:2], c.phase),
            "interlock x motion x mode x phase": tuple,
        }
        return {
            name: {"met": len(set(map(part, self.hit))), "of": len(set(map(part, self.all)))}
            for name, part in parts.items()
        }


def measure(
    runs: Iterable[tuple[str, frozenset[Cell]]], fitted: Mapping[str, frozenset[str]]
) -> Matrix:
    """The matrix of a pack: (name, what it met) of each run; `fitted`: kind -> rig's signals."""
    every = frozenset().union(*(cells(kind, signals) for kind, signals in fitted.items()))
    hit = defaultdict[Cell, list[str]](list)
    for name, found in runs:
        for cell in sorted(found & every):
            hit[cell].append(name)
    return Matrix(every, {cell: tuple(names) for cell, names in sorted(hit.items())})
