"""Messages between the processes of the virtual plane, each after the same short time.

Role: stands in for the seqpacket channels. Must never: change a message (evidence is not renewed by
forwarding it), or deliver to a process that does not run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from hil.clock import NS_PER_MS, Clock
from liftctl import ipc

HOP_NS = NS_PER_MS // 2  # measured between two processes at rest: 0.2 to 0.5 ms
Take = Callable[[str, ipc.Message], None]


@dataclass(slots=True)
class Post:
    """`delay_ns` and `cut` are by (sender, receiver); what is cut is lost."""

    clock: Clock
    boxes: dict[str, Take] = field(default_factory=dict)
    delay_ns: dict[tuple[str, str], int] = field(default_factory=dict)
    cut: set[tuple[str, str]] = field(default_factory=set)
    lost: int = 0
    delayed: dict[tuple[str, str], int] = field(default_factory=dict)

    def send(self, sender: str, receiver: str, message: ipc.Message) -> None:
        """To one process, if it is there then."""
        way = (sender, receiver)
        if way in self.cut:
            self.lost += 1
            return
        if way in self.delay_ns:
            self.delayed[way] = self.delayed.get(way, 0) + 1
        due_ns = self.clock.now_ns + self.delay_ns.get(way, HOP_NS)
        self.clock.at(due_ns, partial(self._deliver, sender, receiver, message))

    def _deliver(self, sender: str, receiver: str, message: ipc.Message) -> None:
        if take := self.boxes.get(receiver):
            take(sender, message)
