"""Facts about who hangs there, one by one, at their bounds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from safety import load_facts
from safety.bounds import Params
from safety.facts import AxisMemory, Scene, Truth
from safety.memory import NEVER_NS
from safety.types import Axis, Plan, SignalId
from tests.kernel.scenes import MS, NOW, P, for_once, scene

STEP_NS = 20 * MS


def hanging(load_kg: float | None = 70.0, **more: Any) -> Scene:
    """Someone of 70 kg hangs confirmed and freely; `load_kg` is measured now."""
    if load_kg is not None:
        more["load_kg"] = load_kg
    now = scene(**more)
    window_ns = round(P.load_window_ms * MS)
    now.people = replace(
        now.people, aloft=True, confirmed=True, pickup_height_mm=1000.0, carried_kg=70.0,
        window_ns=NOW - window_ns, confirmed_ns=NOW,
        loads=((NOW - 2 * window_ns, 70.0), (NOW, 70.0 if load_kg is None else load_kg)),
    )  # fmt: skip
    return now


def hoist(now: Scene, speed_mm_s: float) -> Scene:
    now.axes = {**now.axes, Axis.HOIST: AxisMemory(speed_mm_s, abs(speed_mm_s))}
    return now


def test_the_least_of_all_limits_counts() -> None:
    own = {"swl_kg": 200.0, "rail_swl_kg": 190.0, "spreader_swl_kg": 195.0}
    assert load_facts.limit_kg(Params(**own), None) == 190.0
    for name in own:
        assert load_facts.limit_kg(Params(**(own | {name: 150.0})), None) == 150.0
    plan = Plan(140.0, 2, False, sling_kg=130.0)
    assert load_facts.limit_kg(Params(**own), plan) == 130.0
    assert load_facts.limit_kg(Params(**own), replace(plan, sling_kg=180.0)) == 140.0
    assert load_facts.limit_kg(Params(**own), replace(plan, sling_kg=500.0, limit_kg=400.0)) == 190


@pytest.mark.parametrize(("kg", "over"), [(200.0, False), (200.1, True)])
def test_at_the_limit_it_is_not_over(kg: float, over: bool) -> None:
    p = Params(swl_kg=200, rail_swl_kg=200, spreader_swl_kg=200)
    now = replace(hanging(kg), params=p)
    assert load_facts.over_limit()(now) is over
    assert load_facts.over_limit()(scene()) is None


def test_a_cell_that_drifts_costs_a_tenth_of_the_limit() -> None:
    p = Params(swl_kg=200, rail_swl_kg=200, spreader_swl_kg=200)
    for kg, over in ((180.0, False), (180.1, True)):
        now = replace(scene(load_kg=kg), params=p)
        now.kept["load_drift"] = NOW - 5000 * MS
        assert load_facts.over_limit()(now) is over


@pytest.mark.parametrize(("height", "pause", "low"), [
    (1000.0 + P.tension_pause_mm - 1, False, True),
    (1000.0 + P.tension_pause_mm, True, True),
    (1000.0 + P.travel_rise_mm - 1, True, True),
    (1000.0 + P.travel_rise_mm, True, False),
])  # fmt: skip
def test_how_high_somebody_hangs(height: float, pause: bool, low: bool) -> None:
    now = hanging(hoist_height_mm=height)
    assert load_facts.rise_mm(now) == height - 1000.0
    assert load_facts.person_low(now) is low
    assert load_facts.tension_pause(now) is False, "confirmed"
    now.people = replace(now.people, confirmed=False)
    assert load_facts.tension_pause(now) is pause
    now.people = replace(now.people, aloft=False)
    assert (load_facts.tension_pause(now), load_facts.person_low(now)) == (False, False)


def test_without_a_height_or_a_pick_up_nobody_knows_how_high() -> None:
    now = hanging()
    now.people = replace(now.people, confirmed=False)
    assert (load_facts.tension_pause(now), load_facts.person_low(now)) == (None, None)
    now = hanging(hoist_height_mm=1500.0)
    now.people = replace(now.people, confirmed=False, pickup_height_mm=None)
    assert (load_facts.tension_pause(now), load_facts.person_low(now)) == (None, None)


@pytest.mark.parametrize(("left", "right", "uneven"), [
    (50.0, 50.0, False), (50 + 50 * P.asymmetry_ratio, 50 - 50 * P.asymmetry_ratio, False),
    (95.0, 5.0, True), (5.0, 95.0, True),
])  # fmt: skip
def test_uneven_straps(left: float, right: float, uneven: bool) -> None:
    now = hanging(load_left_kg=left, load_right_kg=right)
    found = for_once(load_facts.asymmetry, now, "asymmetry", P.overload_filter_ms)
    assert found == (False, uneven)
    now.people = replace(now.people, aloft=False)
    assert for_once(load_facts.asymmetry, now, "asymmetry", P.overload_filter_ms)[1] is False


def test_one_strap_alone_says_nothing() -> None:
    for name in ("load_left_kg", "load_right_kg"):
        assert load_facts.asymmetry(hanging(**{name: 5.0})) is None


STEP_KG = 70.0 * (1 - P.load_step_ratio)


@pytest.mark.parametrize(("load", "fell"), [(70.0, False), (STEP_KG, False), (STEP_KG - 1, True)])
def test_a_step_of_the_load(load: float, fell: bool) -> None:
    assert load_facts.load_step(hanging(load)) is fell
    assert load_facts.load_step(hanging(None)) is None


@pytest.mark.parametrize(("change", "fell"), [
    ({}, True),
    ({"lowered_ns": NOW - load_facts.LOWERED_NS}, False),
    ({"unseen_ns": NOW - load_facts.LOWERED_NS}, False),
    ({"unseen_ns": NOW - load_facts.LOWERED_NS - 1}, True),
    ({"lowered_ns": NOW - load_facts.LOWERED_NS - 1}, True),
    ({"confirmed_ns": NEVER_NS}, False),
    ({"carried_kg": 0.0}, False),
    ({"carried_kg": 87.5}, True),
    ({"carried_kg": 87.6}, False),
])  # fmt: skip
def test_only_who_hung_freely_and_was_not_lowered_loses_load(
    change: dict[str, Any], fell: bool
) -> None:
    now = hanging(20.0)
    now.people = replace(now.people, **change)
    assert load_facts.load_step(now) is fell


@pytest.mark.parametrize(("load", "strap", "gone"), [
    (13.9, 0.0, True), (14.1, 0.0, False), (0.0, 1.0, False), (0.0, None, None),
])  # fmt: skip
def test_a_strap_has_failed_when_both_say_so(load: float, strap: float | None, gone: Truth) -> None:
    more = {} if strap is None else {"strap_tight": strap}
    assert load_facts.load_gone(hanging(load, **more)) is gone
    assert load_facts.load_gone(hanging(None, **more)) is None


@pytest.mark.parametrize(("carried", "more", "rise"), [
    (20.0, 10.0, False), (20.0, 10.1, True), (200.0, 200 * P.load_rise_ratio, False),
    (200.0, 200 * P.load_rise_ratio + 0.1, True),
])  # fmt: skip
def test_raised_against_something(carried: float, more: float, rise: bool) -> None:
    now = hoist(hanging(70.0 + more), 10.0)
    now.people = replace(
        now.people, carried_kg=carried, loads=((NOW - STEP_NS, 70.0), (NOW, 70.0 + more))
    )
    assert load_facts.load_rise(now) is rise
    assert load_facts.load_rise(hoist(now, 0.0)) is False
    now.people = replace(now.people, confirmed=False)
    assert load_facts.load_rise(hoist(now, 10.0)) is False
    assert load_facts.load_rise(hoist(hanging(None), 0.5)) is None


def test_a_strap_that_stays_slack_while_it_is_raised() -> None:
    kept: dict[str, int] = {}

    def at(height: float | None, strap: float | None) -> Truth:
        more = {"hoist_height_mm": height, "strap_tight": strap}
        now = scene(**{name: value for name, value in more.items() if value is not None})
        now.kept = kept
        return load_facts.slack_rise(now)

    assert at(1000.0, 0.0) is False
    assert at(900.0, 0.0) is False  # the lowest counts
    assert at(900.0 + P.slack_rise_mm, 0.0) is False
    assert at(901.0 + P.slack_rise_mm, 0.0) is True
    assert at(2000.0, None) is None
    assert at(None, 0.0) is None or at(None, 0.0) is False
    assert at(901.0 + P.slack_rise_mm, 0.0) is True, "silence does not end it"
    assert at(2000.0, 1.0) is False
    assert at(2000.0, 0.0) is False, "a tight strap begins anew"


def test_over_a_joint() -> None:
    p = Params(joint_from_mm=1000, joint_to_mm=1200)
    for x, over in ((999.9, False), (1000.0, True), (1200.0, True), (1200.1, False)):
        assert load_facts.over_joint(replace(scene(traverse_pos_mm=x), params=p)) is over
    assert load_facts.over_joint(replace(scene(), params=p)) is None
    none = Params(joint_from_mm=1000, joint_to_mm=1000)
    assert load_facts.over_joint(replace(scene(traverse_pos_mm=1000.0), params=none)) is False


@pytest.mark.parametrize(("load", "drifts"), [
    (P.load_zero_kg, False), (P.load_zero_kg + 0.1, True), (-P.load_zero_kg - 0.1, True),
])  # fmt: skip
def test_an_empty_sling_that_weighs_something(load: float, drifts: bool) -> None:
    now = scene(load_kg=load)
    assert for_once(load_facts.load_drift, now, "load_drift", 5000) == (False, drifts)
    now.people = replace(now.people, aloft=True)
    assert for_once(load_facts.load_drift, now, "load_drift", 5000)[1] is False
    assert load_facts.load_drift(scene()) is None


@pytest.mark.parametrize(("known", "carried", "wrong"), [
    (70.0, 70.0, False), (20.0, 25.0, False), (20.0, 25.1, True), (20.0, 14.9, True),
    (100.0, 100 + 100 * P.load_weight_ratio, False),
    (100.0, 100 + 100 * P.load_weight_ratio + 0.1, True), (0.0, 500.0, False),
    (0.5, 20.0, True),
])  # fmt: skip
def test_somebody_who_weighs_what_another_weighs(known: float, carried: float, wrong: bool) -> None:
    now = hanging(carried)
    now.people = replace(now.people, carried_kg=carried)
    now.authority = replace(now.authority, plan=Plan(200.0, 2, False, resident_kg=known))
    assert for_once(load_facts.load_drift, now, "load_drift", 5000) == (False, wrong)
    now.people = replace(now.people, confirmed=False)
    assert for_once(load_facts.load_drift, now, "load_drift", 5000)[1] is False


def test_a_value_that_never_changes_while_the_person_moves() -> None:
    for same, speed, frozen in ((70.0, 10.0, True), (70.001, 10.0, False), (70.0, 0.0, False)):
        now = hoist(hanging(70.0), speed)
        now.kept["load_g"] = round(same * 1000)
        assert for_once(load_facts.load_frozen, now, "load_frozen", P.load_frozen_ms) == (
            False, frozen,
        )  # fmt: skip
        assert now.kept["load_g"] == 70_000
    now = hoist(scene(load_kg=0.0), 10.0)
    now.kept |= {"load_g": 0, "load_frozen": 0}
    assert load_facts.load_frozen(now) is False, "nobody hangs there"
    assert load_facts.load_frozen(hoist(hanging(None), 10.0)) is None


EXPECTED = P.hoist_current_base_pct + 70 * P.hoist_current_pct_per_kg
EMPTY_TOL = P.hoist_current_tol_pct / 3


@pytest.mark.parametrize(("load", "current", "apart"), [
    (70.0, EXPECTED + P.hoist_current_tol_pct - 0.1, False),
    (70.0, EXPECTED + P.hoist_current_tol_pct + 0.1, True),
    (70.0, EXPECTED - P.hoist_current_tol_pct - 0.1, True),
    (0.0, P.hoist_current_base_pct + EMPTY_TOL - 0.1, False),
    (0.0, P.hoist_current_base_pct + EMPTY_TOL + 0.1, True),
])  # fmt: skip
def test_the_motor_feels_another_load_than_the_cell(
    load: float, current: float, apart: bool
) -> None:
    def steady(speed: float, measured: float) -> Scene:
        now = hoist(hanging(load, hoist_current_pct=current, hoist_speed_mm_s=measured), speed)
        now.people = replace(now.people, aloft=load > 0)
        now.kept["raise_steady"] = NOW - 500 * MS
        return now

    key, limit_ms = "load_disputed", P.overload_filter_ms
    assert for_once(load_facts.load_disputed, steady(50.0, 40.1), key, limit_ms) == (False, apart)
    for odd in (steady(50.0, 40.0), steady(0.0, 0.1), steady(-50.0, -50.0)):
        assert for_once(load_facts.load_disputed, odd, key, limit_ms)[1] is False
    young = steady(50.0, 50.0)
    young.kept["raise_steady"] += 1
    assert for_once(load_facts.load_disputed, young, key, limit_ms)[1] is False


def test_contacts_and_the_load() -> None:
    signal = SignalId.LOWER_FREE
    for load, opened, agrees, differs in (
        (P.aloft_kg - 0.1, 0.0, True, False), (P.aloft_kg, 0.0, False, True),
        (None, 0.0, False, True), (0.0, 1.0, False, False), (70.0, None, None, None),
    ):  # fmt: skip
        more = {"load_kg": load, "lower_limit_free": opened}
        now = scene(**{name: value for name, value in more.items() if value is not None})
        assert load_facts.agrees(signal, agree=True)(now) is agrees
        assert load_facts.agrees(signal, agree=False)(now) is differs


def test_blind_is_who_has_neither_strap_nor_load() -> None:
    assert load_facts.blind(scene()) is True
    assert load_facts.blind(scene(load_kg=0.0)) is False
    assert load_facts.blind(scene(strap_tight=1.0)) is False


@pytest.mark.parametrize(("carried", "before", "load", "fell"), [
    (1.0, 1.0, 0.0, True), (0.0, 70.0, -5.0, False),
])  # fmt: skip
def test_who_was_never_carried_loses_nothing(
    carried: float, before: float, load: float, fell: bool
) -> None:
    now = hanging(load)
    older = ((NOW - round(2 * P.load_window_ms * MS), before), (NOW, load))
    now.people = replace(now.people, carried_kg=carried, loads=older)
    assert load_facts.load_step(now) is fell
    assert load_facts.LOWERED_NS == 1000 * MS


def test_a_slow_raise_and_a_current_at_its_bound() -> None:
    for over, apart in ((0.0, False), (0.1, True)):
        current = P.hoist_current_base_pct + P.hoist_current_tol_pct + over
        now = hoist(hanging(0.0, hoist_current_pct=current, hoist_speed_mm_s=0.5), 0.5)
        now.kept["raise_steady"] = NOW - 500 * MS
        found = for_once(load_facts.load_disputed, now, "load_disputed", P.overload_filter_ms)
        assert found == (False, apart)
