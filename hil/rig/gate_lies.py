"""The gate process with a liar's turn: by default one that goes on after the finger lifted in
mid-lift.

    LIFTCTL_LIE=pulses:UP LIFTCTL_LIE_WHEN=/run/now python -m hil.rig.gate_lies --site FILE

Role: proves that the guard sees it. It lies once the named file exists; without one, as soon as
somebody hangs above 1.1 m. Must never: run anywhere but under a judge.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from hil.rig.lies import AXIS, FAST, Liar, Turned
from liftctl.entry import begin
from liftctl.gate import shell
from liftctl.gate.inputs import GateInput
from liftctl.gate.turn import GateConfig, GateTurnState

LIE_ABOVE_MM = 1100.0


@dataclass(slots=True)
class Rig:
    """The liar, and when it begins."""

    liar: Liar
    when: Path | None

    def turn(
        self, config: GateConfig, state: GateTurnState, now_ns: int, inputs: tuple[GateInput, ...]
    ) -> Turned:
        """The turn that the gate's shell runs."""
        self.liar.lying = self.when.exists() if self.when else self.liar.lying or high(state)
        return self.liar.turn(config, state, now_ns, inputs)


def high(state: GateTurnState) -> bool:
    """Somebody hangs in the middle of a lift."""
    heights = (r.value for s, r in state.kernel.readings.items() if s == "hoist_height_mm")
    return next(heights, 0.0) > LIE_ABOVE_MM and state.kernel.people.aloft


def main() -> int:
    """The gate, with what the environment says about its lie."""
    kind, _, way = os.environ.get("LIFTCTL_LIE", "goes_on:UP").partition(":")
    when = os.environ.get("LIFTCTL_LIE_WHEN")
    rig = Rig(Liar(kind, AXIS[way], FAST[way]), Path(when) if when else None)
    shell.turn = rig.turn  # type: ignore[attr-defined]
    return begin("gate", shell.run)


if __name__ == "__main__":
    sys.exit(main())
