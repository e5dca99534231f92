"""Rows that carry their fact with them, asked alone; and what a step does around them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from safety import evaluate, step
from safety.evaluate import Active
from safety.facts import AxisMemory, Truth
from safety.table import ROWS, Reaction, Row
from safety.types import Act, Axis, Clear, GuardBeat, Lease, Motion, Plan, Quality, SignalId
from safety.verdict import AxisCommand, Cmd, Event, Marker, MotionVerdict
from tests.kernel.scenes import MS, NOW, P, acts, beats, pressing, scene, state

M, S = Motion, SignalId
GOOD = Plan(100.0, 1, True, resident_ok=True, sling_ok=True)


@pytest.mark.parametrize(("row", "change", "true"), [
    ("one_carer", {}, False),
    ("one_carer", {"one_carer_allowed": False}, True),
    ("one_carer", {"one_carer_allowed": False, "carers": 2}, False),
    ("one_carer", {"one_carer_allowed": False, "carers": 0}, True),
    ("wrong_resident", {}, False), ("wrong_resident", {"resident_ok": False}, True),
    ("wrong_sling", {}, False), ("wrong_sling", {"sling_ok": False}, True),
])  # fmt: skip
def test_what_the_plan_says(row: str, change: dict[str, Any], true: bool) -> None:
    now = beats(scene(), plan=replace(GOOD, **change))
    assert ROWS[row].fact(now) is true


@pytest.mark.parametrize("name", ["cleaning", "overdue", "paused", "relocated"])
def test_a_lock_is_the_row_of_its_name(name: str) -> None:
    lease = Lease(NOW, M.NONE, 0, False, locks=frozenset({name}))
    now = replace(beats(scene(), lease=lease), now_ns=NOW)
    assert {row for row in ("cleaning", "overdue", "paused", "relocated")
            if ROWS[row].fact(now)} == {name}  # fmt: skip


@pytest.mark.parametrize(("aloft", "confirmed", "waits"), [
    (False, False, False), (True, False, True), (True, True, False), (False, True, False),
])  # fmt: skip
def test_loops_that_nobody_confirmed(aloft: bool, confirmed: bool, waits: bool) -> None:
    now = scene()
    now.people = replace(now.people, aloft=aloft, confirmed=confirmed)
    assert ROWS["loops_unconfirmed"].fact(now) is waits


@pytest.mark.parametrize(("row", "change", "true"), [
    ("evidence_lost", {"evidence_lost": True}, True), ("evidence_lost", {}, False),
    ("key_held", {"key_held": True}, True), ("key_held", {}, False),
    ("press_long", {"press_long": True}, True), ("press_long", {}, False),
])  # fmt: skip
def test_what_the_stations_say(row: str, change: dict[str, Any], true: bool) -> None:
    assert ROWS[row].fact(beats(scene(), **change)) is true


@pytest.mark.parametrize(("row", "field", "when"), [
    ("boot_faulted", "ready", False), ("config_fallback", "fallback", True),
    ("drive_waits", "drive_waits", True),
])  # fmt: skip
def test_what_the_kernel_knows_of_itself(row: str, field: str, when: bool) -> None:
    for value in (True, False):
        assert ROWS[row].fact(replace(scene(), **{field: value})) is (value is when)


@pytest.mark.parametrize("row", ["load_vanished", "stand_vanished"])
def test_who_vanished(row: str) -> None:
    now = scene()
    assert ROWS[row].fact(now) is False
    now.people = replace(now.people, vanished=True)
    assert ROWS[row].fact(now) is True


# --- evaluation


def test_a_row_exists_where_all_its_signals_are_fitted() -> None:
    now = scene(strap_tight=1.0)
    assert ROWS["asymmetry"].needs == {S.LOAD_LEFT_KG, S.LOAD_RIGHT_KG}
    none = evaluate.truths(now)
    assert none["asymmetry"] is False and none["pinch"] is False
    some = evaluate.truths(replace(now, fitted=frozenset({S.LOAD_LEFT_KG, S.PINCH_FREE})))
    assert (some["asymmetry"], some["pinch"]) == (False, None)
    for more in ((), (S.BUS_OK,)):
        fitted = frozenset({S.LOAD_LEFT_KG, S.LOAD_RIGHT_KG, *more})
        aloft = replace(now, fitted=fitted, people=replace(now.people, aloft=True))
        assert evaluate.truths(aloft)["asymmetry"] is None


@pytest.mark.parametrize(("truth", "reset", "released", "held"), [
    (True, True, set(), True), (None, True, set(), True), (False, False, set(), True),
    (False, True, set(), False), (False, False, {"estop"}, True),
])  # fmt: skip
def test_a_latch_ends_by_its_own_event_once_its_cause_is_known_to_be_gone(
    truth: Truth, reset: bool, released: set[str], held: bool
) -> None:
    assert ROWS["estop"].clear is Clear.RESET
    now = evaluate.latch("lift", {"estop": truth}, frozenset({"estop"}), reset, released)
    assert ("estop" in now) is held


def test_a_latch_of_another_version_is_released_by_name() -> None:
    was = frozenset({"row_of_old", "quarantine"})
    facts = {"quarantine": False}
    assert evaluate.latch("lift", facts, was, True, set()) == was
    assert evaluate.latch("lift", facts, was, True, {"other"}) == was
    assert evaluate.latch("lift", facts, was, False, {"row_of_old"}) == {"quarantine"}
    assert evaluate.latch("lift", facts, was, False, {"quarantine"}) == {"row_of_old"}
    assert evaluate.latch("lift", {"slack": True}, frozenset(), False, set()) == frozenset()


def test_the_worst_row_comes_first_and_what_only_warns_is_no_reason() -> None:
    found = [(Act.WARN, "w"), (Act.SLOW, "s"), (Act.QUICK, "q"), (Act.HOLD, "h"), (Act.SLOW, "t")]
    assert evaluate._verdict(M.UP, list(found)) == MotionVerdict(
        M.UP, Act.QUICK, ("q", "h", "s", "t")
    )
    assert evaluate._verdict(M.UP, []) == MotionVerdict(M.UP, Act.NONE, ())
    assert evaluate._verdict(M.UP, [(Act.WARN, "w")]) == MotionVerdict(M.UP, Act.WARN, ())


# --- around the rows, in one step


def active(name: str, act: Act = Act.HOLD, motions: Motion = M.UP) -> Active:
    reactions = (Reaction(act, motions),)
    return Active(Row(name, "H1", lambda scene: True, reactions, ()), name, reactions)


def test_what_comes_goes_and_stays_is_told_once() -> None:
    now = replace(state(), active=("old", "gone"), latched=frozenset({"kept"}))
    told = step._row_events(now, (active("old"), active("new")), frozenset({"kept", "z", "a"}))
    assert told == (
        Event("trip", "new"), Event("clear", "gone"), Event("latch", "a"), Event("latch", "z"),
    )  # fmt: skip


@pytest.mark.parametrize(("motion", "act", "new", "ends", "hard"), [
    (M.DOWN, Act.SLOW, True, True, False), (M.DOWN, Act.SLOW, False, False, False),
    (M.UP, Act.SLOW, True, False, False), (M.DOWN, Act.HOLD, False, True, False),
    (M.UP, Act.HOLD, False, True, False), (M.UP, Act.QUICK, False, True, True),
    (M.UP, Act.WARN, True, False, False),
])  # fmt: skip
def test_what_ends_a_press(motion: Motion, act: Act, new: bool, ends: bool, hard: bool) -> None:
    now = pressing(state(), motion)
    now = replace(now, lately={} if new else {"row": NOW, "later": NOW})
    named = motion.name or ""
    acting = tuple(active(name, act, motion) for name in ("row", "later"))
    rows = tuple(
        replace(item, rows=("worst", "next")) if item.motion is motion else item
        for item in acts("lift", **{named: act})
    )
    for speed, kind in ((0.0, "refused"), (5.0, "stop"), (-5.0, "stop")):
        moving = replace(now, axes={**now.axes, Axis.HOIST: AxisMemory(speed, abs(speed))})
        after, events, quick = step._end_presses(moving, moving.authority, acting, rows, NOW)
        why = "worst" if act >= Act.HOLD else "row"
        assert events == ((Event(kind, why),) if ends else ())
        assert (bool(step.stations.pressed(after.stations)), quick) == (not ends, hard)


def test_without_a_press_nothing_ends() -> None:
    now = state()
    found = step._end_presses(now, now.authority, (active("row"),), acts("lift", UP=Act.QUICK), NOW)
    assert found == (now.authority, (), False)


@pytest.mark.parametrize(("cmd", "axis", "kind", "busy"), [
    (Cmd.REST, Axis.HOIST, "lift", False), (Cmd.ISOLATE, Axis.HOIST, "lift", False),
    (Cmd.MOVE, Axis.HOIST, "lift", True), (Cmd.RAMP, Axis.TRAVERSE, "lift", True),
    (Cmd.QUICK, Axis.STANDER, "chair", True), (Cmd.MOVE, Axis.DRIVE, "chair", False),
])  # fmt: skip
def test_what_may_still_move_is_in_flight(cmd: Cmd, axis: Axis, kind: str, busy: bool) -> None:
    now = replace(state(kind), marker=Marker(0, False, (), 0))
    now = replace(now, cmds={**now.cmds, axis: cmd})
    assert step._remember(now).marker.in_flight is busy
    assert step._remember(pressing(now, M.DOWN)).marker.in_flight is True


def test_only_who_presses_and_is_told_a_speed_moves() -> None:
    told = (AxisCommand(Axis.HOIST, Cmd.MOVE, 3.0), AxisCommand(Axis.TRAVERSE, Cmd.REST))
    assert step._moving(pressing(state(), M.UP), told) is M.UP
    assert step._moving(pressing(state(), M.LEFT), told) is M.NONE
    assert step._moving(state(), told) is M.NONE


@pytest.mark.parametrize(("speed", "told", "lowering"), [
    (None, 0.0, False), (None, -0.5, True), (0.0, 0.0, False), (-P.still_mm_s, 0.0, False),
    (-P.still_mm_s - 0.1, 0.0, True), (0.0, -0.5, True), (0.0, 0.5, False),
    (P.still_mm_s + 1, 0.0, False),
])  # fmt: skip
def test_a_hoist_that_sinks_or_is_told_to_lowers(
    speed: float | None, told: float, lowering: bool
) -> None:
    known = {} if speed is None else {"hoist_speed_mm_s": speed}
    now = scene(load_kg=1.0, **known)
    now.axes = {Axis.HOIST: AxisMemory(told, 0.0), Axis.TRAVERSE: AxisMemory(-9.0, 9.0)}
    after, _ = step._people(now)
    assert (after.lowered_ns == now.now_ns) is lowering
    assert (after.unseen_ns == now.now_ns) is (speed is None)
    assert after.load_ns == now.now_ns


def test_people_are_made_from_their_own_signals() -> None:
    now = scene(load_kg=70.0, hoist_height_mm=1234.0, strap_tight=0.0, hoist_speed_mm_s=0.0)
    now.people = replace(now.people, vanished=True)
    now.authority = replace(now.authority, lease=Lease(NOW, M.NONE, 9, False))
    now.people = replace(now.people, pickup=8)
    after, events = step._people(now)
    assert (after.aloft, after.pickup_height_mm, events) == (True, 1234.0, (Event("pickup", "9"),))
    assert (after.vanished, after.rising_ns) == (False, None)
    now.axes = {Axis.HOIST: AxisMemory(0.1, 0.1), Axis.TRAVERSE: AxisMemory()}
    assert step._people(now)[0].rising_ns == NOW
    for slack, reset, vanished in ((0.0, False, False), (1.0, False, True), (1.0, True, False)):
        low = scene(load_kg=0.0, strap_tight=slack, hoist_speed_mm_s=0.0)
        low.people = replace(low.people, vanished=True)
        low.authority = replace(low.authority, reset=reset)
        assert step._people(low)[0].vanished is vanished
    chair = scene("chair", stand_stroke_mm=100.0)
    assert step._people(chair)[0].standing
    sat = scene("chair", stand_stroke_mm=0.0)
    sat.people = replace(sat.people, vanished=True)
    assert step._people(sat)[0].vanished
    sat.authority = replace(sat.authority, reset=True)
    assert not step._people(sat)[0].vanished


READY = {"load_kg": 0.0, "run_enable": 1.0, "hoist_deadman_verified": 1.0,
         "traverse_deadman_verified": 1.0}  # fmt: skip


@pytest.mark.parametrize(("change", "quality", "latched", "ready"), [
    ({}, {}, False, True),
    ({"run_enable": 0.0}, {}, False, False),
    ({"hoist_deadman_verified": 0.0}, {}, False, False),
    ({"traverse_deadman_verified": 0.0}, {}, False, False),
    ({}, {S.LOAD_KG: Quality.STALE}, False, False),
    ({}, {S.RUN_ENABLE: Quality.STALE}, False, False),
    ({}, {S.RUN_ENABLE: Quality.MISSING}, False, True),
    ({}, {}, True, False),
])  # fmt: skip
def test_a_gate_is_ready_when_everything_is_heard_read_back_and_at_neutral(
    change: dict[str, float], quality: dict[SignalId, Quality], latched: bool, ready: bool
) -> None:
    now = scene(**(READY | change))
    fitted = {S.LOAD_KG} | ({S.RUN_ENABLE} if quality.get(S.RUN_ENABLE) == "stale" else set())
    now = replace(now, fitted=frozenset(fitted), quality={**now.quality, **quality}, now_ns=NOW)
    seen = pressing(state(), M.UP).authority.stations
    one = replace(seen.by_name["panel:1"], press=0, motion=M.NONE, neutral=True)
    calm = replace(now.authority, stations=replace(seen, by_name={"panel:1": one}))
    rows = frozenset({"estop"}) if latched else frozenset()
    assert step._may_leave_faulted("lift", now, calm, rows) is ready
    pressed = replace(now.authority, stations=seen)
    assert step._may_leave_faulted("lift", now, pressed, rows) is False


def test_what_the_kernel_verifies_and_what_somebody_hangs_from() -> None:
    assert step.VERIFIED == {
        "lift": (S.HOIST_VERIFIED, S.TRAVERSE_VERIFIED),
        "chair": (S.STAND_VERIFIED, S.DRIVE_VERIFIED),
    }
    assert step.LOADED == (Axis.HOIST, Axis.TRAVERSE, Axis.STANDER)
    assert step.SAME_EVENT_NS == 2000 * MS


def test_the_guard_says_why_it_cut() -> None:
    now = beats(scene(), guard=GuardBeat(NOW, "uncommanded"))
    assert ROWS["guard_cut"].fact(now) is True
