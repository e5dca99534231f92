"""`python -m liftctl.support --site FILE`.

Role: entry point. Process: support. Must never: do more than read the site and run it.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

from config.schema import ConfigError, Site, load
from liftctl.entry import begin
from liftctl.support.shell import run


def main(path: Path, site: Site, fallback: bool) -> None:
    """The file as it is written, beside the site in force."""
    file = site
    with suppress(ConfigError):
        file = load(path)
    run(file, site, fallback)


if __name__ == "__main__":
    where = Path(sys.argv[sys.argv.index("--site") + 1]) if "--site" in sys.argv else Path()
    sys.exit(begin("support", lambda site, fallback: main(where, site, fallback)))
