"""The virtual plane's bus: every frame goes through the exact core, in virtual time."""

from __future__ import annotations

from drivers.frames import Frame as PortFrame
from hil.clock import NS_PER_MS, Clock
from hil.planes.wire import GATE, GUARD, NUMBERS, QUEUE, ROOM, Wire
from hil.vbus.bus import BusCore
from hil.vbus.confinement import NodeState
from hil.vbus.frame import Frame, bit_length
from hil.vbus.physics import BusEvent, ErrorKind, ErrorSpec

HOIST, SCALE = 0x10, 0x21
NOTHING: frozenset[int] = frozenset()


class World:
    """A gateway and two devices, and what each heard."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.gate: list[tuple[int, PortFrame]] = []
        self.room: list[tuple[Frame, frozenset[int]]] = []
        self.states: list[tuple[str, BusEvent]] = []
        self.refused: list[str] = []
        self.wire = Wire(self.clock, BusCore(500_000, ideal=False), "lift")
        self.wire.join((HOIST, SCALE))
        self.wire.takers = {GATE: lambda frame: self.gate.append((self.clock.now_ns, frame))}
        self.wire.room = lambda frame, deaf: self.room.append((frame, deaf))
        self.wire.state = lambda name, event: self.states.append((name, event))
        self.wire.full = self.refused.append

    def ids(self) -> list[int]:
        return [frame.id for _, frame in self.gate]


def test_frames_of_one_moment_are_arbitrated_and_take_their_bits() -> None:
    it, first, second = World(), Frame(0x190, bytes(4)), Frame(0x1A1, b"\xaa" * 3)
    it.wire.send(ROOM, second)
    it.wire.send(ROOM, first)
    it.clock.run_to(NS_PER_MS)
    ends = [2000 * bit_length(first), 2000 * (bit_length(first) + bit_length(second))]
    assert [(at_ns, frame.id) for at_ns, frame in it.gate] == list(
        zip(ends, (0x190, 0x1A1), strict=True)
    )


def test_a_device_with_a_full_bus_keeps_the_newest_and_the_gateway_is_refused() -> None:
    it = World()
    it.wire.core.stick("dominant", 0)
    for n in range(QUEUE + 2):
        it.clock.run_to(it.clock.now_ns + NS_PER_MS)
        it.wire.send(ROOM, Frame(0x190, bytes([n])))
        it.wire.send(GATE, Frame(0x210, bytes([n])))
    it.wire.core.stick(None, it.clock.now_ns)
    it.wire.changed()
    it.clock.run_to(it.clock.now_ns + 10 * NS_PER_MS)
    assert [frame.data[0] for _, frame in it.gate] == [QUEUE + 1]
    assert [frame.data[0] for frame, _ in it.room] == list(range(QUEUE))
    assert it.refused == [GATE, GATE]


def test_bus_off_is_counted_told_and_left_again() -> None:
    it = World()
    broken = it.wire.core.inject(ErrorSpec(ErrorKind.BIT, sender=NUMBERS[GATE], count=None))
    it.wire.send(GATE, Frame(0x210, b"\x01"))
    it.clock.run_to(20 * NS_PER_MS)
    assert broken.hits == 32
    gate = [event.state for name, event in it.states if name == GATE]
    assert gate == [NodeState.WARNING, NodeState.PASSIVE, NodeState.BUS_OFF]
    it.wire.send(ROOM, Frame(0x190, b"\x02"))
    it.clock.run_to(30 * NS_PER_MS)
    assert it.gate == [], "its controller hears nothing"
    broken.clear()
    it.wire.core.restart(NUMBERS[GATE], it.clock.now_ns)
    it.wire.changed()
    it.clock.run_to(40 * NS_PER_MS)
    it.wire.send(GATE, Frame(0x210, b"\x03"))
    it.clock.run_to(50 * NS_PER_MS)
    assert [frame.data for frame, _ in it.room] == [b"\x03"]


def test_whoever_is_cut_off_hears_nothing_and_is_never_bus_off() -> None:
    it = World()
    it.wire.core.cut(HOIST, 0)
    it.wire.send(GUARD, Frame(0x230, b"\x01"))
    it.wire.send(ROOM, Frame(0x190, b"\x01"))
    it.clock.run_to(50 * NS_PER_MS)
    assert [(frame.can_id, deaf) for frame, deaf in it.room] == [(0x230, frozenset({HOIST}))]
    assert it.ids() == [0x230]
    assert it.wire.core.counters(HOIST).state is NodeState.PASSIVE
