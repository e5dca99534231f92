"""Who may begin, with how many carers, and how carers are counted."""

from __future__ import annotations

import pytest

from liftctl.controller import plans
from liftctl.ipc import ControllerState, TransferOpened
from safety.types import Motion
from tests.controller.world import ALONE, PAIR, World, record


@pytest.mark.parametrize(
    ("today", "code"),
    [
        ("2027-12-31", ""),
        ("2028-01-01", "LC-PLAN-CARERS"),
        ("", "LC-PLAN-CARERS"),
        ("someday", "LC-PLAN-CARERS"),
    ],
)
def test_one_carer_is_an_entitlement_with_an_expiry(today, code):
    world = World(today=today)
    world.tick()
    assert world.begin() == code
    assert len(world.of(TransferOpened)) == (0 if code else 1)
    residents = {token: n for token, _, n in world.of(ControllerState)[-1].residents}
    assert residents == {ALONE: 2 if code else 1, PAIR: 2}


@pytest.mark.parametrize(
    ("args", "code"),
    [
        ({"resident": PAIR}, "LC-PLAN-CARERS"),
        ({"resident": PAIR, "carers": "2"}, ""),
        ({"resident": "nobody"}, "LC-PLAN-RESIDENT"),
        ({"carers": "0"}, "LC-ARGS"),
        ({"carers": "5"}, "LC-ARGS"),
        ({"carers": "-1"}, "LC-ARGS"),
        ({"carers": "²"}, "LC-ARGS"),
        ({"carers": ""}, "LC-ARGS"),
        ({"present": "9"}, "LC-ARGS"),
        ({"kind": "flying"}, "LC-PLAN-KIND"),
        ({"kind": ""}, "LC-PLAN-KIND"),
        ({"called_s": "nan"}, ""),
        ({"called_s": "soon"}, ""),
    ],
)
def test_what_begin_is_told(args, code):
    world = World()
    world.tick()
    assert world.begin(**args) == code


def test_a_resident_without_a_date_is_never_lifted_by_one():
    resident = World().config.site.resident[1]
    assert not plans.one_carer_allowed(resident, "2026-01-01")
    assert plans.carers_needed(resident, "2026-01-01") == 2


def test_the_second_carer_is_waited_for_and_counted_from_when_they_came():
    world = World()
    world.to_hooking(resident=PAIR, carers="2", present="1")
    assert world.ask("hooked") == "LC-FLOW-CARERS"
    world.tick(30)
    assert world.ask("carer_joined", source="badge") == ""
    assert world.ask("hooked") == ""
    world.tick(60)
    assert world.ask("carer_left") == ""
    world.tick(10)
    world.ask("cancel")
    found = record(world)
    stays = found["carers_present"]
    assert [item["source"] for item in stays] == ["button", "badge"]
    assert stays[1]["left_s"] - stays[1]["joined_s"] == pytest.approx(60)
    assert found["staff_s"] == pytest.approx(sum(s["left_s"] - s["joined_s"] for s in stays))


def test_one_carer_who_needed_help_is_a_fallback_and_stated_carers_only_add():
    world = World()
    world.to_outcome()
    assert world.ask("finish", outcome="completed") == "LC-ARGS"
    assert world.ask("finish", outcome="fine", carers="1") == "LC-ARGS"
    assert world.ask("finish", outcome="completed", carers="2") == ""
    found = record(world)
    assert found["outcome"] == "fallback2"
    assert found["out_of_plan"]
    assert found["carers_present"][1]["source"] == "none"
    assert found["staff_s"] == pytest.approx(2 * found["elapsed_s"])


def test_the_last_carer_stays_and_a_missing_one_is_out_of_plan():
    world = World()
    world.to_air(resident=PAIR, carers="2")
    assert world.ask("carer_left") == ""
    assert world.ask("carer_left") == "LC-FLOW-LAST-CARER"
    assert world.state.transfer.out_of_plan_why == ("carers_missing",)
    assert world.mask & Motion.UP
    for _ in range(3):
        assert world.ask("carer_joined", source="magic") == ""
    assert world.ask("carer_joined") == "LC-FLOW-FULL"
