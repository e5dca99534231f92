"""`python -m liftctl.desk --site FILE [--port N]`.

Role: entry point. Process: desk. Must never: do more than read the site and run it.
"""

from __future__ import annotations

from liftctl.desk.app import run
from liftctl.panel.edge import main

if __name__ == "__main__":
    main("desk", run)
