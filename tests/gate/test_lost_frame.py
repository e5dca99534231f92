"""One frame id of the room is lost for good while a person hangs or stands: lowering moves the
plant, or the panel is told to lower by hand (H23, H24). The kernel's verdict alone does not count.
"""

from __future__ import annotations

import pytest

from hil.rooms.lift import LiftRoom
from liftctl.gate.inputs import RxFrame
from safety.types import Act, Motion
from tests.gate.room import Gate
from tests.guard.world import hang

HEARD = {
    "lift": (0x1A0, 0x2A0, 0x1A1, 0x190, 0x290, 0x191, 0x291, 0x710, 0x711, 0x720, 0x721),
    "chair": (0x1A2, 0x2A2, 0x193, 0x293, 0x713, 0x722),
}


class Deaf(Gate):
    """A gate that hears one id no more."""

    lost = 0

    def received(self, frame):  # type: ignore[no-untyped-def]
        if frame.can_id == self.lost:
            return RxFrame(self.now, self.kind, 0x7FF, frame.data)
        return super().received(frame)


@pytest.mark.parametrize(("kind", "lost"), [(k, i) for k, ids in HEARD.items() for i in ids])
def test_lowering_moves_the_plant_or_the_panel_says_it_cannot(kind: str, lost: int) -> None:
    gate, down = Deaf(kind), "DOWN" if kind == "lift" else "SIT"
    if isinstance(gate.room, LiftRoom):
        hang(gate.room)
        gate.run(3000)
    else:
        gate.run(3000)
        gate.press("STAND")
        gate.run(4000)
        gate.press("")
        gate.run(1000)
    axis = gate.room.plant.hoist if kind == "lift" else gate.room.plant.actuator
    gate.lost = lost
    gate.run(1500)
    moved = 0.0
    for _ in range(2):  # the first press may be ended by the row that slows it
        gate.press("")
        gate.run(400)
        before = axis.position_mm
        gate.press(down)
        gate.run(2000)
        moved = before - axis.position_mm
    assert gate.out is not None
    said = next(m for m in gate.out.verdict.motions if m.motion is Motion[down])
    assert moved > (20 if kind == "lift" else 4) or said.act >= Act.HOLD, said
