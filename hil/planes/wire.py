"""The bus of the virtual plane: frames between a room and the service, and what disturbs them.

Role: carries each frame to everybody but its sender, at the moment it is sent. Must never: know
what a frame means. Bit times, arbitration and error counters are `hil.vbus`'s; this wire has none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from hil.clock import Clock
from hil.vbus.frame import Frame

ROOM, GATE, GUARD, STRANGER = "room", "gate", "guard", "stranger"
Take = Callable[[Frame], None]


class Disturbance(Protocol):
    """What happens to a frame on its way: (delay in ns, frame) for each that arrives."""

    def __call__(self, now_ns: int, sender: str, frame: Frame) -> list[tuple[int, Frame]]: ...


@dataclass(slots=True)
class Wire:
    """One bus. `takers`: who listens. A disturbance of all frames comes before one of a taker."""

    clock: Clock
    takers: dict[str, Take] = field(default_factory=dict)
    disturbances: list[Disturbance] = field(default_factory=list)
    deaf: set[str] = field(default_factory=set)  # whose controller is off the bus
    count: int = 0
    heard: list[tuple[int, str, Frame]] | None = None  # (ns, sender, frame), where it is kept

    def send(self, sender: str, frame: Frame) -> None:
        """Put a frame on the bus."""
        if sender in self.deaf:
            return
        arriving = [(0, frame)]
        for disturb in self.disturbances:
            arriving = [
                (delay + more, changed)
                for delay, carried in arriving
                for more, changed in disturb(self.clock.now_ns, sender, carried)
            ]
        for delay_ns, changed in arriving:
            if delay_ns:
                arrive = partial(self._deliver, sender, changed)
                self.clock.at(self.clock.now_ns + delay_ns, arrive, -1)
            else:
                self._deliver(sender, changed)

    def _deliver(self, sender: str, frame: Frame) -> None:
        self.count += 1
        if self.heard is not None:
            self.heard.append((self.clock.now_ns, sender, frame))
        for name, take in self.takers.items():
            if name != sender and name not in self.deaf:
                take(frame)
