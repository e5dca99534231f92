"""`python -m liftctl.panel --site FILE [--port N]`.

Role: entry point. Process: panel. Must never: do more than read the site and run it.
"""

from __future__ import annotations

from liftctl.panel.app import run
from liftctl.panel.edge import main

if __name__ == "__main__":
    main("panel", run)
