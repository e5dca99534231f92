"""Edges of the kernel that no everyday situation reaches: odd plans, a disk that is late, a signal
that flickers.
"""

from __future__ import annotations

import math

import pytest

from safety.bounds import Params
from safety.types import GuardBeat, MarkerDurable, Motion, Plan, PlanSet, Release, SignalId
from tests.kernel.trips import aloft, trips_after
from tests.kernel.world import World

S, M, P = SignalId, Motion, Params()


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("field", ["limit_kg", "sling_kg"])
def test_a_limit_that_is_no_number_allows_no_weight_at_all(field: str, odd: float) -> None:
    world = World().ready()
    fields = {"limit_kg": 120.0, "sling_kg": 120.0} | {field: odd}
    plan = Plan(carers=2, one_carer_allowed=False, resident_ok=True, sling_ok=True, **fields)
    world.extra.append(PlanSet(plan))
    world.by_hand = {S.LOAD_KG}
    for kg, over in ((0.5, True), (-0.5, False)):
        world.values[S.LOAD_KG] = kg
        world.run(60)
        assert ("overload_warn" in world.state.active) is over


def test_in_mid_transfer_no_plan_is_no_wider_plan() -> None:
    world = aloft(70.0)
    world.extra.append(PlanSet(Plan(60.0, 2, False, resident_ok=True, sling_ok=True)))
    world.run(60)
    assert "overload_warn" in world.state.active
    for given in (None, Plan(500.0, 2, False, resident_ok=True, sling_ok=True)):
        world.extra.append(PlanSet(given))
        world.run(60)
        assert "overload_warn" in world.state.active


@pytest.mark.parametrize(("by", "event"), [
    ("A. Technician", "released:hoist_runaway:A. Technician"),
    (" ", "release_refused:hoist_runaway"),
])  # fmt: skip
def test_a_release_is_told_with_its_name_or_its_refusal(by: str, event: str) -> None:
    world = World().ready()
    world.extra.append(Release("hoist_runaway", by))
    world.step()
    assert event in world.events()


def test_a_marker_that_never_becomes_durable_ends_the_press_without_a_move() -> None:
    world = World().ready()
    world.disk = False
    world.press(M.UP)
    for _ in range(80):
        verdict = world.step()
        assert all(item.speed_mm_s == 0 for item in verdict.commands)
    assert "refused:marker" in world.events()
    assert world.events().count("refused:marker") == 1


def test_the_press_waits_for_the_marker_and_then_moves() -> None:
    world = World().ready()
    world.disk = False
    world.press(M.UP)
    world.run(960)
    assert world.speed(M.UP) == 0
    assert world.verdict is not None
    world.extra.append(MarkerDurable(world.verdict.marker.seq, True))
    world.run(60)
    assert world.speed(M.UP) > 0


def test_a_marker_that_failed_is_not_durable() -> None:
    world = World().ready()
    world.disk = False
    world.press(M.UP)
    world.run(100)
    assert world.verdict is not None
    world.extra.append(MarkerDurable(world.verdict.marker.seq, False))
    world.run(200)
    assert world.speed(M.UP) == 0


def test_time_unknown_neither_counts_nor_starts_anew() -> None:
    """The two e-stop contacts disagree for 300 ms, one is silent for a second, they disagree on."""
    world = World().ready()
    world.values[S.ESTOP_A] = 0.0
    world.run(300)
    world.corrupt = {S.ESTOP_B}
    world.run(1000)
    assert "estop_discrepancy" not in world.state.latched
    world.corrupt = set()
    assert trips_after(world, "estop_discrepancy", 1000) == P.estop_discrepancy_ms - 300
    world = World().ready()
    world.values[S.ESTOP_A] = 0.0
    world.run(300)
    world.values[S.ESTOP_A] = 1.0
    world.step()
    world.values[S.ESTOP_A] = 0.0
    assert trips_after(world, "estop_discrepancy", 1000) == P.estop_discrepancy_ms


def test_a_guard_beat_from_the_future_is_no_beat() -> None:
    world = World().ready()
    world.guard = False
    for _ in range(20):
        world.extra.append(GuardBeat(world.now_ns + 10**9, ""))
        world.step()
    assert "guard_lost" in world.state.active
