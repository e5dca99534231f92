"""A gate in every mode, against a simulated room in virtual time.

Role: the scripted runs behind the id sweep. Must never: open a port or a socket.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

import pytest

from hil.vbus.frame import Frame as BusFrame
from liftctl import ipc
from liftctl.gate.inputs import GateInput
from liftctl.gate.turn import GateConfig, GateTurnState, Outputs, configure
from safety.types import Motion
from tests.gate.room import MS, Gate

KINDS = ("lift", "chair")
MOTIONS = {
    "lift": {"raising": "UP", "traversing": "RIGHT", "lowering": "DOWN"},
    "chair": {"standing": "STAND", "sitting": "SIT"},
}
MODES = {
    kind: (
        *("faulted", "ready", *MOTIONS[kind], *(["driving"] if kind == "chair" else [])),
        *("estop", "guard cut", "drive stopped", "drive lost", "fallback"),
    )
    for kind in KINDS
}
LOWERING = {"lift": "DOWN", "chair": "SIT"}
DRIVES = {"lift": 0x10, "chair": 0x13}


@dataclass(frozen=True)
class Moment:
    """One turn and everything it was given: what a sweep repeats with one frame more."""

    mode: str
    config: GateConfig
    before: GateTurnState
    now_ns: int
    given: tuple[GateInput, ...]
    after: GateTurnState
    out: Outputs


@dataclass
class Script(Gate):
    """A gate whose every turn is kept; `cut` is what its guard says."""

    cut: str = ""
    sent: list[Outputs] = field(default_factory=list)

    def beats(self) -> list[GateInput]:
        others = [item for item in super().beats() if not isinstance(item, ipc.GuardSays)]
        return [*others, ipc.GuardSays(self.now - 20 * MS, self.cut)]

    def step(self, gap_ms: int = 20) -> Outputs:
        self.last = self.state
        out = super().step(gap_ms)
        self.sent.append(out)
        return out

    def moment(self, mode: str) -> Moment:
        """The turn just taken."""
        assert self.out is not None
        return Moment(mode, self.config, self.last, self.now, self.given, self.state, self.out)

    def held(self, mode: str, motion: str) -> Moment:
        """Neutral, then the motion held for a second; it must move."""
        self.press("")
        self.run(400)
        self.press(motion)
        self.run(1000)
        assert self.step().verdict.moving is Motion[motion], (mode, self.state.kernel.active)
        return self.moment(mode)


@dataclass(frozen=True)
class Run:
    """The moments of one kind of site, and everything its gates sent."""

    moments: tuple[Moment, ...]
    sent: tuple[Outputs, ...]


@cache
def run(kind: str) -> Run:
    """Every mode of one site once: boot, each motion, e-stop, guard cut, a lost drive, fallback."""
    gate = Script(kind)
    gate.run(200)
    assert not gate.state.kernel.ready
    moments = [gate.moment("faulted")]
    gate.run(2800)
    assert gate.state.kernel.ready
    moments.append(gate.moment("ready"))
    moments += [gate.held(mode, motion) for mode, motion in MOTIONS[kind].items()]
    if kind == "chair":
        moments.append(_driving(gate))
    moments.append(_estop(gate))
    moments.append(_cut(gate, kind))
    moments += _lost(gate, kind)
    alone = Script(kind)
    alone.config = configure(alone.config.site, alone.config.devices, fallback=True)
    if kind == "chair":
        alone.room.plant.actuator.position_mm = 150.0  # somebody stands
    alone.run(3000)
    moments.append(alone.held("fallback", LOWERING[kind]))
    assert tuple(moment.mode for moment in moments) == MODES[kind]
    return Run(tuple(moments), (*gate.sent, *alone.sent))


def _driving(gate: Script) -> Moment:
    """Seated, brakes off: the motors are released."""
    gate.press(LOWERING["chair"])
    gate.run(2000)
    gate.press("")
    gate.room.plant.brakes = False
    gate.run(2000)
    gate.extra.append(ipc.ResetPress("panel:1"))  # somebody frees the drive
    gate.run(400)
    released = gate.moment("driving")
    assert not gate.room.roboteq.estopped
    gate.room.plant.brakes = True
    gate.run(400)
    return released


def _estop(gate: Script) -> Moment:
    gate.press("")
    gate.room.command({"do": "estop", "value": True})
    gate.run(1000)
    gate.room.command({"do": "estop", "value": False})
    gate.run(400)
    assert "estop" in gate.state.kernel.latched
    found = gate.moment("estop")
    gate.extra.append(ipc.ResetPress("panel:1"))
    gate.run(1000)
    assert not gate.state.kernel.latched
    return found


def _cut(gate: Script, kind: str) -> Moment:
    """A guard that cuts while somebody holds the way down."""
    gate.cut = "a test"
    gate.press(LOWERING[kind])
    gate.run(200)
    assert "guard_cut" in gate.state.kernel.active
    found = gate.moment("guard cut")
    gate.cut = ""
    gate.press("")
    gate.run(400)
    return found


def _lost(gate: Script, kind: str) -> list[Moment]:
    """A drive stopped by a foreign NMT command, then one that lost its power and came back."""
    found = []
    gate.room.nodes[DRIVES[kind]].on_frame(_nmt_stop(DRIVES[kind]), gate.room.t_ns)
    while not any("unverified" in row for row in gate.state.kernel.active):
        gate.step()
    found.append(gate.moment("drive stopped"))
    gate.run(1500)
    gate.room.command({"do": "node", "node": DRIVES[kind], "power": False})
    gate.run(800)
    found.append(gate.moment("drive lost"))
    gate.room.command({"do": "node", "node": DRIVES[kind], "power": True})
    gate.run(4000)
    return found


def _nmt_stop(node: int) -> BusFrame:
    return BusFrame(0x000, bytes((2, node)))


MOMENTS = [(kind, n) for kind in KINDS for n in range(len(MODES[kind]))]
every_mode = pytest.mark.parametrize(
    ("kind", "n"), MOMENTS, ids=[f"{kind}-{MODES[kind][n]}" for kind, n in MOMENTS]
)
