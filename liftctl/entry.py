"""How every process begins: its site, its errors, its end.

Role: `--site FILE`, one clear line and exit 2 on what cannot work, SIGTERM as a clean end. Process:
all. Must never: hide a traceback that is a defect.
"""

from __future__ import annotations

import argparse
import gc
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType

from config.schema import ConfigError, Site
from drivers.ports.base import PortError
from liftctl.accept import load_or_fall_back

UNUSABLE = 2
# SCHED_FIFO priorities of what is on the motion path; recorder and desk have none.
GUARD, GATE, CONTROLLER, PANEL = 21, 20, 10, 5


class Unusable(Exception):
    """The process cannot do its work here; one line with the remedy."""


class Ending:
    """Set by SIGTERM or SIGINT; loops look at it."""

    def __init__(self) -> None:
        self.asked = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True


class Turnover:
    """A site's processes follow the gate: when it begins to run another configuration than the one
    we both had, this process ends cleanly and whoever watches over it starts it with the new one.
    """

    def __init__(self, own_hash: str) -> None:
        self._own, self._agreed = own_hash, False

    def hear(self, gate_hash: str) -> None:
        """What the gate runs; the hash of a site file that differs from the start is no change."""
        if gate_hash == self._own:
            self._agreed = True
        elif self._agreed:
            self._agreed = False
            signal.raise_signal(signal.SIGTERM)


def say(process: str, text: str) -> None:
    """One line for the operator."""
    sys.stderr.write(f"liftctl {process}: {text}\n")


def real_time(priority: int, collect: bool = False) -> bool:
    """SCHED_FIFO where the system permits it; no garbage collection pauses unless `collect`."""
    gc.collect()
    gc.freeze()
    if not collect:
        gc.disable()
    with suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(priority))
        return True
    return False


def begin(
    process: str, work: Callable[[Site, bool], None], arguments: list[str] | None = None
) -> int:
    """Run `work(site, fallback)`; the exit status."""
    parser = argparse.ArgumentParser(prog=f"liftctl {process}")
    parser.add_argument("--site", type=Path, required=True, help="the site's TOML file")
    given = parser.parse_args(arguments)
    try:
        site, fallback, why = load_or_fall_back(given.site)
        if fallback:
            say(process, f"{why}. Running the last accepted configuration, lowering only")
        work(site, fallback)
    except (ConfigError, PortError, Unusable) as error:
        say(process, str(error))
        return UNUSABLE
    except OSError as error:
        say(process, f"{error}; check the data and runtime folders")
        return UNUSABLE
    return 0
