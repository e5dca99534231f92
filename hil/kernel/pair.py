"""The product's gate on an open port, with everybody else's beats, and a room at the other end.

Process: inside the guest kernel, or any where a CAN socket is. One thread; time is given. It must
never stand in for the gate's shell anywhere else: it has no panel, no ledger, no marker file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from config.schema import load
from drivers.device import Chunk
from drivers.frames import Frame
from drivers.ports.base import FramePort, LinkEvent
from drivers.ports.base import Link as PortLink
from drivers.registry import build
from hil.rooms.lift import LiftRoom
from hil.vbus.frame import Frame as BusFrame
from liftctl import ipc
from liftctl.gate.inputs import Durable, GateInput, Link, RxFrame
from liftctl.gate.turn import GateTurnState, Outputs, configure, start, turn
from safety.types import ALL_MOTIONS
from safety.verdict import Marker

SITE = Path(__file__).resolve().parents[2] / "config" / "sites" / "demo-lift.toml"
TURN_NS = 20_000_000
_GUARD_RPDO = 0x230


@dataclass
class GateOnPort:
    """`step` once per turn; `links` collects what the port said of its link."""

    port: FramePort
    now_ns: int
    hold: tuple[int, str] = (0, "")
    links: list[PortLink] = field(default_factory=list)
    heard: int = 0

    def __post_init__(self) -> None:
        site = load(SITE)
        devices = tuple(build(spec, site.limits) for spec in site.device)
        self._config = configure(site, devices)
        self.state: GateTurnState = start(self._config, self.now_ns, Marker(0, False, (), 0))
        self.out: Outputs | None = None
        self._durable: list[GateInput] = []

    def step(self, now_ns: int) -> None:
        """Hear, decide, send."""
        self.now_ns = now_ns
        inputs = [*self._hear(), *self._durable, *self._beats()]
        self._durable = []
        before = self.state.kernel.marker
        self.state, self.out = turn(self._config, self.state, now_ns, tuple(inputs))
        if self.out.verdict.marker != before:
            self._durable.append(Durable(self.out.verdict.marker.seq, True))
        for wire in self.out.wires:
            if not isinstance(wire, Chunk):
                self.port.send(wire)

    def _hear(self) -> list[GateInput]:
        found: list[GateInput] = []
        for item in self.port.receive():
            if isinstance(item, LinkEvent):
                self.links.append(item.kind)
                found.append(Link(self.now_ns, item.port, item.kind.value))
            else:
                self.heard += 1
                found.append(RxFrame.of(item, self.now_ns))
        return found

    def _beats(self) -> list[GateInput]:
        echo = self.now_ns - TURN_NS
        pickup = self.state.kernel.people.pickup
        return [
            ipc.Hold("panel:1", "s", *self.hold, echo, self.now_ns),
            ipc.Permission(echo, int(ALL_MOTIONS), pickup, True, 300),
            ipc.GuardSays(echo, ""),
            ipc.RecorderSays(echo, True),
        ]

    def reopened(self) -> bool:
        """Try a link that is down again; tells the gate when it is up."""
        if not self.port.reopen():
            return False
        self._durable.append(Link(self.now_ns, self.port.name, "up"))
        return True


class RoomOnFrames:
    """Room 1 with a guard that toggles its relay; frames in, frames out."""

    def __init__(self, now_ns: int) -> None:
        self.room = LiftRoom(start_ns=now_ns)
        self._turns = 0

    def step(self, now_ns: int, heard: list[BusFrame]) -> list[BusFrame]:
        """Take what the bus carried; what the devices send until now."""
        out = self.room.advance(now_ns)
        for frame in heard:
            out += self.room.on_frame(frame, now_ns)
        self._turns += 1
        if self._turns == 20:
            self.room.on_frame(BusFrame(0, bytes((1, 0x30))), now_ns)
        if self._turns % 2:
            toggled = BusFrame(_GUARD_RPDO, bytes((self._turns // 2 % 2,)))
            out += self.room.on_frame(toggled, now_ns)
        return [frame for _, frame in out]


def port_frame(frame: BusFrame, bus: str) -> Frame:
    """As the product's port has it."""
    return Frame(bus, frame.can_id, frame.data, frame.is_extended, frame.is_remote)


def bus_frame(frame: Frame) -> BusFrame:
    """As the bench has it."""
    remote_dlc = len(frame.data) if frame.remote else 0
    return BusFrame(
        frame.id,
        b"" if frame.remote else frame.data,
        frame.extended,
        frame.remote,
        remote_dlc=remote_dlc,
    )
