"""The bus core: transmit queues, arbitration and bit time in integer nanoseconds.

Pure: no socket, no clock. The hub process and virtual time both drive it with `submit` and
`advance`. It must never lose, repeat or reorder a client's frames, nor put more bits on the wire
than the bit rate allows.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from hil.vbus.frame import Frame, arbitration_value, bit_length

NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Delivery:
    """A frame whose last bit left the wire at `t_ns`."""

    t_ns: int
    sender: int
    frame: Frame


@dataclass(frozen=True, slots=True)
class _Waiting:
    since_ns: int
    key: int
    frame: Frame


class BusCore:
    """One classic CAN bus; `bit_rate` in bit/s."""

    def __init__(self, bit_rate: int) -> None:
        if bit_rate <= 0:
            raise ValueError(f"bit rate {bit_rate} is not positive")
        self.bit_rate = bit_rate
        self._queues: dict[int, deque[_Waiting]] = {}
        self._on_wire: Delivery | None = None
        self._free_ns = 0

    def duration_ns(self, frame: Frame) -> int:
        """Time of the frame on the wire, rounded up."""
        return -(-bit_length(frame) * NS_PER_S // self.bit_rate)

    def submit(self, sender: int, frame: Frame, now_ns: int) -> None:
        """Queue a frame behind the sender's earlier ones."""
        queue = self._queues.setdefault(sender, deque())
        queue.append(_Waiting(now_ns, arbitration_value(frame), frame))

    def waiting(self, sender: int) -> int:
        """Frames of this sender that have not started yet."""
        return len(self._queues.get(sender, ()))

    def next_ns(self, now_ns: int) -> int | None:
        """When `advance` has something to deliver; None while the bus is idle."""
        self._start(now_ns)
        return self._on_wire.t_ns if self._on_wire else None

    def advance(self, now_ns: int) -> list[Delivery]:
        """All frames whose transmission is complete at `now_ns`, in wire order."""
        done: list[Delivery] = []
        self._start(now_ns)
        while self._on_wire is not None and self._on_wire.t_ns <= now_ns:
            done.append(self._on_wire)
            self._on_wire = None
            self._start(now_ns)
        return done

    def _start(self, now_ns: int) -> None:
        """Start the winner of the arbitration if the bus is idle."""
        if self._on_wire is not None:
            return
        heads = [(queue[0], sender) for sender, queue in self._queues.items()]
        if not heads:
            return
        start_ns = max(self._free_ns, min(head.since_ns for head, _ in heads))
        if start_ns > now_ns:
            return
        rivals = [(h.key, h.since_ns, sender) for h, sender in heads if h.since_ns <= start_ns]
        _, _, sender = min(rivals)
        winner = self._queues[sender].popleft()
        if not self._queues[sender]:
            del self._queues[sender]
        self._free_ns = start_ns + self.duration_ns(winner.frame)
        self._on_wire = Delivery(self._free_ns, sender, winner.frame)
