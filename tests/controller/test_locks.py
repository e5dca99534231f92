"""What a person or the calendar forbids, and what was scanned against the plan."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from config.schema import ConfigError, load, parse
from safety.types import LOWERING
from tests.controller.world import ALONE, PAIR, SITES, World


def test_wiping_the_screen_locks_the_lift_until_it_is_taken_off() -> None:
    world = World()
    world.tick()
    assert world.ask("cleaning_on") == ""
    assert world.lease.locks == ("cleaning",)
    assert world.ask("cleaning_off") == ""
    assert world.lease.locks == ()


def test_nobody_is_locked_in_the_air() -> None:
    world = World()
    world.to_air()
    assert world.ask("cleaning_on") == "LC-FLOW-STEP"
    assert world.lease.locks == ()


def test_a_relocatable_lift_asks_for_a_pull_test_at_each_start() -> None:
    world = World()
    world.state = replace(world.state, locks=frozenset({"relocated"}))
    world.tick()
    assert world.lease.locks == ("relocated",)
    assert world.ask("pull_test_ok") == ""
    assert world.lease.locks == ()


@pytest.mark.parametrize(
    ("due", "today", "locked"),
    [
        ("", "2026-11-22", False),
        ("2026-11-22", "2026-11-22", False),
        ("2026-11-21", "2026-11-22", True),
        ("2026-11-21", "", False),
    ],
)
def test_an_overdue_inspection_is_a_lock(due: str, today: str, locked: bool) -> None:
    world = World(today=today)
    world.config = replace(world.config, site=replace(world.config.site, inspection_due=due))
    world.tick()
    assert ("overdue" in world.lease.locks) == locked


def test_a_date_that_is_none_is_refused() -> None:
    text = (SITES / "demo-lift.toml").read_text(encoding="utf-8")
    with pytest.raises(ConfigError, match="inspection_due '2026-13-01' is no date"):
        parse('inspection_due = "2026-13-01"\n' + text, "site")


def test_a_pause_is_a_lock_and_leaves_lowering() -> None:
    world = World()
    world.to_air()
    assert world.ask("pause") == ""
    assert world.lease.locks == ("paused",)
    assert world.mask == LOWERING
    assert world.ask("resume") == ""
    assert world.lease.locks == ()


def test_another_sling_or_person_than_the_plan_names_reaches_the_kernel() -> None:
    for args, person, sling in (
        ({}, True, True),
        ({"scanned_resident": PAIR}, False, True),
        ({"scanned_resident": ALONE, "scanned_sling": "S-9"}, True, False),
    ):
        world = World()
        world.tick()
        assert world.begin(**args) == ""
        world.tick()
        assert (world.plan.resident_ok, world.plan.sling_ok) == (person, sling)


def test_the_demo_sites_track_no_inspection() -> None:
    for path in sorted(Path(SITES).glob("*.toml")):
        assert load(path).inspection_due == ""
