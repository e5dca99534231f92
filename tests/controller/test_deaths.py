"""Links lost, restarts over a hanging resident, device modes, blocks and alarms."""

from __future__ import annotations

import pytest

from liftctl.controller.values import GATE_SILENT_NS, Asked, Link
from liftctl.ipc import ControllerState, TransferClosed, TransferPhase, Workflow, Written
from safety.types import LOWERING, Motion
from tests.controller.world import ALONE, World, gate_state, record


def test_losing_the_recorder_finishes_this_transfer_and_begins_no_other():
    world = World()
    world.to_air()
    world.turn(Link("recorder", False))
    world.tick(active=("recorder_lost",))
    assert world.mask & Motion.UP
    assert world.lease.in_transfer
    world.auto_write = False
    world.tick(aloft=False, moving="")
    world.ask("unhooked")
    world.ask("finish", outcome="completed", carers="1")
    assert world.step == "done"
    assert world.begin() == "LC-FLOW-STEP"
    world.auto_write = True
    world.turn(Link("recorder", True))
    assert world.step == "idle"
    first, again = world.of(TransferClosed)
    assert first.record == again.record
    assert world.begin() == "LC-RECORDER-LOST"
    world.tick(active=())
    assert world.begin() == ""


def test_a_recorder_that_restarts_in_mid_transfer_is_told_so():
    world = World()
    world.to_air()
    world.turn(Link("recorder", False))
    world.turn(Link("recorder", True))
    assert [type(item) for item in world.out.recorder] == [TransferPhase]
    assert world.out.recorder[0].name == "recorder_back"


def test_a_restart_over_a_hanging_resident_lowers_only_until_a_carer_begins_again():
    world = World()
    world.tick(in_flight=True, aloft=True, pickup=4, active=("tension_pause?",))
    assert world.state.mode == "lowering_only"
    assert world.mask == LOWERING
    assert not world.plan.active
    world.turn(Written("lost1", "interrupted", 9, "h"))
    assert world.ask("hooked") == "LC-FLOW-STEP"
    world.tick(active=("tension_pause?", "battery_reserve"))
    assert world.begin() == ""
    world.tick(active=("tension_pause?",))
    assert world.step == "tension_pause"
    assert world.mask == LOWERING
    assert world.ask("loops_ok") == ""
    world.tick(active=())
    assert world.lease.confirmed_pickup == 4
    assert world.mask & Motion.UP
    world.tick(aloft=False, in_flight=False, moving="")
    world.ask("unhooked")
    world.ask("finish", outcome="completed", carers="1")
    assert record(world)["follows"] == "lost1"


def test_an_orphan_the_recorder_names_only_after_the_next_begin():
    world = World()
    world.tick(in_flight=True, aloft=True, pickup=1)
    world.begin()
    assert world.state.transfer.plan.follows == "unknown"
    for id_ in ("lost2", "another"):
        world.turn(Written(id_, "interrupted", 9, "h"))
        assert world.state.transfer.plan.follows == "lost2"


def test_an_orphan_that_was_lowered_is_forgotten():
    world = World()
    world.tick(in_flight=True, aloft=True)
    world.tick(aloft=False)
    assert world.state.orphan
    world.tick(in_flight=False)
    assert world.state.mode == "ready"
    world.begin()
    assert world.state.transfer.plan.follows == ""


def test_a_restart_over_a_standing_resident():
    world = World("chair")
    world.tick(standing=True, in_flight=True)
    assert world.mask == LOWERING
    world.begin()
    world.tick()
    assert world.step == "standing"


@pytest.mark.parametrize(
    ("facts", "mode", "code"),
    [
        ({}, "ready", ""),
        ({"active": ("battery_reserve",)}, "degraded", "LC-BATTERY-RESERVE"),
        ({"active": ("handset_lost",)}, "degraded", ""),
        ({"active": ("upper_limit?",)}, "degraded", ""),
        ({"active": ("recorder_lost",)}, "degraded", "LC-RECORDER-LOST"),
        ({"mode": "faulted", "active": ("boot_faulted",)}, "starting", "LC-DEVICE-STARTING"),
        ({"mode": "faulted"}, "faulted", "LC-DEVICE-FAULT"),
        ({"latched": ("estop",)}, "faulted", "LC-DEVICE-FAULT"),
        ({"latched": ("hoist_runaway",)}, "maintenance", "LC-DEVICE-QUARANTINE"),
        ({"config_fallback": True}, "lowering_only", "LC-DEVICE-CONFIG"),
    ],
)
def test_device_modes_and_what_begin_says_in_each(facts, mode, code):
    world = World()
    world.tick(**facts)
    assert world.state.mode == mode
    assert world.begin() == code
    assert LOWERING in world.mask
    world.tick(mode="ready", active=(), latched=(), config_fallback=False)
    assert world.state.mode in ("ready", "in_use")


@pytest.mark.parametrize(
    ("before", "facts", "code"),
    [
        ({"mode": "faulted"}, {"mode": "ready"}, ""),
        ({"latched": ("estop",)}, {"latched": ()}, ""),
        ({}, {"mode": "faulted"}, "LC-DEVICE-FAULT"),
        ({}, {"latched": ("hoist_runaway",)}, "LC-DEVICE-QUARANTINE"),
    ],
)
def test_begin_is_judged_by_what_the_gate_said_in_the_same_turn(before, facts, code):
    """A controller that was late finds both in its socket; the panel had shown the newer one."""
    world = World()
    world.tick(**before)
    said = gate_state("lift", tick_ns=world.now_ns, **facts)
    args = {"kind": "bed-chair", "resident": ALONE, "carers": "1"}
    out = world.turn(said, Asked(7, Workflow("panel", "begin", args), "id1"))
    assert [reply.code for _, reply in out.replies] == [code] * bool(code)


def test_a_silent_gate_is_offline_and_gets_no_lease():
    world = World()
    world.to_air()
    world.now_ns += GATE_SILENT_NS + 1
    out = world.turn()
    assert world.state.mode == "offline"
    assert out.gate == []
    assert world.ask("cancel") == "LC-FLOW-LOADED"
    assert world.begin() == "LC-FLOW-STEP"
    world.tick()
    assert world.mask & Motion.UP


def test_blocks_name_the_row_and_what_else_was_active():
    world = World()
    world.to_air()
    world.tick(events=(("refused", "overload"), ("press", "p:UP")), active=("overload", "lag_warn"))
    world.tick(events=(("stop", "released"), ("stop", "upper_limit")), active=("upper_limit",))
    view = world.of(ControllerState)[-1].transfer
    assert view.blocks == ("overload", "upper_limit")
    assert world.state.transfer.blocks[0]["active"] == ["overload", "lag_warn"]
    for _ in range(200):
        world.tick(events=(("refused", "marker"),))
    assert len(world.state.transfer.blocks) == 100


def test_alarms_latch_are_acknowledged_and_never_cleared_by_it():
    world = World()
    world.to_air()

    def shown() -> tuple[tuple[str, str], ...]:
        return tuple((row, rank) for row, rank, _ in world.of(ControllerState)[-1].alarms)

    world.tick(active=("upper_limit", "hoist_lost", "tension_pause"))
    assert shown() == (("hoist_lost", "high"), ("upper_limit", "low"))
    assert world.ask("ack_alarm", row="hoist_lost") == ""
    assert shown() == (("upper_limit", "low"), ("hoist_lost", "high"))
    world.tick(active=())
    assert shown() == ()
    world.tick(active=("hoist_lost?",), latched=("estop",))
    world.tick(active=(), latched=())
    assert {row for row, _ in shown()} == {"estop", "hoist_lost?"}
    world.tick(latched=("estop",))
    assert world.ask("ack_alarm") == ""
    assert shown() == (("estop", "high"),)
    rows = [item["row"] for item in world.state.transfer.alarms]
    assert rows == ["hoist_lost", "upper_limit", "estop", "hoist_lost?", "estop"]
