"""What is on one piece of copper, and what will break a frame there: nodes, faults, who hears.

Pure. It must never change a counter or a queue: `hil.vbus.wire` does, from what this finds.
"""

from __future__ import annotations

from collections.abc import Iterator

from hil.vbus.frame import Frame
from hil.vbus.node import Node, Trouble, Waiting
from hil.vbus.physics import ErrorKind, Injection

_MISMATCH_BIT = 14  # a node at another rate sees six equal bits by then
DOMINANT, RECESSIVE = "dominant", "recessive"
NOBODY: frozenset[int] = frozenset()
Found = tuple[Trouble | None, frozenset[int]]


class Copper:
    """`ideal`: an analyser on the wire acknowledges."""

    def __init__(self, bit_rate: int, *, ideal: bool) -> None:
        self.bit_rate, self.ideal = bit_rate, ideal
        self.nodes: dict[int, Node] = {}
        self.injections: list[Injection] = []
        self.stuck: str | None = None

    def is_calm(self) -> bool:
        """Nothing can go wrong with a frame of one sender."""
        company = self.ideal or len(self.nodes) > 1
        healthy = all(n.is_well and n.bit_rate == self.bit_rate for n in self.nodes.values())
        return company and healthy and self.stuck is None and not self.injections

    def listening(self) -> Iterator[Node]:
        """Those whose controller is on the bus and stays there."""
        return (n for n in self.nodes.values() if not n.confinement.is_off and not n.is_leaving)

    def recovering(self) -> list[Node]:
        """Those that count recessive bits after bus-off."""
        return [n for n in self.nodes.values() if n.recovering_ns is not None]

    def deaf(self, rate: int) -> frozenset[int]:
        """Who does not understand a frame of this rate."""
        nodes = self.nodes.values()
        deaf = [n.number for n in nodes if n.bit_rate != rate or n.confinement.is_off]
        return frozenset(deaf) if deaf else NOBODY

    def trouble(self, senders: list[Node], entries: list[Waiting]) -> Found:
        """What breaks this attempt, or None and the passive receivers that alone lose it."""
        if self.stuck == RECESSIVE:
            return Trouble(ErrorKind.BIT, bit=1, is_heard=False), NOBODY
        frame = entries[0].frame
        if any(entry.frame != frame for entry in entries):
            return Trouble(ErrorKind.BIT), NOBODY
        strangers = [n for n in self.listening() if n.bit_rate != senders[0].bit_rate]
        if disturbers := [n for n in strangers if not n.confinement.is_passive]:
            first = disturbers[0] if len(disturbers) == 1 else None
            return Trouble(ErrorKind.BIT, bit=_MISMATCH_BIT, first=first), NOBODY
        injection, losers = self._injected(senders, frame)
        if injection:
            spec = injection.spec
            first = self.nodes.get(spec.receiver) if spec.receiver is not None else None
            return Trouble(spec.kind, spec.bit, first, injection), losers
        return (None if self._acknowledged(senders) else Trouble(ErrorKind.ACK)), losers

    def _injected(
        self, senders: list[Node], frame: Frame
    ) -> tuple[Injection | None, frozenset[int]]:
        losers = NOBODY
        for injection in self.injections:
            receiver = injection.spec.receiver
            if not injection.matches(senders[0].number, frame):
                continue
            if receiver is None:
                return injection, losers
            node = self.nodes.get(receiver)
            if node is None or node in senders or node.confinement.is_off:
                continue
            if not node.confinement.is_passive:
                return injection, losers
            # its flag is recessive: it alone loses the frame
            injection.hit()
            losers |= {node.number}
        return None, losers

    def _acknowledged(self, senders: list[Node]) -> bool:
        rate = senders[0].bit_rate
        if self.ideal and rate == self.bit_rate:
            return True
        return any(n.bit_rate == rate and n not in senders for n in self.listening())
