"""The bus core: controllers on a wire, faults on request, and a list of what happened.

Pure: no socket, no clock. The hub process and virtual time both drive it with `submit` and
`advance`. It must never lose, repeat or reorder a node's frames (but for a node's own bus-off),
nor put more bits on the wire than the bit rate allows.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from hil.vbus.copper import DOMINANT, RECESSIVE
from hil.vbus.frame import Frame, bit_length
from hil.vbus.node import Delivery, Node, Waiting, waiting
from hil.vbus.physics import BusEvent, Counters, ErrorSpec, Injection, Operation, bits_ns
from hil.vbus.wire import Wire

__all__ = ["DOMINANT", "RECESSIVE", "BusCore", "Delivery"]

_EVENTS_KEPT = 65536


def _named(entry: Waiting, frame: Frame) -> bool:
    return entry.frame.can_id == frame.can_id and entry.frame.is_extended == frame.is_extended


class BusCore:
    """One classic CAN bus; `bit_rate` in bit/s.

    `ideal`: an analyser that nobody sees acknowledges every frame, and nodes that send the same
    identifier at once wait for each other; otherwise a lone node is not acknowledged and equal
    identifiers with different data collide, as on copper. Nodes that were not attached join with
    their first frame.
    """

    def __init__(self, bit_rate: int, *, ideal: bool = True) -> None:
        if bit_rate <= 0:
            raise ValueError(f"bit rate {bit_rate} is not positive")
        self.bit_rate = bit_rate
        self.events_lost = 0
        self._wire = Wire(bit_rate, self._tell, ideal=ideal)
        self._stubs: dict[int, Wire] = {}  # nodes whose cable is cut, each on its own
        self._events: deque[BusEvent] = deque()
        self._observer: Callable[[BusEvent], None] | None = None

    # nodes -----------------------------------------------------------------------------------

    def attach(self, node: int, bit_rate: int | None = None, *, auto_restart: bool = False) -> None:
        """Put a controller on the wire; raises ValueError if the number is taken."""
        if self._find(node) is not None:
            raise ValueError(f"node {node} is on the bus already")
        rate = bit_rate or self.bit_rate
        self._wire.nodes[node] = Node(node, rate, auto_restart=auto_restart)
        self._wire.look_again()

    def detach(self, node: int) -> None:
        """Take a controller away; what it queued is still sent."""
        self._stubs.pop(node, None)
        found = self._wire.nodes.get(node)
        if found is not None:
            found.babble = None
        if found is not None and found.head is not None:
            found.is_leaving = True
        else:
            self._wire.nodes.pop(node, None)
        self._wire.look_again()

    def tune(self, node: int, bit_rate: int) -> None:
        """Have a controller run at another bit rate."""
        self._node(node).bit_rate = bit_rate
        self._wire.look_again()

    def silence(self, node: int) -> None:
        """Drop what a controller has queued and not begun to send."""
        found = self._node(node)
        while self.waiting(node):
            found.queue.pop()

    def numbers(self) -> list[int]:
        """Every controller of the bus, those on a cut stub too."""
        return [*self._wire.nodes, *self._stubs]

    def counters(self, node: int) -> Counters:
        """Error counters and state; raises KeyError for a node that is not there."""
        confinement = self._node(node).confinement
        return Counters(confinement.tec, confinement.rec, confinement.state)

    def restart(self, node: int, now_ns: int) -> None:
        """After bus-off: come back after 128 times 11 recessive bits from now."""
        self._wire_of(node).restart(self._node(node), now_ns)

    # frames ----------------------------------------------------------------------------------

    def duration_ns(self, frame: Frame) -> int:
        """Time of the frame on the wire, rounded up."""
        return bits_ns(bit_length(frame), self.bit_rate)

    def submit(self, sender: int, frame: Frame, now_ns: int) -> bool:
        """Queue a frame behind the sender's earlier ones; False when it is off the bus."""
        if self._find(sender) is None:
            self.attach(sender)
        node = self._node(sender)
        if node.confinement.is_off:
            if self._wire.tells_frames:
                self._tell(BusEvent(now_ns, sender, Operation.DISCARDED, frame))
            return False
        node.queue.append(waiting(frame, now_ns))
        return True

    def renew(self, sender: int, frame: Frame, now_ns: int) -> bool:
        """As `submit`, from a mailbox of this identifier: an earlier one that waits is dropped."""
        if self.waiting(sender):
            node, first = self._node(sender), self._wire_of(sender).carries(self._node(sender))
            old = [e for e in list(node.queue)[first:] if _named(e, frame) and e.since_ns < now_ns]
            for entry in old:
                node.queue.remove(entry)
        return self.submit(sender, frame, now_ns)

    def waiting(self, sender: int) -> int:
        """Frames of this sender that are not through yet, without the one on the wire."""
        node = self._find(sender)
        return 0 if node is None else len(node.queue) - self._wire_of(sender).carries(node)

    def next_ns(self, now_ns: int) -> int | None:
        """When `advance` has something to do; None while the bus is idle."""
        if not self._stubs:
            return self._wire.next_ns(now_ns)
        times = (wire.next_ns(now_ns) for wire in (self._wire, *self._stubs.values()))
        return min((t for t in times if t is not None), default=None)

    def advance(self, now_ns: int) -> list[Delivery]:
        """All frames whose transmission is complete at `now_ns`, in wire order."""
        for wire in self._stubs.values():
            wire.advance(now_ns)
        done = self._wire.advance(now_ns)
        if not self._stubs:
            return done
        cut = frozenset(self._stubs)
        return [Delivery(d.t_ns, d.sender, d.frame, d.deaf | cut) for d in done]

    # faults ----------------------------------------------------------------------------------

    def inject(self, spec: ErrorSpec) -> Injection:
        """Break frames; the result counts its hits and can be cleared."""
        injection = Injection(spec)
        self._wire.injections.append(injection)
        self._wire.look_again()
        return injection

    def stick(self, level: str | None, now_ns: int) -> None:
        """Hold the wire DOMINANT, short it RECESSIVE, or None to let go."""
        if level not in (DOMINANT, RECESSIVE, None):
            raise ValueError(f"level {level!r} is not {DOMINANT}, {RECESSIVE} or None")
        self._wire.stick(level, now_ns)

    def babble(self, node: int, frame: Frame | None, now_ns: int) -> None:
        """Have a node send this frame without end; None silences it."""
        if self._find(node) is None:
            self.attach(node)
        self._node(node).babble = None if frame is None else waiting(frame, now_ns)

    def cut(self, node: int, now_ns: int) -> None:
        """Cut a node's stub: it sends on, alone; nobody hears it and it hears nobody."""
        if node not in self._stubs:
            found = self._node(node)
            stub = Wire(self.bit_rate, self._tell, ideal=False)
            stub.tells_frames = self._wire.tells_frames
            self._wire.lose(node, now_ns)
            del self._wire.nodes[node]
            stub.nodes[node] = found
            self._stubs[node] = stub
            self._wire.look_again()

    def mend(self, node: int, now_ns: int) -> None:
        """Join a cut stub again."""
        if node in self._stubs:
            self._stubs[node].lose(node, now_ns)
            self._wire.nodes[node] = self._stubs.pop(node).nodes[node]
            self._wire.look_again()

    # what happened ---------------------------------------------------------------------------

    def events(self) -> list[BusEvent]:
        """What happened since the last call, in time order; `events_lost` counts the rest."""
        found = sorted(self._events, key=lambda event: event.t_ns)
        self._events.clear()
        return found

    def observe(self, observer: Callable[[BusEvent], None] | None, *, frames: bool = True) -> None:
        """Have every event told at once instead of kept for `events`; None keeps them again.
        `frames`: False tells only what becomes of a controller's state.
        """
        self._observer = observer
        for wire in (self._wire, *self._stubs.values()):
            wire.tells_frames = frames

    def _tell(self, event: BusEvent) -> None:
        if self._observer is not None:
            self._observer(event)
            return
        if len(self._events) >= _EVENTS_KEPT:
            self._events.popleft()
            self.events_lost += 1
        self._events.append(event)

    # -----------------------------------------------------------------------------------------

    def _wire_of(self, node: int) -> Wire:
        return self._stubs.get(node, self._wire)

    def _find(self, node: int) -> Node | None:
        return self._wire_of(node).nodes.get(node)

    def _node(self, node: int) -> Node:
        found = self._find(node)
        if found is None:
            raise KeyError(f"no node {node} on the bus")
        return found
