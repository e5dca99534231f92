"""`python -m liftctl.recorder --site FILE`."""

from __future__ import annotations

import sys

from liftctl.entry import begin
from liftctl.recorder.shell import run

if __name__ == "__main__":
    sys.exit(begin("recorder", run))
