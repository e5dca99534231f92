"""One piece of copper and the controllers on it: arbitration, acknowledge, errors, recovery.

Pure, in integer nanoseconds; driven by hil.vbus.bus. It must never end a frame before its last bit,
nor put two frames on the wire at once.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from hil.vbus.confinement import Confinement
from hil.vbus.copper import DOMINANT, NOBODY, Copper
from hil.vbus.frame import bit_length
from hil.vbus.node import Attempt, Delivery, Node, Trouble, Waiting
from hil.vbus.physics import (
    ERROR_DELIMITER_BITS,
    INTERMISSION_BITS,
    BusEvent,
    ErrorKind,
    Operation,
    bits_ns,
    flag_bits,
    noticed_at,
)

_SUSPEND_BITS = 8  # an error-passive sender lets others go first
_IDLE_BITS, _IDLE_TIMES = 11, 128


class Wire:
    """`ideal`: an analyser on the wire acknowledges, and equal identifiers wait for each other."""

    def __init__(self, bit_rate: int, tell: Callable[[BusEvent], None], *, ideal: bool) -> None:
        self.copper = Copper(bit_rate, ideal=ideal)
        self.bit_rate, self.ideal, self._tell = bit_rate, ideal, tell
        self.nodes, self.injections = self.copper.nodes, self.copper.injections
        self.tells_frames = True
        self._calm: bool | None = None  # nothing can go wrong with a frame; None: look again
        self._stuck_ns = self._stuck_units = 0
        self._stuck_senders: frozenset[int] = frozenset()
        self._attempt: Attempt | None = None
        self._free_ns = 0

    def next_ns(self, now_ns: int) -> int | None:
        """When `advance` has something to do; None while nothing will happen by itself."""
        start_ns = self._start(now_ns) if self._attempt is None else None
        if self.copper.stuck == DOMINANT:
            return self._stuck_next_ns()
        if self._attempt or self._calm:
            return self._attempt.end_ns if self._attempt else start_ns
        times = [self._recovered_ns(node) for node in self.copper.recovering()]
        times += [start_ns] if start_ns is not None else []
        return min(times, default=None)

    def advance(self, now_ns: int) -> list[Delivery]:
        """Every frame that is through by `now_ns`, in wire order."""
        done: list[Delivery] = []
        if self.copper.stuck is not None:
            self._count_stuck(now_ns)
        self._start(now_ns)
        while self._attempt is not None and self._attempt.end_ns <= now_ns:
            attempt, self._attempt = self._attempt, None
            done += self._finish(attempt)
            self._start(now_ns)
        return done

    def _start(self, now_ns: int) -> int | None:
        """Begin the next attempt if it is due; else when it will be."""
        if self._attempt is not None or self.copper.stuck == DOMINANT:
            return None
        if self._calm is None:
            self._calm = self.copper.is_calm()
        while True:
            heads = self._heads()
            start_ns = max(self._free_ns, min(heads)[0]) if heads else None
            if not self._calm and self._recover(
                now_ns if start_ns is None else min(start_ns, now_ns)
            ):
                continue
            if start_ns is not None and start_ns <= now_ns:
                self._arbitrate(start_ns, heads)
                return None
            return start_ns

    def _heads(self) -> list[tuple[int, int, int, Waiting, Node]]:
        """(ready, arbitration value, number, entry, node) of everybody who wants to send."""
        return [
            (max(head.since_ns, node.ready_ns), head.key, node.number, head, node)
            for node in self.nodes.values()
            if (node.queue or node.babble) and (head := node.head) is not None
        ]

    def look_again(self) -> None:
        """Nodes or faults of this wire are others than they were."""
        self._calm = None

    def _arbitrate(self, start_ns: int, heads: list[tuple[int, int, int, Waiting, Node]]) -> None:
        rivals = [head for head in heads if head[0] <= start_ns]
        if len(rivals) > 1:
            rivals.sort(key=lambda rival: (rival[1], rival[0], rival[2]))
        alike = 1 if self.ideal else sum(rival[1] == rivals[0][1] for rival in rivals)
        if self.tells_frames:
            for _, _, number, head, _ in rivals[alike:]:
                self._tell(BusEvent(start_ns, number, Operation.ARBITRATION_LOST, head.frame))
        if not self._calm:
            self._count_idle(start_ns)
        entries = [rival[3] for rival in rivals[:alike]]
        self._attempt = self._begin(start_ns, [rival[4] for rival in rivals[:alike]], entries)

    def _begin(self, start_ns: int, senders: list[Node], entries: list[Waiting]) -> Attempt:
        frame, rate = entries[0].frame, senders[0].bit_rate
        trouble, losers = None, NOBODY
        if not self._calm or len(entries) > 1:
            trouble, losers = self.copper.trouble(senders, entries)
        if trouble is None:
            end_ns = start_ns + bits_ns(bit_length(frame), rate)
            return Attempt(start_ns, end_ns, end_ns, senders, entries, frame, None, losers)
        others = [
            n for n in self.copper.listening() if n not in senders and not n.confinement.is_passive
        ]
        flag = flag_bits(trouble.kind, company=bool(others) and trouble.is_heard)
        at = noticed_at(trouble.kind, frame, trouble.bit)
        end = at + flag + ERROR_DELIMITER_BITS + INTERMISSION_BITS
        times = (start_ns, start_ns + bits_ns(at, rate), start_ns + bits_ns(end, rate))
        return Attempt(*times, senders, entries, frame, trouble)

    def carries(self, node: Node) -> bool:
        """Whether a frame of this node's queue is on the wire now."""
        entries = self._attempt.entries if self._attempt else []
        return bool(node.queue) and any(entry is node.queue[0] for entry in entries)

    def lose(self, number: int, now_ns: int) -> None:
        """A node leaves the copper: its frame under way breaks off."""
        attempt = self._attempt
        if attempt and any(node.number == number for node in attempt.senders):
            attempt.trouble, attempt.error_ns = Trouble(ErrorKind.FORM), now_ns

    def _finish(self, attempt: Attempt) -> list[Delivery]:
        self._free_ns = attempt.end_ns
        if self._calm and attempt.trouble is None:
            return self._confirmed(attempt, NOBODY)
        for node in self.copper.recovering():
            node.idle_seen += attempt.start_ns >= (node.recovering_ns or 0)
        if attempt.trouble is not None:
            self._broken(attempt, attempt.trouble)
            return []
        deaf = self.copper.deaf(attempt.senders[0].bit_rate) | attempt.lost_by
        done = self._confirmed(attempt, deaf)
        for node in self.nodes.values():
            if node.number in attempt.lost_by:
                lost = partial(Confinement.hearing_failed, first=False)
                self._change(node, attempt.end_ns, lost)
            elif node.confinement.rec and node not in attempt.senders and node.number not in deaf:
                self._change(node, attempt.end_ns, Confinement.heard)
        return done

    def _confirmed(self, attempt: Attempt, deaf: frozenset[int]) -> list[Delivery]:
        end_ns, frame = attempt.end_ns, attempt.frame
        for node, entry in zip(attempt.senders, attempt.entries, strict=True):
            node.sent(entry)
            if node.confinement.tec:
                self._change(node, end_ns, Confinement.sent)
            if self.tells_frames:
                self._tell(BusEvent(end_ns, node.number, Operation.CONFIRM, frame))
            self._suspend(node)
            if node.is_leaving and node.head is None:
                self.nodes.pop(node.number, None)
                self._calm = None
        return [Delivery(end_ns, attempt.senders[0].number, frame, deaf)]

    def _broken(self, attempt: Attempt, trouble: Trouble) -> None:
        if trouble.injection:
            trouble.injection.hit()
            self.injections[:] = [i for i in self.injections if not i.is_over]
            self._calm = None
        number, kind = attempt.senders[0].number, trouble.kind
        if self.tells_frames:
            told = Operation.BUS_ERROR
            self._tell(BusEvent(attempt.error_ns, number, told, attempt.frame, kind))
        failed = partial(Confinement.sending_failed, unacknowledged=kind is ErrorKind.ACK)
        for node in list(self.nodes.values()):
            if node in attempt.senders:
                self._change(node, attempt.end_ns, failed)
                self._suspend(node)
            elif trouble.is_heard and not node.confinement.is_off:
                first = node is trouble.first
                self._change(node, attempt.end_ns, partial(Confinement.hearing_failed, first=first))

    def _suspend(self, node: Node) -> None:
        if node.confinement.is_passive:
            node.ready_ns = self._free_ns + bits_ns(_SUSPEND_BITS, node.bit_rate)

    def _change(self, node: Node, t_ns: int, what: Callable[[Confinement], None]) -> None:
        """Apply a rule; tell a new state, and bury what died with the node."""
        before, self._calm = node.confinement.state, None
        what(node.confinement)
        after = node.confinement.state
        if after is before:
            return
        tec, rec = node.confinement.tec, node.confinement.rec
        self._tell(BusEvent(t_ns, node.number, Operation.STATUS, state=after, tec=tec, rec=rec))
        if node.confinement.is_off:
            for entry in node.queue if self.tells_frames else ():
                self._tell(BusEvent(t_ns, node.number, Operation.DISCARDED, entry.frame))
            node.queue.clear()
            if node.auto_restart:
                self.restart(node, t_ns)

    def restart(self, node: Node, now_ns: int) -> None:
        """Let a node that is off count recessive bits, and come back after 128 times 11."""
        if node.confinement.is_off and node.recovering_ns is None:
            self._calm = None
            node.recovering_ns, node.idle_seen = now_ns, 0

    def _idle_from_ns(self, node: Node) -> int:
        return max(self._free_ns, node.recovering_ns or 0)

    def _recovered_ns(self, node: Node) -> int:
        missing = max(0, _IDLE_TIMES - node.idle_seen)
        return self._idle_from_ns(node) + bits_ns(missing * _IDLE_BITS, self.bit_rate)

    def _count_idle(self, start_ns: int) -> None:
        """The bus was idle until now: runs of eleven recessive bits."""
        run_ns = bits_ns(_IDLE_BITS, self.bit_rate)
        for node in self.copper.recovering():
            node.idle_seen += max(0, start_ns - self._idle_from_ns(node)) // run_ns

    def _recover(self, until_ns: int) -> bool:
        """Nodes whose 128 runs are complete on the idle bus; whether there was one."""
        back = [n for n in self.copper.recovering() if self._recovered_ns(n) <= until_ns]
        for node in back:
            node.ready_ns, node.recovering_ns = self._recovered_ns(node), None
            self._change(node, node.ready_ns, Confinement.recovered)
        return bool(back)

    def stick(self, level: str | None, now_ns: int) -> None:
        """Short the pair (recessive), hold it dominant, or let go."""
        self._count_stuck(now_ns)
        attempt, self._attempt = self._attempt, None
        senders = [n for n in attempt.senders if not n.confinement.is_off] if attempt else []
        if attempt and level is not None:
            attempt.trouble = Trouble(ErrorKind.BIT)
            attempt.error_ns = attempt.end_ns = now_ns
            self._finish(attempt)
        else:
            self._attempt = attempt
        was, self.copper.stuck, self._calm = self.copper.stuck, level, None
        self._stuck_ns, self._stuck_units = now_ns, 0
        self._stuck_senders = frozenset(n.number for n in senders)
        if was == DOMINANT:
            self._free_ns = now_ns + bits_ns(_IDLE_BITS, self.bit_rate)

    def _unit_ns(self, units: int) -> int:
        """When so many counts are due: after 14 dominant bits, then every 8."""
        return self._stuck_ns + bits_ns(14 + 8 * (units - 1), self.bit_rate)

    def _stuck_next_ns(self) -> int | None:
        alive = [n for n in self.nodes.values() if not n.confinement.is_off]
        moves = [n for n in alive if n.number in self._stuck_senders or n.confinement.rec < 255]
        return self._unit_ns(self._stuck_units + 1) if moves else None

    def _count_stuck(self, now_ns: int) -> None:
        while self.copper.stuck == DOMINANT and (at_ns := self._stuck_next_ns()) is not None:
            if at_ns > now_ns:
                return
            self._stuck_units += 1
            for node in list(self.copper.listening()):
                sending = node.number in self._stuck_senders
                held = partial(Confinement.held_dominant, sending=sending)
                self._change(node, at_ns, held)
