"""Facts about device, leases and axes, one by one, at their bounds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from safety import chair_facts, facts, motion_facts
from safety.bounds import Params
from safety.facts import AxisMemory, Scene, Truth
from safety.motion_facts import AXES
from safety.types import Axis, GuardBeat, Lease, Motion, Plan, Quality, RecorderBeat, SignalId
from tests.kernel.scenes import MS, NOW, P, S, beats, for_once, scene

TRUTHS: tuple[Truth, ...] = (True, None, False)


def test_either_and_both_of_three_values() -> None:
    for a in TRUTHS:
        for b in TRUTHS:
            if True in (a, b):
                assert facts.either(a, b) is True
            else:
                assert facts.either(a, b) is (None if None in (a, b) else False)
            if False in (a, b):
                assert facts.both(a, b) is False
            else:
                assert facts.both(a, b) is (None if None in (a, b) else True)


@pytest.mark.parametrize(("value", "open_", "set_"), [
    (0.0, True, False), (0.49, True, False), (0.5, False, True), (1.0, False, True),
])  # fmt: skip
def test_a_contact_is_open_below_a_half(value: float, open_: bool, set_: bool) -> None:
    now = scene(strap_tight=value)
    assert facts.off(SignalId.STRAP_TIGHT)(now) is open_
    assert facts.on(SignalId.STRAP_TIGHT)(now) is set_
    assert facts.off(SignalId.LOWER_FREE)(now) is facts.on(SignalId.LOWER_FREE)(now) is None


def test_above_and_below_a_number_of_the_site() -> None:
    reserve, hot = P.battery_reserve_pct, P.motor_temp_c
    for value, low in ((reserve - 0.1, True), (reserve, False)):
        found = facts.below(SignalId.BATTERY_PCT, "battery_reserve_pct")(scene(battery_pct=value))
        assert found is low
    for value, high in ((hot, False), (hot + 0.1, True)):
        assert facts.above(SignalId.MOTOR_TEMP, "motor_temp_c")(scene(motor_temp_c=value)) is high
    sag = facts.below(SignalId.BATTERY_V, "battery_sag_v", "battery_v_ms")
    now = scene(battery_v=P.battery_sag_v - 0.1)
    assert for_once(sag, now, "battery_sag_v", P.battery_v_ms) == (False, True)


def test_time_unknown_neither_counts_nor_begins_anew() -> None:
    now = scene()
    assert now.for_ms("k", None, 100) is None
    assert "k" not in now.kept
    assert now.for_ms("k", True, 100) is False
    assert now.kept["k"] == NOW
    assert now.for_ms("k", None, 100) is None
    assert now.kept["k"] == NOW + now.gap_ns
    now.now_ns += 100 * MS
    assert now.for_ms("k", True, 100) is False
    now.now_ns += now.gap_ns
    assert now.for_ms("k", True, 100) is True
    assert now.for_ms("k", False, 100) is False
    assert "k" not in now.kept


@pytest.mark.parametrize(("age_ms", "old"), [
    (None, True), (-0.1, True), (0.0, False), (100.0, False), (100.1, True),
])  # fmt: skip
def test_a_beat_is_old_after_its_time_and_from_the_future(age_ms: float | None, old: bool) -> None:
    assert facts.older(age_ms, 100.0) is old


def test_leases_and_beats_are_lost_after_their_own_times() -> None:
    for over_ns in (0, 1):
        lease = Lease(NOW - round(P.permission_ms * MS) - over_ns, Motion.NONE, 0, False)
        assert facts.permission_lost(beats(scene(), lease=lease)) is bool(over_ns)
        guard = GuardBeat(NOW - round(P.guard_ms * MS) - over_ns, "")
        assert facts.guard_lost(beats(scene(), guard=guard)) is bool(over_ns)
        recorder = RecorderBeat(NOW - round(P.recorder_ms * MS) - over_ns, healthy=True)
        assert facts.recorder_lost(beats(scene(), recorder=recorder)) is bool(over_ns)
    assert facts.permission_lost(scene()) is facts.guard_lost(scene()) is True
    assert facts.recorder_lost(scene()) is True
    ill = RecorderBeat(NOW, healthy=False)
    assert facts.recorder_lost(beats(scene(), recorder=ill)) is True
    running = Lease(NOW, Motion.NONE, 0, in_transfer=True)
    assert facts.recorder_lost(beats(scene(), recorder=ill, lease=running)) is False


def test_a_lock_needs_a_living_lease() -> None:
    lease = Lease(NOW, Motion.NONE, 0, False, locks=frozenset({"paused"}))
    assert facts.locked("paused")(beats(scene(), lease=lease)) is True
    assert facts.locked("cleaning")(beats(scene(), lease=lease)) is False
    old = replace(lease, echo_ns=NOW - round(P.permission_ms * MS) - 1)
    assert facts.locked("paused")(beats(scene(), lease=old)) is None
    assert facts.locked("paused")(scene()) is None


def test_what_must_not_begin_may_be_finished() -> None:
    now = scene()
    assert facts.for_new(lambda _: True)(now) is True
    for who in ("aloft", "standing"):
        busy = scene()
        busy.people = replace(busy.people, **{who: True})
        assert busy.carrying and facts.for_new(lambda _: True)(busy) is False


def test_a_plan_says_nothing_without_one() -> None:
    fact = facts.plan_says(lambda plan: plan.carers < 2)
    assert fact(scene()) is False
    assert fact(beats(scene(), plan=Plan(100.0, 1, False))) is True
    assert fact(beats(scene(), plan=Plan(100.0, 2, False))) is False


@pytest.mark.parametrize(("gap_ms", "late"), [(P.lag_stop_ms, False), (P.lag_stop_ms + 1, True)])
def test_a_turn_is_late_after_its_time(gap_ms: float, late: bool) -> None:
    now = scene()
    now.gap_ns = round(gap_ms * MS)
    assert facts.lag("lag_stop_ms")(now) is late


def test_the_guard_has_cut_by_its_word_or_by_the_relay() -> None:
    assert facts.guard_cut(scene()) is False, "no relay is fitted"
    assert facts.guard_cut(beats(scene(), guard=GuardBeat(NOW, "uncommanded"))) is True
    assert facts.guard_cut(beats(scene(run_enable=1.0), guard=GuardBeat(NOW, ""))) is False
    assert for_once(facts.guard_cut, scene(run_enable=0.0), "relay_off", 100) == (False, True)
    stale = scene(run_enable=0.0)
    stale.quality = {**stale.quality, SignalId.RUN_ENABLE: Quality.STALE}
    assert facts.guard_cut(stale) is None


def test_a_relay_that_stays_closed_is_welded() -> None:
    cut = GuardBeat(NOW, "uncommanded")
    welded_ms = P.guard_ms + P.io_ms
    for relay, guard, welded in ((1.0, cut, True), (0.0, cut, False), (1.0, None, False)):
        now = beats(scene(run_enable=relay), guard=guard)
        found = for_once(facts.relay_welded, now, "relay_welded", welded_ms)
        assert found == (False, welded)
    assert for_once(
        facts.relay_welded, beats(scene(run_enable=1.0), guard=GuardBeat(NOW, "")), "relay_welded",
        welded_ms,
    )[1] is False  # fmt: skip


@pytest.mark.parametrize(("stops", "absent", "up"), [
    (1.0, 0.0, True), (1.0, 1.0, False), (0.0, 0.0, False), (1.0, None, None), (0.5, 0.0, True),
    (0.4, 0.0, False),
])  # fmt: skip
def test_on_charge_nothing_rises_where_the_maker_says_so(
    stops: float, absent: float | None, up: Truth
) -> None:
    now = scene(**({} if absent is None else {"charger_absent": absent}))
    assert facts.charger_up(replace(now, params=Params(charger_stops_up=stops))) is up


def test_an_expected_node_is_missed_after_the_deadline() -> None:
    for after_ns, late in ((0, False), (1, True)):
        now = replace(scene(load_kg=0.0), boot_ns=NOW - round(P.boot_ms * MS) - after_ns)
        assert facts.boot_deadline(replace(now, fitted=frozenset({SignalId.LOAD_KG}))) is False
        missing = frozenset({SignalId.LOAD_KG, SignalId.HOIST_POS})
        assert facts.boot_deadline(replace(now, fitted=missing)) is late


# --- duty: it heats while it raises and rests until half has gone

FULL_NS = round(P.duty_s * 1e9)


def duty(heat_ns: int, speed: float = 0.0, axis: Axis = Axis.HOIST, **kept: int) -> Scene:
    now = scene("chair" if axis is Axis.STANDER else "lift")
    now.axes = {**now.axes, axis: AxisMemory(speed, abs(speed))}
    now.kept |= {"heat_ns": heat_ns, **kept}
    return now


@pytest.mark.parametrize(("axis", "speed", "heats"), [
    (Axis.HOIST, 1.0, True), (Axis.STANDER, 1.0, True), (Axis.TRAVERSE, 1.0, False),
    (Axis.HOIST, -1.0, False), (Axis.HOIST, 0.0, False), (Axis.HOIST, 0.5, True),
])  # fmt: skip
def test_only_raising_heats(axis: Axis, speed: float, heats: bool) -> None:
    now = duty(10**9, speed, axis)
    facts.duty(now)
    rest = round(now.gap_ns * P.duty_ratio / (1 - P.duty_ratio))
    assert now.kept["heat_ns"] == 10**9 + (now.gap_ns if heats else -rest)


def test_heat_begins_at_none_and_never_falls_below() -> None:
    now = duty(0)
    del now.kept["heat_ns"]
    assert facts.duty(now) is False
    assert now.kept["heat_ns"] == 0
    warm = duty(0, 1.0)
    del warm.kept["heat_ns"]
    facts.duty(warm)
    assert warm.kept["heat_ns"] == warm.gap_ns


@pytest.mark.parametrize(("heat_ns", "hot_before", "hot"), [
    (FULL_NS - 20 * MS, False, True), (FULL_NS - 20 * MS - 1, False, False),
    (FULL_NS // 2 - 20 * MS, True, True), (FULL_NS // 2 - 20 * MS - 1, True, False),
])  # fmt: skip
def test_a_motor_that_is_hot_rests_until_half_has_gone(
    heat_ns: int, hot_before: bool, hot: bool
) -> None:
    now = duty(heat_ns, 1.0, **({"hot": 1} if hot_before else {}))
    assert facts.duty(now) is hot
    assert ("hot" in now.kept) is hot
    busy = duty(heat_ns, 1.0, **({"hot": 1} if hot_before else {}))
    busy.people = replace(busy.people, aloft=True)
    assert facts.duty(busy) is False, "what has begun is finished"


# --- axes


def axis(name: str, told: float, **values: float) -> Scene:
    it = AXES[name]
    now = scene("chair" if name == "stand" else "lift", **values)
    now.axes = {**now.axes, it.axis: AxisMemory(told, abs(told))}
    return now


NAMES = {
    "hoist": ("hoist_speed_mm_s", "hoist_height_mm", P.still_mm_s),
    "traverse": ("traverse_speed_mm_s", "traverse_pos_mm", P.still_mm_s),
    "stand": ("stand_speed_mm_s", "stand_stroke_mm", P.stand_still_mm_s),
}


@pytest.mark.parametrize("name", NAMES)
def test_an_axis_without_one_signal_has_no_feedback_and_without_both_is_lost(name: str) -> None:
    speed, position, _ = NAMES[name]
    fact = motion_facts.of_axis(name)
    for values, feedback, lost in (
        ({speed: 0.0, position: 0.0}, False, False), ({speed: 0.0}, True, False),
        ({position: 0.0}, True, False), ({}, True, True),
    ):  # fmt: skip
        now = axis(name, 0.0, **values)
        assert (fact["feedback"](now), fact["lost"](now)) == (feedback, lost)


@pytest.mark.parametrize("name", NAMES)
def test_told_to_move_and_it_does_not(name: str) -> None:
    speed, position, still = NAMES[name]
    fact, key = motion_facts.of_axis(name)["no_effect"], f"{AXES[name].axis}:no_effect"
    least = still / 4
    for told, measured, stuck in (
        (still, least - 0.01, True), (still, least, False), (still, -least, False),
        (2 * still, least, False), (0.0, 0.0, False), (0.4, 0.09, True), (0.4, 0.1, False),
    ):  # fmt: skip
        found = for_once(fact, axis(name, told, **{speed: measured}), key, P.no_effect_ms)
        assert found == (False, stuck), (told, measured)
    assert fact(axis(name, still)) is None
    # without a speed the position tells
    um = f"{AXES[name].axis}:from_um"
    reach = least * P.no_effect_ms
    for moved_um, stuck in (
        (0.0, True),
        (reach - 1, True),
        (reach, False),
        (-reach, False),
    ):
        now = axis(name, still, **{position: 100 + moved_um / 1000})
        now.kept[um] = 100_000
        assert for_once(fact, now, key, P.no_effect_ms)[0] is False
        now.kept[um] = 100_000
        assert for_once(fact, now, key, P.no_effect_ms)[1] is stuck, moved_um
    fresh = axis(name, still, **{position: 100.0})
    fresh.kept[key] = NOW - round(P.no_effect_ms * MS)
    assert fact(fresh) is True
    assert fresh.kept[um] == 100_000


def test_a_seat_that_is_down_goes_no_further() -> None:
    fact = motion_facts.of_axis("stand")["no_effect"]
    for told, standing, stuck in (
        (-6.0, False, False), (-0.5, False, False), (-6.0, True, True), (6.0, False, True),
    ):  # fmt: skip
        now = axis("stand", told, stand_speed_mm_s=0.0)
        now.people = replace(now.people, standing=standing)
        assert for_once(fact, now, "stander:no_effect", P.no_effect_ms)[1] is stuck
    low = axis("hoist", -30.0, hoist_speed_mm_s=0.0)
    assert for_once(fact := motion_facts.of_axis("hoist")["no_effect"], low, "hoist:no_effect",
                    P.no_effect_ms)[1] is True  # fmt: skip
    assert fact(axis("hoist", 0.0)) is False


@pytest.mark.parametrize("name", NAMES)
def test_speed_and_position_tell_the_same_story(name: str) -> None:
    speed, position, _ = NAMES[name]
    it, fact, key = AXES[name], motion_facts.of_axis(name)["disputed"], f"{AXES[name].axis}:um"
    slack_um = it.full_mm_s(P) * P.slip_ms
    for off_um, disputed in (
        (0.0, False), (slack_um, False), (-slack_um, False), (slack_um + 1, True),
        (-slack_um - 1, True),
    ):  # fmt: skip
        now = axis(name, 0.0, **{speed: 50.0, position: 1000.0})
        now.kept[key] = round(1_000_000 - 1000 + off_um)  # 50 mm/s for 20 ms are 1000 um
        assert fact(now) is disputed, off_um
        assert now.kept[key] == round(1_000_000 + off_um - off_um * 0.02 / motion_facts.SYNC_S)
    first = axis(name, 0.0, **{speed: 50.0, position: 1000.0})
    assert fact(first) is False
    late = axis(name, 0.0, **{speed: 50.0, position: 1000.0})
    late.kept[key], late.gap_ns = 0, round(2 * motion_facts.SYNC_S * 1000) * MS
    assert fact(late) is True
    assert late.kept[key] == 1_000_000, "after so long the measured one is taken as it is"
    for values in ({speed: 0.0}, {position: 0.0}):
        now = axis(name, 0.0, **values)
        now.kept[key] = 5
        assert fact(now) is None
        assert key not in now.kept


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("sign", [1, -1])
def test_it_moves_though_nobody_told_it(name: str, sign: int) -> None:
    speed, _, still = NAMES[name]
    fact, key = motion_facts.of_axis(name)["runaway"], f"{AXES[name].axis}:runaway"
    live = {str(AXES[name].fault): 0.0, str(AXES[name].verified): 1.0, **CLOSED}
    for measured, told, away in ((still, 0.0, False), (still + 0.1, 0.0, True), (50.0, 1.0, False)):
        now = axis(name, told, **{speed: sign * measured}, **live)
        assert for_once(fact, now, key, P.runaway_ms) == (False, away)
    assert fact(axis(name, 0.0)) is None


CLOSED = {"estop_a_closed": 1.0, "estop_b_closed": 1.0}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("change", "by_hand"), [
    ({}, False),
    ({"fault": 1.0}, True), ({"fault": None}, True),
    ({"verified": 0.0}, True), ({"verified": None}, True),
    ({"estop_a_closed": 0.0}, True), ({"estop_b_closed": 0.0}, True),
    ({"estop_a_closed": None}, True),
])  # fmt: skip
def test_what_sinks_without_power_is_the_red_strap_and_a_rail_has_none(
    name: str, change: dict[str, float | None], by_hand: bool
) -> None:
    it = AXES[name]
    known: dict[str, float | None] = {"fault": 0.0, "verified": 1.0, **CLOSED} | change
    words = {"fault": str(it.fault), "verified": str(it.verified)}
    values = {words.get(key, key): value for key, value in known.items() if value is not None}
    now = axis(name, 0.0, **values)
    assert motion_facts.emergency_lowering(it, -50.0, now) is (by_hand and name != "traverse")
    assert motion_facts.emergency_lowering(it, -0.5, now) is (by_hand and name != "traverse")
    assert motion_facts.emergency_lowering(it, 0.0, now) is False
    assert motion_facts.emergency_lowering(it, 50.0, now) is False


@pytest.mark.parametrize("name", NAMES)
def test_faster_than_it_may_have(name: str) -> None:
    speed, *_ = NAMES[name]
    it, fact = AXES[name], motion_facts.of_axis(name)["overspeed"]
    margin = P.stand_margin_mm_s if name == "stand" else P.overspeed_margin_mm_s
    live = {str(it.fault): 0.0, str(it.verified): 1.0, **CLOSED}
    most = 10.0 * P.overspeed_ratio + margin
    for told, measured, fast in (
        (10.0, most, False), (10.0, most + 0.1, True), (-10.0, -most - 0.1, True),
        (0.0, most + 0.1, False), (0.5, 0.5 * P.overspeed_ratio + margin + 0.1, True),
    ):  # fmt: skip
        now = axis(name, told, **{speed: measured}, **live)
        found = for_once(fact, now, f"{it.axis}:overspeed", P.overspeed_ms)
        assert found == (False, fast), (told, measured)
    for measured, falls in ((P.overspeed_max_mm_s, False), (P.overspeed_max_mm_s + 0.1, True)):
        dead = axis(name, 0.0, **{speed: -measured})
        found = for_once(fact, dead, f"{it.axis}:overspeed", P.overspeed_ms)
        assert found == (False, falls and name == "hoist")
    by_hand = axis(name, -10.0, **{speed: -most - 0.1})
    assert for_once(fact, by_hand, f"{it.axis}:overspeed", P.overspeed_ms)[1] is (
        name == "traverse"
    )


@pytest.mark.parametrize("name", NAMES)
def test_the_wrong_way_round(name: str) -> None:
    speed, _, still = NAMES[name]
    fact, key = motion_facts.of_axis(name)["wrong_way"], f"{AXES[name].axis}:wrong_way"
    for told, measured, wrong in (
        (10.0, -still, False), (10.0, -still - 0.1, True), (-10.0, still + 0.1, True),
        (10.0, still + 0.1, False), (0.0, -still - 0.1, False), (0.05, -still - 0.1, True),
    ):  # fmt: skip
        found = for_once(fact, axis(name, told, **{speed: measured}), key, P.wrong_way_ms)
        assert found == (False, wrong), (told, measured)


def test_the_fastest_an_axis_is_ever_told() -> None:
    assert motion_facts.SYNC_S == 2.0
    for name in ("hoist_loaded_mm_s", "hoist_empty_mm_s", "hoist_down_mm_s"):
        p = replace(Params(hoist_loaded_mm_s=50, hoist_empty_mm_s=50, hoist_down_mm_s=50))
        assert AXES["hoist"].full_mm_s(replace(p, **{name: 90.0})) == 90.0
    assert AXES["traverse"].full_mm_s(P) == P.traverse_mm_s
    assert AXES["stand"].full_mm_s(P) == P.stand_mm_s


# --- quarantine


def test_after_what_nobody_lifts_before_a_technician_has_looked() -> None:
    grave = ("runaway", "overspeed", "wrong_way")
    assert {"load_gone", "relay_welded"} | {
        f"{name}_{what}" for name in ("hoist", "traverse", "stand") for what in grave
    } == facts.EVENTS
    for row in facts.EVENTS:
        assert facts.quarantine(replace(scene(), latched=frozenset({row}))) is True
    assert facts.quarantine(scene()) is False


def slipped(load: float | None, carried: float = 100.0, **kept: int) -> Scene:
    """A loop has slipped: `load` is all that a whole window has weighed."""
    now = scene(**({} if load is None else {"load_kg": load}))
    window_ns = round(P.load_window_ms * MS)
    seen = () if load is None else ((NOW - window_ns, load), (NOW, load))
    now.people = replace(
        now.people, carried_kg=carried, loads=seen, window_ns=NOW - window_ns
    )  # fmt: skip
    now.kept |= kept
    return replace(now, latched=frozenset({"load_step"}))


WHOLE_G = round((1 - P.load_step_ratio) * 100_000)
LOST_NS = round(P.load_lost_ms * MS)


def test_a_slip_is_armed_once_and_remembers_what_was_carried() -> None:
    now = slipped(10.0)
    assert facts.quarantine(now) is False
    assert (now.kept["slip_g"], now.kept["slipped"], now.kept["slip_ns"]) == (WHOLE_G, 1, NOW)
    again = slipped(10.0, carried=20.0, **now.kept)
    assert facts.quarantine(again) is False
    assert again.kept["slip_g"] == WHOLE_G, "a new pick-up changes nothing"
    loose = replace(slipped(10.0, **now.kept), latched=frozenset())
    facts.quarantine(loose)
    assert (loose.kept["slip_g"], loose.kept["slipped"]) == (WHOLE_G, 0), "a reset neither"
    anew = slipped(10.0, carried=50.0, **loose.kept)
    facts.quarantine(anew)
    assert anew.kept["slip_g"] == WHOLE_G // 2


@pytest.mark.parametrize(("load", "back"), [
    (WHOLE_G / 1000 - 0.001, False), (WHOLE_G / 1000, True), (WHOLE_G / 1000 + 1, True),
])  # fmt: skip
def test_a_load_that_is_back_for_a_window_ends_the_suspicion(load: float, back: bool) -> None:
    now = slipped(load, slip_g=WHOLE_G, slipped=1, slip_ns=NOW - LOST_NS)
    assert facts.quarantine(now) is not back
    assert "slip_g" not in now.kept, "judged, one way or the other"
    short = slipped(load, slip_g=WHOLE_G, slipped=1)
    short.people = replace(short.people, loads=((NOW, load),))
    facts.quarantine(short)
    assert "slip_g" in short.kept, "less than a window is no proof"


def test_a_share_that_stays_away_for_its_time_and_not_sooner() -> None:
    for since_ns, lost in ((LOST_NS - 1, False), (LOST_NS, True)):
        now = slipped(10.0, slip_g=WHOLE_G, slipped=1, slip_ns=NOW - since_ns)
        assert facts.quarantine(now) is lost
        assert ("slip_g" in now.kept) is not lost
    unknown = slipped(None, slip_g=WHOLE_G, slipped=1, slip_ns=NOW - LOST_NS)
    assert facts.quarantine(unknown) is None
    assert unknown.kept["slip_g"] == WHOLE_G
    edge = slipped(WHOLE_G / 1000, slip_g=WHOLE_G, slipped=1, slip_ns=NOW - LOST_NS)
    edge.people = replace(edge.people, loads=((NOW, WHOLE_G / 1000),))
    assert facts.quarantine(edge) is False, "exactly the share is there"
    calm = replace(slipped(-1.0), latched=frozenset())
    calm.kept["slip_ns"] = NOW - LOST_NS
    assert facts.quarantine(calm) is False


# --- chair


def sitting(speed: float, current: float | None, may_have: float, **kept: int) -> Scene:
    now = scene("chair", **({} if current is None else {"stand_current_a": current}))
    now.axes = {**now.axes, Axis.STANDER: AxisMemory(speed, may_have)}
    now.kept |= kept
    return now


HIGH = P.sit_current_a + 0.1


@pytest.mark.parametrize(("current", "may_have", "stuck"), [
    (HIGH, 0.0, True), (P.sit_current_a, 0.0, False), (HIGH, 0.5, False),
])  # fmt: skip
def test_a_current_that_is_high_at_rest_for_a_second(
    current: float, may_have: float, stuck: bool
) -> None:
    fact = chair_facts.current_stuck
    now = sitting(0.0, current, may_have)
    now.axes = {**now.axes, Axis.DRIVE: AxisMemory(9.0, 9.0)}
    assert for_once(fact, now, "current_at_rest", 1000) == (False, stuck)
    high = current > P.sit_current_a
    assert fact(sitting(-6.0, current, 6.0, current_stuck=1)) is high, "until it was low once"
    assert fact(sitting(-6.0, None, 6.0, current_stuck=1)) is True


@pytest.mark.parametrize(("speed", "current", "kept", "obstructed"), [
    (-6.0, HIGH, {}, True), (-0.5, HIGH, {}, True), (0.0, HIGH, {}, False), (6.0, HIGH, {}, False),
    (-6.0, P.sit_current_a, {}, False), (-6.0, HIGH, {"current_stuck": 1}, False),
])  # fmt: skip
def test_it_pushes_while_it_should_let_down(
    speed: float, current: float, kept: dict[str, int], obstructed: bool
) -> None:
    now = sitting(speed, current, abs(speed), **kept)
    found = for_once(chair_facts.sit_obstructed, now, "sit_obstructed", P.sit_current_ms)
    assert found == (False, obstructed)
    assert chair_facts.sit_obstructed(sitting(-6.0, None, 6.0)) is None


def test_who_stands_and_what_rolls() -> None:
    for standing in (True, False):
        now = scene("chair", stand_stroke_mm=50.0)
        now.people = replace(now.people, standing=standing)
        assert chair_facts.stood(now) is standing
        dark = replace(scene("chair"), people=now.people)
        assert chair_facts.stood(dark) is None
    for rpm, rolls in ((0.0, False), (1.0, False), (-1.0, False), (1.1, True), (-1.1, True)):
        assert chair_facts.drive_moving(scene("chair", drive_speed_rpm=rpm)) is rolls
    assert chair_facts.drive_moving(scene("chair")) is None


# --- how long something lasts, by a signal that may be silent (rule 5)


@pytest.mark.parametrize(("ago_ms", "lasts"), [(0, True), (1, False), (100, False)])
def test_a_duration_lasts_until_its_signal_was_last_heard(ago_ms: int, lasts: bool) -> None:
    now = scene(load_kg=1.0)
    now.kept["key"] = NOW - 50 * MS
    now.heard_ns = {S.LOAD_KG: NOW - ago_ms * MS, S.HOIST_POS: NOW}
    assert now.for_ms("key", True, 50, by=S.LOAD_KG) is lasts
    assert now.for_ms("key", True, 50) is True
    assert now.for_ms("key", True, 50, by=S.BATTERY_V) is False, "never heard: no duration at all"
    assert now.kept["key"] == NOW - 50 * MS


@pytest.mark.parametrize(("ago_ms", "from_ms"), [(0, 0), (5, 5), (19, 19), (20, 0), (150, 0)])
def test_it_begins_with_the_sample_that_shows_it(ago_ms: int, from_ms: int) -> None:
    """One from before the last step was no sign of it then: it begins now."""
    now = scene(load_kg=1.0)
    now.heard_ns = {S.LOAD_KG: NOW - ago_ms * MS}
    assert now.for_ms("key", True, 1000, by=S.LOAD_KG) is False
    assert now.kept["key"] == NOW - from_ms * MS


def test_what_a_drive_said_once_is_no_duration() -> None:
    for name, (speed, _, still) in NAMES.items():
        for what, told, measured, bound in (
            ("runaway", 0.0, 3 * still, P.runaway_ms), ("overspeed", 1.0, 100.0, P.overspeed_ms),
            ("wrong_way", 9.0, -3 * still, P.wrong_way_ms),
        ):  # fmt: skip
            live = {str(AXES[name].fault): 0.0, str(AXES[name].verified): 1.0, **CLOSED}
            now = axis(name, told, **{speed: measured}, **live)
            now.kept[f"{AXES[name].axis}:{what}"] = NOW - round(bound * MS)
            assert motion_facts.of_axis(name)[what](now) is True
            now.heard_ns = {**now.heard_ns, AXES[name].speed: NOW - 1}
            assert motion_facts.of_axis(name)[what](now) is False


def test_two_contacts_that_differ_in_one_frame_are_no_discrepancy() -> None:
    fact = facts.pair_differs(S.ESTOP_A, S.ESTOP_B, "estop_discrepancy_ms")
    now = scene(estop_a_closed=1.0, estop_b_closed=0.0)
    now.kept["estop_a_closed:estop_discrepancy_ms"] = NOW - round(P.estop_discrepancy_ms * MS)
    assert fact(now) is True
    now.heard_ns = {S.ESTOP_A: NOW - 1, S.ESTOP_B: NOW}
    assert fact(now) is False
