"""`safety/hazards.toml` read into frozen values.

Role: the only reader of the hazard list. Process: none of the service's. Must never: guess; an
unknown key, a missing one or a hazard that stands twice is a `HazardError` that names it.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

FILE = Path(__file__).parents[2] / "safety" / "hazards.toml"
IDS = tuple(f"H{number}" for number in range(1, 38))
OWNERS = ("software", "hardware", "both")
MOTIONS = ("up", "down", "traverse", "stand", "sit", "drive", "emergency_lowering")


class HazardError(Exception):
    """A hazard list that cannot be used; the message has one line per finding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hazard:
    """What can hurt somebody. `allowed`: motions that stay; `exempt`: why it has no row;
    `differs`: where a rule bends the usual reaction, and why.
    """

    id: str
    hazard: str
    cause: str
    detection: str
    reaction: str
    allowed: tuple[str, ...]
    source: str
    owner: str
    hardware: str
    also: str
    gaps: str
    exempt: str = ""
    differs: str = ""


@dataclass(frozen=True, slots=True)
class HazardList:
    """All hazards by id, and for each row that may take lowering away the reason."""

    hazards: Mapping[str, Hazard]
    lowering: Mapping[str, str]


KEYS = {item.name for item in fields(Hazard)}
NEEDED = {item.name for item in fields(Hazard) if item.default is MISSING}
FULL = ("hazard", "cause", "detection", "reaction", "source")  # must say something


def _findings(entry: Mapping[str, Any]) -> list[str]:
    """What is wrong with one entry, each as a sentence that names it."""
    name = str(entry.get("id", "an entry without id"))
    found = [f"{name}: unknown key {key}" for key in sorted(set(entry) - KEYS)]
    found += [f"{name}: {key} is missing" for key in sorted(NEEDED - set(entry))]
    for key in sorted(KEYS & set(entry)):
        value = entry[key]
        if key == "allowed":
            wrong = value if not isinstance(value, list) else set(value) - set(MOTIONS)
            found += [f"{name}: allowed names {item}, not a motion" for item in sorted(wrong)]
        elif not isinstance(value, str):
            found.append(f"{name}: {key} is no text")
    found += [f"{name}: {key} is empty" for key in FULL if entry.get(key) == ""]
    if entry.get("owner") not in (None, *OWNERS):
        found.append(f"{name}: owner is none of {', '.join(OWNERS)}")
    if entry.get("owner") in ("hardware", "both") and not entry.get("hardware"):
        found.append(f"{name}: owner is {entry['owner']}, but hardware says nothing")
    return found


def parse(text: str) -> HazardList:
    """The list, or a `HazardError` with every finding."""
    data = tomllib.loads(text)
    entries = data.get("hazard", [])
    ids = Counter(entry.get("id") for entry in entries)
    found = [f"unknown table {key}" for key in sorted(set(data) - {"hazard", "lowering"})]
    found += [finding for entry in entries for finding in _findings(entry)]
    found += [f"{name} stands {times} times" for name, times in ids.items() if times > 1]
    found += [f"{name} is missing" for name in IDS if name not in ids]
    found += [f"{name} is none of H1 to H37" for name in ids if name and name not in IDS]
    if found:
        raise HazardError("\n".join(found))
    made = (Hazard(**{**entry, "allowed": tuple(entry["allowed"])}) for entry in entries)
    return HazardList({item.id: item for item in made}, data.get("lowering", {}))


def load(path: Path = FILE) -> HazardList:
    """The list the project ships."""
    return parse(path.read_text("utf-8"))
