"""A fifth look at guard and gate: the last word of whoever falls silent (rule 5)."""

from __future__ import annotations

import struct
from dataclasses import replace

import msgspec
import pytest

from drivers.frames import Frame
from liftctl import ipc
from liftctl.gate.inputs import GateInput, Link
from safety.bounds import violations
from safety.stopping import too_far
from tests.gate.room import Gate
from tests.guard.world import booted, hang


class SlowZone(Gate):
    """Going down is slow all the way."""

    def beats(self) -> list[GateInput]:
        return [
            msgspec.structs.replace(item, slow_below_mm=5000)
            if isinstance(item, ipc.Permission)
            else item
            for item in super().beats()
        ]


@pytest.mark.parametrize(
    ("motion", "feedback_ms", "phase_ms"),
    [
        ("DOWN", 200.0, 40),
        ("DOWN", 250.0, 40),
        ("RIGHT", 250.0, 0),
    ],  # phase: of the contacts' frame
)
def test_an_adapter_unplugged_in_the_slow_zone_is_no_over_speed(
    motion: str, feedback_ms: float, phase_ms: int
) -> None:
    """The press ends, what the axis may have falls, and the last true speed stays as it was."""
    gate = SlowZone("lift")
    p = replace(gate.config.kernel.params, feedback_ms=feedback_ms)
    assert not violations(p)
    assert not too_far("lift", p), "a configuration that is accepted"
    gate.config = replace(gate.config, kernel=replace(gate.config.kernel, params=p))
    hang(gate.room)  # type: ignore[arg-type]
    gate.run(3000 + phase_ms)
    gate.press(motion)
    gate.run(1500)
    assert gate.state.kernel.people.aloft
    gate.deaf = True
    gate.extra.append(Link(gate.now, "lift", "down"))
    gate.run(1500)
    assert not gate.state.kernel.latched


@pytest.mark.parametrize("speed", [200.0, 12.0])
def test_the_guard_calls_nobody_a_liar_for_one_sample_before_a_silence(speed: float) -> None:
    pair = booted("lift")
    word = struct.pack("<Hih", 0x221, round(speed * 10), 0)
    pair.waiting.append((pair.gate.now, Frame("lift", 0x190, word)))
    pair.room.command({"do": "node", "node": 0x10, "power": False})
    pair.run(1500)
    pair.room.command({"do": "node", "node": 0x10, "power": True})
    pair.run(5000)
    assert not pair.state.lasting, f"{pair.state.cut}: until the guard is started anew"
