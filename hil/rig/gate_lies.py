"""A gate that lies: once the finger lifts in mid-lift it goes on sending the last motion frame.

Role: proves that the guard sees motion without evidence. Must never: run anywhere but under a
judge.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace

from drivers.device import Chunk
from drivers.frames import Frame
from liftctl.entry import begin
from liftctl.gate import shell

HOIST_COMMAND = 0x210
LIE_ABOVE_MM = 1100.0
_honest_send = shell.Shell._send


@dataclass(slots=True)
class LyingShell(shell.Shell):
    """Sends what it sent while moving, whatever the kernel says."""

    moving: Frame | None = None
    lying: bool = False

    def _send(self, wire: Frame | Chunk, now_ns: int) -> None:
        if isinstance(wire, Frame) and wire.id == HOIST_COMMAND:
            rising = int.from_bytes(wire.data[2:], "little", signed=True) > 0
            self.lying |= bool(self.moving and not rising and self._high())
            self.moving = wire if rising else self.moving
            wire = replace(wire, data=self.moving.data) if self.lying and self.moving else wire
        _honest_send(self, wire, now_ns)

    def _high(self) -> bool:
        height = next(
            (r.value for s, r in self.state.kernel.readings.items() if s == "hoist_height_mm"), 0.0
        )
        return height > LIE_ABOVE_MM and self.state.kernel.people.aloft


if __name__ == "__main__":
    shell.Shell = LyingShell  # type: ignore[misc]
    sys.exit(begin("gate", shell.run))
