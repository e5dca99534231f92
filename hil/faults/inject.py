"""From "requested" to "cleared": a fault's life, each step in the timeline with its proof.

Role: asks for the proof after every sample. Must never: tell a fault active without one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hil.faults.kind import Running
from hil.scenario.conditions import Condition

PROVE_NS = 1_000_000_000


@dataclass(slots=True)
class Injection:
    """One fault of a scenario. `state` is requested, armed, active, clearing or cleared."""

    plane: Any
    name: str
    id: str
    running: Running
    state: str = "requested"
    armed_ns: int = 0
    prove_ns: int = PROVE_NS
    when: Condition | None = None
    for_ns: int = 0
    late: bool = False  # the proof did not come in time

    def request(self, after_ns: int) -> None:
        """It is to come after this time, or when something is so, or now."""
        self._tell("requested")
        self.plane.watchers.append(self.watch)
        if after_ns:
            self.plane.at(after_ns, self.arm)
        elif self.when is None:
            self.arm()

    def arm(self) -> None:
        """Put it in."""
        if self.state != "requested":
            return
        self.state, self.armed_ns = "armed", self.plane.t_ns
        self._tell("armed")
        self.running.start(self.plane)
        if self.for_ns:
            self.plane.at(self.for_ns, self.clear)

    def watch(self, _now_ns: int) -> None:
        """After every sample: is the trigger there, is the proof?"""
        if self.state == "requested" and self.when is not None and self.when(self.plane.now):
            self.arm()
        elif self.state == "armed":
            self._prove()
        elif self.state == "clearing" and (proof := self.running.gone(self.plane)) is not None:
            self.state = "cleared"
            self._tell("cleared", proof=proof)

    def _prove(self) -> None:
        if (proof := self.running.proof(self.plane)) is not None:
            self.state = "active"
            self._tell("active", proof=proof)
        elif self.plane.t_ns - self.armed_ns > self.prove_ns:
            self.late = True

    def clear(self) -> None:
        """Take it away."""
        if self.state == "requested":
            self.state = "cleared"  # it never came
        elif self.state in ("armed", "active"):
            if self.state == "armed":
                self._prove()
            self.late = self.late or self.state == "armed"
            self.state = "clearing"
            self.running.stop(self.plane)

    @property
    def proven(self) -> bool:
        """Was it there, and in time?"""
        return not self.late and self.state in ("active", "clearing", "cleared")

    def _tell(self, kind: str, **fields: Any) -> None:
        self.plane.timeline.add(
            self.plane.t_ns, "fault", kind, **{"as": self.name, "id": self.id}, **fields
        )
