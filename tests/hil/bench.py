"""Helpers of the virtual-time tests: a room, a clock and the frames of a gate and a guard."""

from __future__ import annotations

import struct

from hil.rooms.room import Room
from hil.vbus.frame import Frame

MS = 1_000_000
S = 1_000 * MS


class Bench:
    """Runs a room in steps of 5 ms; optional periodic senders play gate and guard."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.sent: list[tuple[int, Frame]] = []
        self.gate_beats = False
        self.guard_toggles: int | None = None  # COB-ID of the guard node's RPDO
        self.rpdo: Frame | None = None  # repeated every 20 ms
        self.relay_bit = 0

    @property
    def now_ms(self) -> int:
        return self.room.t_ns // MS

    def run(self, duration_ms: int) -> None:
        end_ns = self.room.t_ns + duration_ms * MS
        while self.room.t_ns < end_ns:
            self._periodic()
            self.sent += self.room.advance(self.room.t_ns + 5 * MS)

    def _periodic(self) -> None:
        if self.gate_beats and self.now_ms % 50 == 0:
            self.put(0x701, b"\5")
        if self.guard_toggles and self.now_ms % 50 == 0:
            self.relay_bit ^= 1
            self.put(self.guard_toggles, bytes([self.relay_bit]))
        if self.rpdo and self.now_ms % 20 == 0:
            self.put(self.rpdo.can_id, self.rpdo.data)

    def put(self, can_id: int, data: bytes) -> list[Frame]:
        answers = self.room.on_frame(Frame(can_id, data), self.room.t_ns)
        self.sent += answers
        return [frame for _, frame in answers]

    def sdo_write(self, node: int, index: int, sub: int, value: int, size: int) -> int:
        """0, or the abort code."""
        command = 0x23 | (4 - size) << 2
        head = struct.pack("<BHB", command, index, sub)
        data = value.to_bytes(size, "little", signed=value < 0).ljust(4, b"\0")
        (answer,) = self.put(0x600 + node, head + data)
        assert answer.can_id == 0x580 + node
        return 0 if answer.data[0] == 0x60 else int.from_bytes(answer.data[4:], "little")

    def sdo_read(self, node: int, index: int, sub: int) -> int | str:
        """The value, or "abort XXXXXXXX"."""
        (answer,) = self.put(0x600 + node, struct.pack("<BHB4x", 0x40, index, sub))
        value = int.from_bytes(answer.data[4:], "little")
        return f"abort {value:08X}" if answer.data[0] == 0x80 else value

    def frames(self, can_id: int) -> list[bytes]:
        return [frame.data for _, frame in self.sent if frame.can_id == can_id]

    def last(self, can_id: int) -> bytes:
        return self.frames(can_id)[-1]

    def boot(self, *, run_enable: int | None = None) -> None:
        """All nodes operational, gate and guard alive."""
        self.run(300)
        self.put(0x000, b"\1\0")
        self.gate_beats = True
        self.guard_toggles = run_enable
        self.run(200)


def drive_frame(cob_id: int, controlword: int, velocity_mm_s: float = 0.0) -> Frame:
    return Frame(cob_id, struct.pack("<Hi", controlword, round(velocity_mm_s * 10)))


def configure(bench: Bench, node: int, *, deadline: bool = True) -> None:
    """What a careful driver writes at boot."""
    writes = [(0x1016, 1, 0x0001_00C8, 4), (0x6007, 0, 3, 2), (0x6085, 0, 6000, 4)]
    if deadline:
        writes.append((0x1400, 5, 100, 2))
    for index, sub, value, size in writes:
        assert bench.sdo_write(node, index, sub, value, size) == 0
        assert bench.sdo_read(node, index, sub) == value


def enable(bench: Bench, cob_id: int) -> None:
    """Shutdown, switch on, enable operation."""
    for word in (0x06, 0x07, 0x0F):
        bench.rpdo = drive_frame(cob_id, word)
        bench.run(40)


def move(bench: Bench, cob_id: int, velocity_mm_s: float, duration_ms: int) -> None:
    bench.rpdo = drive_frame(cob_id, 0x0F, velocity_mm_s)
    bench.run(duration_ms)
