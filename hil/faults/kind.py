"""What a fault is: how it is put in, how it is seen to be there, how it is taken away again.

Role: the types of the catalogue and its capability matrix. Must never: call a fault active that
nothing has proved.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Proof = dict[str, Any] | None  # what shows it, or nothing yet
Args = dict[str, Any]
EVERYWHERE = frozenset({"virtual", "processes", "socketcan", "hardware"})
VIRTUAL = frozenset({"virtual"})


class FaultError(ValueError):
    """A fault that cannot be asked for like this; the message names the remedy."""


@dataclass(frozen=True, slots=True)
class Param:
    """`kind` is a dimension of `hil.scenario.units`, "word", "bool" or "count"."""

    kind: str
    default: Any = None  # None: it must be given
    one_of: tuple[str, ...] = ()


@dataclass(slots=True)
class Running:
    """A fault put in: the four hooks. Hooks are given the plane."""

    start: Callable[[Any], None]
    proof: Callable[[Any], Proof]
    stop: Callable[[Any], None]
    gone: Callable[[Any], Proof]


@dataclass(frozen=True, slots=True)
class Kind:
    """One entry of the catalogue; `rigs`: the devices that have what it breaks."""

    id: str
    what: str
    make: Callable[[Args], Running]
    params: dict[str, Param] = field(default_factory=dict)
    planes: frozenset[str] = VIRTUAL
    rigs: frozenset[str] = frozenset({"lift", "chair"})
