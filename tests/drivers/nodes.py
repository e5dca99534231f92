"""Scripted counterparts for the drivers: a CANopen node's SDO server, a run in virtual time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from config.schema import DeviceSpec
from drivers.device import Device
from drivers.frames import Frame
from drivers.registry import build
from safety.bounds import Params
from safety.types import Sample
from safety.verdict import AxisCommand, Cmd

TURN_NS = 20_000_000
NODES = {
    "cia402_hoist": 0x10,
    "cia402_traverse": 0x11,
    "cia401_lift_io": 0x20,
    "cia404_load_cell": 0x21,
    "load_cell_e2e": 0,
    "cia401_seat_io": 0x22,
    "cia401_seat_io_castors": 0x22,
    "thomson_electrak_hd_canopen": 0x13,
    "thomson_electrak_hd": 0x13,
    "roboteq": 0,
}
MOTION = ("cia402_hoist", "cia402_traverse", "thomson_electrak_hd_canopen")


def device(profile: str, **limits: float) -> Device:
    return build(
        DeviceSpec(name="it", profile=profile, on="bus", node=NODES[profile]), Params(**limits)
    )


@dataclass
class Node:
    """Answers SDO requests from its objects; `lies` overrides what a read says."""

    node: int
    objects: dict[bytes, bytes] = field(default_factory=dict)
    lies: dict[bytes, bytes] = field(default_factory=dict)
    aborts: dict[bytes, int] = field(default_factory=dict)
    deaf: bool = False
    operational: bool = False
    started: int = 0
    requests: list[bytes] = field(default_factory=list)

    def hear(self, frame: Frame) -> list[Frame]:
        if frame.id == 0x000 and frame.data in (bytes((1, self.node)), b"\x01\x00"):
            self.operational = True
            self.started += 1
        if frame.id != 0x600 + self.node or self.deaf:
            return []
        self.requests.append(frame.data)
        return [Frame("bus", 0x580 + self.node, self.answer(frame.data))]

    def answer(self, request: bytes) -> bytes:
        address = request[1:4]
        if address in self.aborts:
            return b"\x80" + address + self.aborts[address].to_bytes(4, "little")
        if request[0] == 0x40:
            value = self.lies.get(address, self.objects.get(address, bytes(4)))
            return bytes((0x43 | (4 - len(value)) << 2,)) + address + value.ljust(4, b"\0")
        self.objects[address] = request[4 : 4 + 4 - (request[0] >> 2 & 3)]
        return b"\x60" + address + bytes(4)

    def heartbeat(self) -> Frame:
        return Frame("bus", 0x700 + self.node, b"\x05" if self.operational else b"\x7f")


def at(index: int, sub: int = 0) -> bytes:
    return index.to_bytes(2, "little") + bytes((sub,))


def drive_node(node: int, **kwargs: Any) -> Node:
    return Node(node, {at(0x1000): (0x20192).to_bytes(4, "little")}, **kwargs)


@dataclass
class Run:
    """A device and, where it is a CANopen one, its node, in virtual time."""

    dev: Device
    node: Node
    state: Any = None
    now_ns: int = 1_000_000_000
    samples: dict[str, Sample] = field(default_factory=dict)
    sent: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.state = self.dev.start()

    def hear(self, wire: Any) -> Any:
        self.state, decoded = self.dev.on_wire(self.state, wire, self.now_ns)
        for sample in decoded.samples:
            self.samples[sample.signal] = sample
        return decoded

    def turn(self, command: AxisCommand | None = None) -> tuple[Any, ...]:
        """One gate turn with a heartbeat of the node; returns what was sent."""
        self.now_ns += TURN_NS
        self.state, sent, samples = self.dev.turn(self.state, self.now_ns, command)
        for sample in samples:
            self.samples[sample.signal] = sample
        self.sent += sent
        for wire in sent:
            for answer in self.node.hear(wire) if isinstance(wire, Frame) else []:
                self.hear(answer)
        if not self.node.deaf:
            self.hear(self.node.heartbeat())
        return sent

    def turns(self, count: int, command: AxisCommand | None = None) -> tuple[Any, ...]:
        for _ in range(count):
            sent = self.turn(command)
        return sent

    def command(self, cmd: Cmd, speed_mm_s: float = 0.0) -> AxisCommand:
        assert self.dev.axis is not None
        return AxisCommand(self.dev.axis, cmd, speed_mm_s)

    @property
    def verified(self) -> float | None:
        signal = self.dev.profile.verified_signal  # type: ignore[attr-defined]
        return self.samples[signal].value if signal in self.samples else None


def run(profile: str, **kwargs: Any) -> Run:
    return Run(device(profile), drive_node(NODES[profile], **kwargs))
