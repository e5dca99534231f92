"""Gates that lie: the real turn of the gate behind a mouth that says something else.

Role: proves that the guard sees each of them, in virtual time and as a process
(`hil.rig.gate_lies`). Must never: run anywhere but under a judge.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import msgspec

from drivers.device import Wire
from drivers.frames import Frame
from liftctl import ipc
from liftctl.gate import turn as honest
from liftctl.gate.inputs import GateInput
from liftctl.gate.turn import GateConfig, GateTurnState, Outputs

MS = 1_000_000
HEARTBEAT = 0x701
# Commands of a gate that has somewhere to go: 60 and -30 mm/s, 150 mm/s, 15 and -6 mm/s.
FAST = {
    "UP": struct.pack("<Hi", 0x0F, 600),
    "DOWN": struct.pack("<Hi", 0x0F, -300),  # docking speed: the relay lets it pass
    "RIGHT": struct.pack("<Hi", 0x0F, 1500),
    "LEFT": struct.pack("<Hi", 0x0F, -1500),
    "STAND": struct.pack("<HHHBB", 3000, 200, 750, 0, 1),
    "SIT": struct.pack("<HHHBB", 0, 200, 300, 0, 1),
}
AXIS = {
    "UP": "hoist",
    "DOWN": "hoist",
    "RIGHT": "traverse",
    "LEFT": "traverse",
    "STAND": "stander",
    "SIT": "stander",
}
COMMANDS = {"hoist": 0x210, "traverse": 0x211, "stander": 0x213}
PULSE_NS, PAUSE_NS = 100 * MS, 60 * MS
Turned = tuple[GateTurnState, Outputs]


@dataclass(slots=True)
class Liar:
    """Honest until `lying`; remembers what it said while it moved.

    `kind` is one of LIES; `axis` the one it lies about; `fast` the frame it lies with where nobody
    moved before.
    """

    kind: str
    axis: str
    fast: bytes
    lying: bool = False
    since_ns: int = 0
    last: bytes = b""
    said: Outputs | None = None  # the newest turn with a heartbeat: what "no_turn" goes on saying
    holds: dict[str, ipc.Hold] = field(default_factory=dict)

    def turn(
        self, config: GateConfig, state: GateTurnState, now_ns: int, inputs: tuple[GateInput, ...]
    ) -> Turned:
        """As `liftctl.gate.turn.turn`, with what the lie changes before and after."""
        for item in inputs:
            if isinstance(item, ipc.Hold):
                self.holds[item.station] = item
        if not self.lying:
            self.since_ns = now_ns
        elif self.kind == "no_turn" and self.said is not None:
            return state, self.said
        elif (ears := EARS.get(self.kind)) is not None:
            inputs = ears(self, now_ns, inputs)
        state, out = honest.turn(config, state, now_ns, inputs)
        out = replace(out, wires=tuple(self._say(wire, now_ns) for wire in out.wires))
        if any(isinstance(wire, Frame) and wire.id == HEARTBEAT for wire in out.wires):
            self.said = out
        return state, out

    def _say(self, wire: Wire, now_ns: int) -> Wire:
        if not isinstance(wire, Frame) or wire.id != COMMANDS[self.axis]:
            return wire
        if moves(wire):
            self.last = wire.data
        mouth = MOUTHS.get(self.kind)
        if not self.lying or mouth is None:
            return wire
        return replace(wire, data=mouth(self, wire, now_ns))


def moves(wire: Frame) -> bool:
    """Does this command ask for motion?"""
    if wire.id == COMMANDS["stander"]:
        return bool(wire.data[7] & 1)
    return wire.data[0] & 0x0F == 0x0F and any(wire.data[2:])


# --- what it says -------------------------------------------------------------------------------


def _unasked(liar: Liar, _wire: Frame, _now_ns: int) -> bytes:
    return liar.fast


def _goes_on(liar: Liar, wire: Frame, _now_ns: int) -> bytes:
    return wire.data if moves(wire) else liar.last or wire.data


def _pulses(liar: Liar, wire: Frame, now_ns: int) -> bytes:
    on = (now_ns - liar.since_ns) % (PULSE_NS + PAUSE_NS) < PULSE_NS
    return liar.fast if on else wire.data


def _wrong_way(liar: Liar, wire: Frame, _now_ns: int) -> bytes:
    return liar.fast if moves(wire) else wire.data


# --- what it makes of what it hears -------------------------------------------------------------


def _no_stop(_liar: Liar, _now_ns: int, inputs: tuple[GateInput, ...]) -> tuple[GateInput, ...]:
    return tuple(item for item in inputs if not isinstance(item, ipc.StopPress))


def _forges(liar: Liar, now_ns: int, inputs: tuple[GateInput, ...]) -> tuple[GateInput, ...]:
    """The last beat of every station again, as if it had just come."""
    kept = tuple(item for item in inputs if not isinstance(item, ipc.Hold | ipc.StationGone))
    echo = {"echo_ns": now_ns - 20 * MS, "rx_ns": now_ns}
    fresh = (msgspec.structs.replace(hold, **echo) for hold in liar.holds.values())
    return (*kept, *fresh)


def _ignores_cut(_liar: Liar, now_ns: int, inputs: tuple[GateInput, ...]) -> tuple[GateInput, ...]:
    others = tuple(item for item in inputs if not isinstance(item, ipc.GuardSays))
    return (*others, ipc.GuardSays(now_ns - 20 * MS, ""))


MOUTHS: dict[str, Callable[[Liar, Frame, int], bytes]] = {
    "unasked": _unasked,
    "goes_on": _goes_on,
    "pulses": _pulses,
    "wrong_way": _wrong_way,
    "uncut": _unasked,
}
EARS: dict[str, Callable[[Liar, int, tuple[GateInput, ...]], tuple[GateInput, ...]]] = {
    "ignores_stop": _no_stop,
    "stale_echo": _forges,
    "uncut": _ignores_cut,
}
LIES = (*MOUTHS, *(kind for kind in EARS if kind not in MOUTHS), "no_turn")
