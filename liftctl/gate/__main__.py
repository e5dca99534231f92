"""`python -m liftctl.gate --site FILE`."""

from __future__ import annotations

import sys

from liftctl.entry import begin
from liftctl.gate.shell import run

if __name__ == "__main__":
    sys.exit(begin("gate", run))
