"""`python -m liftctl.uplink --site FILE`.

Role: entry point. Process: uplink. Must never: do more than read the site and run it.
"""

from __future__ import annotations

import sys

from liftctl.entry import begin
from liftctl.uplink.shell import run

if __name__ == "__main__":
    sys.exit(begin("uplink", run))
