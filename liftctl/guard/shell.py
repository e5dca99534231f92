"""The guard's shell: its own port, its own socket.

Role: the I/O of the guard. Process: `liftctl guard`. Must never: use the gate's eyes; panel beats
reach it directly.
"""

from __future__ import annotations

import selectors
import time
from dataclasses import dataclass, field
from typing import TypeGuard

from config.schema import Site
from drivers.frames import Frame
from drivers.ports.base import FramePort
from drivers.ports.opening import open_bus
from liftctl import ipc
from liftctl.entry import GUARD, Ending, Turnover, real_time
from liftctl.guard.state import GuardConfig, GuardInput, GuardTurnState, configure, start
from liftctl.guard.turn import turn
from liftctl.places import Places

PERIOD_NS = 20_000_000
RETRY_NS = 200_000_000


@dataclass(slots=True)
class Shell:
    """The open descriptors and the newest state."""

    config: GuardConfig
    state: GuardTurnState
    server: ipc.Server
    port: FramePort
    places: Places
    turnover: Turnover
    gate: ipc.Channel | None = None
    selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    waiting: list[GuardInput] = field(default_factory=list)
    retry_ns: int = 0
    watched: int = -1  # the port's descriptor, as long as it can wake us

    def listen(self) -> None:
        """Register everything that can wake the guard."""
        self.selector.register(self.server.sock, selectors.EVENT_READ, self._accept)
        self._watch()

    def _watch(self) -> None:
        self.watched = self.port.fileno()
        self.selector.register(self.watched, selectors.EVENT_READ, self._read_port)

    def _forget(self) -> None:
        """A port that died, in reading or in sending: before another takes its number."""
        if self.port.fileno() < 0 <= self.watched:
            self.selector.unregister(self.watched)
            self.watched = -1

    def _accept(self) -> None:
        channel = self.server.accept()
        if channel is not None:
            sock = channel.sock
            self.selector.register(sock, selectors.EVENT_READ, lambda: self._read_channel(channel))

    def _read_channel(self, channel: ipc.Channel) -> None:
        sock = channel.sock
        for message in channel.receive():
            if isinstance(message, ipc.Hello):
                channel.role = message.role
            elif self._believes(message, channel):
                self.waiting.append(message)
        if channel.closed:
            self.selector.unregister(sock)
            self.server.channels = [item for item in self.server.channels if item is not channel]
            if channel is self.gate:
                self.gate = None

    def _believes(
        self, message: ipc.Message, channel: ipc.Channel
    ) -> TypeGuard[ipc.GateState | ipc.Hold | ipc.StationGone | ipc.StopPress]:
        """The gate speaks of its ticks and of nothing else; a press comes from a panel itself."""
        if channel is self.gate:
            if not isinstance(message, ipc.GateState):
                return False
            self.turnover.hear(message.config_hash)
            return True
        if channel.role in ipc.LISTENERS:
            return False
        if isinstance(message, ipc.Hold):
            return channel.role == "panel"
        return isinstance(message, ipc.StationGone | ipc.StopPress)

    def _read_port(self) -> None:
        now_ns = time.monotonic_ns()
        for item in self.port.receive():
            if isinstance(item, Frame):
                self.waiting.append((now_ns, item))
        self._forget()

    def _links(self, now_ns: int) -> None:
        """Dial the gate and reopen the bus when they are gone, not too often."""
        if now_ns - self.retry_ns < RETRY_NS:
            return
        self.retry_ns = now_ns
        if self.gate is None and (channel := ipc.connect(self.places.sock("gate"))):
            channel.send(ipc.Hello(role="guard"))
            self.gate = channel
            self.selector.register(
                channel.sock, selectors.EVENT_READ, lambda: self._read_channel(channel)
            )
        if self.port.fileno() < 0 and self.port.reopen():
            self._watch()

    def decide(self, now_ns: int) -> None:
        """One turn and everything it decided."""
        inputs, self.waiting = tuple(self.waiting), []
        self.state, out = turn(self.config, self.state, now_ns, inputs)
        for frame in out.frames:
            self.port.send(frame)
        self._forget()
        dead: list[ipc.Channel] = []
        if self.gate is not None:
            self.gate.send(ipc.GuardSays(echo_ns=out.echo_ns, cut=out.cut))
            if self.gate.closed:
                dead, self.gate = [self.gate], None
        if self.state.checks % 5 == 0:
            dead += self.server.broadcast(_status(self.state, now_ns))
        for channel in dead:
            self.selector.unregister(channel.sock)  # before another takes its descriptor's number

    def loop(self, ending: Ending) -> None:
        """Until asked to end."""
        due_ns = time.monotonic_ns()
        while not ending.asked:
            wait_s = max(0.0, (due_ns - time.monotonic_ns()) / 1e9)
            for key, _ in self.selector.select(wait_s):
                key.data()
            now_ns = time.monotonic_ns()
            if now_ns >= due_ns:
                self._links(now_ns)
                self.decide(now_ns)
                due_ns = max(due_ns + PERIOD_NS, now_ns + PERIOD_NS // 2)


def _status(state: GuardTurnState, now_ns: int) -> ipc.GuardState:
    newest = max((held.t_ns for held in state.evidence.values()), default=0)
    return ipc.GuardState(
        tick_ns=now_ns,
        enable=state.relay.toggles,
        cut=state.cut,
        cuts=state.cuts,
        checks=state.checks,
        evidence_age_ms=(now_ns - newest) / 1e6,
    )


def run(site: Site, fallback: bool = False) -> None:
    """The guard process until SIGTERM."""
    places = Places(site.name)
    spec = next(bus for bus in site.bus if bus.name == site.guard.bus)
    config = configure(site)
    shell = Shell(
        config,
        start(config, time.monotonic_ns()),
        ipc.serve(places.sock("guard")),
        open_bus(spec),
        places,
        Turnover(site.hash),
    )
    shell.listen()
    ending = Ending()
    real_time(GUARD)
    shell.loop(ending)
    shell.server.close()
