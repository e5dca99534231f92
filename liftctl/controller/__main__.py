"""`python -m liftctl.controller --site FILE`."""

from __future__ import annotations

import sys

from liftctl.controller.shell import run
from liftctl.entry import begin

if __name__ == "__main__":
    sys.exit(begin("controller", run))
