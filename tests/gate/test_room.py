"""The gate's turn against simulated devices: whitelist, heartbeat, odd messages, replay.

Role: property test of `liftctl.gate.turn` with the rooms of `hil` in virtual time. Must never: open
a port or a socket.
"""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest

from drivers.frames import Frame
from liftctl import ipc
from liftctl.gate.inputs import GateInput, Link, RxBytes, RxFrame
from liftctl.gate.replay import restore, snapshot
from liftctl.gate.turn import GateTurnState, encoded, turn
from safety.verdict import Cmd
from tests.gate.room import MS, OWN, Gate, booted


@pytest.mark.parametrize("kind", ["lift", "chair"])
def test_ready_gates_move_and_stop(kind: str) -> None:
    gate = booted(kind)
    gate.press(OWN[kind][-1] if kind == "lift" else "STAND")
    assert gate.run(1000).verdict.moving
    gate.press("")
    assert not gate.step().verdict.moving


ODD_INTS = (0, 1, -1, 2**31, -(2**63), 2**63 - 1, 2**64 - 1)
ODD_TEXT = ("", "hand", "panel:1", "estop", "UP", "NONE", "HOISTING", "\x00", "å" * 500, "1")
ODD_FLOATS = (0.0, -1.0, float("nan"), float("inf"), -float("inf"), 1e308)


def odd_message(rng: random.Random, kind: str, now: int) -> bytes:
    """Bytes of a message as a broken or hostile neighbour might send it."""
    n, text = (lambda: rng.choice((*ODD_INTS, now, now - 20 * MS))), (lambda: rng.choice(ODD_TEXT))
    # "F1": a motion of the other kind raises KeyError in the kernel today.
    motion = rng.choice((*OWN[kind], "", "NONE", "HOISTING", "up", "\x00"))
    messages: tuple[ipc.Message, ...] = (
        ipc.Hold(text(), text(), n(), motion, n(), n()),
        ipc.StopPress(text()),
        ipc.StationGone(text()),
        ipc.ResetPress(text()),
        ipc.ReleaseLatch(text(), text()),
        ipc.Permission(n(), n(), n(), rng.random() < 0.5, n()),
        ipc.NewPlan(True, rng.choice(ODD_FLOATS), n(), True),
        ipc.NewPlan(False),
        ipc.GuardSays(n(), text()),
        ipc.RecorderSays(n(), False),
    )
    return ipc.encode(rng.choice(messages))


def odd_wire(rng: random.Random, gate: Gate) -> GateInput:
    """A frame, serial bytes or link event from anywhere, with any content."""
    data = rng.randbytes(rng.randrange(9))
    if rng.random() < 0.1:
        return RxBytes(gate.now, rng.choice(("motors", "nowhere")), rng.randbytes(200))
    if rng.random() < 0.1:
        return Link(gate.now, gate.kind, rng.choice(("bus-off", "overrun", "down", "error")))
    known = sorted(gate.config.routes)
    _, extended, can_id = rng.choice(known) if rng.random() < 0.7 else ("", 0, rng.randrange(2048))
    flags = extended | rng.choice((0, 0, 0, 0, 1, 2, 4))
    return RxFrame(gate.now, rng.choice((gate.kind, "observed")), can_id, data, flags)


@pytest.mark.no_cover  # long
@pytest.mark.parametrize("kind", ["lift", "chair"])
def test_turn_never_raises_and_replays_from_any_snapshot(kind: str) -> None:
    """Odd messages and wires, presses, silence; from each tenth turn on a restored twin decides the
    same bytes.
    """
    rng, gate = random.Random(7), booted(kind)
    twin: GateTurnState | None = None
    moved = 0
    for n in range(1500):
        if rng.random() < 0.05:
            gate.press(rng.choice((*OWN[kind], "")))
        if rng.random() < 0.15:
            message: Any = ipc.decode(odd_message(rng, kind, gate.now))
            gate.extra.append(message)
        if rng.random() < 0.10:
            gate.extra.append(odd_wire(rng, gate))
        gate.deaf = rng.random() < (0.9 if gate.deaf else 0.01)
        if n % 10 == 0:
            twin = restore(gate.config, snapshot(gate.state))
        out = gate.step(rng.choice((20, 20, 20, 20, 5, 1, 60)))
        assert twin is not None
        twin, again = turn(gate.config, twin, gate.now, _reread(gate.given))
        assert encoded(again) == encoded(out)
        moved += any(c.cmd is Cmd.MOVE for c in out.verdict.commands)
    assert moved > 20


def _reread(given: tuple[GateInput, ...]) -> tuple[GateInput, ...]:
    """As the black box gives them back."""
    raw = msgspec.msgpack.encode(given)
    return msgspec.msgpack.decode(raw, type=tuple[GateInput, ...])


@pytest.mark.no_cover  # long
@pytest.mark.parametrize("kind", ["lift", "chair"])
def test_state_does_not_grow_with_what_neighbours_say(kind: str) -> None:
    """Counters, display and heard buses are bounded whatever arrives (stations: finding F22)."""
    rng, gate = random.Random(3), booted(kind)
    for _ in range(600):
        gate.extra += [odd_wire(rng, gate) for _ in range(4)]
        message: Any = ipc.decode(odd_message(rng, kind, gate.now))
        gate.extra.append(message)
        gate.step()
    assert len(snapshot(gate.state)) < 16_000
    assert len(gate.state.counters) < 40
    assert len(gate.state.display) <= len(gate.config.devices)


def test_a_silent_bus_ends_the_heartbeat() -> None:
    gate = booted("lift")
    gate.deaf = True
    gate.run(400)
    sent = [w for _ in range(20) for w in gate.step().wires if isinstance(w, Frame)]
    assert not [frame for frame in sent if frame.id == 0x701]
