"""Quantities with their units: "40 kg", "0.5 s", "12 mm/s".

Role: text to a number in the bench's own unit of that dimension. Must never: guess a unit.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# dimension -> (the bench's unit, factors into it)
DIMENSIONS: dict[str, tuple[str, dict[str, float]]] = {
    "length": ("mm", {"mm": 1, "cm": 10, "m": 1000}),
    "speed": ("mm/s", {"mm/s": 1, "cm/s": 10, "m/s": 1000}),
    "mass": ("kg", {"kg": 1}),
    "time": ("ms", {"ms": 1, "s": 1000, "min": 60_000}),
    "share": ("%", {"%": 1}),
    "voltage": ("V", {"V": 1, "mV": 0.001}),
    "current": ("A", {"A": 1, "mA": 0.001}),
    "angle": ("deg", {"deg": 1, "°": 1}),
    "count": ("", {"": 1}),
}
UNITS = {unit: name for name, (_, factors) in DIMENSIONS.items() for unit in factors}
NUMBER = r"[-+]?\d+(?:\.\d+)?"
UNIT = r"mm/s|cm/s|m/s|mm|cm|ms|min|mV|mA|kg|deg|m|s|V|A|%|°"
QUANTITY = re.compile(rf"({NUMBER})\s*({UNIT})?")


class UnitError(ValueError):
    """A quantity that is none; the message names the remedy."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A value in the bench's unit of its dimension."""

    value: float
    dimension: str

    @property
    def unit(self) -> str:
        """The bench's unit."""
        return DIMENSIONS[self.dimension][0]

    def __str__(self) -> str:
        return f"{self.value:g} {self.unit}".strip()


def parse(text: object, dimension: str | None = None) -> Quantity:
    """A quantity of this dimension (of any, if None); UnitError if the unit is missing or odd."""
    match = QUANTITY.fullmatch(str(text).strip())
    if match is None or (isinstance(text, bool)):
        raise UnitError(f"'{text}' is no quantity; write a number and its unit, such as 40 kg")
    found = UNITS[match[2] or ""]
    if dimension is not None and found != dimension:
        units = ", ".join(DIMENSIONS[dimension][1]) or "no unit"
        why = "has no unit" if found == "count" else f"is a {found}"
        raise UnitError(f"'{text}' {why}; a {dimension} is wanted, in {units}")
    return Quantity(float(match[1]) * DIMENSIONS[found][1][match[2] or ""], found)


def ns(text: object) -> int:
    """A time in nanoseconds."""
    return round(parse(text, "time").value * 1_000_000)
