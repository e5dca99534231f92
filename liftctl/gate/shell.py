"""The gate's shell: sockets in, one pure turn, sockets out.

Role: all the I/O of the gate and nothing else. Process: `liftctl gate`. Must never: decide
anything, block on a peer, or write to a disk inside a turn.
"""

from __future__ import annotations

import fcntl
import gc
import os
import selectors
import time
from dataclasses import dataclass, field

import msgspec

from config.schema import Site, to_json
from drivers.device import Chunk
from drivers.frames import Frame
from drivers.ports.base import FramePort, LinePort, LinkEvent
from drivers.ports.base import Link as PortLink
from drivers.ports.opening import open_bus, open_line
from drivers.registry import build
from liftctl import __version__, ipc
from liftctl.blackbox.ring import Kind, RingError, RingWriter, create
from liftctl.blackbox.turnlog import digest_of, encode_session, encode_turn
from liftctl.entry import GATE, Ending, Unusable, real_time, say
from liftctl.gate.inputs import FROM_CHANNEL, Durable, GateInput, Link, RxBytes, RxFrame
from liftctl.gate.marker import MarkerFile, load
from liftctl.gate.replay import snapshot
from liftctl.gate.turn import GateConfig, GateTurnState, Outputs, configure, encoded, start, turn
from liftctl.gate.view import in_use, state_message
from liftctl.places import Places

PERIOD_NS = 20_000_000
SNAPSHOT_NS = 1_000_000_000
REOPEN_NS = 500_000_000
COLLECT_NS = 10_000_000_000
RING_BYTES = 32 << 20
LOCK_NS = 1_000_000_000
Port = FramePort | LinePort
ROLES: dict[type, str] = {
    ipc.Hold: "panel",
    ipc.Permission: "controller",
    ipc.NewPlan: "controller",
    ipc.GuardSays: "guard",
    ipc.RecorderSays: "recorder",
}


def _may_say(role: str, message: ipc.Message) -> bool:
    """Leases come from their own process only; STOP, reset and release from any station."""
    return role not in ipc.LISTENERS and ROLES.get(type(message), role) == role


@dataclass(slots=True)
class Shell:
    """The open descriptors and the newest state."""

    config: GateConfig
    state: GateTurnState
    server: ipc.Server
    marker: MarkerFile
    ring: RingWriter | None
    ports: dict[str, Port]
    selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    waiting: list[GateInput] = field(default_factory=list)
    events: list[tuple[str, str]] = field(default_factory=list)
    last_data: dict[tuple[str, int], bytes] = field(default_factory=dict)
    down: dict[str, int] = field(default_factory=dict)
    watched: dict[str, int] = field(default_factory=dict)  # descriptors by port
    urgent: bool = False
    asked_to_end: list[ipc.Channel] = field(default_factory=list)
    snapshot_ns: int = 0
    collected_ns: int = 0

    # --- in ---------------------------------------------------------------------------------------

    def listen(self, wake: int) -> None:
        """Register everything that can wake the gate."""
        self.selector.register(self.server.sock, selectors.EVENT_READ, self._accept)
        self.selector.register(wake, selectors.EVENT_READ, lambda: self._durable(wake))
        for name in self.ports:
            self._watch(name)

    def _watch(self, name: str) -> None:
        descriptor = self.watched[name] = self.ports[name].fileno()
        self.selector.register(descriptor, selectors.EVENT_READ, lambda: self._read_port(name))

    def _accept(self) -> None:
        channel = self.server.accept()
        if channel is not None:
            self.selector.register(
                channel.sock, selectors.EVENT_READ, lambda: self._read_channel(channel)
            )

    def _durable(self, wake: int) -> None:
        os.read(wake, 4096)
        while not self.marker.confirmed.empty():
            seq, ok = self.marker.confirmed.get()
            self.waiting.append(Durable(seq, ok))

    def _read_channel(self, channel: ipc.Channel) -> None:
        descriptor = channel.sock
        now_ns = time.monotonic_ns()
        for message in channel.receive():
            if isinstance(message, ipc.Hello):
                channel.role = channel.role or message.role  # nobody becomes somebody else
            elif isinstance(message, ipc.StandDown):
                self.asked_to_end.append(channel)
            elif isinstance(message, ipc.Hold) and channel.role == "panel":
                self.waiting.append(msgspec.structs.replace(message, rx_ns=now_ns))
            elif isinstance(message, FROM_CHANNEL) and _may_say(channel.role, message):
                self.waiting.append(message)
                self.urgent |= isinstance(message, ipc.StopPress | ipc.StationGone)
        if channel.closed:
            self.selector.unregister(descriptor)
            self.server.channels = [item for item in self.server.channels if item is not channel]

    def _read_port(self, name: str) -> None:
        now_ns = time.monotonic_ns()
        for item in self.ports[name].receive():
            if isinstance(item, LinkEvent):
                self.waiting.append(Link(now_ns, name, item.kind.value))
                if item.kind is PortLink.DOWN:
                    self._lost(name, now_ns)
            elif isinstance(item, Chunk):
                self.waiting.append(RxBytes(now_ns, item.line, item.data))
            else:
                self._frame(item, now_ns)

    def _frame(self, frame: Frame, now_ns: int) -> None:
        self.waiting.append(RxFrame.of(frame, now_ns))
        if (frame.bus, frame.extended, frame.id) in self.config.urgent:
            key = (frame.bus, frame.id)
            self.urgent |= self.last_data.get(key) != frame.data
            self.last_data[key] = frame.data

    # --- turn -------------------------------------------------------------------------------------

    def decide(self, now_ns: int) -> None:
        """One turn with everything that waits, then everything it decided."""
        inputs, self.waiting, self.urgent = tuple(self.waiting), [], False
        before = self.state.kernel.marker
        self.state, out = turn(self.config, self.state, now_ns, inputs)
        for wire in out.wires:
            self._send(wire, now_ns)
        if out.verdict.marker != before:
            self.marker.write(out.verdict.marker)
        self._record(inputs, out, now_ns)
        self.events += [(event.kind, event.detail) for event in out.verdict.events]
        self._publish(out, now_ns)

    def stands_down(self) -> bool:
        """Answer who asked us to end: at standstill, with nobody in the air and no transfer."""
        asked, self.asked_to_end = self.asked_to_end, []
        if not asked:
            return False
        why = in_use(self.state)
        for channel in asked:
            channel.send(ipc.StoodDown(why if channel.role == "support" else "not yours to ask"))
        return not why and any(channel.role == "support" for channel in asked)

    def _send(self, wire: Frame | Chunk, now_ns: int) -> None:
        name = wire.line if isinstance(wire, Chunk) else wire.bus
        port = self.ports[name]
        if name in self.down or port.send(wire):  # type: ignore[arg-type]
            return
        self.waiting.append(Link(now_ns, name, "refused"))
        if port.fileno() < 0:  # it died in sending: no descriptor will wake us to hear it
            self._read_port(name)

    def _lost(self, name: str, now_ns: int) -> None:
        if name not in self.down:
            self.selector.unregister(self.watched.pop(name))
            self.down[name] = now_ns

    def _record(self, inputs: tuple[GateInput, ...], out: Outputs, now_ns: int) -> None:
        if self.ring is None:
            return
        digest = digest_of(encoded(out))
        self.ring.append(Kind.TURN, encode_turn(now_ns, digest, out.verdict.active, inputs))
        if now_ns - self.snapshot_ns >= SNAPSHOT_NS:
            self.ring.append(Kind.SNAPSHOT, snapshot(self.state))
            self.snapshot_ns = now_ns

    def _publish(self, out: Outputs, now_ns: int) -> None:
        events, self.events = tuple(self.events), []
        message = state_message(self.config, self.state, out.verdict, now_ns, events)
        for dead in self.server.broadcast(message):
            self.selector.unregister(dead.sock)  # before another takes its descriptor's number
        if not out.verdict.marker.in_flight and now_ns - self.collected_ns > COLLECT_NS:
            gc.collect()  # only at standstill, with nobody in the air
            self.collected_ns = now_ns

    # --- links
    # -------------------------------------------------------------------------------------

    def reopen(self, now_ns: int) -> None:
        """Try dead links again, not too often."""
        for name, since in list(self.down.items()):
            if now_ns - since >= REOPEN_NS:
                self.down[name] = now_ns
                if self.ports[name].reopen():
                    del self.down[name]
                    self._watch(name)
                    self.waiting.append(Link(now_ns, name, "up"))

    def loop(self, ending: Ending) -> None:
        """Until asked to end: wake on input, decide at each period and at once when it is
        urgent.
        """
        due_ns = time.monotonic_ns()
        while not ending.asked:
            wait_s = max(0.0, (due_ns - time.monotonic_ns()) / 1e9)
            for key, _ in self.selector.select(0 if self.urgent else wait_s):
                key.data()
            now_ns = time.monotonic_ns()
            if self.urgent or now_ns >= due_ns:
                self.decide(now_ns)
                if self.stands_down():
                    return
                if now_ns >= due_ns:
                    due_ns = max(due_ns + PERIOD_NS, now_ns + PERIOD_NS // 2)
                    self.reopen(now_ns)


def open_ring(places: Places, site: Site, fallback: bool) -> RingWriter | None:
    """The black-box ring; without one (full disk) the gate still runs and says so."""
    try:
        if not places.ring.exists():
            create(places.ring, RING_BYTES)
        ring = RingWriter(places.ring)
    except (OSError, RingError) as error:
        say("gate", f"no black box: {error}; free the disk and restart the gate")
        return None
    header = {
        "config": to_json(site),
        "config_hash": site.hash,
        "version": __version__,
        "fallback": fallback,
        "mono_ns": time.monotonic_ns(),
        "wall_ns": time.time_ns(),
    }
    ring.append(Kind.SESSION, encode_session(header))
    return ring


def _only_one(places: Places) -> int:
    """Two gates on one bus would fight: the lock is held as long as this process lives. Whoever
    exchanges the configuration holds it for a moment, too.
    """
    descriptor = os.open(places.gate_lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    until_ns = time.monotonic_ns() + LOCK_NS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        except BlockingIOError as error:
            if time.monotonic_ns() > until_ns:
                raise Unusable(f"another gate runs on {places.data}; stop it first") from error
            time.sleep(0.02)


def run(site: Site, fallback: bool = False) -> None:
    """The gate process until SIGTERM."""
    places = Places(site.name)
    if not places.data.is_dir():
        raise Unusable(f"{places.data} does not exist; run 'liftctl init --site ...' once")
    lock = _only_one(places)
    devices = tuple(build(spec, site.limits) for spec in site.device)
    config = configure(site, devices, fallback)
    ports: dict[str, Port] = {spec.name: open_bus(spec) for spec in site.bus}
    ports |= {spec.name: open_line(spec) for spec in site.serial}
    remembered = load(places.marker)
    if remembered is None:
        say("gate", "the marker file cannot be read: assuming that someone is aloft; quarantined")
    ring = open_ring(places, site, fallback)
    marker, (wake, tell) = MarkerFile(places.marker), os.pipe()
    marker.open(tell)
    shell = Shell(
        config,
        start(config, time.monotonic_ns(), remembered),
        ipc.serve(places.sock("gate")),
        marker,
        ring,
        ports,
    )
    if ring is not None:
        ring.append(Kind.SNAPSHOT, snapshot(shell.state))
    shell.listen(wake)
    ending = Ending()
    real_time(GATE)
    shell.loop(ending)
    shell.server.close()
    marker.close()
    os.close(lock)
