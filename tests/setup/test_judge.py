"""Which proposals would be offered to the room, and why the others are not."""

from __future__ import annotations

from typing import Any

import pytest

from config.schema import Site
from liftctl.accept import check
from liftctl.remote import documents as d
from liftctl.remote.envelope import verify
from liftctl.remote.reasons import Refusal
from liftctl.setup.changes import LIMITS, PROPOSABLE, changed, differences
from liftctl.setup.judge import judge
from safety.bounds import bound_of
from tests.support.world import ANNE, TRUST, TWO, WALL_S, Room, signed

ONE = (("configurator", ANNE),)


def verdict(people: Any = TWO, newest: int = 0, **changes: Any) -> str:
    room = Room()
    proposal = room.proposal(**changes)
    verified = verify(signed(proposal, *people), TRUST, WALL_S)
    assert isinstance(verified.order, d.Proposal)
    try:
        found = judge(verified, verified.order, room.site, newest)
    except Refusal as refusal:
        return refusal.code
    assert isinstance(found, Site)
    return ""


CASES: dict[str, tuple[dict[str, Any], str]] = {
    "inside bounds and distances": ({}, ""),
    "outside its bounds": ({"changes": {"limits.hoist_loaded_mm_s": 151.0}}, "LC-REM-RANGE"),
    "at odds with another number": ({"changes": {"limits.aloft_clear_kg": 16.0}}, "LC-REM-RANGE"),
    "a longer way to stop": (
        {"changes": {"limits.hoist_loaded_mm_s": 140.0, "limits.evidence_ms": 300.0}},
        "LC-REM-STOP",
    ),
    "a softer limit of the stopping distance": (
        {"changes": {"limits.hoist_stop_limit_mm": 51.0}},
        "LC-REM-RANGE",
    ),
    "a bus": ({"changes": {"bus": ("x",)}}, "LC-REM-KEYS"),
    "a device": ({"changes": {"device": ("x",)}}, "LC-REM-KEYS"),
    "a resident": ({"changes": {"resident": ("x",)}}, "LC-REM-KEYS"),
    "where the panel listens": ({"changes": {"web.host": "0.0.0.0"}}, "LC-REM-KEYS"),
    "the way down": ({"changes": {"emergency_lowering.how": "none"}}, "LC-REM-KEYS"),
    "the guard's node": ({"changes": {"guard.node": 16.0}}, "LC-REM-KEYS"),
    "another base": ({"base": "0" * 16}, "LC-REM-BASE"),
    "an old version": ({"version": 3, "newest": 3}, "LC-REM-VERSION"),
    "a version before the newest": ({"version": 2, "newest": 3}, "LC-REM-VERSION"),
    "nothing new": ({"changes": {"limits.swl_kg": 200.0}}, "LC-REM-SAME"),
    "a word for a number": ({"changes": {"limits.swl_kg": "much"}}, "LC-REM-CHECK"),
    "no date": ({"changes": {"inspection_due": "soon"}}, "LC-REM-CHECK"),
    "one person and a limit": ({"people": ONE}, "LC-REM-TWO"),
    "one person and the inspection": (
        {"people": ONE, "changes": {"inspection_due": "2030-01-01"}},
        "LC-REM-TWO",
    ),
    "one person and a lock": ({"people": ONE, "changes": {"relocatable": True}}, "LC-REM-TWO"),
    "one person and the languages": ({"people": ONE, "changes": {"languages": ("en",)}}, ""),
}


@pytest.mark.parametrize("name", CASES)
def test_a_proposal_with(name: str) -> None:
    given, code = CASES[name]
    assert verdict(**given) == code


def test_every_limit_needs_two_people_and_stays_inside_its_bounds() -> None:
    for key in LIMITS:
        bound = bound_of(key.partition(".")[2])
        beyond = bound.maximum + 1 if bound.safer == "low" else bound.minimum - 1
        assert verdict(changes={key: beyond}) == "LC-REM-RANGE", key
        assert verdict(people=ONE, changes={key: bound.minimum}) in ("LC-REM-TWO",), key


def test_what_is_offered_would_be_accepted_on_site_too() -> None:
    room = Room()
    made = changed(room.site, {"limits.hoist_loaded_mm_s": 50.0})
    check(made)
    assert made.limits.hoist_loaded_mm_s == 50.0 and made.hash != room.site.hash
    told = differences(room.site, {"limits.hoist_loaded_mm_s": 50.0, "limits.swl_kg": 200.0})
    assert [(item.key, item.before, item.after) for item in told] == [
        ("limits.hoist_loaded_mm_s", "60", "50")
    ]


def test_nothing_that_decides_who_may_move_can_be_proposed() -> None:
    tables = {key.partition(".")[0] for key in PROPOSABLE}
    assert tables == {"limits", "inspection_due", "relocatable", "title", "languages"}
