"""A fourth look at the gate: gate, guard and devices that restart together."""

from __future__ import annotations

import pytest

from drivers.frames import Frame
from hil.rooms.lift import LiftRoom
from liftctl import ipc
from liftctl.controller import rows
from liftctl.controller import turn as controller
from liftctl.controller.values import Config, Link, State, Today
from liftctl.gate.inputs import GateInput
from liftctl.gate.turn import start as start_gate
from liftctl.gate.view import state_message
from liftctl.guard.state import start as start_guard
from tests.gate.room import MS, Gate, booted
from tests.guard.world import booted as both
from tests.guard.world import hang


def dead(gate: Gate, ms: int) -> None:
    """The gate's process is not there for a while; it comes back with its durable marker."""
    for _ in range(ms // 20):
        gate.now += 20 * MS
        gate.room.advance(gate.now)
    gate.durable, gate.serial, gate.extra = [], [], []
    gate.state = start_gate(gate.config, gate.now, gate.state.kernel.marker)


def power(gate: Gate, on: bool) -> None:
    for node in gate.room.nodes:
        gate.room.command({"do": "node", "node": node, "power": on})


@pytest.mark.parametrize(("kind", "motion"), [("lift", "UP"), ("lift", "DOWN"), ("chair", "STAND")])
@pytest.mark.parametrize("gone_ms", [20, 300])
def test_a_press_does_not_survive_a_restart(kind: str, motion: str, gone_ms: int) -> None:
    gate = booted(kind)
    gate.press(motion)
    gate.run(1000)
    dead(gate, gone_ms)
    moved = [gate.step().verdict.moving for _ in range(300)]
    assert not any(moved)


@pytest.mark.parametrize("kind", ["lift", "chair"])
def test_a_key_of_the_hand_control_does_not_survive_a_blackout(kind: str) -> None:
    gate = booted(kind)
    gate.room.command({"do": "hand", "keys": ["up" if kind == "lift" else "stand"]})
    gate.run(1000)
    power(gate, on=False)
    dead(gate, 1000)
    power(gate, on=True)
    gate.turns = 0
    moved = [gate.step().verdict.moving for _ in range(400)]
    assert not any(moved)


@pytest.mark.parametrize("kind", ["lift", "chair"])
@pytest.mark.parametrize("gone_ms", [40, 1000])
def test_a_gate_that_restarts_in_mid_ramp_lowers_and_the_guard_forgives(
    kind: str, gone_ms: int
) -> None:
    pair = both(kind)
    pair.gate.press("UP" if kind == "lift" else "STAND")
    pair.run(3000)
    for _ in range(gone_ms // 20):
        pair.gate.now += 20 * MS
        heard = pair.room.advance(pair.gate.now)
        pair.waiting += [(pair.gate.now, Frame(kind, f.can_id, f.data)) for _, f in heard]
        pair._guard()
    dead(pair.gate, 0)
    pair.gate.press("")
    pair.run(4000)
    pair.gate.extra.append(ipc.ResetPress("panel:1"))
    pair.run(1000)
    axis = "hoist" if kind == "lift" else "stander"
    was = pair.position(axis)
    pair.gate.press("DOWN" if kind == "lift" else "SIT")
    pair.run(1500)
    kernel = pair.gate.state.kernel
    assert was - pair.position(axis) > 2, (kernel.active, kernel.latched, pair.state.cut)
    assert pair.state.cut == ""


@pytest.mark.parametrize("kind", ["lift", "chair"])
@pytest.mark.parametrize("first", ["gate", "guard"])
def test_guard_and_gate_in_either_order(kind: str, first: str) -> None:
    pair = both(kind)
    power(pair.gate, on=False)
    dead(pair.gate, 1000)
    pair.waiting = []
    power(pair.gate, on=True)
    if first == "gate":  # two seconds of gate alone
        for _ in range(100):
            pair.gate.step()
        pair.waiting = []
        pair.state = start_guard(pair.config, pair.gate.now)
    else:
        pair.state = start_guard(pair.config, pair.gate.now)
        for _ in range(100):
            pair.gate.now += 20 * MS
            heard = pair.room.advance(pair.gate.now)
            pair.waiting += [(pair.gate.now, Frame(kind, f.can_id, f.data)) for _, f in heard]
            pair._guard()
        dead(pair.gate, 0)
    pair.run(5000)
    assert pair.gate.state.kernel.ready, pair.gate.state.kernel.active
    assert pair.state.cut == ""
    assert pair.state.relay.toggles


class Alone(Gate):
    """The lease is the real controller's, freshly started; nobody has begun a transfer."""

    mind = State()
    asks: tuple[Today | Link, ...] = ()
    lease: tuple[GateInput, ...] = ()

    def begin(self) -> None:
        self.mind = State()
        self.asks = (Today("2025-01-01"), Link("gate", True), Link("recorder", True))

    def beats(self) -> list[GateInput]:
        config = Config(self.config.site, rows.priority_of, rows.SERVICE_ROWS)
        if self.out is not None:
            seen = state_message(self.config, self.state, self.out.verdict, self.now - 20 * MS, ())
            self.mind, out = controller.turn(config, self.mind, self.now, (*self.asks, seen))
            self.asks = ()
            self.lease = tuple(item for item in out.gate if isinstance(item, ipc.Permission))
        rest = [item for item in super().beats() if not isinstance(item, ipc.Permission)]
        return [*rest, *self.lease]


def test_after_a_blackout_a_scale_that_tared_itself_leaves_nobody_forgotten() -> None:
    """H24, H25: gateway and lift lose their supply, 75 kg hang; the cell begins at zero."""
    gate = Alone("lift")
    gate.begin()
    assert isinstance(gate.room, LiftRoom)
    hang(gate.room)
    gate.run(3000)
    assert gate.state.kernel.people.aloft
    assert gate.state.kernel.marker.in_flight
    power(gate, on=False)
    dead(gate, 1000)
    gate.begin()  # the controller had the same supply
    gate.room.command({"do": "load_cell", "offset_kg": -gate.room.plant.load.reading_kg})
    power(gate, on=True)
    gate.turns = 0
    gate.run(6000)
    for motion, axis, most in (("LEFT", "traverse", 0.0), ("DOWN", "hoist", 31.0)):
        gate.press(motion)
        speeds = []
        for _ in range(100):
            gate.step()
            speeds.append(abs(getattr(gate.room.plant, axis).velocity_mm_s))
        assert max(speeds) <= most, motion
        gate.press("")
        gate.run(1500)
    assert gate.state.kernel.people.aloft
