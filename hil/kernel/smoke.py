"""The smoke check of real CAN sockets: in a kernel of our own, or in the machine's where it can.

Process: the bench. The product's port and gate and a simulated room, never a stand-in for a port.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hil.kernel.uml import KernelError, find_kernel, has_can, run

_PROJECT = Path(__file__).resolve().parents[2]
FIRST = "a frame through a kernel CAN socket"
NEEDED = (FIRST, "bus-off", "recovery", "done")


@dataclass(frozen=True, slots=True)
class Step:
    """`at_ms`: guest milliseconds since the kernel began; `facts` as the step told them."""

    name: str
    at_ms: int
    facts: dict[str, object]


@dataclass(frozen=True, slots=True)
class Smoke:
    """`passed` only if every needed step was seen and nothing failed."""

    passed: bool
    steps: tuple[Step, ...]
    wall_s: float
    needed: tuple[str, ...] = NEEDED

    @property
    def first_frame_ms(self) -> int:
        """Boot to first frame; -1 when none went through."""
        return next((step.at_ms for step in self.steps if step.name == FIRST), -1)

    @property
    def why(self) -> str:
        """What did not hold; empty when it passed."""
        failed = [str(step.facts.get("why")) for step in self.steps if step.name == "FAILED"]
        seen = {step.name for step in self.steps}
        missing = [f"never seen: {name}" for name in self.needed if name not in seen]
        return "; ".join([*failed, *missing])


def _steps(output: str) -> tuple[Step, ...]:
    found = []
    for line in output.splitlines():
        if line.startswith('{"step":'):
            facts = json.loads(line)
            found.append(Step(facts.pop("step"), facts.pop("at_ms"), facts))
    return tuple(found)


def smoke(timeout_s: float = 120.0) -> Smoke:
    """Boot a kernel and try everything; raises KernelError when none can run here."""
    finished = run([sys.executable, "-m", "hil.kernel.inside", "vcan0"], timeout_s=timeout_s)
    return _judged(finished.code, finished.output, finished.wall_s)


def own_kernel_smoke(channel: str = "vcan0", timeout_s: float = 120.0) -> Smoke:
    """The same on the machine's own kernel where `channel` is up; without kernel slcan."""
    if not has_can():
        raise KernelError("this machine's own kernel has no CAN sockets (/proc/net/can is missing)")
    command = [sys.executable, "-m", "hil.kernel.inside", channel, "--no-slcan"]
    began = time.monotonic()
    done = subprocess.run(
        command, cwd=_PROJECT, capture_output=True, text=True, timeout=timeout_s, check=False
    )
    output, wall_s = done.stdout + done.stderr, time.monotonic() - began
    return _judged(done.returncode, output, wall_s, (FIRST, "done"))


def _judged(code: int, output: str, wall_s: float, needed: tuple[str, ...] = NEEDED) -> Smoke:
    steps = _steps(output)
    if not steps:
        raise KernelError(f"the check said nothing: {output.strip()[-300:]}")
    seen = {step.name for step in steps}
    return Smoke(code == 0 and seen >= set(needed), steps, wall_s, needed)


def tell(found: Smoke, say: Callable[[str], object]) -> None:
    """The steps as a person reads them."""
    for step in found.steps:
        facts = ", ".join(f"{key} {value}" for key, value in step.facts.items())
        say(f"{step.at_ms:6d} ms  {step.name}{': ' + facts if facts else ''}")
    say(f"boot to first frame {found.first_frame_ms} ms (guest), whole run {found.wall_s:.1f} s")
    say("passed" if found.passed else f"FAILED: {found.why}")


def available() -> str:
    """Why a kernel cannot be booted here; empty when it can."""
    try:
        find_kernel()
    except KernelError as error:
        return str(error)
    return ""
