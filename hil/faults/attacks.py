"""Somebody means it: foreign frames, replayed commands, a gate that lies, forged beats (L10).

Role: what an attacker with the bus or one process can do. Must never: hold anything an attacker
could not have.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from hil.clock import NS_PER_MS, random_of
from hil.faults.kind import Args, Kind, Param, Proof, Running
from hil.planes.wire import GATE, STRANGER
from hil.rig.lies import AXIS, COMMANDS, FAST, LIES, Liar
from hil.vbus.frame import Frame
from liftctl import ipc
from safety.types import Motion

EVERY_NS = 10 * NS_PER_MS
ENOUGH = 10


class Stranger:
    """Sends something at a steady pace until it is stopped."""

    def __init__(self, say: Callable[[Any, int], bool], every_ns: int = EVERY_NS) -> None:
        self.say, self.every_ns = say, every_ns
        self.count = 0
        self.on = False

    def start(self, plane: Any) -> None:
        """From now on."""
        self.on = True
        # nobody's clock agrees with the gate's to the nanosecond
        phase_ns = random_of(plane.seed, "stranger").randrange(self.every_ns)
        plane.at(phase_ns, lambda: self._again(plane))

    def _again(self, plane: Any) -> None:
        if self.on:
            self.count += self.say(plane, self.count)
            plane.at(self.every_ns, lambda: self._again(plane))

    def proof(self, _plane: Any) -> Proof:
        """How much was sent."""
        return {"sent": self.count} if self.count >= ENOUGH else None

    def stop(self, _plane: Any) -> None:
        """It falls silent."""
        self.on = False

    def gone(self, _plane: Any) -> Proof:
        """How much was sent in all."""
        return {"sent": self.count}

    def running(self) -> Running:
        """As a fault."""
        return Running(self.start, self.proof, self.stop, self.gone)


def _spoof(args: Args) -> Running:
    motion = args["motion"]
    frame = Frame(COMMANDS[AXIS[motion]], FAST[motion])

    def say(plane: Any, _n: int) -> bool:
        plane.wire.send(STRANGER, frame)
        return True

    return Stranger(say, args["every"]).running()


def _fuzz(args: Args) -> Running:
    def say(plane: Any, n: int) -> bool:
        chance = random_of(plane.seed, "fuzz", str(n))
        can_id = chance.choice([*plane.ids, chance.randrange(2048)])
        plane.wire.send(STRANGER, Frame(can_id, chance.randbytes(chance.randrange(9))))
        return True

    return Stranger(say, args["every"]).running()


def _replay(args: Args) -> Running:
    """The command frames of a press, recorded and sent again when nobody presses."""
    command = COMMANDS[AXIS[args["motion"]]]
    heard: list[Frame] = []

    def tap(_now: int, sender: str, frame: Frame) -> list[tuple[int, Frame]]:
        if sender == GATE and frame.can_id == command and any(frame.data[2:6]):
            heard.append(frame)
        return [(0, frame)]

    def say(plane: Any, n: int) -> bool:
        if heard and plane.now["gate"]["moving"] == "":
            plane.wire.send(STRANGER, heard[n % len(heard)])
            return True
        return False

    stranger = Stranger(say)

    def start(plane: Any) -> None:
        plane.wire.disturbances.append(tap)
        stranger.start(plane)

    return Running(start, stranger.proof, stranger.stop, stranger.gone)


def _liar(args: Args) -> Running:
    motion = args["motion"]
    liar = Liar(args["lie"], AXIS[motion], FAST[motion])
    turns: list[int] = []

    def start(plane: Any) -> None:
        turns.append(plane.gate.turns)
        plane.gate.decide = liar.turn
        liar.lying = True
        liar.since_ns = plane.clock.now_ns

    def proof(plane: Any) -> Proof:
        told = plane.gate.turns - turns[0]
        return {"turns_with_the_lie": told} if liar.lying and told >= 3 else None

    def stop(_plane: Any) -> None:
        liar.lying = False

    return Running(start, proof, stop, lambda plane: {"lying": False})


def _forged_beats(args: Args) -> Running:
    """Hold beats of a press, recorded on the wire to the gate and said again by a stranger."""
    at_ns: list[int] = []

    def say(plane: Any, _n: int) -> bool:
        if not at_ns:
            at_ns.append(plane.page("panel:1").echo_ns)
        hold = ipc.Hold("panel:1", "s-panel:1", int(args["press"]), args["motion"], at_ns[0])
        plane.post.send("panel:1", "gate", hold)
        return True

    return Stranger(say, 50 * NS_PER_MS).running()


def _controller_lies(args: Args) -> Running:
    """It permits every motion whatever the transfer says; with `carers` it also names a plan."""
    count = [0]

    def says(told: ipc.Message) -> ipc.Message:
        if isinstance(told, ipc.Permission):
            count[0] += 1
            return msgspec.structs.replace(told, motions=int(~Motion.NONE))
        return told

    def start(plane: Any) -> None:
        plane.controller.says = says
        if args["carers"]:
            ok = {"resident_ok": True, "sling_ok": True}
            told = ipc.NewPlan(True, 200.0, int(args["carers"]), resident_kg=75.0, **ok)
            plane.post.send("controller", "gate", told)

    def stop(plane: Any) -> None:
        plane.controller.says = lambda told: told

    def proof(_plane: Any) -> Proof:
        return {"permissions": count[0]} if count[0] >= 3 else None

    return Running(start, proof, stop, proof)


MOTION = {"motion": Param("word", "UP", tuple(FAST))}
KINDS = (
    Kind("L10.spoof", "a stranger on the bus sends command frames", _spoof,
         {**MOTION, "every": Param("time", "10 ms")}),
    Kind("L10.fuzz", "a stranger on the bus sends anything", _fuzz,
         {"every": Param("time", "5 ms")}),
    Kind("L10.replay", "a stranger sends the commands of an earlier press again", _replay, MOTION),
    Kind("L10.liar", "the gate itself is compromised", _liar,
         {**MOTION, "lie": Param("word", None, LIES)}),
    Kind("L10.controller_lies", "the controller is compromised: it permits every motion",
         _controller_lies, {"carers": Param("count", "0")}),
    Kind("L10.forged_beats", "old beats of a finger are said again", _forged_beats,
         {**MOTION, "press": Param("count", "1")}),
)  # fmt: skip
