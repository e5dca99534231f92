"""A typed wrapper round `transitions` for machines that keep no state of their own.

Role: one `Machine` per table of edges; the state lives in the caller's frozen values and visits
the machine as a `Case`. Process: controller. Must never: do I/O, queue a trigger, or let an
unknown guard build (guards are functions).
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import cast

from transitions import EventData, Machine, MachineError

# INFO costs six times the transition itself.
logging.getLogger("transitions").setLevel(logging.WARNING)


@dataclass(slots=True)
class Case:
    """The model `transitions` drives: the state and every fact a guard may ask.

    `loaded`: a person hangs or stands, or nobody knows. `lasting`: the alarm signal outlives
    its condition.
    """

    state: str
    loaded: bool = False
    paused: bool = False
    carers: int = 0
    carers_needed: int = 0
    lasting: bool = False


Guard = Callable[[Case], bool]


@dataclass(frozen=True, slots=True)
class Edge:
    """`trigger` leads from each source to `dest` (None: the state stays) if `guard` agrees."""

    trigger: str
    sources: tuple[str, ...]
    dest: str | None
    guard: Guard | None = None


class Fired(Enum):
    """What became of a trigger."""

    DONE = "done"
    GUARDED = "guarded"  # an edge exists, its guard said no
    INVALID = "invalid"  # no such edge from this state


def _condition(guard: Guard) -> Callable[[EventData], bool]:
    @functools.wraps(guard)
    def ask(event: EventData) -> bool:
        return guard(cast(Case, event.model))

    return ask


def _row(edge: Edge, source: str) -> dict[str, object]:
    conditions = [] if edge.guard is None else [_condition(edge.guard)]
    return {
        # Plain strings: `transitions` treats Enum members as states by their upper-case name.
        "trigger": str(edge.trigger),
        "source": str(source),
        "dest": None if edge.dest is None else str(edge.dest),
        "conditions": conditions,
    }


class Flow:
    """A named machine over `states`; the first one is where it starts."""

    def __init__(self, name: str, states: Iterable[str], edges: tuple[Edge, ...]) -> None:
        self.name = name
        self.states = tuple(str(state) for state in states)
        self.edges = edges
        self.machine = Machine(
            model=None,
            states=list(self.states),
            initial=self.states[0],
            transitions=[_row(edge, source) for edge in edges for source in edge.sources],
            auto_transitions=False,
            queued=False,
            send_event=True,
            ignore_invalid_triggers=False,
        )

    def fire(self, case: Case, trigger: str) -> Fired:
        """Move `case.state` along `trigger` if the table allows it."""
        event = self.machine.events.get(trigger)
        case.state = str(case.state)
        # Most facts hold for long and lead nowhere: `transitions` would raise each time.
        if event is None or case.state not in event.transitions:
            return Fired.INVALID
        try:
            return Fired.DONE if event.trigger(case) else Fired.GUARDED
        except MachineError:
            return Fired.INVALID

    def allowed(self, case: Case) -> tuple[str, ...]:
        """The triggers that would be taken now, in table order."""
        found = [
            edge.trigger
            for edge in self.edges
            if case.state in edge.sources and (edge.guard is None or edge.guard(case))
        ]
        return tuple(dict.fromkeys(found))
