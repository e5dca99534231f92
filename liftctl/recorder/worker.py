"""A thread that may wait for a disk, so that the beat never does.

Role: runs one task over a queue of jobs; what fails is kept and tried again. Process: the recorder.
Must never: let a task's failure end the thread, or hide it: `complaint` is what the beat reports.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from liftctl.blackbox.logfile import LogError
from liftctl.blackbox.ring import RingError
from liftctl.recorder.store import LedgerError

STUCK_NS = 500_000_000
RETRY_NS = 1_000_000_000
RECOVERED_NS = 3_000_000_000  # three retries without a failure: a full disk must not flicker
PERIOD_S = 0.1
FAILURES = (OSError, sqlite3.Error, LedgerError, LogError, RingError)
log = logging.getLogger(__name__)


class Task(Protocol):
    """Takes finished jobs off the left of `jobs`; raises one of FAILURES when it has to wait."""

    def run(self, jobs: deque[Any], done: Callable[[Any], None]) -> None: ...

    def close(self) -> None: ...


class Worker:
    """`results` is filled by the thread and emptied by the loop that `wake` wakes."""

    def __init__(
        self, name: str, task: Task, mono_ns: Callable[[], int], wake: Callable[[], None]
    ) -> None:
        self.name = name
        self.results: deque[Any] = deque()
        self._task = task
        self._mono_ns = mono_ns
        self._wake = wake
        self._jobs: deque[Any] = deque()
        self._failure = ""
        self._failed_ns = 0
        self._busy_ns = 0
        self._stop = False
        self._kick = threading.Event()
        self._thread = threading.Thread(target=self._loop, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def submit(self, job: Any) -> None:
        self._jobs.append(job)
        self._kick.set()

    def complaint(self, now_ns: int) -> str:
        """Why this worker cannot write, or ""."""
        if not self._thread.is_alive():
            return f"{self.name}: the thread is not running"
        busy_ns = self._busy_ns
        if busy_ns and now_ns - busy_ns > STUCK_NS:
            return f"{self.name}: stuck for {(now_ns - busy_ns) // 1_000_000} ms"
        lately = self._failed_ns and now_ns - self._failed_ns < RECOVERED_NS
        return f"{self.name}: {self._failure}" if self._failure and lately else ""

    def stop(self, timeout_s: float) -> bool:
        """Finish what is queued; False when it did not in time."""
        self._stop = True
        self._kick.set()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _loop(self) -> None:
        while True:
            self._kick.wait(PERIOD_S)
            self._kick.clear()
            stopping = self._stop
            failed = self._once()
            if stopping:
                self._end()
                return
            if failed:
                self._pause()

    def _end(self) -> None:
        try:
            self._task.close()
        except FAILURES as error:
            log.error("%s: at the end: %s", self.name, error)

    def _pause(self) -> None:
        """New jobs do not hasten a retry; only the end does."""
        until_ns = self._mono_ns() + RETRY_NS
        while self._mono_ns() < until_ns and not self._stop:
            time.sleep(PERIOD_S)

    def _once(self) -> bool:
        self._busy_ns = self._mono_ns()
        try:
            self._task.run(self._jobs, self._done)
            return False
        except FAILURES as error:
            self._failed_ns = self._mono_ns()
            if str(error) != self._failure:
                log.error("%s: %s", self.name, error)
            self._failure = str(error) or type(error).__name__
        finally:
            self._busy_ns = 0
            self._wake()
        return True

    def _done(self, result: Any) -> None:
        self.results.append(result)
