"""Names of homes and wards that are one place each.

Role: tells apart what two homes, or two municipalities, call the same. Process: library, plain
Python. Must never: put two places together because of their name.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from liftctl.benefit.rows import Row

JOINT = " · "


def told_apart(rows: Sequence[Row]) -> tuple[Row, ...]:
    """The rows; a ward or home that is not alone with its name has that of its home before it."""
    homes = _shared((row.home, row.municipality) for row in rows)
    wards = _shared((row.ward, (row.municipality, row.home)) for row in rows)

    def named(row: Row) -> Row:
        home = _joint(row.municipality, row.home) if row.home in homes else row.home
        ward = _joint(home, row.ward) if row.ward in wards else row.ward
        return replace(row, home=home, ward=ward)

    return tuple(named(row) for row in rows) if homes or wards else tuple(rows)


def _joint(*names: str) -> str:
    return JOINT.join(filter(None, names))


def _shared(pairs: Iterable[tuple[str, object]]) -> set[str]:
    """Names that stand in more than one place; no name is none."""
    found: dict[str, set[object]] = defaultdict(set)
    for name, place in pairs:
        found[name].add(place)
    return {name for name, places in found.items() if name and len(places) > 1}
