"""A controller on the wire, and one attempt of it to send. Values and queues, no rules."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

from hil.vbus.confinement import Confinement
from hil.vbus.frame import Frame, arbitration_value
from hil.vbus.physics import ErrorKind, Injection


class Delivery(NamedTuple):
    """A frame whose last bit left the wire at `t_ns`; the `deaf` nodes did not hear it."""

    t_ns: int
    sender: int
    frame: Frame
    deaf: frozenset[int] = frozenset()


class Waiting(NamedTuple):
    """A frame in a controller's queue."""

    since_ns: int
    key: int
    frame: Frame


def waiting(frame: Frame, now_ns: int) -> Waiting:
    """Queue entry of a frame handed over now."""
    return Waiting(now_ns, arbitration_value(frame), frame)


class Node:
    """A controller: queue, counters, bit rate."""

    def __init__(self, number: int, bit_rate: int, *, auto_restart: bool = False) -> None:
        self.number, self.bit_rate, self.auto_restart = number, bit_rate, auto_restart
        self.queue: deque[Waiting] = deque()
        self.confinement = Confinement()
        self.babble: Waiting | None = None
        self.is_leaving = False
        self.ready_ns = 0
        self.recovering_ns: int | None = None  # bus-off, counting recessive bits since
        self.idle_seen = 0

    @property
    def head(self) -> Waiting | None:
        """What it would send next."""
        if self.confinement.is_off:
            return None
        return self.babble or (self.queue[0] if self.queue else None)

    @property
    def is_well(self) -> bool:
        """Its counters are at zero, it stays, and it is not coming back from bus-off."""
        told = self.confinement
        off = told.is_off or self.is_leaving or self.recovering_ns is not None
        return not (off or told.tec or told.rec)

    def sent(self, entry: Waiting) -> None:
        """This frame is on the other side."""
        if self.queue and self.queue[0] is entry:
            self.queue.popleft()


@dataclass(frozen=True, slots=True)
class Trouble:
    """What breaks an attempt: `first` is the receiver that alone noticed; a trouble that is not
    heard leaves no flag on the wire.
    """

    kind: ErrorKind
    bit: int | None = None
    first: Node | None = None
    injection: Injection | None = None
    is_heard: bool = True


@dataclass(slots=True)
class Attempt:
    """A frame on the wire; `entries` are what its senders (more than one: at once) had queued."""

    start_ns: int
    error_ns: int  # when the trouble was noticed; the end without any
    end_ns: int
    senders: list[Node]
    entries: list[Waiting]
    frame: Frame
    trouble: Trouble | None = None
    lost_by: frozenset[int] = frozenset()  # passive receivers that alone noticed an error
