"""What a third review of kernel and gate demonstrated: each by what a person would have met."""

from __future__ import annotations

from dataclasses import replace

import pytest

from liftctl import ipc
from liftctl.gate.view import in_use, state_message
from safety.types import KernelInput, Lease, Motion, Reset, SignalId
from safety.verdict import Cmd
from tests.controller.world import World as Controller
from tests.gate.room import booted
from tests.kernel.trips import aloft, free, standing
from tests.kernel.world import World

S, M, MS = SignalId, Motion, 1_000_000


# --- neutral that nobody has seen for a while (H3, rule 2)


@pytest.mark.parametrize("silent_ms", [400, 5000, 30_000])
def test_a_finger_that_came_down_while_its_panel_was_not_heard_moves_nothing(
    silent_ms: int,
) -> None:
    world = World().ready()
    world.frozen_stations.add("panel:1")  # Wi-Fi stalls, the page at neutral
    world.run(silent_ms)
    world.press(M.UP)  # nothing happens; somebody leans on, or a hand rests on the arrow
    world.run(1000)
    world.frozen_stations.clear()  # it is heard again, with a key that is already down
    world.run(1000)
    assert world.speed(M.UP) == 0
    assert "refused:no_neutral" in world.events()


def test_a_hand_control_whose_node_comes_back_with_a_key_down_moves_nothing() -> None:
    """The gate against the simulated room: the I/O module has no supply for four seconds."""
    gate = booted("lift")
    gate.room.command({"do": "node", "node": 0x20, "power": False})
    gate.run(3000)
    gate.room.command({"do": "hand", "keys": ["up"]})  # meanwhile it lies on its key
    gate.run(1000)
    gate.room.command({"do": "node", "node": 0x20, "power": True})
    moved = [gate.step().verdict.moving for _ in range(150)]
    assert not any(moved), f"{moved.index(Motion.UP) * 20} ms after the module was back: UP"


def test_a_finger_that_came_down_while_the_gate_stood_still_moves_nothing() -> None:
    world = World().ready()
    world.frozen_stations.add("panel:1")
    world.press(M.UP)  # its tick is old: these beats are no evidence
    world.step(2000 * MS)
    world.frozen_stations.clear()
    world.run(1000)
    assert world.speed(M.UP) == 0


# --- the bar above the person it has just set down (H9)


class Landing(World):
    """The controller names the slow last stretch."""

    def inputs(self) -> tuple[KernelInput, ...]:
        lease = Lease(self.now_ns, self.lease, self.confirmed, True, 1400)
        return (*super().inputs(), lease)


def test_the_bar_does_not_speed_up_over_the_person_it_has_just_set_down() -> None:
    world = Landing().ready()
    world.values[S.LOAD_KG] = 70.0
    world.confirmed = 1
    world.run(600)
    assert world.state.people.aloft and world.state.people.confirmed
    world.press(M.DOWN)
    world.run(1000)
    slow = world.speed(M.DOWN)
    assert slow == -world.params.hoist_docking_mm_s
    for load in (40.0, 15.0, 0.0):  # onto the bed; the arrow stays down until the sling is loose
        world.values[S.LOAD_KG] = load
        world.run(200)
    world.log.clear()
    world.run(1000)
    fastest = min(c.speed_mm_s for v in world.log for c in v.commands if c.axis.value == "hoist")
    assert not world.state.people.aloft
    assert fastest >= slow, f"{-fastest} mm/s towards the person"


def test_who_hangs_when_the_controller_restarts_is_set_down_slowly() -> None:
    """DOWN is held at docking speed while the controller is dead; then its successor speaks."""
    successor = Controller()
    successor.tick(aloft=True, in_flight=True, pickup=1)
    said = successor.lease
    world = aloft(70.0)
    world.controller = False
    world.run(1000)
    world.press(M.DOWN)
    world.run(1000)
    slow = world.speed(M.DOWN)
    assert slow == -world.params.hoist_docking_mm_s
    for _ in range(100):  # the same press goes on
        lease = Lease(world.now_ns, Motion(said.motions), 0, False, said.slow_below_mm)
        world.extra.append(lease)
        world.step()
    assert world.state.people.aloft
    assert world.speed(M.DOWN) >= slow, f"{-world.speed(M.DOWN)} mm/s all the way to the floor"


# --- a false alarm, answered as it should be (H5, H37)


def test_a_load_that_came_back_and_was_then_set_down_is_no_reason_for_quarantine() -> None:
    world = aloft(70.0)
    world.values[S.LOAD_KG] = 50.0  # a carer leans on the person's knees
    world.run(280)
    world.values[S.LOAD_KG] = 70.0
    world.run(3000)
    assert world.state.latched == {"load_step"}
    world.press(M.DOWN)  # what the alarm says: look, and lower
    world.run(400)
    world.values[S.LOAD_KG] = 40.0  # the seat carries a part
    world.run(400)
    world.release()
    world.run(6000)  # the carer sets the feet right
    assert "quarantine" not in world.state.latched


def test_a_load_that_is_gone_altogether_sends_the_lift_into_quarantine_as_a_fifth_does() -> None:
    """The bar's own weight keeps the strap contact closed: a quick link opened, the person fell."""
    world = aloft(70.0)
    world.log.clear()
    world.values[S.LOAD_KG] = 0.0
    world.run(6000)
    assert "load_step" in world.state.latched
    world.extra.append(Reset("panel:1"))
    world.run(400)
    assert "quarantine" in world.state.latched, f"free again: {free(world)!r}"


# --- positions that were silent and come back with another zero


def rebooted(world: World, silent_ms: int) -> None:
    """The actuator is not heard for a while, and begins where it is with zero."""
    world.values[S.STAND_POS] = world.values[S.STAND_SPEED] = None
    world.values[S.STAND_VERIFIED] = 0.0
    world.run(silent_ms)
    world.values[S.STAND_POS] = world.values[S.STAND_SPEED] = 0.0
    world.values[S.STAND_VERIFIED] = 1.0
    world.run(2000)


def test_a_stand_position_that_lost_its_zero_in_silence_makes_nobody_sit() -> None:
    """300 ms at full speed is the most that a position may jump; here 200 mm in one second."""
    world = standing(200.0)
    rebooted(world, 1000)
    assert world.state.latched == {"stand_vanished"}
    assert world.cmd(M.DRIVE) is not Cmd.MOVE, "the joystick drives with somebody standing"
    assert world.state.people.standing
    assert world.state.marker.in_flight
    assert free(world) == M.SIT
    world.press(M.SIT)
    world.run(400)
    assert world.speed(M.SIT) == -world.params.stand_docking_mm_s
    world.release()
    world.run(400)
    world.extra.append(Reset("panel:1"))  # somebody has looked: they sit
    world.run(400)
    assert not world.state.latched and not world.state.people.standing
    assert world.cmd(M.DRIVE) is not Cmd.MOVE, "the joystick is freed by a press of its own"


def test_who_was_let_down_while_the_position_was_silent_sits() -> None:
    world = standing(200.0)
    silent_ms = 200.0 / world.params.stand_mm_s * 1000  # time enough by the lever
    rebooted(world, round(silent_ms))
    assert not world.state.people.standing and not world.state.latched


def test_a_stroke_that_says_standing_again_is_believed() -> None:
    world = standing(200.0)
    rebooted(world, 1000)
    world.values[S.STAND_POS] = 200.0
    world.run(400)
    world.extra.append(Reset("panel:1"))
    world.run(400)
    assert world.state.people.standing and not world.state.people.vanished
    world.values[S.STAND_POS] = 195.0
    world.run(400)
    assert world.state.people.standing and not world.state.people.vanished


def raise_again(world: World, times: int, held_ms: int) -> None:
    for _ in range(times):
        world.press(M.UP)
        world.run(held_ms)
        world.release()
        world.run(600)


def test_a_height_that_lost_its_zero_in_silence_does_not_end_the_tension_pause() -> None:
    world = World().ready()
    world.values[S.HOIST_POS] = 1200.0
    world.values[S.LOAD_KG] = 70.0
    world.run(400)
    world.press(M.UP)
    world.run(700)
    world.release()
    world.run(1000)
    assert world.state.people.aloft and not world.state.people.confirmed
    rose = (world.values[S.HOIST_POS] or 0.0) - 1200.0
    assert 20 < rose < 80
    world.values[S.HOIST_POS] = world.values[S.HOIST_SPEED] = None
    world.values[S.HOIST_VERIFIED] = 0.0
    world.run(1000)
    world.values[S.HOIST_POS] = world.values[S.HOIST_SPEED] = 0.0  # rebooted: here is zero
    world.values[S.HOIST_VERIFIED] = 1.0
    world.run(1000)
    raise_again(world, 4, 2000)
    rose += world.values[S.HOIST_POS] or 0.0
    assert rose <= 100, f"{rose:.0f} mm above the bed, the loops not confirmed"


def test_a_scale_that_has_drifted_up_does_not_take_the_tension_pause_away() -> None:
    """Parked at 2000 mm the empty bar weighs 16 kg: that was taken for the pick-up."""
    world = World().ready()
    world.values[S.HOIST_POS] = 2000.0
    for drift in (4.0, 8.0, 12.0, 16.0):
        world.values[S.LOAD_KG] = drift
        world.run(10_000)
    world.press(M.DOWN)
    world.run(24_000)
    world.release()
    world.run(800)
    hooked = world.values[S.HOIST_POS] or 0.0
    assert hooked < 1300
    world.values[S.LOAD_KG] = 86.0  # 70 kg hang, nobody has confirmed the loops
    world.run(400)
    raise_again(world, 3, 3000)
    rose = (world.values[S.HOIST_POS] or 0.0) - hooked
    assert rose <= 100, f"{rose:.0f} mm above the bed, the loops not confirmed"


# --- a chair that drives is in use


def test_no_gate_ends_while_the_chair_is_driven() -> None:
    """A trial that runs out asks the gate to end, again and again, without a look at the speed."""
    gate = booted("chair")

    def why() -> str:
        kernel = gate.state.kernel
        lease = replace(kernel.authority.lease, in_transfer=False)
        idle = replace(kernel, authority=replace(kernel.authority, lease=lease))
        return in_use(replace(gate.state, kernel=idle))

    gate.room.plant.brakes = False
    gate.run(2000)
    gate.extra.append(ipc.ResetPress("panel:1"))  # somebody frees the joystick
    gate.run(400)
    assert not why()
    gate.room.command({"do": "joystick", "value": 0.5})
    gate.run(2000)
    assert gate.state.kernel.readings[S.DRIVE_SPEED].value > 1
    assert why() == "the chair may be driving"


# --- what the panel says


def test_the_limit_that_is_shown_is_the_one_that_counts() -> None:
    """Nobody's plan is in force: somebody hung when the controller died."""
    gate = booted("lift")
    weak = replace(gate.config.kernel.params, rail_swl_kg=120.0)
    config = replace(gate.config, kernel=replace(gate.config.kernel, params=weak))
    state = replace(
        gate.state,
        kernel=replace(
            gate.state.kernel, authority=replace(gate.state.kernel.authority, plan=None)
        ),
    )
    assert gate.out is not None
    assert state_message(config, state, gate.out.verdict, gate.now, ()).limit_kg == 120.0
