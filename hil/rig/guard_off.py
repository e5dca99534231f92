"""A guard that is switched off: it neither beats nor toggles its run enable.

Role: proves that nothing rises or stands without the guard. Must never: run anywhere but under a
judge.
"""

from __future__ import annotations

import sys
import time

from config.schema import Site
from liftctl.entry import Ending, begin


def run(site: Site, fallback: bool = False) -> None:
    """Do nothing until asked to end."""
    ending = Ending()
    while not ending.asked:
        time.sleep(0.1)


if __name__ == "__main__":
    sys.exit(begin("guard", run))
