"""Single parts of the kernel by themselves, where a whole step would hide one behind another."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from safety import authority, chair_facts, shape, stations, stopping
from safety.authority import Authority
from safety.facts import AxisMemory
from safety.stations import Station, Stations
from safety.types import (
    Axis,
    Beat,
    KernelInput,
    Lease,
    Motion,
    Plan,
    PlanSet,
    Release,
    Reset,
    SignalId,
    Stop,
)
from safety.verdict import Cmd, Event
from tests.kernel.scenes import MS, NOW, P, scene
from tests.kernel.trips import aloft
from tests.kernel.world import World

M = Motion


@pytest.mark.parametrize("field", ["limit_kg", "sling_kg"])
def test_a_plan_with_a_limit_that_is_no_number_has_no_limit_left_in_it(field: str) -> None:
    plan = Plan(100.0, 2, False, resident_ok=True, sling_ok=True, sling_kg=90.0)
    odd = (
        replace(plan, limit_kg=math.nan)
        if field == "limit_kg"
        else replace(plan, sling_kg=math.nan)
    )
    given = PlanSet(odd)
    after, _ = authority.absorb(Authority(), (given,), NOW, P, carrying=False)
    assert after.plan is not None
    assert (after.plan.limit_kg, after.plan.sling_kg) == (0.0, 0.0)


@pytest.mark.parametrize(("age_ms", "motions"), [
    (-1, M.NONE), (0, M.DOWN), (P.permission_ms, M.DOWN), (P.permission_ms + 1, M.NONE),
])  # fmt: skip
def test_a_lease_grants_while_it_lives_and_nothing_afterwards(
    age_ms: float, motions: Motion
) -> None:
    lease = Lease(NOW - round(age_ms * MS), M.DOWN, 0, False)
    assert authority.granted(Authority(lease=lease), NOW, P) == motions
    assert authority.granted(Authority(), NOW, P) == M.NONE


def test_a_stop_says_who_pressed_it_and_ends_what_was_pressed_behind_it() -> None:
    world = World().ready()
    world.press(M.UP)
    world.run(400)
    world.extra.append(Stop("panel:1"))
    world.step()
    assert "stop:stop_pressed:panel:1" in world.events()
    world.release()
    world.run(400)
    world.log.clear()
    world.press(M.UP)  # its beat is digested before the STOP of the same turn, or after
    beats = [item for item in world.inputs() if isinstance(item, Beat)]
    now = world.state.authority
    orders: tuple[tuple[KernelInput, ...], ...]
    orders = ((*beats, Stop("panel:1")), (Stop("panel:1"), *beats))
    for order in orders:
        after, events = authority.absorb(now, order, world.now_ns, P, carrying=False)
        assert not stations.pressed(after.stations)
        told = [e.detail for e in events if e.kind == "stop"]
        assert told == ["stop_pressed:panel:1" if order[0] in beats else "stop_pressed"]


# --- a station that is gone


# --- ramps


@pytest.mark.parametrize(("last", "target", "speed"), [
    (0.0, 60.0, 2.0), (10.0, 60.0, 12.0), (60.0, 0.0, 56.0), (-60.0, 0.0, -56.0),
    (-10.0, -60.0, -12.0), (59.0, 60.0, 60.0), (2.0, 0.0, 0.0), (60.0, 30.0, 56.0),
])  # fmt: skip
def test_a_ramp_has_its_own_step_up_and_down(last: float, target: float, speed: float) -> None:
    ramp = shape.Dynamics(30.0, 100.0, 200.0)
    assert shape.slew(AxisMemory(last, abs(last)), target, ramp, 20 * MS) == pytest.approx(speed)


@pytest.mark.parametrize(("before", "speed", "may_have", "given"), [
    (Cmd.RAMP, 0.0, 5.0, Cmd.RAMP),
    (Cmd.QUICK, 0.0, 5.0, Cmd.QUICK),
    (Cmd.QUICK, 0.0, 0.0, Cmd.MOVE),
    (Cmd.RAMP, 0.0, 0.5, Cmd.RAMP),
    (Cmd.MOVE, -20.0, 20.0, Cmd.RAMP),
    (Cmd.MOVE, -0.5, 0.5, Cmd.RAMP),
    (Cmd.MOVE, 20.0, 20.0, Cmd.MOVE),
    (Cmd.REST, -20.0, 20.0, Cmd.RAMP),
    (Cmd.REST, 0.0, 5.0, Cmd.MOVE),
])  # fmt: skip
def test_an_axis_comes_to_rest_before_it_turns_round(
    before: Cmd, speed: float, may_have: float, given: Cmd
) -> None:
    memory = AxisMemory(speed, may_have)
    assert shape.command(Axis.HOIST, M.UP, 60.0, memory, before, P, 20 * MS).cmd is given


# --- stopping distances


def test_the_slowest_of_several_bounds_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopping, "PATHS", {"two": ("permission_ms", "evidence_ms")})
    slow = {item.reaction_ms for item in stopping.distances("lift", P)}
    monkeypatch.setattr(stopping, "PATHS", {"one": ("evidence_ms",)})
    assert P.permission_ms < P.evidence_ms
    assert slow == {item.reaction_ms for item in stopping.distances("lift", P)}


# --- authority


def _station(**more: Any) -> Station:
    return replace(Station("s", echo_ns=NOW, rx_ns=NOW), **more)


@pytest.mark.parametrize(("here", "seen"), [
    ({}, False),
    ({"a": _station(neutral=True)}, True),
    ({"a": _station(neutral=True), "b": _station()}, False),
    ({"a": _station(neutral=True), "b": _station(echo_ns=0)}, True),
    ({"b": _station(neutral=True, echo_ns=0)}, False),
])  # fmt: skip
def test_neutral_is_seen_when_every_live_station_is_and_there_is_one(
    here: dict[str, Station], seen: bool
) -> None:
    assert Authority(Stations(here)).neutral_seen(NOW, P) is seen


def test_without_a_lease_no_pick_up_is_confirmed() -> None:
    assert Authority().confirmed_pickup == 0
    assert Authority(lease=Lease(NOW, M.NONE, 3, False)).confirmed_pickup == 3


def test_a_press_is_long_after_its_time_and_not_at_it() -> None:
    for over_ns, long in ((0, False), (1, True)):
        began_ns = NOW - round(P.press_max_ms * MS) - over_ns
        held = _station(press=1, last_press=1, motion=M.UP, press_ns=began_ns)
        after, _ = authority.absorb(
            Authority(Stations({"a": held}, owner="a")), (), NOW, P, carrying=False
        )
        assert after.press_long is long


def test_a_reset_is_told_with_its_station_and_lasts_one_step() -> None:
    after, events = authority.absorb(Authority(), (Reset("panel:1"),), NOW, P, carrying=False)
    assert (after.reset, events) == (True, (Event("reset", "panel:1"),))
    later, _ = authority.absorb(after, (), NOW, P, carrying=False)
    assert not later.reset


# --- single facts


@pytest.mark.parametrize("signal", ["pitch_deg", "roll_deg"])
def test_a_slope_at_its_bound_is_none(signal: str) -> None:
    level = {"pitch_deg": 0.0, "roll_deg": 0.0}
    at = P.pitch_stand_deg
    for degrees, slope in ((at, False), (-at, False), (at + 0.1, True), (-at - 0.1, True)):
        assert chair_facts.pitch(scene("chair", **(level | {signal: degrees}))) is slope
    assert chair_facts.pitch(scene("chair", **{signal: at + 0.1})) is True
    assert chair_facts.pitch(scene("chair", **{signal: 0.0})) is None


@pytest.mark.parametrize(("speed", "standing", "begun"), [
    (0.0, False, False), (0.5, False, True), (-0.5, False, False), (0.0, True, True),
])  # fmt: skip
def test_castors_are_asked_for_once_a_stand_has_begun(
    speed: float, standing: bool, begun: bool
) -> None:
    now = scene("chair", castors_locked=0.0)
    now.axes = {**now.axes, Axis.STANDER: AxisMemory(speed, abs(speed))}
    now.people = replace(now.people, standing=standing)
    now.kept["castor_lock"] = NOW - round(P.castor_ms * MS)
    assert chair_facts.castor_lock(now) is begun
    assert ("castor_lock" in now.kept) is begun
    now.kept["castor_lock"] = NOW - round(P.castor_ms * MS) + 1
    assert chair_facts.castor_lock(now) is False


def test_a_released_quarantine_does_not_come_again_for_the_same_slip() -> None:
    world = aloft(70.0)
    world.values[SignalId.LOAD_KG] = 0.0
    world.run(6000)
    assert "quarantine" in world.state.latched
    world.extra.append(Reset("panel:1"))
    world.run(100)
    world.extra.append(Release("quarantine", "A. Technician"))
    world.run(8000)
    assert not world.state.latched
