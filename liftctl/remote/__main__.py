"""`python -m liftctl.remote --site FILE`.

Role: entry point. Process: remote. Must never: read more than the enrolment.
"""

from __future__ import annotations

import sys

from config.schema import Site
from liftctl.entry import Ending, begin
from liftctl.places import Places
from liftctl.remote.courier import run
from liftctl.remote.enrol import read_token, read_trust


def main(site: Site, _: bool) -> None:
    """Until SIGTERM."""
    places = Places(site.name)
    run(read_trust(places), places.sock("outside"), read_token(places), Ending())


if __name__ == "__main__":
    sys.exit(begin("remote", main))
