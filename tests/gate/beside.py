"""The long walk as a child that takes only time nobody else wants.

Role: begun before the first test where its own test was selected, awaited by that test at the very
end (tests/conftest.py). Must never: outlive the session: the child ends when its stdin does.
"""

from __future__ import annotations

import contextlib
import os
import random
import subprocess
import sys

NIGHTLY = os.environ.get("LIFTCTL_NIGHTLY") == "1"
STEPS = 10_000_000 if NIGHTLY else 100_000
SEED = random.randrange(2**32) if NIGHTLY else 20_26
PATIENCE_S = 8 * 3600 if NIGHTLY else 480


class Beside:
    """The child, if it is `wanted`; `result` waits for it."""

    def __init__(self, wanted: bool) -> None:
        self._child = self._begin() if wanted else None

    @staticmethod
    def _begin() -> subprocess.Popen[str]:
        child = subprocess.Popen(
            [sys.executable, "-m", "tests.gate.walk", str(STEPS), str(SEED)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            os.sched_setscheduler(child.pid, os.SCHED_IDLE, os.sched_param(0))
        except (AttributeError, OSError):
            os.setpriority(os.PRIO_PROCESS, child.pid, 19)
        return child

    def result(self) -> tuple[int, str]:
        """How it ended, and what it said; awaited, it need no longer stand back."""
        assert self._child
        assert self._child.stdout
        with contextlib.suppress(AttributeError, OSError):  # not everybody may
            os.sched_setscheduler(self._child.pid, os.SCHED_OTHER, os.sched_param(0))
        status = self._child.wait(PATIENCE_S)
        return status, self._child.stdout.read()

    def end(self) -> None:
        """Whatever it is doing."""
        if self._child:
            self._child.kill()
            self._child.wait()
