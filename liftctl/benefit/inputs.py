"""What no ledger can know: wages, prices, plans, expected transfers. Every number has its source.

Role: the only reader of the report's inputs (TOML). Process: library, plain Python. Must never:
fill in a number that nobody gave.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from liftctl.benefit.rows import EvidenceError

NUMBERS = {
    "expected.transfers_per_resident_day": "transfers that should be logged per resident and day",
    "expected.device_cycles": "cycles the devices counted in the same period",
    "plan.six_months_hours_per_week": "saved hours per week planned for month six",
    "plan.twelve_months_hours_per_week": "saved hours per week planned for month twelve",
    "money.wage_per_hour": "cost of one staff hour, with everything the employer pays",
    "money.purchase": "lifts, rails, slings, installation, once",
    "money.training": "training before go-live, once",
    "money.licence_per_year": "licences and hosting per year",
    "money.repair_per_year": "service, repair and inspections per year",
    "money.training_per_year": "training of new staff per year",
    "use.reused_share": "share of released time that is used for other care",
    "use.cashed_share": "share of released time that left the budget",
}
TEXTS = ("name", "currency", "citizen", "environment")


@dataclass(frozen=True, slots=True)
class Inputs:
    """`numbers`: dotted name -> (value, source). `texts`: free words of the municipality."""

    numbers: dict[str, tuple[float, str]]
    texts: dict[str, str]

    def get(self, name: str) -> float | None:
        """The value, None when nobody gave it."""
        found = self.numbers.get(name)
        return None if found is None else found[0]


NONE = Inputs({}, {})


def read_inputs(path: Path) -> Inputs:
    """EvidenceError names the key, what it must be and an example."""
    try:
        told = tomllib.loads(path.read_text("utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise EvidenceError(f"{path}: no TOML that can be read ({error})") from error
    return inputs_of(told, str(path))


def inputs_of(told: dict[str, Any], where: str) -> Inputs:
    """From parsed TOML or JSON."""
    texts = {name: str(told[name]) for name in TEXTS if name in told}
    sections = {name: part for name, part in told.items() if name not in TEXTS}
    numbers = {}
    for section, part in sections.items():
        if not isinstance(part, dict):
            raise EvidenceError(f"{where}: {section} is unknown; known: {', '.join(TEXTS)}")
        for key, item in part.items():
            name = f"{section}.{key}"
            numbers[name] = _number(name, item, where)
    if sum(numbers.get(f"use.{key}_share", (0.0, ""))[0] for key in ("reused", "cashed")) > 1:
        raise EvidenceError(f"{where}: use.reused_share and use.cashed_share are above 1 together")
    return Inputs(numbers, texts)


def _number(name: str, item: Any, where: str) -> tuple[float, str]:
    if name not in NUMBERS:
        raise EvidenceError(f"{where}: {name} is unknown; known: {', '.join(NUMBERS)}")
    example = f'{name.split(".")[1]} = {{ value = 1.0, source = "..." }}'
    if not isinstance(item, dict) or not isinstance(item.get("source"), str) or not item["source"]:
        raise EvidenceError(f"{where}: {name} needs a source: write {example}")
    value = item.get("value")
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e12:
        raise EvidenceError(
            f"{where}: {name}.value must be a number of at least 0: write {example}"
        )
    return float(value), item["source"]
