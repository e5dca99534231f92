"""`make demo` and its sabotages, one after the other in the background of the other tests."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from typing import Any

# Whole runs under LIFTCTL_NIGHTLY=1; ledger_drop repeats the whole demo to find one lost record.
NIGHTLY = os.environ.get("LIFTCTL_NIGHTLY") == "1"
KINDS = ("honest", "gate_lies", "guard_off", *(("ledger_drop",) if NIGHTLY else ()))


@dataclass(frozen=True)
class Ran:
    """How one run ended."""

    status: int
    said: str
    told: dict[str, Any]


class Demos:
    """Starts the wanted kinds in order; `result` waits for one."""

    def __init__(self, wanted: set[str]) -> None:
        self._done = {kind: threading.Event() for kind in wanted}
        self._ran: dict[str, Ran] = {}
        self._popen: subprocess.Popen[str] | None = None
        self._ending = False
        threading.Thread(target=self._work, name="demos", daemon=True).start()

    def _work(self) -> None:
        for kind in KINDS:
            if kind in self._done and not self._ending:
                self._ran[kind] = self._run(kind)
                self._done[kind].set()

    def _run(self, kind: str) -> Ran:
        flags = [] if kind == "honest" else ["--sabotage", kind]
        self._popen = subprocess.Popen(
            [sys.executable, "-m", "hil.demo", *flags],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
        )
        out, said = self._popen.communicate()
        lines = out.strip().splitlines() or ["{}"]
        return Ran(self._popen.returncode, said, json.loads(lines[-1]))

    def result(self, kind: str, patience_s: float = 400.0) -> Ran:
        """How that run ended."""
        assert self._done[kind].wait(patience_s), f"demo {kind} did not end in {patience_s:g} s"
        return self._ran[kind]

    def end(self) -> None:
        """Stop what still runs; its own `finally` ends the ward."""
        self._ending = True
        if self._popen is not None and self._popen.poll() is None:
            self._popen.send_signal(signal.SIGINT)
            self._popen.wait(30)
