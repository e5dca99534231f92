"""The closed list of faults by id, with what each needs and the planes that can do it.

Role: look-up, arguments, capability matrix. Must never: guess a fault or an argument.
"""

from __future__ import annotations

import difflib
from typing import Any

from hil.faults import attacks, bus, frames, hardware, mechanics, people, software
from hil.faults.kind import Args, FaultError, Kind, Param
from hil.scenario.units import UnitError, parse

KINDS: dict[str, Kind] = {
    kind.id: kind
    for module in (hardware, mechanics, bus, frames, software, people, attacks)
    for kind in module.KINDS
}
LEVELS = {
    "L0": "power",
    "L1": "wires and contacts",
    "L2": "CAN controller",
    "L3": "frames",
    "L4": "signals",
    "L5": "nodes",
    "L6": "sensors and actuators",
    "L7": "mechanics and the person",
    "L8": "people at the buttons",
    "L9": "processes and their computer",
    "L10": "attacks",
}


def kind_of(name: str) -> Kind:
    """FaultError names the nearest."""
    if name not in KINDS:
        near = difflib.get_close_matches(name, KINDS, n=1)
        hint = f"did you mean '{near[0]}'?" if near else "`liftctl hil explain faults` lists them"
        raise FaultError(f"there is no fault '{name}'; {hint}")
    return KINDS[name]


def arguments(kind: Kind, given: dict[str, Any]) -> Args:
    """Checked, converted, with defaults; FaultError."""
    for name in given:
        if name not in kind.params:
            known = ", ".join(kind.params) or "none"
            raise FaultError(f"{kind.id} has no argument '{name}'; it has: {known}")
    return {
        name: _value(kind, name, param, given.get(name, param.default))
        for name, param in kind.params.items()
    }


def _value(kind: Kind, name: str, param: Param, value: Any) -> Any:
    if value is None:
        raise FaultError(f"{kind.id} needs '{name}' ({param.kind})")
    if param.one_of and value not in param.one_of:
        raise FaultError(f"{kind.id}: {name} is one of: {', '.join(param.one_of)}")
    if param.kind in ("word", "words", "bool"):
        return value
    try:
        found = parse(value, param.kind).value
    except UnitError as error:
        raise FaultError(f"{kind.id}: {name}: {error}") from error
    return round(found * 1_000_000) if param.kind == "time" else found


def matrix() -> list[tuple[str, str, frozenset[str], frozenset[str]]]:
    """(id, what, planes, rigs) of every fault."""
    return [(kind.id, kind.what, kind.planes, kind.rigs) for kind in KINDS.values()]
