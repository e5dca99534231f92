"""Whole transfers, from begin to a durable record."""

from __future__ import annotations

import json

import pytest

from liftctl.controller.permissions import ALWAYS_SLOW_MM
from liftctl.controller.values import Link
from liftctl.ipc import (
    ControllerState,
    NewPlan,
    Permission,
    Written,
)
from safety.types import LOWERING, Motion
from tests.controller.world import World, record

ORDER = """begin checks consent sling_on lift_start clear tension_pause loops_ok traverse set_down
unhook end"""


def test_a_lift_transfer_by_one_carer_from_begin_to_a_durable_record():
    world = World()
    world.to_outcome(badge="04a1b2", called_s="12.5")
    assert world.ask("finish", outcome="completed", carers="1") == ""
    assert world.step == "idle"
    found = record(world)
    assert found["outcome"] == "completed"
    assert found["consent"] == "yes"
    assert found["badge_verified"] is True
    assert "04a1b2" not in json.dumps(found)
    assert found["raised_mm"] == 500
    assert found["traversed_mm"] == 1500
    assert found["peak_load_kg"] == 80
    plan = found["plan"]
    assert (plan["limit_kg"], plan["carers"], plan["one_carer_allowed"]) == (140, 1, True)
    assert found["carers_present"] == [
        {"joined_s": 0.0, "left_s": found["elapsed_s"], "source": "badge"}
    ]
    assert found["staff_s"] == found["elapsed_s"]
    assert not found["out_of_plan"]
    assert found["phases"]["called"] == -12.5
    times = [found["phases"][name] for name in ORDER.split()]
    assert times == sorted(times)
    assert world.of(ControllerState)[-1].last_record == found


def test_the_steps_of_a_transfer_follow_the_facts_in_any_order():
    world = World()
    world.to_air()
    for moving, step in (
        ("LEFT", "traversing"), ("DOWN", "lowering"), ("UP", "moving_up"), ("", "moving_up"),
        ("DOWN", "lowering"), ("RIGHT", "traversing"), ("UP", "moving_up"),
    ):  # fmt: skip
        world.tick(moving=moving)
        assert world.step == step
    world.tick(aloft=False, moving="DOWN")
    assert world.step == "slack"
    assert world.lease.confirmed_pickup == 0
    assert world.ask("hooked") == ""
    world.tick(aloft=True, pickup=2, moving="UP")
    assert world.step == "raising"
    world.tick(tension_pause=True)
    assert world.step == "tension_pause"
    assert world.mask == LOWERING


def test_a_chair_transfer_stands_sits_and_stands_again():
    world = World("chair")
    world.tick()
    assert world.mask == LOWERING | Motion.DRIVE
    assert world.begin() == ""
    world.tick()
    assert world.mask == LOWERING
    world.ask("checks_ok")
    world.ask("consent_yes")
    world.tick(moving="STAND")
    world.tick(5, standing=True, values={"stand_stroke_mm": 60.0})
    world.tick(5, values={"stand_stroke_mm": 120.0})
    world.tick(moving="")
    assert world.step == "standing"
    assert world.mask == LOWERING | Motion.STAND
    world.tick(moving="SIT")
    assert world.step == "sitting_down"
    world.tick(moving="STAND")
    assert world.step == "standing_up"
    assert world.ask("cancel") == "LC-FLOW-LOADED"
    world.tick(moving="SIT")
    world.tick(9, standing=False, values={"stand_stroke_mm": 0.0})
    assert world.step == "outcome"
    assert world.ask("finish", outcome="completed", carers="1") == ""
    assert record(world)["raised_mm"] == 60
    assert record(world)["phases"]["clear"] < record(world)["phases"]["set_down"]
    world.tick(moving="")
    assert world.mask == LOWERING | Motion.DRIVE


def test_no_record_no_motion():
    world = World(auto_write=False)
    world.tick()
    world.begin()
    world.tick(3)
    assert world.step == "planned"
    assert not world.mask & Motion.UP
    assert not world.lease.in_transfer
    assert world.of(NewPlan)[1:] == []
    world.turn(Written("someone else", "opened", 1, "h"))
    world.tick()
    assert world.step == "planned"
    world.turn(Written("id1", "opened", 1, "h"))
    out = world.tick()
    assert [type(item) for item in out.gate] == [NewPlan, Permission]
    assert out.gate[0] == NewPlan(True, 140, 1, True, 200, 0, True, True)
    assert world.mask & Motion.UP


def test_the_plan_ends_with_the_transfer_and_is_repeated_to_a_gate_that_came_back():
    world = World()
    world.to_air()
    world.turn(Link("gate", False))
    assert world.state.mode == "offline"
    assert world.out.gate == []
    world.turn(Link("gate", True))
    assert world.plan.active
    world.tick(aloft=False, moving="")
    assert world.ask("cancel", reason="tired") == ""
    assert not world.plan.active
    assert record(world)["outcome"] == "aborted"
    assert record(world)["reason"] == "tired"


def test_every_tick_is_answered_with_its_own_echo_and_a_pause_at_once():
    world = World()
    world.to_air()
    assert world.mask & Motion.UP
    for _ in range(3):
        leases = [item for item in world.tick().gate if isinstance(item, Permission)]
        assert [item.echo_ns for item in leases] == [world.now_ns]
    assert world.ask("pause", by="resident") == ""
    assert world.out.gate == [world.lease]
    assert world.mask == LOWERING
    world.tick(5)
    assert world.ask("pause") == "LC-FLOW-PAUSED"
    assert world.ask("resume") == ""
    assert world.mask & Motion.UP
    assert world.ask("resume") == "LC-FLOW-RUNNING"


def test_withdrawn_consent_pauses_and_stays_in_the_record():
    world = World()
    world.to_air()
    assert world.ask("consent_no") == ""
    assert world.mask == LOWERING
    world.tick(4, aloft=False, moving="")
    assert world.ask("resume") == ""
    assert world.ask("cancel") == ""
    found = record(world)
    assert found["consent"] == "withdrawn"
    assert found["pauses"][0]["why"] == "consent_withdrawn"
    assert found["pauses"][0]["to_s"] - found["pauses"][0]["from_s"] == pytest.approx(4)


def test_refused_consent_ends_the_transfer():
    world = World()
    world.tick()
    world.begin()
    world.tick()
    world.ask("checks_ok")
    assert world.ask("consent_no") == ""
    assert record(world)["consent"] == "no"
    assert record(world)["reason"] == "consent_no"
    assert world.step == "idle"


def test_the_slow_zone_starts_200_mm_above_the_pick_up():
    world = World()
    world.to_hooking()
    assert world.lease.slow_below_mm == 0
    world.ask("hooked")
    assert world.lease.slow_below_mm == ALWAYS_SLOW_MM
    world.tick(aloft=True, pickup=1)
    assert world.lease.slow_below_mm == 800


@pytest.mark.parametrize("kind", ["lift", "chair"])
def test_after_a_restart_over_a_person_everything_is_slow_until_they_are_down(kind):
    """Nobody knows where they were picked up: docking speed all the way."""
    person = "aloft" if kind == "lift" else "standing"
    world = World(kind)
    world.tick(in_flight=True, **{person: True})
    assert world.lease.slow_below_mm == ALWAYS_SLOW_MM
    world.auto_write = False
    assert world.begin() == ""
    world.tick()
    assert world.step == "planned"
    assert world.lease.slow_below_mm == ALWAYS_SLOW_MM
    world.ask("cancel")
    world.tick(**{person: False})
    assert world.lease.slow_below_mm == 0


def test_the_bar_over_a_person_is_slow_until_the_sling_is_off():
    """H8: set down, unhooked, hooked once more: the bar hangs above a face."""
    world = World()
    world.to_air()
    world.tick(moving="DOWN")
    world.tick(aloft=False)
    assert (world.step, world.lease.slow_below_mm) == ("slack", ALWAYS_SLOW_MM)
    world.tick(moving="")
    assert (world.step, world.lease.slow_below_mm) == ("unhooking", ALWAYS_SLOW_MM)
    assert world.ask("hooked") == ""
    assert (world.step, world.lease.slow_below_mm) == ("raising", ALWAYS_SLOW_MM)
    world.tick(moving="UP", aloft=True, pickup=2)
    assert (world.step, world.lease.slow_below_mm) == ("raising", 880)
    world.tick(moving="DOWN", aloft=False)
    world.tick(moving="")
    assert world.ask("unhooked") == ""
    assert (world.step, world.lease.slow_below_mm) == ("outcome", 0)


def test_an_unknown_pick_up_height_is_slow_everywhere():
    world = World()
    world.values["hoist_height_mm"] = None
    world.to_hooking()
    world.ask("hooked")
    world.tick(aloft=True, pickup=1)
    assert world.lease.slow_below_mm == ALWAYS_SLOW_MM


def test_a_step_between_a_fact_and_its_tick_lets_nothing_rise():
    world = World()
    world.to_hooking()
    world.tick(aloft=True, pickup=1, tension_pause=True)
    assert world.ask("hooked") == ""
    assert world.step == "raising"
    assert world.mask == LOWERING


def test_a_new_pick_up_in_the_air_is_asked_about_again():
    world = World()
    world.to_air()
    world.tick(pickup=2)
    assert world.step == "tension_pause"
    assert world.mask == LOWERING
    assert world.ask("loops_ok") == ""
    assert world.lease.confirmed_pickup == 2
