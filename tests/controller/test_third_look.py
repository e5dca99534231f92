"""A third look at the controller: an alarm that never came, carers that were not counted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from hil.rooms.lift import LiftRoom
from liftctl.gate.turn import start
from liftctl.gate.view import state_message
from safety.types import LOWERING, Motion
from safety.verdict import Marker
from tests.controller.world import PAIR, World
from tests.gate.room import Gate
from tests.guard.world import hang


def alarms_of(gate: Gate, seconds: float, unheard: int | None = None) -> set[str]:
    """Every row that was an alarm to a controller which watched. `unheard`: a node that is dead."""
    world, found = World(gate.kind), set()
    advance = gate.room.advance
    gate.room.advance = lambda t: [f for f in advance(t) if f[1].can_id & 0x7F != unheard]
    for _ in range(round(seconds * 50)):
        out = gate.step()
        world.now_ns = gate.now
        world.turn(state_message(gate.config, gate.state, out.verdict, gate.now, ()))
        found |= {alarm.row for alarm in world.state.alarms}
    return found


def test_a_device_that_never_came_up_is_an_alarm_after_the_boot_deadline() -> None:
    """H23: a new gate process, somebody hangs, the contacts' node is dead. The row has a priority
    and a text ("Call a technician"); the strip must not say that all is well."""
    gate = Gate("lift")
    assert isinstance(gate.room, LiftRoom)
    hang(gate.room)
    gate.state = start(gate.config, gate.now, Marker(1, True, (), 1))
    assert alarms_of(gate, 9, unheard=0x20) == set()
    assert {"boot_deadline", "estop?"} <= alarms_of(gate, 6, unheard=0x20)


@pytest.mark.parametrize("kind", ["lift", "chair"])
def test_an_ordinary_start_is_no_alarm(kind: str) -> None:
    assert alarms_of(Gate(kind), 2) <= {"drive_waits"}


def starting(world: World, *rows: str, **facts: Any) -> tuple[str, ...]:
    """The alarms while the gate starts with these rows."""
    world.tick(mode="faulted", active=("boot_faulted", *rows), **facts)
    return tuple(alarm.row for alarm in world.state.alarms)


@pytest.mark.parametrize("row", ["hoist_lost", "hoist_feedback", "hoist_unverified", "blind?"])
def test_silence_is_an_alarm_once_a_start_has_lasted_too_long(row: str) -> None:
    """H23: it was heard once, so no deadline is missed, and it is never approved."""
    world = World()
    assert starting(world, row) == ()
    assert starting(world, row, seconds=9.9) == ()
    assert row in starting(world, row, seconds=0.2)
    world.tick(active=())
    assert starting(World(), row, "boot_deadline")[0] in (row, "boot_deadline")


def test_a_site_with_slow_devices_waits_as_long_as_its_file_says() -> None:
    world = World()
    limits = replace(world.config.site.limits, boot_ms=20_000.0)
    world.config = replace(world.config, site=replace(world.config.site, limits=limits))
    assert starting(world, "blind?") == ()
    assert starting(world, "blind?", seconds=19.9) == ()
    assert "blind?" in starting(world, "blind?", seconds=0.2)


def test_what_is_known_to_be_wrong_is_an_alarm_from_the_first_moment() -> None:
    """H15, H23: a restart must not hide the reason of the restart."""
    assert starting(World(), "battery_critical", "hoist_fault", "estop?") == (
        "battery_critical", "hoist_fault",
    )  # fmt: skip


def landed(carers: str = "2") -> World:
    """Two carers, up and down on the bed again: hooked still, or hooked again."""
    world = World()
    world.to_air(resident=PAIR, carers=carers)
    world.tick(moving="DOWN")
    world.tick(10, values={"hoist_height_mm": 600.0, "load_kg": 0.0}, aloft=False)
    world.tick(moving="", in_flight=False)
    return world


def why(world: World) -> tuple[str, ...]:
    assert world.state.transfer is not None
    return world.state.transfer.out_of_plan_why


def test_nobody_is_raised_again_by_fewer_carers_than_they_need() -> None:
    """H26: one of two leaves once the person is down. The other must not raise alone."""
    world = landed()
    assert world.ask("carer_left") == ""
    assert world.ask("hooked") == "LC-FLOW-CARERS"
    world.tick()
    assert world.mask == LOWERING
    assert world.ask("carer_joined") == ""
    assert world.ask("hooked") == ""
    assert world.mask & Motion.UP
    world.tick(moving="UP", aloft=True, in_flight=True, pickup=2)
    assert why(world) == ()


def test_a_load_that_comes_back_by_itself_is_not_raised_by_too_few_carers() -> None:
    """H26: the bed sinks under the person whom one carer of two was left with."""
    world = landed()
    world.ask("carer_left")
    world.tick(aloft=True, in_flight=True, pickup=2, values={"load_kg": 80.0})
    assert (world.step, world.mask) == ("unhooking", LOWERING)
    assert why(world) == ("carers_missing",)
    world.tick(aloft=False, values={"load_kg": 0.0})
    world.tick(aloft=True, pickup=3, values={"load_kg": 80.0})
    assert world.ask("unhooked") == "LC-FLOW-LOADED"
    world.ask("carer_joined")
    assert world.ask("hooked") == ""
    assert (world.step, world.mask) == ("raising", LOWERING | Motion.UP)


def test_a_load_that_comes_back_to_enough_carers_is_a_new_pick_up() -> None:
    world = landed()
    world.tick(aloft=True, in_flight=True, pickup=2, values={"load_kg": 80.0})
    assert (world.step, why(world)) == ("raising", ())


@pytest.mark.parametrize("kind", ["lift", "chair"])
def test_who_leaves_after_hooking_on_takes_the_permission_along(kind: str) -> None:
    """H26: both carers say "hooked" (the chair: "may we start"), one leaves, nobody hangs yet."""
    world = World(kind)
    world.tick()
    assert world.begin(resident=PAIR, carers="2") == ""
    world.tick()
    last = ("checks_ok", "consent_yes", *(("hooked",) if kind == "lift" else ()))
    assert [world.ask(action) for action in last] == [""] * len(last)
    rise = Motion.UP if kind == "lift" else Motion.STAND
    assert world.mask & rise
    assert world.ask("carer_left") == ""
    assert world.step == ("hooking" if kind == "lift" else "consent")
    assert world.ask(last[-1]) == "LC-FLOW-CARERS"
    world.tick(**{"aloft" if kind == "lift" else "standing": True})
    assert not world.mask & rise
    world.tick(aloft=False, standing=False)
    assert world.ask("carer_joined") == ""
    assert world.ask(last[-1]) == ""
    assert world.mask & rise


def test_a_third_carer_may_leave_before_the_pick_up() -> None:
    world = World()
    world.to_hooking(resident=PAIR, carers="3")
    world.ask("hooked")
    assert world.ask("carer_left") == ""
    assert world.step == "raising"
    assert world.ask("carer_left") == ""
    assert world.step == "hooking"


def test_too_few_carers_confirm_no_loops_over_whoever_hangs_already() -> None:
    """H26, H5: the controller died in the air; one carer of two begins anew and confirms."""
    world = World()
    world.tick(in_flight=True, aloft=True, pickup=4)
    assert world.begin(resident=PAIR, carers="2", present="1") == ""
    world.tick()
    world.tick()
    assert world.ask("loops_ok") == "LC-FLOW-CARERS"
    assert (world.step, world.mask) == ("tension_pause", LOWERING)
    assert why(world) == ("carers_missing",)
    world.ask("carer_joined")
    assert world.ask("loops_ok") == ""
    assert world.mask & Motion.UP


def test_loops_without_a_load_are_refused_for_that_reason() -> None:
    world = World()
    world.to_pause()
    world.state = replace(world.state, gate=msgspec.structs.replace(world.state.gate, aloft=False))
    assert world.ask("loops_ok") == "LC-FLOW-NO-LOAD"
