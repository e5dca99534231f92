"""A gate that may lie, a guard and a simulated room on one bus, in virtual time.

Role: the engine of the guard's tests. What moved is read from the plant. Must never: open a port.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from drivers.frames import Frame
from hil.rig.lies import Liar
from hil.rooms.lift import LiftRoom
from hil.vbus.frame import Frame as BusFrame
from liftctl import ipc
from liftctl.gate.inputs import RxFrame
from liftctl.gate.turn import GateTurnState, Outputs
from liftctl.gate.view import state_message
from liftctl.guard.state import (
    GuardConfig,
    GuardInput,
    GuardOutputs,
    GuardTurnState,
    configure,
    start,
)
from liftctl.guard.turn import turn
from tests.gate.room import Gate

MS = 1_000_000
OPPOSITE = {"UP": "DOWN", "DOWN": "UP", "RIGHT": "LEFT", "LEFT": "RIGHT", "STAND": "SIT"}
LIMIT_MM = {"hoist": 50.0, "traverse": 200.0, "stander": 20.0}


@dataclass
class Mouth(Gate):
    """A gate whose turn is the liar's, and whose run enable is the guard's."""

    liar: Liar | None = None
    panel: bool = True
    tick: int = 0
    told: list[Frame] = field(default_factory=list)

    def enable(self) -> None:
        """The guard is a real one here."""

    def beats(self) -> list[ipc.Message]:
        """The finger's page sees the newest tick; the guard speaks for itself."""
        found = []
        for item in super().beats():
            if isinstance(item, ipc.GuardSays) or (isinstance(item, ipc.Hold) and not self.panel):
                continue
            found.append(ipc.Hold("panel:1", "s", *self.hold, self.tick, self.now)
                         if isinstance(item, ipc.Hold) else item)  # fmt: skip
        return found

    def answer(self) -> tuple[GateTurnState, Outputs]:
        """The liar's, if there is one."""
        if self.liar is None:
            return super().answer()
        return self.liar.turn(self.config, self.state, self.now, self.given)

    def check(self, out: Outputs) -> None:
        """A liar is not asked whether it keeps the rules."""
        if self.liar is None:
            super().check(out)

    def deliver(self, out: Outputs) -> None:
        self.told = [wire for wire in out.wires if isinstance(wire, Frame)]
        super().deliver(out)


class Pair:
    """A gate in its room and a guard that hears the same bus and the same holds."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.gate = Mouth(kind)
        self.room = self.gate.room
        if isinstance(self.room, LiftRoom):
            hang(self.room)
        self.config: GuardConfig = configure(self.gate.config.site)
        self.state: GuardTurnState = start(self.config, self.gate.now)
        self.waiting: list[GuardInput] = []
        self.outs: list[GuardOutputs] = []

    def step(self, late: bool = False) -> None:
        """One turn of the gate; the guard's turn follows unless its loop is late."""
        gate = self.gate
        gate.step()
        if gate.liar is None or gate.liar.kind != "no_turn" or not gate.liar.lying:
            self._publish()
        self._overhear()
        if not late:
            self._guard()

    def _publish(self) -> None:
        gate, out = self.gate, self.gate.out
        assert out is not None
        gate.tick = gate.now
        state = state_message(gate.config, gate.state, out.verdict, gate.now, ())
        self.waiting.append(state)

    def _overhear(self) -> None:
        gate = self.gate
        for item in gate.given:
            if isinstance(item, RxFrame) and item.bus == self.kind:
                self.waiting.append((gate.now, item.frame()))
            elif isinstance(item, ipc.Hold | ipc.StopPress | ipc.StationGone):
                self.waiting.append(item)
        self.waiting += [(gate.now, frame) for frame in gate.told]

    def _guard(self) -> None:
        now = self.gate.now
        given, self.waiting = tuple(self.waiting), []
        self.state, said = turn(self.config, self.state, now, given)
        self.outs.append(said)
        for frame in said.frames:
            self.room.on_frame(BusFrame(frame.id, frame.data), self.room.t_ns)
        self.gate.extra.append(ipc.GuardSays(said.echo_ns, said.cut))

    def run(self, ms: int) -> None:
        for _ in range(ms // 20):
            self.step()

    def position(self, axis: str) -> float:
        """Of the plant, mm."""
        plant = self.room.plant
        found = {"hoist": "hoist", "traverse": "traverse", "stander": "actuator"}[axis]
        return float(getattr(plant, found).position_mm)

    def travel(self, axis: str, ms: int) -> float:
        """How far it goes in this time, at most, from where it is."""
        start_mm, far = self.position(axis), 0.0
        for _ in range(ms // 20):
            self.step()
            far = max(far, abs(self.position(axis) - start_mm))
        return far

    def stops(self) -> int:
        """Turns with a network-management stop for a drive."""
        return sum(any(f.id == 0 and f.data[0] == 2 for f in out.frames) for out in self.outs)


def booted(kind: str, liar: Liar | None = None) -> Pair:
    """A pair that is ready to move; the liar is still honest."""
    pair = Pair(kind)
    while not (pair.gate.state.kernel.ready and pair.state.relay.toggles):
        pair.step()
    pair.run(400)
    assert pair.state.cut == ""
    pair.gate.liar = liar
    return pair


def hang(room: LiftRoom) -> None:
    """A person in the sling at 1300 mm, in the middle of the rail."""
    plant = room.plant
    plant.traverse.position_mm = 2000.0
    plant.hoist.position_mm = 440.0
    plant.load.hook(2000.0)
    while plant.hoist.position_mm < 1300:
        plant.hoist.position_mm += 0.06
        plant.load.step(plant.hoist.position_mm, 60.0, 2000.0)
