"""A scenario as values, ready to run: quantities in the bench's units, conditions parsed.

Role: what a plane's player and the judge read. Must never: hold anything of YAML but the lines.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Doing:
    """One step or expectation: its verb, its arguments (times in ns) and where it stands."""

    verb: str
    args: dict[str, Any]
    line: int
    text: str  # as it stands in the file, on one line


@dataclass(frozen=True, slots=True)
class Scenario:
    """One run: the file with one set of parameters."""

    id: str
    title: str
    titel: str
    hazards: tuple[str, ...]
    clauses: tuple[str, ...]
    rig: str
    planes: tuple[str, ...]
    site: dict[str, Any]
    fallback: bool
    mass_kg: float
    seed: int
    today: str
    start: dict[str, Any]
    parameters: dict[str, Any]
    steps: tuple[Doing, ...]
    expect: tuple[Doing, ...]
    excused: dict[str, str]  # rules of the oracle that cannot hold here, and why
    path: Path
    cover: dict[str, Any] = field(default_factory=dict)

    @property
    def motions(self) -> tuple[str, ...]:
        """What this device has arrows for."""
        from hil.scenario.grammar import RIGS

        return RIGS[self.rig]
