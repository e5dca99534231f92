"""The bus of the virtual plane: the exact bus core of `hil.vbus` in virtual time.

Role: a controller for gate, guard, a stranger and each device of the room; puts their frames on
the bus, wakes the core when it has something to do, hands on what it delivers. Must never: know
what a frame means, or deliver what the core did not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from drivers.frames import Frame as PortFrame
from drivers.ports.base import Link as PortLink
from hil.clock import Clock
from hil.vbus.bus import BusCore
from hil.vbus.confinement import NodeState
from hil.vbus.frame import Frame
from hil.vbus.physics import BusEvent

ROOM, GATE, GUARD, STRANGER = "room", "gate", "guard", "stranger"
NUMBERS = {GATE: 0x80, GUARD: 0x81, STRANGER: 0x82}  # behind the 127 a CANopen node can have
NODE_MASK = 0x7F  # CiA 301, predefined connection set: an id names the device that sends it
FUNCTION = 0x780
LISTED = (0x080, 0x580)  # emergencies and answers are queued; process data has mailboxes
QUEUE = 16  # frames a controller holds, as those of the hub
AFTER_ALL = 3  # whoever sends in this moment has sent
NEVER = 1 << 62
Take = Callable[[PortFrame], None]
Way = Callable[[str, Frame], list[tuple[str, Frame]]]
NOBODY: frozenset[int] = frozenset()


class Disturbance(Protocol):
    """What happens to a frame on its way: (delay in ns, frame) for each that arrives."""

    def __call__(self, now_ns: int, sender: str, frame: Frame) -> list[tuple[int, Frame]]: ...


@dataclass(slots=True)
class Wire:
    """One bus. `takers`: who listens in the gateway, given frames as a port hands them over;
    `room`: the devices, told who of them is deaf; `state`: (name, event) of each controller whose
    state changes; `full`: whose queue is. `way`: what a delivered frame goes through besides, from
    its sender to (listener, frame) for each that it reaches.
    """

    clock: Clock
    core: BusCore
    bus: str  # the site's name for it
    room: Callable[[Frame, frozenset[int]], None] = lambda _frame, _deaf: None
    state: Callable[[str, BusEvent], None] = lambda _name, _event: None
    full: Callable[[str], None] = lambda _sender: None
    way: Way | None = None
    takers: dict[str, Take] = field(default_factory=dict)
    disturbances: list[Disturbance] = field(default_factory=list)
    counts: dict[int, int] = field(default_factory=dict)  # frames the bus carried, by id
    last_ns: int = 0  # when the bus carried the last
    heard: list[tuple[int, str, Frame]] | None = None  # (ns, sender, frame), where it is kept
    _due_ns: int = NEVER

    def join(self, devices: tuple[int, ...]) -> None:
        """Put every controller on the bus; a stranger joins with its first frame."""
        for number in (NUMBERS[GATE], NUMBERS[GUARD], *devices):
            self.core.attach(number)
        self.core.observe(self._told, frames=False)

    def _told(self, event: BusEvent) -> None:
        """A controller's state changed."""
        self.state(NAMES.get(event.node, ROOM), event)

    def send(self, sender: str, frame: Frame) -> None:
        """Give a frame to its sender's controller."""
        if not self.disturbances:
            self._submit(sender, frame)
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
                submit = partial(self._submit, sender, changed)
                self.clock.at(self.clock.now_ns + delay_ns, submit, -1)
            else:
                self._submit(sender, changed)

    def _submit(self, sender: str, frame: Frame) -> None:
        now_ns, number = self.clock.now_ns, NUMBERS.get(sender) or frame.can_id & NODE_MASK
        if sender == ROOM and frame.can_id & FUNCTION not in LISTED:
            self.core.renew(number, frame, now_ns)
        elif self.core.waiting(number) < QUEUE:
            self.core.submit(number, frame, now_ns)
        else:
            self.full(sender)
        self._wake(now_ns)

    def changed(self) -> None:
        """Something was done to the core: it may have something to do now."""
        self._wake(self.clock.now_ns)

    def _wake(self, due_ns: int) -> None:
        if due_ns < self._due_ns:
            self._due_ns = due_ns
            self.clock.at(due_ns, self._advance, AFTER_ALL)

    def _advance(self) -> None:
        now_ns = self.clock.now_ns
        if now_ns < self._due_ns:
            return  # it was woken earlier, and has seen to this
        self._due_ns = NEVER
        for delivery in self.core.advance(now_ns):
            self._deliver(delivery.sender, delivery.frame, delivery.deaf)
        if self._due_ns > now_ns:  # else somebody answered at once: the next begins with them
            self._wake_next(now_ns)

    def _wake_next(self, now_ns: int) -> None:
        due_ns = self.core.next_ns(now_ns)
        if due_ns is not None:
            self._wake(max(due_ns, now_ns + 1))

    def _deliver(self, number: int, frame: Frame, deaf: frozenset[int]) -> None:
        sender, self.last_ns = NAMES.get(number, ROOM), self.clock.now_ns
        self.counts[frame.can_id] = self.counts.get(frame.can_id, 0) + 1
        if self.heard is not None:
            self.heard.append((self.clock.now_ns, sender, frame))
        if self.way is not None:
            for name, heard in self.way(sender, frame):
                if name == ROOM:
                    self.room(heard, deaf)
                elif NUMBERS[name] not in deaf:
                    self.takers[name](self._as_port(heard))
            return
        if sender != ROOM:
            self.room(frame, deaf)
        told = self._as_port(frame)
        for name, take in self.takers.items():
            if name != sender and NUMBERS.get(name) not in deaf:
                take(told)

    def _as_port(self, frame: Frame) -> PortFrame:
        return PortFrame(
            self.bus, frame.can_id, frame.data, frame.is_extended, frame.is_remote, frame.is_error
        )


NAMES = {number: name for name, number in NUMBERS.items()}

_LINK = {
    NodeState.WARNING: PortLink.WARNING,
    NodeState.PASSIVE: PortLink.PASSIVE,
    NodeState.BUS_OFF: PortLink.BUS_OFF,
}


def link_word(state: NodeState, errors: int) -> str:
    """The port's word for it; active without an error is the end of a bus-off (SocketCAN)."""
    healthy = PortLink.ERROR if errors else PortLink.RESTARTED
    return str(_LINK.get(state, healthy))
