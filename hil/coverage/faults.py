"""Fault x state x direction, two at a time; and which faults of the catalogue were ever proved.

Role: what the faults of a pack met. Must never: count a fault that was only requested; `active`,
which carries the proof, is what counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations, product
from typing import NamedTuple

from hil.coverage.matrix import Event, Mode, carrying

STILL = "still"
DIRECTIONS = ("UP", "DOWN", "LEFT", "RIGHT", "STAND", "SIT", "DRIVE", STILL)


class Met(NamedTuple):
    """One proved fault, and what was going on."""

    fault: str
    state: str
    direction: str


def met(events: Iterable[Event]) -> Iterator[Met]:
    """Every proved activation of one timeline."""
    moving, faulted, carries = "", False, False
    for event in events:
        lane = event["lane"]
        if lane == "plant":
            carries = carrying(event)
        elif lane == "gate" and "moving" in event:
            moving, faulted = event["moving"] or "", event["mode"] == "faulted"
        elif lane == "fault" and event["kind"] == "active":
            loaded = Mode.CARRYING if carries else Mode.EMPTY
            yield Met(str(event["id"]), Mode.FAULTED if faulted else loaded, moving or STILL)


@dataclass(frozen=True, slots=True)
class Faults:
    """`known`: the catalogue; `met`: activation -> the runs; `requested`: asked for, proved or
    not.
    """

    known: tuple[str, ...]
    met: Mapping[Met, tuple[str, ...]]
    requested: frozenset[str]

    @property
    def proved(self) -> frozenset[str]:
        """Faults of the catalogue that were active at least once."""
        return frozenset(item.fault for item in self.met) & frozenset(self.known)

    def pairs(self) -> tuple[int, int]:
        """(met, possible) pairs of values of two different ones of fault, state and direction."""
        axes = (self.known, tuple(Mode), DIRECTIONS)
        sides = tuple(combinations(range(3), 2))
        every = {(a, x, b, y) for a, b in sides for x, y in product(axes[a], axes[b])}
        seen = {(a, item[a], b, item[b]) for item in self.met for a, b in sides}
        return len(seen & every), len(every)


def requested(events: Iterable[Event]) -> frozenset[str]:
    """Ids of all faults one timeline asked for, proved or not."""
    asked = (e for e in events if (e["lane"], e["kind"]) == ("fault", "requested"))
    return frozenset(str(event["id"]) for event in asked)


def measure(
    runs: Iterable[tuple[str, frozenset[Met], frozenset[str]]], known: Iterable[str]
) -> Faults:
    """Of a pack: (name, proved, requested) of each run; `known`: ids of the catalogue."""
    found: dict[Met, list[str]] = {}
    asked = frozenset[str]()
    for name, proved, requests in runs:
        asked |= requests
        for item in sorted(proved):
            found.setdefault(item, []).append(name)
    ordered = {item: tuple(names) for item, names in sorted(found.items())}
    return Faults(tuple(known), ordered, asked)
