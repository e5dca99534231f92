"""Waiting with a deadline, the truth log as it grows, and how late this machine is."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hil.judge.truth import TruthLog


def wait(what: Callable[[], Any], name: str, patience_s: float = 60.0) -> Any:
    """Wait for a condition and return it; an AssertionError names what did not come."""
    deadline = time.monotonic() + patience_s
    while not (found := what()):
        assert time.monotonic() < deadline, f"waited {patience_s:g} s in vain for {name}"
        time.sleep(0.01)
    return found


class Lateness:
    """How late this machine wakes a sleeper: the largest overshoot, in ms, since `since_ns`."""

    def __init__(self) -> None:
        self._seen: list[tuple[int, float]] = []
        threading.Thread(target=self._watch, name="lateness", daemon=True).start()

    def _watch(self) -> None:
        while True:
            due_ns = time.monotonic_ns() + 5_000_000
            time.sleep(0.005)
            now_ns = time.monotonic_ns()
            self._seen = [*self._seen[-4000:], (now_ns, (now_ns - due_ns) / 1e6)]

    def since(self, since_ns: int) -> float:
        """Milliseconds."""
        return max((late for t_ns, late in self._seen if t_ns >= since_ns), default=0.0)


LATENESS = Lateness()


@dataclass
class Truth:
    """The truth log, read as it grows."""

    log: TruthLog
    rows: list[dict[str, Any]] = field(default_factory=list)
    _offset: int = 0

    def read(self) -> list[dict[str, Any]]:
        """Everything so far."""
        size = os.fstat(self.log.fd).st_size
        text = os.pread(self.log.fd, size - self._offset, self._offset)
        whole = text[: text.rfind(b"\n") + 1]
        self._offset += len(whole)
        self.rows += [json.loads(line) for line in whole.splitlines()]
        return self.rows

    def since(self, t_ns: int) -> list[dict[str, Any]]:
        """Rows at or after a time, beginning with the one before it."""
        rows = self.read()
        first = next((n for n in range(len(rows) - 1, -1, -1) if rows[n]["t_ns"] <= t_ns), 0)
        return rows[first:]

    def last(self) -> dict[str, Any]:
        """Now."""
        return wait(self.read, "a first truth row")[-1]
