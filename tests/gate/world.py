"""The devices of a demo room, cheap enough for millions of turns.

Role: frames as docs/wiring.md describes them, from drives that do what their command frames say.
Must never: import anything of drivers, or judge the gate.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from hil.nodes.roboteq import Roboteq

MS = 1_000_000
Said = tuple[int, bytes]
DISABLED, READY, SWITCHED_ON, ENABLED, QUICK, FAULT = 0x40, 0x21, 0x23, 0x27, 0x07, 0x08
BED_MM = 500
TYPE = bytes.fromhex("001000")


@dataclass
class Node:
    """Boot-up, SDO server, NMT and heartbeat of a CANopen node."""

    id: int
    nmt: int = 0  # 0: powered a moment ago
    alive: bool = True
    objects: dict[bytes, tuple[int, bytes]] = field(
        default_factory=lambda: {TYPE: (0x23, b"\x92\x01\x02\x00")}
    )

    def reboot(self) -> None:
        self.nmt = 0

    def beat(self) -> Iterator[Said]:
        if self.alive:
            yield 0x700 + self.id, bytes((self.nmt,))
            self.nmt = self.nmt or 0x7F

    def obey(self, can_id: int, data: bytes) -> Iterator[Said]:
        if can_id == 0 and data[1] == self.id:
            self.nmt = {1: 5, 2: 4, 0x80: 0x7F}[data[0]]
        if can_id != 0x600 + self.id or self.nmt in (0, 4) or not self.alive:
            return
        key = data[1:4]
        if data[0] != 0x40:
            self.objects[key] = (data[0], data[4:])
            yield 0x580 + self.id, b"\x60" + key + bytes(4)
        else:
            command, value = self.objects[key]
            yield 0x580 + self.id, bytes((command + 0x20,)) + key + value

    @property
    def talks(self) -> bool:
        return self.alive and self.nmt == 5


@dataclass
class Drive:
    """A motor behind a CiA 402 state machine, or (`stroke`) the stand actuator."""

    at: float
    low: float
    high: float
    mode: int = DISABLED
    target: float = 0.0
    speed: float = 0.0
    emergency: int = 0

    def word(self, word: int, target: float) -> None:
        self.target = target
        if self.mode == FAULT:
            self.mode = DISABLED if word & 0x80 else FAULT
        elif not word & 2:
            self.mode = DISABLED
        elif not word & 4:
            self.mode = {ENABLED: QUICK, QUICK: QUICK}.get(self.mode, DISABLED)
        elif word & 7 == 6:
            self.mode = QUICK if self.mode == QUICK else READY
        elif self.mode == READY:
            self.mode = SWITCHED_ON
        elif self.mode == SWITCHED_ON and word & 8:
            self.mode = ENABLED

    def move(self, dt_s: float, ramp: float) -> None:
        goal = self.target if self.mode == ENABLED else 0.0
        most = ramp * dt_s * (1 if self.mode in (ENABLED, QUICK) else 4)
        self.speed += max(-most, min(most, goal - self.speed))
        if self.mode == QUICK and self.speed == 0:
            self.mode = DISABLED
        after = min(self.high, max(self.low, self.at + self.speed * dt_s))
        if after in (self.low, self.high):
            self.speed = 0.0
        self.at = after


@dataclass
class World:
    """One room. `open`: contacts that read 0 whatever they should; `keys`: the hand control."""

    kind: str
    rng: random.Random
    now: int = 10**9
    keys: int = 0
    present: bool = True
    open: set[str] = field(default_factory=set)
    relay: bool = True
    hooked: bool = False
    mass_kg: float = 75.0
    soc: float = 0.9
    weighs: bool = True
    slack_mm: int = 150  # the empty bar lies on something below this height
    feet_kg: float = 20.0
    pitch_deg: float = 0.0
    joystick_rpm: int = 0

    def __post_init__(self) -> None:
        lift = self.kind == "lift"
        self.nodes = {n: Node(n) for n in ((0x10, 0x11, 0x20, 0x21) if lift else (0x13, 0x22))}
        self.drives = (
            {0x10: Drive(400.0, 50.0, 1400.0), 0x11: Drive(700.0, 50.0, 1450.0)}
            if lift
            else {0x13: Drive(0.0, 0.0, 300.0)}
        )
        self.serial = Roboteq()
        self.heard_ns = self.now
        self.sent: dict[str, int] = {}
        self.was: bytes = b""
        self.answers: list[Said] = []

    # --- time

    def run(self, to_ns: int) -> list[Said]:
        """Physics up to `to_ns`, then everything that is due by then."""
        dt_s = (to_ns - self.now) / 1e9
        self.now = to_ns
        for drive in self.drives.values():
            deaf = to_ns - self.heard_ns > 200 * MS and drive.mode == ENABLED
            if deaf:
                drive.emergency = 0x8130
            if deaf or (self.open & {"estop_a", "estop_b"} and drive.mode == ENABLED):
                drive.mode = QUICK
            drive.move(dt_s, 300 if self.kind == "lift" else 60)
        found, self.answers = self.answers, []
        found += self._heartbeats()
        found += self._lift() if self.kind == "lift" else self._chair()
        return found

    def _due(self, name: str, ms: int) -> bool:
        if self.now - self.sent.get(name, 0) < ms * MS:
            return False
        self.sent[name] = self.now
        return True

    def _heartbeats(self) -> Iterator[Said]:
        for node in self.nodes.values():
            if node.nmt == 0 or self._due(f"beat{node.id}", 100):
                yield from node.beat()
        for n, drive in self.drives.items():
            if drive.emergency and self.nodes[n].alive and self._due(f"emcy{n}", 300):
                yield 0x80 + n, struct.pack("<HB5x", drive.emergency, 1)
                drive.emergency = 0
            elif n in self.drives and self.sent.get(f"emcy{n}", 0) > self.sent.get(f"good{n}", 0):
                self.sent[f"good{n}"] = self.now
                yield 0x80 + n, bytes(8)

    # --- the lift

    @property
    def load_kg(self) -> float:
        height = self.drives[0x10].at
        share = min(1.0, max(0.0, (height - BED_MM) / 60)) if self.hooked else 0.0
        return self.mass_kg * share + self.rng.gauss(0, 0.05)

    def _lift(self) -> Iterator[Said]:
        hoist, across = self.drives[0x10], self.drives[0x11]
        load = self.load_kg
        for n, drive in self.drives.items():
            if self.nodes[n].talks and self._due(f"speed{n}", 20):
                amps = 6 + 0.55 * max(load, 0) if drive.speed > 0 else 0
                yield (
                    0x180 + n,
                    struct.pack(
                        "<Hih", drive.mode | 0x210, round(drive.speed * 10), round(amps * 10)
                    ),
                )
            if self.nodes[n].talks and self._due(f"at{n}", 40):
                yield 0x280 + n, struct.pack("<iI", round(drive.at * 10), self.relay)
        if self.nodes[0x21].talks and self._due("load", 20):
            yield 0x1A1, struct.pack("<iB", round(load * 100), not self.weighs)
        free = (
            hoist.at < 1350, hoist.at > 100, hoist.at > self.slack_mm,
            across.at > 100, across.at < 1400, True, True, True,
        )  # fmt: skip
        names = ("upper", "lower", "strap", "left", "right", "estop_a", "estop_b", "charger")
        yield from self._contacts(0x20, free, names)
        if self.nodes[0x20].talks and self._due("battery", 200):
            yield 0x2A0, struct.pack("<hh", round(self.soc * 1000), 2500)

    def _contacts(self, n: int, free: tuple[bool, ...], names: tuple[str, ...]) -> Iterator[Said]:
        bits = sum((ok and name not in self.open) << bit for bit, (ok, name) in
                   enumerate(zip(free, names, strict=True)))  # fmt: skip
        data = bytes((bits, (0x80 | self.keys) if self.present else 0))
        if self.nodes[n].talks and (self._due("contacts", 50) or data != self.was):
            self.was = data
            yield 0x180 + n, data

    # --- the chair

    def _chair(self) -> Iterator[Said]:
        stand = self.drives[0x13]
        if self.nodes[0x13].talks and self._due("stroke", 50):
            flags = (stand.speed > 0) | (stand.speed < 0) << 1
            share, fault = round(abs(stand.speed) / 20 * 1000), 2 * (stand.mode == FAULT)
            yield 0x193, struct.pack("<HHHBB", round(stand.at * 10), 30, share, flags, fault)
        names = ("knee_a", "knee_b", "belt_a", "belt_b", "brakes", "charger", "estop_a", "estop_b")
        yield from self._contacts(0x22, (True,) * 8, names)
        if self.nodes[0x22].talks and self._due("seat", 50):
            values = (self.feet_kg * 10, self.pitch_deg * 100, 0, self.soc * 1000)
            yield 0x2A2, struct.pack("<hhhh", *map(round, values))

    # --- commands

    def obey(self, can_id: int, data: bytes) -> None:
        if can_id == 0x701:
            self.heard_ns = self.now
        for node in self.nodes.values():
            self.answers += node.obey(can_id, data)
        drive = self.drives.get(can_id - 0x200)
        if drive is None or not self.nodes[can_id - 0x200].talks:
            return
        if self.kind == "lift":
            word, tenths = struct.unpack("<Hi", data)
            drive.word(word, tenths / 10)
            return
        target, _, permille, _, control = struct.unpack("<HHHBB", data)
        if drive.mode == FAULT:
            drive.mode = FAULT if control & 1 else DISABLED
            return
        drive.mode = ENABLED if control & 1 else QUICK if drive.speed else DISABLED
        drive.target = (1 if target else -1) * permille / 50

    def say(self, data: bytes) -> bytes:
        """The motor controller's answer on its serial line."""
        self.serial.speed_rpm = self.joystick_rpm if self.serial.released else 0
        return self.serial.on_bytes(data, self.now)
