"""Scenarios in a kernel that the bench boots: one kernel for each file, all its runs in it.

Process: the bench outside; `python -m hil.kernel.scenarios FILE` is the same inside the guest. Time
is virtual there: how slow a kernel is that runs as a program decides nothing. It must never take a
run over that the guest did not end itself.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import msgspec

from hil.kernel.uml import KernelError, find_kernel, run
from hil.run import Ran, cannot, ended, refused
from hil.scenario.load import load
from hil.scenario.model import Scenario
from hil.timeline import Timeline, Verdict

PLANE = "socketcan"
RAN = "ran.msgpack"
_RUN_S = 240.0  # of one run, on a machine that is busy with others


class Booted:
    """The runner: boots when the first run of a file is asked for, and keeps the others."""

    def __init__(self, frames: bool = False) -> None:
        self.frames = frames
        self._kept: dict[str, list[Ran]] = {}
        find_kernel()

    def refuse(self, scenario: Scenario, reason: str) -> Ran:
        """NOT_APPLICABLE, and why."""
        return refused(scenario, reason, PLANE)

    def close(self) -> None:
        """Every kernel ended with its file."""

    def __call__(self, scenario: Scenario) -> Ran:
        """In the guest; a kernel that did not come back concludes nothing."""
        path = str(scenario.path)
        try:
            if path not in self._kept:
                self._kept[path] = self._boot(scenario.path)
        except KernelError as error:
            return ended(scenario, Timeline(), Verdict.INCONCLUSIVE, str(error), PLANE)
        for ran in self._kept[path]:
            if ran.result.parameters == scenario.parameters:
                return ran
        return self.refuse(scenario, "the kernel was not asked for this run: it does not apply")

    def _boot(self, path: Path) -> list[Ran]:
        words = [sys.executable, "-m", "hil.kernel.scenarios", str(path.resolve())]
        words += ["--frames"] * self.frames
        patience_s = 60.0 + _RUN_S * len(load(path))
        done = run(words, timeout_s=patience_s)
        if done.code or RAN not in done.files:
            raise KernelError(f"the run in the kernel failed: {done.output.strip()[-300:]}")
        return msgspec.msgpack.decode(done.files[RAN], type=list[Ran])


def main() -> int:
    """Inside the guest: every run of the file, into $HIL_OUT."""
    from hil.kernel.wire import KernelBench

    bench = KernelBench(frames="--frames" in sys.argv)
    runs = [item for item in load(Path(sys.argv[1])) if not cannot(item, PLANE)]
    found = [bench(item) for item in runs]
    (Path(os.environ["HIL_OUT"]) / RAN).write_bytes(msgspec.msgpack.encode(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
