"""Would this proposal be accepted here, and if not, why.

Role: pure; the same checks as `liftctl config check`, and those that only come from afar. Process:
support. Must never: let a proposal through that a person on site could not accept as well.
"""

from __future__ import annotations

from config.schema import ConfigError, Site, cross_check
from liftctl.accept import check
from liftctl.remote.documents import Proposal
from liftctl.remote.envelope import Verified
from liftctl.remote.reasons import Refusal
from liftctl.setup.changes import built, differences, touches_safety, unknown
from safety.bounds import violations
from safety.stopping import too_far


def judge(verified: Verified, proposal: Proposal, site: Site, newest_version: int) -> Site:
    """The site it would make; Refusal. `newest_version`: the highest ever seen here."""
    if proposal.version <= newest_version:
        raise Refusal("LC-REM-VERSION", f"{proposal.version}, newest is {newest_version}")
    if strange := unknown(proposal.changes):
        raise Refusal("LC-REM-KEYS", strange[0])
    if proposal.base != site.hash:
        raise Refusal("LC-REM-BASE", f"{proposal.base}, in force is {site.hash}")
    if touches_safety(proposal.changes) and not verified.two_people:
        raise Refusal("LC-REM-TWO")
    made = _fenced(proposal, site)
    if not differences(site, proposal.changes):
        raise Refusal("LC-REM-SAME")
    return made


def _fenced(proposal: Proposal, site: Site) -> Site:
    """Bounds, distances, then everything else the site's file must keep."""
    try:
        made = built(site, proposal.changes)
        for sentence in violations(made.limits):
            raise Refusal("LC-REM-RANGE", sentence)
        for sentence in too_far(made.kind, made.limits):
            raise Refusal("LC-REM-STOP", sentence)
        cross_check(made, site.name)
        check(made)
    except ConfigError as error:
        raise Refusal("LC-REM-CHECK", str(error)) from error
    return made
