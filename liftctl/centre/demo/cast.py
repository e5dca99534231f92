"""Who plays in the demo: two municipalities, three homes, eleven gateways with characters.

Role: data. Process: the demo. Must never: name a real place or person.
"""

from __future__ import annotations

from dataclasses import dataclass

from liftctl.centre.people import Person


@dataclass(frozen=True, slots=True)
class Gateway:
    """`character`: what is wrong with it, see liftctl/centre/demo/history.py."""

    name: str
    title: str
    character: str = "well"
    kind: str = "lift"
    a_day: float = 6.0


@dataclass(frozen=True, slots=True)
class DemoHome:
    """A home and its gateways."""

    municipality: str
    municipality_title: str
    home: str
    title: str
    gateways: tuple[Gateway, ...]


HOMES = (
    DemoHome("nordby", "Nordby Kommune", "skovly", "Skovly", (
        Gateway("skovly-1", "Room 1, ceiling lift"),
        Gateway("skovly-2", "Room 2, ceiling lift", "motor", a_day=8),
        Gateway("skovly-3", "Room 3, ceiling lift", "silent", a_day=5),
        Gateway("skovly-4", "Room 4, standing chair", kind="chair", a_day=4),
    )),
    DemoHome("nordby", "Nordby Kommune", "strandhave", "Strandhave", (
        Gateway("strandhave-a", "Bath A, ceiling lift", "latched", a_day=9),
        Gateway("strandhave-b", "Bath B, ceiling lift", a_day=7),
        Gateway("strandhave-c", "Room 12, ceiling lift", "overdue", a_day=5),
    )),
    DemoHome("sydvig", "Sydvig Kommune", "birkebo", "Birkebo", (
        Gateway("birkebo-1", "Room 1, ceiling lift", "drift", a_day=7),
        Gateway("birkebo-2", "Room 2, ceiling lift"),
        Gateway("birkebo-3", "Room 3, ceiling lift", "battery", a_day=6),
        Gateway("birkebo-4", "Hall, standing chair", "comms", kind="chair", a_day=5),
    )),
)  # fmt: skip

PEOPLE = {
    "technician": Person("Technician of the centre", "centre"),
    "nordby": Person("Nordby, lifting coordinator", "municipality", "nordby"),
    "birkebo": Person("Birkebo, manager", "home", "sydvig", "birkebo"),
    "auditor": Person("Auditor", "auditor"),
}
