"""Assessments and slings: what they allow, what they say, and what the record tells of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from config.plans import Register, ResidentSpec, SlingSpec
from liftctl import records
from liftctl.ipc import ControllerState, NewPlan
from tests.controller.world import World, record

TOKEN = "r-0a1b2c"


def resident(**given: Any) -> ResidentSpec:
    plain: dict[str, Any] = {
        "token": TOKEN, "label": "Resident C", "limit_kg": 180, "carers": 1, "sling": "S-1",
        "weight_kg": 82.5, "mobility_class": "D", "assessor": "occupational therapist",
        "assessed": "2026-06-01", "expires": "2027-06-01", "notes": "left knee",
    }  # fmt: skip
    return ResidentSpec(**{**plain, **given})


def sling(**given: Any) -> SlingSpec:
    plain: dict[str, Any] = {
        "serial": "S-1", "model": "Hygiene", "size": "M", "swl_kg": 160,
        "inspected": "2026-06-01", "inspect_by": "2026-12-31",
    }  # fmt: skip
    return SlingSpec(**{**plain, **given})


def world_with(today: str = "2026-11-01", **changes: Any) -> World:
    world = World(today=today)
    person = {name: value for name, value in changes.items() if name in ResidentSpec.__slots__}
    thing = {name: value for name, value in changes.items() if name not in person}
    found = Register(resident=(resident(**person),), sling=(sling(**thing),))
    world.turn(found)
    world.tick()
    return world


def shown(world: World) -> tuple[int, tuple[str, ...]]:
    """Carers needed and notices, as the panel gets them."""
    view = world.of(ControllerState)[-1]
    (carers,) = [n for token, _, n in view.residents if token == TOKEN]
    return carers, view.notices.get(TOKEN, ())


@pytest.mark.parametrize(
    ("today", "changes", "carers", "notices", "refused"),
    [
        ("2026-11-01", {}, 1, (), ""),
        ("2026-12-02", {}, 1, ("sling_due",), ""),
        ("2026-12-31", {}, 1, ("sling_due",), ""),
        ("2027-01-01", {}, 1, ("sling_overdue",), "LC-PLAN-SLING"),
        ("2026-11-01", {"withdrawn": True}, 1, ("sling_withdrawn",), "LC-PLAN-SLING"),
        ("2026-11-01", {"inspect_by": ""}, 1, (), ""),
        ("2027-05-03", {"inspect_by": ""}, 1, ("assessment_ends",), ""),
        ("2027-06-02", {"inspect_by": ""}, 2, ("assessment_expired",), "LC-PLAN-CARERS"),
        ("2027-06-02", {"inspect_by": "", "carers": 2}, 2, ("assessment_expired",), "two"),
        ("2026-11-01", {"expires": ""}, 2, ("one_carer_expired",), "LC-PLAN-CARERS"),
        ("2026-11-01", {"one_carer_until": "2026-10-31"}, 2, ("one_carer_expired",), "two"),
        ("", {}, 2, ("sling_overdue", "assessment_expired"), "LC-PLAN-CARERS"),
    ],
)
def test_what_ran_out_is_said_and_refused(
    today: str, changes: dict[str, Any], carers: int, notices: tuple[str, ...], refused: str
) -> None:
    world = world_with(today, **changes)
    assert shown(world) == (carers, notices)
    answer = world.begin(resident=TOKEN, carers="2" if refused == "two" else "1")
    assert answer == ("" if refused == "two" else refused)


def test_the_smallest_limit_counts_and_the_kernel_is_told_of_sling_and_weight() -> None:
    world = world_with()
    world.to_outcome(resident=TOKEN)
    assert world.plan == NewPlan(True, 160, 1, True, 160, 82.5, True, True)
    world.ask("finish", outcome="completed", carers="1")
    found = record(world)
    assert found["plan"]["limit_kg"] == 160
    assert (found["plan"]["assessed"], found["plan"]["expires"]) == ("2026-06-01", "2027-06-01")
    assert found["mobility_class"] == "D"
    assert found["sling"] == {
        "serial": "S-1", "model": "Hygiene", "size": "M", "swl_kg": 160.0,
        "inspected": "2026-06-01", "inspect_by": "2026-12-31", "matches": None,
    }  # fmt: skip
    text = str(found)
    assert all(word not in text for word in ("Resident C", "left knee", "therapist"))


def test_the_plan_id_is_the_assessment_s_and_knows_no_name() -> None:
    def plan_id(**changes: Any) -> str:
        world = world_with(**changes)
        world.begin(resident=TOKEN)
        world.tick()
        world.ask("cancel")
        return str(record(world)["plan"]["id"])

    same = plan_id()
    assert plan_id(label="another name", notes="", assessor="", identifier="77") == same
    assert plan_id(limit_kg=150) != same
    assert plan_id(expires="2027-05-01") != same


def test_another_sling_than_planned_does_not_rise_and_is_logged_out_of_plan() -> None:
    world = world_with()
    assert world.begin(resident=TOKEN, scanned_sling="S-2") == ""
    world.tick()
    assert not world.plan.sling_ok
    world.ask("cancel")
    found = record(world)
    assert (found["out_of_plan"], found["out_of_plan_why"]) == (True, ["sling"])
    assert found["sling"]["matches"] is False


def test_the_register_is_not_taken_while_a_transfer_runs() -> None:
    world = world_with()
    world.to_hooking(resident=TOKEN)
    world.turn(Register())
    assert shown(world)[0] == 1
    world.ask("cancel")
    world.turn(Register())
    world.tick()
    assert [token for token, _, _ in world.of(ControllerState)[-1].residents] == [
        item.token for item in world.config.site.resident
    ]


def test_one_who_hangs_is_brought_down_in_the_sling_they_hang_in() -> None:
    world = world_with("2027-01-01")
    world.tick(aloft=True, in_flight=True, pickup=1, values={"load_kg": 80.0})
    assert world.state.orphan
    assert world.begin(resident=TOKEN) == ""
    world.tick(aloft=False, values={"load_kg": 0.0})
    world.ask("cancel")
    assert record(world)["out_of_plan_why"] == ["sling_overdue"]
    assert "sling_overdue" in records.OUT_OF_PLAN


def test_the_call_for_a_second_carer_and_the_wait_are_in_the_record() -> None:
    world = World()
    world.to_hooking(called_s="30", arrived_s="20")
    assert world.ask("helper_called") == ""
    world.tick(45)
    assert world.ask("helper_called") == ""  # again: the first call counts
    world.tick(15)
    assert world.ask("carer_joined", source="badge") == ""
    world.tick(5)
    world.ask("cancel", outcome="fallback2", note=" waited for the evening shift ")
    found = record(world)
    assert found["helper"]["response_s"] == pytest.approx(60)
    assert found["phases"]["called"] == -30.0
    assert found["phases"]["arrive"] == -20.0
    first, second = found["carers_present"]
    assert first["joined_s"] == -20.0
    assert found["staff_s"] == pytest.approx(
        found["elapsed_s"] + 20 + found["elapsed_s"] - second["joined_s"]
    )
    assert found["note"] == "waited for the evening shift"


def test_training_is_excluded_with_its_reason() -> None:
    world = World()
    world.to_outcome()
    world.ask("finish", outcome="completed", carers="1", training="yes")
    found = record(world)
    assert (found["exclude"], found["exclude_reason"]) == (True, "training")


def test_nobody_is_kept_from_standing_up_by_a_sling() -> None:
    world = World("chair", today="2027-01-01")
    world.turn(Register(resident=(resident(),), sling=(sling(swl_kg=60),)))
    world.tick()
    assert shown(world) == (1, ())
    assert world.begin(resident=TOKEN) == ""
    world.tick()
    world.ask("cancel")
    found = record(world)
    assert (found["sling"], found["plan"]["limit_kg"]) == (None, 180.0)


def test_what_no_device_gives_is_null() -> None:
    world = World()
    world.values = {"battery_pct": 90.0}
    world.tick()
    world.begin()
    world.tick()
    world.ask("cancel")
    found = record(world)
    for name in ("peak_load_kg", "weight", "asymmetry_pct", "peak_speed_mm_s", "firmware"):
        assert found[name] is None, name


def test_load_at_rest_zero_asymmetry_and_speed_come_from_the_sensors() -> None:
    world = World()
    world.values |= {"load_kg": 1.5}
    world.to_pause()
    world.tick(values={"load_kg": 81.0, "load_left_kg": 45.0, "load_right_kg": 36.0})
    world.tick(moving="DOWN", values={"load_kg": 95.0, "hoist_speed_mm_s": -58.0})
    world.tick(aloft=False, moving="", values={"load_kg": 0.4})
    world.ask("cancel")
    found = record(world)
    assert found["weight"] == {"raw_kg": 81.0, "zero_kg": 1.5, "status": "unverified"}
    assert found["peak_load_kg"] == 95.0
    assert found["asymmetry_pct"] == pytest.approx(11.1)
    assert found["peak_speed_mm_s"] == 58.0


def test_where_it_was_is_the_site_s_word() -> None:
    world = World()
    placed = replace(world.config.site, municipality="M", home="H", ward="W")
    world.config = replace(world.config, site=placed)
    world.tick()
    world.begin()
    world.tick()
    world.ask("cancel")
    found = record(world)
    assert (found["municipality"], found["home"], found["ward"]) == ("M", "H", "W")
    assert (found["device"], found["start_trigger"]) == ("lift", "panel")
