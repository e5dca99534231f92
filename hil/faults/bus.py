"""Faults of the bus itself (L1, L2): cut, shorted, held; controllers that err, babble or leave.

Role: asks the exact core of the virtual plane for them; the proof is read from counters and from
what the bus carried. Must never: drop a frame itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hil.faults.hardware import NODES, number_of
from hil.faults.kind import Args, Kind, Param, Proof, Running
from hil.planes.wire import GATE, GUARD, NUMBERS
from hil.vbus.confinement import NodeState
from hil.vbus.frame import Frame
from hil.vbus.physics import ErrorKind, ErrorSpec, Injection

ENOUGH = 20  # frames of a babbling controller
BLOCKED_NS = 20_000_000  # nothing went through for so long, though somebody wants to speak
FOREMOST = Frame(0x001, b"")  # outranks every id but NMT's
SLOW = 2  # a wrong bit rate: half of the bus's own
ERRORS = {kind.name.lower(): kind for kind in ErrorKind}


def _number(plane: Any, whose: str) -> int:
    return NUMBERS.get(whose) or number_of(plane, whose)


def _state(plane: Any, whose: str) -> dict[str, Any]:
    found = plane.wire.core.counters(_number(plane, whose))
    return {"state": str(found.state), "tec": found.tec, "rec": found.rec}


def _told(whose: str) -> Callable[[Any], Proof]:
    """How its counters stand."""
    return lambda plane: _state(plane, whose)


def _bus_off(args: Args) -> Running:
    """Every frame of a controller is broken until it leaves; afterwards it is restarted."""
    whose, put = args["whose"], list[Injection]()

    def start(plane: Any) -> None:
        spec = ErrorSpec(ErrorKind.BIT, sender=_number(plane, whose), count=None)
        put.append(plane.wire.core.inject(spec))

    def proof(plane: Any) -> Proof:
        found = _state(plane, whose)
        return found if found["state"] == NodeState.BUS_OFF else None

    def stop(plane: Any) -> None:
        put[0].clear()
        _restart(plane, whose)

    def gone(plane: Any) -> Proof:
        return None if proof(plane) else _state(plane, whose)

    return Running(start, proof, stop, gone)


def _restart(plane: Any, whose: str) -> None:
    plane.wire.core.restart(_number(plane, whose), plane.clock.now_ns)
    plane.wire.changed()


def _errors(args: Args) -> Running:
    """So many frames of a controller are broken; it sends each again."""
    put = list[Injection]()

    def start(plane: Any) -> None:
        sender, count = _number(plane, args["whose"]), int(args["count"])
        put.append(plane.wire.core.inject(ErrorSpec(ERRORS[args["error"]], None, sender=sender,
                                                    count=count)))  # fmt: skip

    def proof(plane: Any) -> Proof:
        over = put[0].hits >= args["count"]
        return {"broken": put[0].hits} | _state(plane, args["whose"]) if over else None

    return Running(start, proof, lambda _plane: put[0].clear(), _told(args["whose"]))


def _blocked(plane: Any) -> Proof:
    """Nothing gets through, and the gate has something to say or is off."""
    silent_ns = plane.clock.now_ns - plane.wire.last_ns
    wants = plane.wire.core.waiting(NUMBERS[GATE]) or _state(plane, GATE)["tec"] > 0
    if silent_ns < BLOCKED_NS or not wants:
        return None
    return {"silent_ms": silent_ns // 1_000_000} | _state(plane, GATE)


def _stuck(args: Args) -> Running:
    """Both wires shorted (recessive) or a transceiver that holds them (dominant)."""

    def stick(plane: Any, level: str | None) -> None:
        plane.wire.core.stick(level, plane.clock.now_ns)
        plane.wire.changed()

    def stop(plane: Any) -> None:
        stick(plane, None)
        for number in plane.wire.core.numbers():
            plane.wire.core.restart(number, plane.clock.now_ns)
        plane.wire.changed()

    return Running(lambda plane: stick(plane, args["level"]), _blocked, stop, _told(GATE))


def _cut(*whose: str) -> Running:
    """The stubs of these controllers are cut: each sends on, alone, and is not acknowledged."""

    def each(plane: Any, do: Callable[[int, int], None]) -> None:
        for name in whose:
            do(_number(plane, name), plane.clock.now_ns)
        plane.wire.changed()

    def proof(plane: Any) -> Proof:
        found = _state(plane, whose[0])
        return found if found["state"] == NodeState.PASSIVE else None

    return Running(
        lambda plane: each(plane, plane.wire.core.cut),
        proof,
        lambda plane: each(plane, plane.wire.core.mend),
        _told(whose[0]),
    )


def _wrong_rate(args: Args) -> Running:
    """A controller at half the bit rate: it takes every frame of the others for an error."""
    whose = args["whose"]

    def tune(plane: Any, slower: int) -> None:
        core = plane.wire.core
        core.tune(_number(plane, whose), core.bit_rate // slower)
        plane.wire.changed()

    def proof(plane: Any) -> Proof:
        found = _state(plane, whose)
        return found if found["state"] != NodeState.ACTIVE else None

    def stop(plane: Any) -> None:
        tune(plane, 1)
        _restart(plane, whose)

    return Running(lambda plane: tune(plane, SLOW), proof, stop, _told(whose))


def _babble(args: Args) -> Running:
    """A controller sends the foremost identifier without end."""
    whose = args["whose"]

    def babble(plane: Any, frame: Frame | None) -> None:
        plane.wire.core.babble(_number(plane, whose), frame, plane.clock.now_ns)
        plane.wire.changed()

    def proof(plane: Any) -> Proof:
        count = plane.wire.counts.get(FOREMOST.can_id, 0)
        return {"frames": count} if count >= ENOUGH else None

    return Running(
        lambda plane: babble(plane, FOREMOST),
        proof,
        lambda plane: babble(plane, None),
        lambda plane: {"frames": plane.wire.counts.get(FOREMOST.can_id, 0)},
    )


WHOSE = {"whose": Param("word", GATE, (GATE, GUARD, *NODES))}
KINDS = (
    Kind("L1.bus_cut", "the bus cable is cut", lambda _args: _cut(GATE, GUARD)),
    Kind("L1.stub_cut", "the cable of one controller is cut: it is alone",
         lambda args: _cut(args["whose"]), WHOSE),
    Kind("L1.bus_stuck", "the bus is shorted (recessive) or held (dominant)", _stuck,
         {"level": Param("word", "recessive", ("recessive", "dominant"))}),
    Kind("L2.bus_off", "a CAN controller leaves the bus", _bus_off, WHOSE),
    Kind("L2.errors", "frames of a controller are broken on the wire", _errors,
         {**WHOSE, "error": Param("word", "bit", tuple(ERRORS)), "count": Param("count", "20")}),
    Kind("L2.wrong_rate", "a controller runs at half the bit rate", _wrong_rate, WHOSE),
    Kind("L2.babble", "a controller sends the foremost identifier without end", _babble, WHOSE),
)  # fmt: skip
