"""From a live press to a command, part by part."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import pytest

from safety import command, shape, stations, step
from safety.bounds import Params
from safety.evaluate import Active
from safety.facts import AxisMemory
from safety.signals import Reading
from safety.state import KernelConfig, KernelState
from safety.stations import Stations
from safety.table import Reaction, Row
from safety.types import ALL_MOTIONS, Act, Axis, Motion, SignalId
from safety.verdict import AxisCommand, Cmd, Event
from tests.kernel.scenes import MS, NOW, P, acts, pressing, state

M, S = Motion, SignalId


# --- speeds


@pytest.mark.parametrize(("motion", "aloft", "speed"), [
    (M.UP, True, 41), (M.UP, False, 80), (M.DOWN, True, 42), (M.DOWN, False, 80),
    (M.LEFT, True, 43), (M.RIGHT, False, 43), (M.STAND, False, 14), (M.SIT, True, 14),
])  # fmt: skip
def test_full_speed(motion: Motion, aloft: bool, speed: float) -> None:
    p = Params(
        hoist_loaded_mm_s=41, hoist_empty_mm_s=80, hoist_down_mm_s=42, traverse_mm_s=43,
        stand_mm_s=14,
    )  # fmt: skip
    assert shape.full_speed(motion, aloft, p) == speed
    assert shape.full_speed(M.DOWN, True, replace(p, hoist_empty_mm_s=30)) == 30


def test_docking_speeds_and_ramps() -> None:
    p = Params(
        hoist_docking_mm_s=11, hoist_accel_mm_s2=51, hoist_decel_mm_s2=151,
        traverse_docking_mm_s=12, traverse_accel_mm_s2=52, traverse_decel_mm_s2=152,
        stand_docking_mm_s=5, stand_accel_mm_s2=53, stand_decel_mm_s2=54,
    )  # fmt: skip
    assert shape.dynamics(Axis.HOIST, p) == shape.Dynamics(11, 51, 151)
    assert shape.dynamics(Axis.TRAVERSE, p) == shape.Dynamics(12, 52, 152)
    assert shape.dynamics(Axis.STANDER, p) == shape.Dynamics(5, 53, 54)


@pytest.mark.parametrize(
    ("gap_ms", "step_mm_s"), [(-5, 0.0), (0, 0.0), (20, 2.0), (40, 4.0), (90, 4.0)]
)
def test_a_late_turn_ramps_no_faster(gap_ms: int, step_mm_s: float) -> None:
    ramp = shape.Dynamics(30.0, 100.0, 200.0)
    assert shape.slew(AxisMemory(), 60.0, ramp, gap_ms * MS) == pytest.approx(step_mm_s)


@pytest.mark.parametrize(("last", "may_have", "told", "gap_ms", "left"), [
    (0.0, 50.0, 0.0, 20, 48.0), (0.0, 1.0, 0.0, 20, 0.0), (60.0, 60.0, 0.0, 20, 60.0),
    (0.0, 0.0, -7.0, 20, 7.0), (-60.0, 10.0, 5.0, 20, 60.0), (0.0, 50.0, 0.0, 200, 30.0),
])  # fmt: skip
def test_what_an_axis_may_still_have(
    last: float, may_have: float, told: float, gap_ms: int, left: float
) -> None:
    ramp = shape.Dynamics(30.0, 100.0, 200.0)
    now = shape.coast(AxisMemory(last, may_have), told, ramp, gap_ms * MS)
    assert (now.speed_mm_s, now.may_have_mm_s) == (told, left)


# --- caps


def cap(now: KernelState, motion: Motion, act: Act = Act.NONE) -> float:
    return command._cap(KernelConfig("lift", P), now, motion, act)


def test_a_row_that_slows_or_a_motion_that_is_not_named_means_docking_speed() -> None:
    now = state()
    assert cap(now, M.UP) == cap(now, M.UP, Act.WARN) == P.hoist_empty_mm_s
    assert cap(now, M.UP, Act.SLOW) == P.hoist_docking_mm_s
    lease = now.authority.lease
    assert lease is not None
    less = replace(now.authority, lease=replace(lease, motions=ALL_MOTIONS & ~M.UP))
    assert cap(replace(now, authority=less), M.UP) == P.hoist_docking_mm_s
    slow = Params(hoist_empty_mm_s=10)
    assert command._cap(KernelConfig("lift", slow), now, M.UP, Act.SLOW) == 10


@pytest.mark.parametrize(("height", "aloft", "zone", "motion", "slow"), [
    (1200.0, True, 1200, M.DOWN, True), (1200.1, True, 1200, M.DOWN, False),
    (1200.0, False, 1200, M.DOWN, True), (1200.1, False, 1200, M.DOWN, False),
    (2000.0, True, 0, M.DOWN, True), (2000.0, True, -1, M.DOWN, True),
    (2000.0, True, 1, M.DOWN, False), (2000.0, False, 0, M.DOWN, False),
    (None, False, 1200, M.DOWN, True), (100.0, True, 1200, M.UP, False),
    (100.0, True, 1200, M.LEFT, False),
])  # fmt: skip
def test_near_the_ground(
    height: float | None, aloft: bool, zone: int, motion: Motion, slow: bool
) -> None:
    now = state(height=height, aloft=aloft)
    lease = now.authority.lease
    assert lease is not None
    authority = replace(now.authority, lease=replace(lease, slow_below_mm=zone))
    assert command._near_the_ground(replace(now, authority=authority), motion) is slow
    without = replace(now.authority, lease=None)
    assert command._near_the_ground(replace(now, authority=without), motion) is False


def test_a_press_on_its_way_down_only_gets_slower() -> None:
    config = KernelConfig("lift", P)
    now = pressing(state(), M.DOWN)
    now, told, _ = command.command(config, now, acts("lift"), False, 20 * MS)
    assert (now.cap_mm_s, told[0].cmd) == (P.hoist_empty_mm_s, Cmd.MOVE)
    now, _, _ = command.command(config, now, acts("lift", DOWN=Act.SLOW), False, 20 * MS)
    assert now.cap_mm_s == P.hoist_docking_mm_s
    for _ in range(100):
        now, told, _ = command.command(config, now, acts("lift"), False, 20 * MS)
    assert (now.cap_mm_s, told[0].speed_mm_s) == (P.hoist_docking_mm_s, -P.hoist_docking_mm_s)
    free = replace(now, authority=replace(now.authority, stations=Stations({})))
    free, _, _ = command.command(config, free, acts("lift"), False, 20 * MS)
    assert free.cap_mm_s == inf
    up, _, _ = command.command(config, pressing(now, M.UP), acts("lift"), False, 20 * MS)
    assert up.cap_mm_s == inf


# --- what an axis is told


def told(
    before: Cmd, memory: AxisMemory, acting: Act = Act.NONE, pressed: Motion = M.NONE,
    hard: bool = False, axis: Axis = Axis.HOIST,
) -> AxisCommand:  # fmt: skip
    now = state()
    now = replace(now, axes={**now.axes, axis: memory}, cmds={**now.cmds, axis: before})
    by = {item.motion: item.act for item in acts("lift", DOWN=acting)}
    return command._axis(KernelConfig("lift", P), now, axis, pressed, by, hard, 20 * MS, 60.0)


@pytest.mark.parametrize(("before", "may_have", "hard", "cmd"), [
    (Cmd.REST, 0.0, True, Cmd.REST), (Cmd.REST, 9.0, True, Cmd.REST),
    (Cmd.ISOLATE, 9.0, False, Cmd.REST), (Cmd.MOVE, 9.0, False, Cmd.RAMP),
    (Cmd.MOVE, 9.0, True, Cmd.QUICK), (Cmd.MOVE, 0.0, False, Cmd.RAMP),
    (Cmd.RAMP, 0.0, False, Cmd.REST), (Cmd.RAMP, 9.0, False, Cmd.RAMP),
    (Cmd.RAMP, 9.0, True, Cmd.QUICK), (Cmd.QUICK, 9.0, False, Cmd.QUICK),
    (Cmd.QUICK, 0.0, True, Cmd.REST),
])  # fmt: skip
def test_without_a_press_an_axis_comes_to_rest(
    before: Cmd, may_have: float, hard: bool, cmd: Cmd
) -> None:
    assert told(before, AxisMemory(0.0, may_have), hard=hard) == AxisCommand(Axis.HOIST, cmd)


def test_an_isolated_axis_is_isolated_whatever_is_pressed() -> None:
    for pressed in (M.NONE, M.UP, M.DOWN):
        found = told(Cmd.MOVE, AxisMemory(9.0, 9.0), Act.ISOLATE, pressed)
        assert found.cmd is Cmd.ISOLATE
    other = told(Cmd.REST, AxisMemory(), Act.ISOLATE, M.LEFT, axis=Axis.TRAVERSE)
    assert (other.cmd, other.speed_mm_s) == (Cmd.MOVE, pytest.approx(-3.0))
    assert told(Cmd.REST, AxisMemory(), Act.QUICK, M.UP).cmd is Cmd.MOVE


# --- the marker


@pytest.mark.parametrize(("motion", "durable", "late_ms", "held", "refused"), [
    (M.UP, True, 9999, False, False), (M.DOWN, False, 9999, False, False),
    (M.UP, False, 0, True, False), (M.UP, False, P.marker_wait_ms, True, False),
    (M.UP, False, P.marker_wait_ms + 1, True, True), (M.STAND, False, 0, True, False),
])  # fmt: skip
def test_a_rise_waits_for_the_marker_and_not_for_ever(
    motion: Motion, durable: bool, late_ms: float, held: bool, refused: bool
) -> None:
    now = pressing(state(), motion, NOW - round(late_ms * MS))
    now = replace(now, people=replace(now.people, marker_is_durable=durable))
    later, waits, events = command._wait_for_marker(KernelConfig("lift", P), now, motion)
    assert waits is held
    assert events == ((Event("refused", "marker"),) if refused else ())
    assert stations.pressed(later.authority.stations) is (M.NONE if refused else motion)


# --- driving


@pytest.mark.parametrize(("cmd", "freed", "speed", "age_ms", "act", "hard", "may"), [
    (Cmd.MOVE, False, None, 0, Act.NONE, False, True),
    (Cmd.MOVE, True, 0.0, 0, Act.HOLD, False, False),
    (Cmd.MOVE, True, 0.0, 0, Act.SLOW, False, True),
    (Cmd.MOVE, True, 0.0, 0, Act.NONE, True, False),
    (Cmd.QUICK, True, 0.0, 0, Act.NONE, False, True),
    (Cmd.QUICK, False, 0.0, 0, Act.NONE, False, False),
    (Cmd.QUICK, True, 0.5, 0, Act.NONE, False, False),
    (Cmd.QUICK, True, None, 0, Act.NONE, False, False),
    (Cmd.QUICK, True, 0.0, P.slow_ms, Act.NONE, False, True),
    (Cmd.QUICK, True, 0.0, P.slow_ms + 1, Act.NONE, False, False),
])  # fmt: skip
def test_the_joystick_is_free(
    cmd: Cmd, freed: bool, speed: float | None, age_ms: float, act: Act, hard: bool, may: bool
) -> None:
    now = state("chair")
    reading = {} if speed is None else {
        S.DRIVE_SPEED: Reading(speed, NOW - round(age_ms * MS), True)
    }  # fmt: skip
    now = replace(now, readings=reading, cmds={**now.cmds, Axis.DRIVE: cmd}, drive_freed=freed)
    assert command._may_drive(now, {M.DRIVE: act}, hard, P) is may


def test_the_joystick_waits_after_a_second_without_an_inhibit() -> None:
    now = replace(state("chair"), drive_ok_ns=NOW - command.DRIVE_RELEASE_NS)
    assert command.DRIVE_RELEASE_NS == 1000 * MS
    assert command.drive_waits("chair", now, NOW)
    assert not command.drive_waits("lift", now, NOW)
    assert not command.drive_waits("chair", replace(now, drive_freed=True), NOW)
    assert not command.drive_waits("chair", replace(now, drive_ok_ns=now.drive_ok_ns + 1), NOW)


# --- one step


def active(*reactions: Reaction) -> Active:
    return Active(Row("row", "H1", lambda scene: True, reactions, ()), "row", reactions)


def test_chatter_within_two_seconds_is_the_same_event() -> None:
    item = active(Reaction(Act.SLOW, M.DOWN))
    found = step._lately({"old": NOW - 2000 * MS, "gone": NOW - 2000 * MS - 1}, (item,), NOW)
    assert found == {"old": NOW - 2000 * MS, "row": NOW}


@pytest.mark.parametrize(("act", "motions", "slows"), [
    (Act.SLOW, M.DOWN, True), (Act.HOLD, M.DOWN, True), (Act.WARN, M.DOWN, False),
    (Act.HOLD, M.UP, False),
])  # fmt: skip
def test_what_slows_a_press(act: Act, motions: Motion, slows: bool) -> None:
    assert step._slows(active(Reaction(act, motions)), M.DOWN) is slows


def test_a_joystick_that_is_not_free_is_inhibited_and_never_isolated() -> None:
    now = state("chair")
    for act, cmd in ((Act.NONE, Cmd.MOVE), (Act.HOLD, Cmd.QUICK)):
        now = replace(now, cmds={**now.cmds, Axis.DRIVE: Cmd.MOVE})
        _, told, _ = command.command(
            KernelConfig("chair", P), now, acts("chair", DRIVE=act), False, 20 * MS
        )
        assert told[1] == AxisCommand(Axis.DRIVE, cmd)
