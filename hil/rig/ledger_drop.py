"""A recorder that says "durable" and drops closed transfers.

Role: proves that the judge reads the ledger and not the acknowledgement. Must never: run anywhere
but under a judge.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from config.schema import Site
from liftctl.entry import Ending, begin
from liftctl.places import Places
from liftctl.recorder.entries import Appended
from liftctl.recorder.shell import TICK_S, Recorder
from liftctl.recorder.task import Done, LedgerTask
from liftctl.recorder.wallclock import Clock


class DroppingTask(LedgerTask):
    """Acknowledges what it did not write."""

    def run(self, jobs: deque[Any], done: Callable[[Any], None]) -> None:
        kept = deque(job for job in jobs if job.entry.kind != "closed")
        dropped = [job for job in jobs if job.entry.kind == "closed"]
        jobs.clear()
        super().run(kept, done)
        for job in dropped:
            done(Done(job, Appended(seq=1, head="0" * 64)))


def run(site: Site, fallback: bool = False) -> None:
    """The recorder, with the dropping task."""
    clock = Clock(time.monotonic_ns, time.time_ns)
    places = Places(site.name)
    recorder = Recorder(places, clock, ledger_task=DroppingTask(places, clock))
    ending = Ending()
    recorder.start()
    while not ending.asked:
        recorder.step(TICK_S)
    recorder.close()


if __name__ == "__main__":
    sys.exit(begin("recorder", run))
