"""`python -m liftctl.guard --site FILE`."""

from __future__ import annotations

import sys

from liftctl.entry import begin
from liftctl.guard.shell import run

if __name__ == "__main__":
    sys.exit(begin("guard", run))
