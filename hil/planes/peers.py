"""The service's processes in virtual time: gate and guard, each its own pure turn in a thin shell.

Role: what `liftctl/gate/shell.py` and `liftctl/guard/shell.py` do with sockets and a clock, with a
queue and virtual time. Must never: decide anything, or change the code under test.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import msgspec

from drivers.device import Chunk
from drivers.frames import Frame
from hil.clock import NS_PER_MS, Clock
from hil.planes.post import Post
from hil.planes.wire import GATE, GUARD, Wire
from hil.vbus.frame import Frame as BusFrame
from liftctl import ipc
from liftctl.gate.inputs import FROM_CHANNEL, Durable, GateInput, Link, RxBytes, RxFrame
from liftctl.gate.shell import PERIOD_NS, ROLES
from liftctl.gate.turn import GateConfig, GateTurnState, Outputs, start, turn
from liftctl.gate.view import state_message
from liftctl.guard import state as guard_state
from liftctl.guard.turn import turn as guard_turn
from safety.verdict import Marker

MARKER_NS = 4 * NS_PER_MS  # until the helper thread has a marker on disk
NEW = Marker(0, False, (), 0)  # what `liftctl init` writes
GateTurn = Callable[
    [GateConfig, GateTurnState, int, tuple[GateInput, ...]], tuple[GateTurnState, Outputs]
]
Listener = Callable[[Any], None]


@dataclass
class Peer:
    """A process: it runs, is frozen (its input waits in the kernel), or is dead."""

    name: str
    clock: Clock
    running: bool = False
    frozen: bool = False
    life: int = 0  # counts starts, so that nothing of an earlier life happens in this one
    turns: int = 0
    late_ns: int = 0  # how much later than asked the next wake-up comes
    last_ns: int = 0
    longest_ns: int = 0  # the longest gap between two turns of this life
    backlog: list[Callable[[], None]] = field(default_factory=list)

    def start(self, after_ns: int = 0) -> None:
        """Begin a life, its first turn after this time."""
        self.running, self.frozen, self.backlog = True, False, []
        self.life += 1
        self.last_ns = self.longest_ns = 0
        self.begin()
        self._again(self.clock.now_ns + after_ns)

    def begin(self) -> None:
        """Everything a fresh process has."""

    def kill(self) -> None:
        """As `kill -9`."""
        self.running = False
        self.backlog = []

    def freeze(self) -> None:
        """As SIGSTOP."""
        self.frozen = True

    def thaw(self) -> None:
        """As SIGCONT: what waited is read now, and stamped now."""
        self.frozen = False
        backlog, self.backlog = self.backlog, []
        for read in backlog:
            read()

    def reads(self, read: Callable[[], None]) -> None:
        """Something arrived: read it, or leave it in the kernel's buffer."""
        if self.frozen:
            self.backlog.append(read)
        elif self.running:
            read()

    def _again(self, due_ns: int) -> None:
        life, late_ns, self.late_ns = self.life, self.late_ns, 0
        self.clock.at(due_ns + late_ns, partial(self._wake, life, due_ns), 1)

    def _wake(self, life: int, due_ns: int) -> None:
        if life != self.life or not self.running:
            return
        now_ns = self.clock.now_ns
        if self.frozen:
            self.clock.at(now_ns + NS_PER_MS, partial(self._wake, life, due_ns), 1)
            return
        self.turn(now_ns)
        self._again(max(due_ns + PERIOD_NS, now_ns + PERIOD_NS // 2))

    def turn(self, now_ns: int) -> None:
        """One turn."""
        self.turns += 1
        if self.last_ns:
            self.longest_ns = max(self.longest_ns, now_ns - self.last_ns)
        self.last_ns = now_ns


@dataclass
class GatePeer(Peer):
    """The gate. `decide` is its turn; a liar's mouth may stand in its place."""

    config: GateConfig = field(kw_only=True)
    wire: Wire = field(kw_only=True)
    post: Post = field(kw_only=True)
    serial: Callable[[Chunk], None] = field(kw_only=True)
    heard: Listener = field(kw_only=True)  # the timeline
    readers: list[str] = field(default_factory=list)
    decide: GateTurn = turn
    disk: Marker | None = NEW

    def begin(self) -> None:
        """Boot: faulted, everything unknown but what the marker says."""
        self.state = start(self.config, self.clock.now_ns, self.disk)
        self.waiting: list[GateInput] = []
        self.events: list[tuple[str, str]] = []
        self.last_data: dict[tuple[str, int], bytes] = {}
        self.urgent = False
        self.out: Outputs | None = None

    # --- in ---------------------------------------------------------------------------------------

    def take(self, sender: str, message: ipc.Message) -> None:
        """A message of another process."""
        self.reads(partial(self._read, sender, message))

    def _read(self, sender: str, message: ipc.Message) -> None:
        role = sender.partition(":")[0]
        if ROLES.get(type(message), role) != role or not isinstance(message, FROM_CHANNEL):
            return
        if isinstance(message, ipc.Hold):
            message = msgspec.structs.replace(message, rx_ns=self.clock.now_ns)
        self.waiting.append(message)
        if isinstance(message, ipc.StopPress | ipc.StationGone):
            self._hurry()

    def on_frame(self, told: Frame) -> None:
        """A frame of the bus."""
        if self.running and not self.frozen:
            self._frame(told)
        else:
            self.reads(partial(self._frame, told))

    def _frame(self, told: Frame) -> None:
        self.waiting.append(RxFrame.of(told, self.clock.now_ns))
        if (told.bus, told.extended, told.id) in self.config.urgent:
            key = (told.bus, told.id)
            if self.last_data.get(key) != told.data:
                self._hurry()
            self.last_data[key] = told.data

    def on_bytes(self, line: str, data: bytes) -> None:
        """Bytes of a serial line."""
        self.reads(partial(self._bytes, line, data))

    def on_link(self, name: str, kind: str) -> None:
        """A port says what became of its bus or line."""
        self.reads(partial(self._link, name, kind))

    def _bytes(self, line: str, data: bytes) -> None:
        self.waiting.append(RxBytes(self.clock.now_ns, line, data))

    def _link(self, name: str, kind: str) -> None:
        self.waiting.append(Link(self.clock.now_ns, name, kind))

    def _hurry(self) -> None:
        if self.urgent:
            return
        self.urgent = True
        self.clock.at(self.clock.now_ns, partial(self._urgent, self.life), 1)

    def _urgent(self, life: int) -> None:
        if life == self.life and self.running and not self.frozen and self.urgent:
            self.turn(self.clock.now_ns)

    # --- turn -------------------------------------------------------------------------------------

    def turn(self, now_ns: int) -> None:
        """Decide with everything that waits, then do what was decided."""
        super().turn(now_ns)
        given, self.waiting, self.urgent = tuple(self.waiting), [], False
        before = self.state.kernel.marker
        self.state, out = self.decide(self.config, self.state, now_ns, given)
        self.out = out
        for wire in out.wires:
            if isinstance(wire, Chunk):
                self.serial(wire)
            else:
                self.wire.send(GATE, BusFrame(wire.id, wire.data, wire.extended, wire.remote))
        if out.verdict.marker != before:
            self._remember(out.verdict.marker)
        self.events += [(event.kind, event.detail) for event in out.verdict.events]
        self._publish(out, now_ns)

    def _remember(self, marker: Marker) -> None:
        self.clock.at(self.clock.now_ns + MARKER_NS, partial(self._durable, self.life, marker))

    def _durable(self, life: int, marker: Marker) -> None:
        if life == self.life and self.running:
            self.disk = marker
            self.reads(partial(self._confirmed, marker.seq))

    def _confirmed(self, seq: int) -> None:
        self.waiting.append(Durable(seq, True))

    def _publish(self, out: Outputs, now_ns: int) -> None:
        events, self.events = tuple(self.events), []
        told = state_message(self.config, self.state, out.verdict, now_ns, events)
        for reader in self.readers:
            self.post.send(GATE, reader, told)
        self.heard((told, out))


@dataclass
class GuardPeer(Peer):
    """The guard, with its own port on the bus."""

    config: guard_state.GuardConfig = field(kw_only=True)
    wire: Wire = field(kw_only=True)
    post: Post = field(kw_only=True)
    heard: Listener = field(kw_only=True)

    def begin(self) -> None:
        """Nothing seen yet."""
        self.state = guard_state.start(self.config, self.clock.now_ns)
        self.waiting: list[guard_state.GuardInput] = []

    def take(self, sender: str, message: ipc.Message) -> None:
        """The gate speaks of its ticks and of nothing else; a press comes from a panel itself."""
        self.reads(partial(self._read, sender, message))

    def _read(self, sender: str, message: ipc.Message) -> None:
        if (sender == GATE and isinstance(message, ipc.GateState)) or (
            sender != GATE and isinstance(message, ipc.Hold | ipc.StationGone | ipc.StopPress)
        ):
            self.waiting.append(message)

    def on_frame(self, told: Frame) -> None:
        """A frame of the bus; error frames and others' remote frames tell the guard nothing."""
        if self.running and not self.frozen:
            self._heard(told)
        else:
            self.reads(partial(self._heard, told))

    def _heard(self, frame: Frame) -> None:
        self.waiting.append((self.clock.now_ns, frame))

    def turn(self, now_ns: int) -> None:
        """Look, judge, toggle or cut."""
        super().turn(now_ns)
        given, self.waiting = tuple(self.waiting), []
        self.state, out = guard_turn(self.config, self.state, now_ns, given)
        for frame in out.frames:
            self.wire.send(GUARD, BusFrame(frame.id, frame.data))
        self.post.send(GUARD, GATE, ipc.GuardSays(out.echo_ns, out.cut))
        self.heard(self.state)
