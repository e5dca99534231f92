"""Faults of frames: loss, delay, wrong content, silent nodes (L3 to L6).

Role: changes frames between their sender and its controller; each counts what it did, and that is
its proof. Must never: touch what a node or a process holds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hil.clock import NS_PER_MS, random_of
from hil.faults.hardware import NODES, number_of
from hil.faults.kind import Args, Kind, Param, Proof, Running
from hil.vbus.frame import Frame

TARGETS: dict[str, dict[str, int] | int] = {
    "hoist_status": 0x190,
    "hoist_position": 0x290,
    "traverse_status": 0x191,
    "traverse_position": 0x291,
    "contacts": {"lift": 0x1A0, "chair": 0x1A2},
    "battery": {"lift": 0x2A0, "chair": 0x2A2},
    "load": 0x1A1,
    "protected_load": 0x6A1,
    "stroke": 0x193,
    "hoist_command": 0x210,
    "traverse_command": 0x211,
    "stand_command": 0x213,
    "gate_heartbeat": 0x701,
    "guard_contacts": {"lift": 0x1B0, "chair": 0x1B1},
    "run_enable": {"lift": 0x230, "chair": 0x231},
}
TARGET = Param("word", None, tuple(TARGETS))
ENOUGH = 3
Change = Callable[["OnWire", int, str, Frame], list[tuple[int, Frame]] | None]


def id_of(plane: Any, target: str) -> int:
    """The frame's id on this rig."""
    found = TARGETS[target]
    return found if isinstance(found, int) else found[plane.kind]


class OnWire:
    """A disturbance: `change` gives what arrives instead, or None for "not my frame"."""

    def __init__(self, args: Args, change: Change) -> None:
        self.args, self.change = args, change
        self.count = 0
        self.plane: Any = None
        self.chance = random_of(0)
        self.kept: Any = None

    def start(self, plane: Any) -> None:
        """Between the sender and its controller."""
        self.plane = plane
        self.chance = random_of(plane.seed, "fault", self.change.__name__)
        plane.wire.disturbances.append(self)

    def __call__(self, now_ns: int, sender: str, frame: Frame) -> list[tuple[int, Frame]]:
        found = self.change(self, now_ns, sender, frame)
        if found is None:
            return [(0, frame)]
        self.count += 1
        return found

    def proof(self, plane: Any) -> Proof:
        """It has touched enough frames."""
        return {"frames": self.count} if self.count >= ENOUGH else None

    def stop(self, plane: Any) -> None:
        """Out of the way."""
        plane.wire.disturbances.remove(self)

    def gone(self, plane: Any) -> Proof:
        """How many it touched in all."""
        return {"frames": self.count}


def on_wire(change: Change) -> Callable[[Args], Running]:
    """A fault that only changes frames."""

    def make(args: Args) -> Running:
        it = OnWire(args, change)
        return Running(it.start, it.proof, it.stop, it.gone)

    return make


def _hits(it: OnWire, frame: Frame) -> bool:
    return frame.can_id == id_of(it.plane, it.args["target"])


def _node(it: OnWire) -> int:
    return number_of(it.plane, it.args["node"])


def loss(it: OnWire, _now: int, _sender: str, frame: Frame) -> list[tuple[int, Frame]] | None:
    """Lost, with this share of chance."""
    lost = _hits(it, frame) and it.chance.random() * 100.0 < it.args["share"]
    return [] if lost else None


def delay(it: OnWire, _now: int, _sender: str, frame: Frame) -> list[tuple[int, Frame]] | None:
    """Late by a time, and a random part of the jitter."""
    if not _hits(it, frame):
        return None
    return [(it.args["by"] + round(it.chance.random() * it.args["jitter"]), frame)]


def duplicate(it: OnWire, _now: int, _sender: str, frame: Frame) -> list[tuple[int, Frame]] | None:
    """Twice."""
    return [(0, frame), (NS_PER_MS, frame)] if _hits(it, frame) else None


def reorder(it: OnWire, _now: int, _sender: str, frame: Frame) -> list[tuple[int, Frame]] | None:
    """Each second frame before the one it follows."""
    if not _hits(it, frame):
        return None
    held, it.kept = it.kept, None if it.kept else frame
    return [(0, frame), (0, held)] if held else []


def length(it: OnWire, _now: int, _sender: str, frame: Frame) -> list[tuple[int, Frame]] | None:
    """A byte short."""
    return [(0, replace(frame, data=frame.data[:-1]))] if _hits(it, frame) else None


def remote(it: OnWire, _now: int, _sender: str, frame: Frame) -> list[tuple[int, Frame]] | None:
    """A remote frame in its place."""
    if not _hits(it, frame):
        return None
    return [(0, Frame(frame.can_id, b"", is_remote=True, remote_dlc=len(frame.data)))]


def frozen(it: OnWire, _now: int, _sender: str, frame: Frame) -> list[tuple[int, Frame]] | None:
    """Always the first content."""
    if not _hits(it, frame):
        return None
    it.kept = it.kept or frame
    return [(0, it.kept)]


def value(it: OnWire, _now: int, _sender: str, frame: Frame) -> list[tuple[int, Frame]] | None:
    """A field says something else: `value`, or what it said times `gain` plus `add`."""
    if not _hits(it, frame):
        return None
    at, size = int(it.args["at"]), int(it.args["bytes"])
    told = int.from_bytes(frame.data[at : at + size], "little", signed=True)
    odd = it.args["value"] if it.args["set"] else told * it.args["gain"] + it.args["add"]
    most = (1 << (8 * size - 1)) - 1
    raw = max(-most - 1, min(most, round(odd))).to_bytes(size, "little", signed=True)
    return [(0, replace(frame, data=frame.data[:at] + raw + frame.data[at + size :]))]


def noise(it: OnWire, _now: int, _sender: str, frame: Frame) -> list[tuple[int, Frame]] | None:
    """Random content of the right length."""
    return (
        [(0, replace(frame, data=it.chance.randbytes(len(frame.data))))]
        if _hits(it, frame)
        else None
    )


def bit_flip(it: OnWire, _now: int, _sender: str, frame: Frame) -> list[tuple[int, Frame]] | None:
    """One bit of each."""
    if not _hits(it, frame) or not frame.data:
        return None
    bit = it.chance.randrange(8 * len(frame.data))
    raw = bytearray(frame.data)
    raw[bit // 8] ^= 1 << bit % 8
    return [(0, replace(frame, data=bytes(raw)))]


def silent_data(
    it: OnWire, _now: int, _sender: str, frame: Frame
) -> list[tuple[int, Frame]] | None:
    """The node's process data stops, its heartbeat goes on."""
    mine = 0x180 <= frame.can_id < 0x580 and frame.can_id & 0x7F == _node(it)
    return [] if mine and frame.can_id & 0x80 else None


def heartbeat(it: OnWire, _now: int, _sender: str, frame: Frame) -> list[tuple[int, Frame]] | None:
    """The node's heartbeat stops, its process data goes on."""
    return [] if frame.can_id == 0x700 + _node(it) else None


def refuses(it: OnWire, _now: int, _sender: str, frame: Frame) -> list[tuple[int, Frame]] | None:
    """The node answers every configuration with an abort."""
    if frame.can_id != 0x580 + _node(it):
        return None
    return [(0, replace(frame, data=b"\x80" + frame.data[1:4] + bytes.fromhex("22000008")))]


def inverted(it: OnWire, _now: int, _sender: str, frame: Frame) -> list[tuple[int, Frame]] | None:
    """The motor's wires are swapped: the drive does the opposite of what it is told."""
    command = {"hoist": 0x210, "traverse": 0x211}[it.args["axis"]]
    if frame.can_id != command or not any(frame.data[2:6]):
        return None
    speed = int.from_bytes(frame.data[2:6], "little", signed=True)
    return [(0, replace(frame, data=frame.data[:2] + (-speed).to_bytes(4, "little", signed=True)))]


def _reset(args: Args) -> Running:
    """A node resets: its boot-up is on the bus."""
    boots = [0]

    def start(plane: Any) -> None:
        node = number_of(plane, args["node"])
        device = plane.room.nodes[node]
        device.power(False)
        device.power(True)

        def count(_now: int, _sender: str, frame: Frame) -> list[tuple[int, Frame]]:
            boots[0] += frame.can_id == 0x700 + node and frame.data == b"\0"
            return [(0, frame)]

        plane.wire.disturbances.append(count)

    def proof(_plane: Any) -> Proof:
        return {"boot_ups": boots[0]} if boots[0] else None

    return Running(start, proof, lambda plane: None, proof)


NODE = {"node": Param("word", None, tuple(NODES))}
FIELD = {
    "target": TARGET,
    "at": Param("count", "0"),
    "bytes": Param("count", "2"),
    "set": Param("bool", False),
    "value": Param("count", "0"),
    "gain": Param("count", "1"),
    "add": Param("count", "0"),
}
ONE = {"target": TARGET}
KINDS = (
    Kind("L3.loss", "frames are lost", on_wire(loss), {**ONE, "share": Param("share", "100 %")}),
    Kind("L3.delay", "frames come late", on_wire(delay),
         {**ONE, "by": Param("time"), "jitter": Param("time", "0 ms")}),
    Kind("L3.duplicate", "frames come twice", on_wire(duplicate), ONE),
    Kind("L3.reorder", "frames overtake each other", on_wire(reorder), ONE),
    Kind("L3.wrong_length", "frames are a byte short", on_wire(length), ONE),
    Kind("L3.remote", "remote frames in place of data", on_wire(remote), ONE),
    Kind("L4.frozen", "a frame repeats its content for ever", on_wire(frozen), ONE),
    Kind("L4.value", "a field of a frame says something else", on_wire(value), FIELD),
    Kind("L4.noise", "a frame's content is noise", on_wire(noise), ONE),
    Kind("L4.bit_flip", "a bit of each frame is flipped behind the bus's own checksum",
         on_wire(bit_flip), ONE),
    Kind("L5.reset", "a node resets", _reset, NODE),
    Kind("L5.hang", "a node hangs: its heartbeat lives, its data does not", on_wire(silent_data),
         NODE),
    Kind("L5.heartbeat_lost", "a node's heartbeat stops, its data goes on", on_wire(heartbeat),
         NODE),
    Kind("L5.refuses", "a node refuses to be configured", on_wire(refuses), NODE),
    Kind("L6.wrong_way", "a drive does the opposite of what it is told", on_wire(inverted),
         {"axis": Param("word", "hoist", ("hoist", "traverse"))}, rigs=frozenset({"lift"})),
)  # fmt: skip
