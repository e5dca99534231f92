"""A gate in virtual time, the devices of its room, and everybody else's beats.

Role: a world for tests of turns; checks whitelist and heartbeat at each. Must never: open a port or
a socket.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from config.schema import load
from drivers.device import Chunk, Grant
from drivers.frames import Frame
from drivers.registry import build
from hil.rooms.chair import ChairRoom
from hil.rooms.lift import LiftRoom
from hil.vbus.frame import Frame as BusFrame
from liftctl import ipc
from liftctl.gate.inputs import Durable, GateInput, RxBytes, RxFrame
from liftctl.gate.turn import GateTurnState, Outputs, configure, start, turn
from liftctl.gate.view import state_message
from safety.types import ALL_MOTIONS
from safety.verdict import Marker

MS = 1_000_000
ROOMS = {"lift": LiftRoom, "chair": ChairRoom}
SITES = Path(__file__).parents[2] / "config" / "sites"
OWN = {"lift": ("UP", "DOWN", "LEFT", "RIGHT"), "chair": ("STAND", "SIT")}
RELAY = {"lift": 0x230, "chair": 0x231}


@dataclass
class Gate:
    """A gate, its room, and everybody else's beats."""

    kind: str = "lift"
    extra: list[GateInput] = field(default_factory=list)

    def __post_init__(self) -> None:
        site = load(SITES / f"demo-{self.kind}.toml")
        self.config = configure(site, tuple(build(spec, site.limits) for spec in site.device))
        self.now = 10**9
        self.room = ROOMS[self.kind](start_ns=self.now)
        self.state = start(self.config, self.now, Marker(0, False, (), 0))
        self.hold = (0, "")
        self.presses = self.turns = self.heard_ns = 0
        self.deaf = False
        self.out: Outputs | None = None
        self.given: tuple[GateInput, ...] = ()
        self.durable: list[GateInput] = []

    def step(self, gap_ms: int = 20) -> Outputs:
        self.now += gap_ms * MS
        self.turns += 1
        self.enable()
        heard = self.room.advance(self.now)
        given: list[GateInput] = [] if self.deaf else [self.received(f) for _, f in heard]
        given += self.serial + self.durable + self.extra + self.beats()
        if any(isinstance(item, RxFrame) for item in given):
            self.heard_ns = self.now
        self.given, self.extra, self.durable = tuple(given), [], []
        before = self.state.kernel.marker
        self.state, self.out = self.answer()
        if self.out.verdict.marker != before:
            self.durable.append(Durable(self.out.verdict.marker.seq, True))
        self.check(self.out)
        self.deliver(self.out)
        return self.out

    serial: list[GateInput] = field(default_factory=list)

    def answer(self) -> tuple[GateTurnState, Outputs]:
        """The turn itself."""
        return turn(self.config, self.state, self.now, self.given)

    def enable(self) -> None:
        """What the guard does: it starts its own node and toggles the run enable."""
        if self.turns == 20:
            self.room.on_frame(BusFrame(0, bytes((1, RELAY[self.kind] & 0x7F))), self.room.t_ns)
        if self.turns % 2:
            relay = BusFrame(RELAY[self.kind], bytes([self.turns // 2 % 2]))
            self.room.on_frame(relay, self.room.t_ns)

    def received(self, frame: BusFrame) -> RxFrame:
        return RxFrame(self.now, self.kind, frame.can_id, frame.data)

    def beats(self) -> list[GateInput]:
        echo = self.now - 20 * MS
        pickup = self.state.kernel.people.pickup
        return [
            ipc.Hold("panel:1", "s", self.hold[0], self.hold[1], echo, self.now),
            ipc.Permission(echo, int(ALL_MOTIONS), pickup, True, 300),
            ipc.GuardSays(echo, ""),
            ipc.RecorderSays(echo, True),
        ]

    def deliver(self, out: Outputs) -> None:
        self.serial = []
        for wire in out.wires:
            if isinstance(wire, Frame):
                answers = self.room.on_frame(BusFrame(wire.id, wire.data), self.room.t_ns)
                self.durable += [self.received(frame) for _, frame in answers if not self.deaf]
            else:
                said = self.room.roboteq.on_bytes(wire.data, self.room.t_ns)  # type: ignore[union-attr]
                self.serial += [RxBytes(self.now, wire.line, said)] if said else []

    def check(self, out: Outputs) -> None:
        """Whitelist and heartbeat; the picture for the others can always be sent."""
        assert out.refused == ()
        for wire in out.wires:
            if isinstance(wire, Chunk):
                assert wire.line in self.config.lines
                continue
            assert Grant(wire.bus, wire.id, len(wire.data), wire.extended) in self.config.grants
            assert not wire.remote
            assert not wire.error
            assert wire.id != 0 or wire.data[0] in (1, 0x80), "only NMT start and wake"
            if wire.id == 0x701:
                assert self.now - self.heard_ns <= 250 * MS, "heartbeat on a bus nobody heard"
        picture = state_message(self.config, self.state, out.verdict, self.now, ())
        assert ipc.decode(ipc.encode(picture)) == picture

    def run(self, ms: int) -> Outputs:
        for _ in range(ms // 20):
            out = self.step()
        return out

    def press(self, motion: str) -> None:
        self.presses += bool(motion)
        self.hold = (self.presses if motion else 0, motion)


def booted(kind: str) -> Gate:
    gate = Gate(kind)
    gate.run(3000)
    assert gate.state.kernel.ready, gate.state.kernel.active
    return gate
