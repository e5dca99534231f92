"""The plane `virtual`: a room, the unmodified turns of every process, and a carer, in virtual time.

Role: one site in one process, from boot to the end of a scenario, the same on every machine. Must
never: read a clock, open a port, or replace a turn (a lying gate is a fault a scenario asks for).

Its bus is the exact core (`hil.vbus`): bit times, arbitration, error counters. Its ledger is the
recorder's pure part over a list: what needs a disk or a process belongs to another plane.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from config.schema import Site
from drivers.device import Chunk
from drivers.ports.base import Link as PortLink
from drivers.registry import build
from hil.clock import NS_PER_MS, Clock
from hil.nodes.scale import ProtectedScale
from hil.planes.hands import Hands
from hil.planes.log import Log
from hil.planes.peers import GatePeer, GuardPeer
from hil.planes.people import ControllerPeer, Page, RecorderPeer
from hil.planes.post import Post
from hil.planes.wire import GATE, GUARD, ROOM, Wire, link_word
from hil.rooms.chair import ChairRoom
from hil.rooms.lift import LiftRoom
from hil.rooms.room import NODE_NS
from hil.timeline import Timeline
from hil.vbus.bus import BusCore
from hil.vbus.frame import Frame
from hil.vbus.physics import BusEvent
from liftctl.controller.values import Link
from liftctl.gate.turn import configure
from liftctl.guard.state import configure as configure_guard

START_NS = 1_000_000_000
SAMPLE_NS = 10 * NS_PER_MS
RESTART_NS = 1000 * NS_PER_MS  # liftctl/up.py
DIAL_NS = 200 * NS_PER_MS  # how often a process dials another that is away
WALL_NS = 1_764_000_000 * 1_000_000_000
TODAY = "2026-11-24"


class VirtualPlane(Hands):
    """Everything of one site. `run` lets time pass; the rest is what a carer or a fault does."""

    name = "virtual"

    def __init__(
        self, site: Site, mass_kg: float, seed: int, today: str = TODAY, fallback: bool = False
    ) -> None:
        self.site, self.kind, self.today, self.seed = site, site.kind, today, seed
        self.clock = Clock(START_NS)
        self.fallback = fallback
        self.timeline = Timeline()
        self.log = Log(self.timeline, self.clock, START_NS)
        self.room = self._room(mass_kg, seed)
        self.bus = site.guard.bus
        rate = next(bus.bitrate for bus in site.bus if bus.name == self.bus)
        self.wire = Wire(self.clock, BusCore(rate, ideal=False), self.bus)
        self.post = Post(self.clock)
        self.pages: dict[str, Page] = {}
        self.refused: list[tuple[str, str]] = []  # action, code
        self.watchers: list[Callable[[int], None]] = []  # asked after every sample
        self._processes()
        self._connect()
        self.page("panel:1")
        self.clock.at(START_NS, self._room_tick, -2)
        for after_ms, peer in enumerate((self.recorder, self.gate, self.controller, self.guard)):
            peer.start((3 + 2 * after_ms) * NS_PER_MS)
        for name in ("gate", "recorder"):
            self._dial(name)

    def _room(self, mass_kg: float, seed: int) -> LiftRoom | ChairRoom:
        if self.kind == "chair":
            return ChairRoom(mass_kg, seed, START_NS)
        protected = any("e2e" in device.profile for device in self.site.device)
        return LiftRoom(mass_kg, seed, START_NS, ProtectedScale(0x21) if protected else None)

    def _processes(self) -> None:
        site, clock, log = self.site, self.clock, self.log
        devices = tuple(build(spec, site.limits) for spec in site.device)
        self.gate = GatePeer(
            "gate",
            clock,
            config=configure(site, devices, self.fallback),
            wire=self.wire,
            post=self.post,
            serial=self._serial,
            heard=log.gate,
            readers=["guard", "controller", "recorder", "panel"],
        )
        self.guard = GuardPeer(
            "guard",
            clock,
            config=configure_guard(site),
            wire=self.wire,
            post=self.post,
            heard=log.guard,
        )
        self.controller = ControllerPeer(
            "controller",
            clock,
            site=site,
            today=self.today,
            post=self.post,
            heard=log.controller,
            answered=self._refusal,
        )
        self.recorder = RecorderPeer(
            "recorder",
            clock,
            post=self.post,
            heard=log.ledger,
            wall_ns=WALL_NS,
        )
        self.peers = {
            peer.name: peer for peer in (self.gate, self.guard, self.controller, self.recorder)
        }

    def _connect(self) -> None:
        self.wire.join(tuple(self.room.nodes))
        self.wire.room, self.wire.state, self.wire.full = self._to_room, self._status, self._full
        self.wire.takers = {
            GATE: self.gate.on_frame,
            GUARD: self.guard.on_frame,
        }
        self.post.boxes = {
            "gate": self.gate.take,
            "guard": self.guard.take,
            "controller": self.controller.take,
            "recorder": self.recorder.take,
            "panel": self._to_pages,
        }

    # --- time -------------------------------------------------------------------------------------

    @property
    def t_ns(self) -> int:
        """Since the scenario began."""
        return self.clock.now_ns - START_NS

    def run(self, ns: int) -> None:
        """Let time pass."""
        self.clock.run_to(self.clock.now_ns + ns)

    @property
    def now(self) -> dict[str, dict[str, Any]]:
        """The newest fields of each lane."""
        return self.log.now

    def _room_tick(self) -> None:
        now_ns = self.clock.now_ns
        for _, frame in self.room.advance(now_ns):
            self.wire.send(ROOM, frame)
        if (now_ns - START_NS) % SAMPLE_NS == 0:
            self.log.plant(self.room.truth())
            for watch in tuple(self.watchers):
                watch(now_ns)
        self.clock.at(now_ns + NODE_NS, self._room_tick, -2)

    def _to_room(self, frame: Frame, deaf: frozenset[int]) -> None:
        for _, answer in self.room.on_frame(frame, self.clock.now_ns, deaf):
            self.wire.send(ROOM, answer)

    def _status(self, name: str, event: BusEvent) -> None:
        """What became of a controller; the gate's port tells the gate."""
        fields = {"state": str(event.state), "tec": event.tec, "rec": event.rec}
        self.log.add("bus", "state", node=name if name != ROOM else event.node, **fields)
        if name == GATE and event.state is not None:
            self.gate.on_link(self.bus, link_word(event.state, event.tec + event.rec))

    def _full(self, sender: str) -> None:
        """A controller had no room for a frame; the gate's port tells the gate."""
        if sender == GATE:
            self.gate.on_link(self.bus, PortLink.REFUSED)

    def _serial(self, chunk: Chunk) -> None:
        if isinstance(self.room, ChairRoom):
            said = self.room.roboteq.on_bytes(chunk.data, self.clock.now_ns)
            if said:
                due_ns = self.clock.now_ns + 2 * NS_PER_MS
                self.clock.at(due_ns, partial(self.gate.on_bytes, chunk.line, said))

    # --- processes --------------------------------------------------------------------------------

    def _dial(self, name: str) -> None:
        """The controller's channel to gate or recorder comes up."""
        if self.peers[name].running and self.controller.running:
            self.controller.take(name, Link(name, up=True))
            if name == "recorder":
                self.recorder.controller_came()

    def kill(self, name: str, restart: bool = True) -> None:
        """`kill -9` of a process; the supervisor starts it again after a second."""
        if name == "panel":
            for page in self.pages.values():
                page.alive = False
            if restart:
                self.clock.at(self.clock.now_ns + RESTART_NS, partial(self.restart, name))
            return
        self.peers[name].kill()
        if name in ("gate", "recorder"):
            self.controller.take(name, Link(name, up=False))
        if name == "controller":
            self.recorder.controller_gone()
        if restart:
            self.clock.at(self.clock.now_ns + RESTART_NS, partial(self.restart, name))

    def restart(self, name: str) -> None:
        """Start a process that died; the others dial it."""
        if name == "panel":
            for page in self.pages.values():
                page.come_back()
            return
        if self.peers[name].running:
            return
        self.peers[name].start()
        if name == "gate":
            self.recorder.gate_restarted()
        dials = ("gate", "recorder") if name == "controller" else (name,)
        for other in dials:
            if other in ("gate", "recorder"):
                due_ns = self.clock.now_ns + DIAL_NS
                self.clock.at(due_ns, partial(self._dial, other))

    def dead(self, name: str) -> dict[str, Any] | None:
        """What shows that a process does not run."""
        if name == "panel":
            return None if self.pages["panel:1"].alive else {"panel": "gone"}
        return None if self.peers[name].running else {"turns": self.peers[name].turns}

    def freeze(self, name: str) -> None:
        """SIGSTOP."""
        self.peers[name].freeze()

    def thaw(self, name: str) -> None:
        """SIGCONT."""
        self.peers[name].thaw()

    def silent(self, name: str, ns: int) -> dict[str, Any] | None:
        """What shows that a process took no turn for so long."""
        gap_ns = self.clock.now_ns - self.peers[name].last_ns
        return {"silent_ms": gap_ns / NS_PER_MS} if gap_ns >= ns else None

    @property
    def ids(self) -> list[int]:
        """The ids the gate's devices listen to: what an attacker would try."""
        return sorted({can_id for _, _, can_id in self.gate.config.routes})
