"""What the kernel believes of a person, step by step, at its bounds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from safety import memory
from safety.bounds import Params
from safety.memory import EMPTY, LOST_PICKUPS, NEVER_NS, RISE_NS, Measured, People
from safety.verdict import Event, Marker

P, MS, NOW = Params(), 1_000_000, 10**10
WINDOW_NS = round(P.load_window_ms * MS)
NOBODY = People(aloft=False, standing=False, pickup=3)


def seen(load_kg: float | None = None, height_mm: float | None = 1000.0, **more: Any) -> Measured:
    return replace(Measured(load_kg, height_mm, None, lowering=False), **more)


def after(before: People, now: Measured, confirmed: int = 0, kind: str = "lift") -> People:
    return memory.remember(before, kind, now, confirmed, NOW, P)[0]


def loads(*pairs: tuple[float, float]) -> tuple[tuple[int, float], ...]:
    """(how many windows ago, kg), the oldest first."""
    return tuple((NOW - round(ago * WINDOW_NS), kg) for ago, kg in pairs)


HUNG = replace(
    NOBODY, aloft=True, confirmed=True, pickup_height_mm=900.0, carried_kg=70.0,
    loads=loads((1.9, 70.0), (0.1, 70.0)), window_ns=NOW - WINDOW_NS, load_ns=NOW - 20 * MS,
    confirmed_ns=NOW - 20 * MS, silent=False,
)  # fmt: skip


@pytest.mark.parametrize(("kg", "hangs"), [(P.aloft_kg, False), (P.aloft_kg + 0.1, True)])
def test_a_pick_up_begins_above_its_weight_and_is_new(kg: float, hangs: bool) -> None:
    now, events = memory.remember(replace(NOBODY, carried_kg=50.0), "lift", seen(kg), 4, NOW, P)
    assert now.aloft is hangs
    if hangs:
        assert events == (Event("pickup", "4"),)
        assert (now.pickup, now.pickup_height_mm, now.carried_kg) == (4, 1000.0, 0.0)
        assert not now.confirmed, "confirmed is who hangs already"
        assert after(now, seen(kg), confirmed=4).confirmed
        assert not after(now, seen(kg), confirmed=3).confirmed
    else:
        assert (events, now.pickup) == ((), 3)


def test_pick_up_none_is_confirmed_by_nothing() -> None:
    assert not after(replace(HUNG, pickup=0, confirmed=False), seen(70.0), confirmed=0).confirmed


@pytest.mark.parametrize(("least", "now_kg", "hangs"), [
    (P.aloft_clear_kg, 0.0, True), (P.aloft_clear_kg - 0.1, 0.0, False), (70.0, 0.0, True),
])  # fmt: skip
def test_set_down_is_what_a_whole_window_says(least: float, now_kg: float, hangs: bool) -> None:
    before = replace(HUNG, loads=loads((1.9, 70.0), (1.0, least), (0.5, 0.0)), lowered_ns=NOW)
    now, events = memory.remember(before, "lift", seen(now_kg), 0, NOW, P)
    assert now.aloft is hangs
    assert events == (() if hangs else (Event("setdown", "3"),))


def test_less_than_a_window_is_no_set_down() -> None:
    for first, hangs in ((1.0, False), (0.99, True)):
        before = replace(HUNG, loads=loads((first, 0.0)), lowered_ns=NOW)
        assert after(before, seen(0.0)).aloft is hangs
    assert after(replace(HUNG, loads=()), seen(None)).aloft, "an unknown load is nobody's end"


def test_who_is_unconfirmed_hangs_from_the_lowest_known_height() -> None:
    before = replace(HUNG, confirmed=False)
    for height, start in ((950.0, 900.0), (850.0, 850.0), (None, None)):
        assert after(before, seen(70.0, height)).pickup_height_mm == start
        assert after(HUNG, seen(70.0, height)).pickup_height_mm == 900.0, "confirmed"
    assert after(replace(before, pickup_height_mm=None), seen(70.0)).pickup_height_mm is None


def test_what_was_weighed_when() -> None:
    before = replace(HUNG, loads=loads((2.1, 90.0), (2.0, 60.0), (1.0, 50.0)))
    now = after(before, seen(55.0, lowering=True))
    assert now.loads == (*loads((2.0, 60.0), (1.0, 50.0)), (NOW, 55.0))
    assert (now.window_ns, now.load_ns, now.lowered_ns) == (NOW - WINDOW_NS, NOW, NOW)
    assert (now.load_kg, now.before_kg, now.most_kg, now.least_kg) == (55.0, 60.0, 55.0, 50.0)
    silent = after(before, seen(None))
    assert (silent.load_ns, silent.lowered_ns, silent.silent) == (NOW - 20 * MS, NEVER_NS, True)
    assert now.silent is False
    assert (now.unseen_ns, after(before, seen(55.0, unseen=True)).unseen_ns) == (NEVER_NS, NOW)
    assert silent.loads == loads((2.0, 60.0), (1.0, 50.0))
    none = replace(NOBODY, loads=())
    assert (none.load_kg, none.before_kg, none.most_kg, none.least_kg) == (0, 0, 0, 0)
    assert not none.whole_window and not none.confirmed_lately


def test_the_most_that_filled_a_window_was_carried() -> None:
    full = loads((2.0, 60.0), *((1.9 - n / 10, 80.0) for n in range(19)))
    gone = loads((2.05, 60.0), *((1.9 - n / 10, 80.0) for n in range(19)))
    new = replace(HUNG, confirmed=False, confirmed_ns=NEVER_NS)
    assert after(replace(new, loads=gone), seen(85.0)).carried_kg == 80.0
    assert after(replace(new, loads=full), seen(85.0)).carried_kg == 70.0, "not yet whole"
    assert after(replace(new, loads=gone), seen(75.0)).carried_kg == 75.0
    assert after(replace(new, loads=gone, carried_kg=90.0), seen(85.0)).carried_kg == 90.0
    assert after(replace(NOBODY, loads=gone), seen(5.0)).carried_kg == 0.0


def test_a_confirmed_person_gains_weight_only_in_a_free_rise() -> None:
    gone = loads((2.05, 60.0), *((1.9 - n / 10, 80.0) for n in range(19)))
    up = seen(85.0, raising=True)
    rising = replace(HUNG, loads=gone, rising_ns=NOW - RISE_NS)
    assert after(rising, up).carried_kg == 80.0
    assert after(rising, up).rising_ns == NOW - RISE_NS
    assert after(replace(rising, rising_ns=NOW - RISE_NS + 1), up).carried_kg == 70.0, "too short"
    assert after(replace(rising, rising_ns=None), up).rising_ns == NOW
    for still in (seen(85.0), seen(85.0, lowering=True)):
        assert (after(rising, still).carried_kg, after(rising, still).rising_ns) == (70.0, None)
    assert after(replace(rising, carried_kg=0.0), seen(85.0)).carried_kg == 80.0, "not yet known"
    caught = after(rising, seen(80.0 + max(10.0, 0.25 * 70) + 0.1, raising=True))
    assert (caught.carried_kg, caught.rising_ns) == (70.0, NOW), (
        "a jump: what is caught is not theirs"
    )


@pytest.mark.parametrize(("carried", "gain", "jumps"), [
    (70.0, 17.5, False), (70.0, 17.6, True), (20.0, 10.0, False), (20.0, 10.1, True),
])  # fmt: skip
def test_a_jump_is_more_than_anybody_weighs_more_at_once(
    carried: float, gain: float, jumps: bool
) -> None:
    who = replace(HUNG, carried_kg=carried, loads=loads((0.5, 70.0), (0.0, 70.0 + gain)))
    assert who.jumps(P) is jumps


def test_at_the_confirmation_hangs_who_hangs_then() -> None:
    """Whoever pulled at the loops to look at them has let go."""
    before = replace(HUNG, confirmed=False, carried_kg=95.0, loads=loads((1.9, 95.0), (0.5, 68.0)))
    assert after(before, seen(69.0), confirmed=3).carried_kg == 68.0
    assert after(replace(before, confirmed=True), seen(69.0), confirmed=3).carried_kg == 95.0
    spike = replace(before, loads=loads((0.5, -0.1), (0.1, 20.0)))
    assert after(spike, seen(-0.1), confirmed=3).carried_kg == 0.0, (
        "nobody weighs less than nothing"
    )
    assert after(before, seen(69.0), confirmed=2).carried_kg == 95.0


SLACK = replace(HUNG, slack_ns=NOW - WINDOW_NS)
UNLOADED = max(P.aloft_kg, HUNG.carried_kg / 2)


@pytest.mark.parametrize(("change", "now", "anew"), [
    ({}, {}, True),
    ({"slack_ns": NOW - WINDOW_NS + 1}, {}, False),
    ({"slack_ns": None}, {}, False),
    ({"confirmed": False}, {}, False),
    ({}, {"slack": True}, False),
])  # fmt: skip
def test_a_strap_that_is_tight_again_carries_other_loops(
    change: dict[str, Any], now: dict[str, Any], anew: bool
) -> None:
    before = replace(SLACK, **change)
    found, events = memory.remember(before, "lift", seen(**({"load_kg": 70.0} | now)), 0, NOW, P)
    assert found.pickup == 3 + anew
    assert found.confirmed is (before.confirmed and not anew)
    if anew:
        assert events == (Event("setdown", "3"), Event("pickup", "4"))
        assert (found.carried_kg, found.pickup_height_mm, found.slack_ns) == (0.0, 1000.0, None)
    if not now:
        assert found.slack_ns is None


@pytest.mark.parametrize(("load", "since", "then"), [
    (UNLOADED - 0.1, None, NOW), (UNLOADED - 0.1, 5, 5), (UNLOADED, 5, None), (None, 5, 5),
    (None, None, None),
])  # fmt: skip
def test_slack_counts_while_the_load_is_gone(
    load: float | None, since: int | None, then: int | None
) -> None:
    found = after(replace(HUNG, slack_ns=since), seen(load, slack=True))
    assert found.slack_ns == then


def test_a_slack_strap_below_an_unknown_load_is_no_new_pick_up() -> None:
    found = after(SLACK, seen(None, slack=True))
    assert (found.pickup, found.confirmed) == (3, True)


def test_how_long_a_free_rise_is_and_how_many_pick_ups_a_dead_gate_may_have_counted() -> None:
    assert (RISE_NS, LOST_PICKUPS) == (300_000_000, 1000)


def test_who_weighs_little_is_unloaded_below_the_weight_of_a_pick_up() -> None:
    light = replace(HUNG, carried_kg=20.0)
    assert after(light, seen(P.aloft_kg - 0.1, slack=True)).slack_ns == NOW
    assert after(light, seen(P.aloft_kg, slack=True)).slack_ns is None


@pytest.mark.parametrize(("change", "now", "vanished"), [
    ({}, {}, True),
    ({"silent": False}, {}, False),
    ({"load_ns": NOW - 20 * MS}, {}, True),
    ({"load_ns": NEVER_NS}, {"lowering": True}, True),
    ({"lowered_ns": NOW - 2 * WINDOW_NS}, {}, True),
    ({"lowered_ns": NOW - 2 * WINDOW_NS + 1}, {}, False),
    ({}, {"lowering": True}, False),
    ({}, {"slack": True}, False),
    ({}, {"reset": True}, False),
    ({}, {"load_kg": P.aloft_clear_kg}, False),
    ({}, {"load_kg": P.aloft_clear_kg - 0.1}, True),
    ({"aloft": False}, {}, False),
    ({"vanished": True, "load_ns": NOW}, {"load_kg": P.aloft_kg}, True),
    ({"vanished": True, "load_ns": NOW}, {"load_kg": P.aloft_kg + 0.1}, False),
    ({"vanished": True}, {"load_kg": None, "reset": True}, True),
])  # fmt: skip
def test_a_scale_that_was_silent_and_says_nobody(
    change: dict[str, Any], now: dict[str, Any], vanished: bool
) -> None:
    before = replace(HUNG, loads=(), load_ns=NOW - 2 * WINDOW_NS, silent=True)
    found = after(replace(before, **change), seen(**({"load_kg": 0.0} | now)))
    assert found.vanished is vanished
    if vanished:
        assert found.aloft


STOOD = replace(
    NOBODY, standing=True, stroke_mm=200.0, stroke_ns=NOW - 1000 * MS, silent=False
)  # fmt: skip
MOST_MM = P.stand_mm_s * (1000 + P.slip_ms) / 1000


@pytest.mark.parametrize(("before", "stroke", "stands"), [
    (False, P.standing_mm, False), (False, P.standing_mm + 0.1, True),
    (True, P.standing_clear_mm, True), (True, P.standing_clear_mm - 0.1, False),
    (True, None, True), (False, None, False),
])  # fmt: skip
def test_who_stands(before: bool, stroke: float | None, stands: bool) -> None:
    person = replace(
        NOBODY, standing=before, stroke_mm=stroke or 5.0, stroke_ns=NOW - 20 * MS, silent=False
    )  # fmt: skip
    now = after(person, seen(stroke_mm=stroke), kind="chair")
    assert (now.standing, now.vanished) == (stands, False)
    assert (now.stroke_ns, now.stroke_mm) == (
        (NOW, stroke) if stroke is not None else (person.stroke_ns, 5.0)
    )


@pytest.mark.parametrize(("change", "stroke", "reset", "vanished"), [
    ({"stroke_mm": MOST_MM}, 0.0, False, False),
    ({"stroke_mm": MOST_MM + 0.005}, 0.0, False, True),
    ({}, 0.0, False, True),
    ({}, 0.0, True, False),
    ({"stroke_mm": 0.0, "silent": True}, P.standing_clear_mm - 0.1, False, True),
    ({"stroke_mm": 0.0, "silent": True}, P.standing_clear_mm, False, False),
    ({"stroke_mm": 0.0, "silent": True, "standing": False}, 0.0, False, False),
    ({"standing": False}, 0.0, False, False),
    ({"vanished": True, "stroke_mm": 0.0}, 0.0, False, True),
    ({"vanished": True, "stroke_mm": 0.0}, P.standing_mm, False, True),
    ({"vanished": True, "stroke_mm": 0.0}, P.standing_mm + 0.1, False, False),
])  # fmt: skip
def test_a_stroke_that_fell_faster_than_anybody_sits(
    change: dict[str, Any], stroke: float, reset: bool, vanished: bool
) -> None:
    before = replace(STOOD, **change)
    now = after(before, seen(stroke_mm=stroke, reset=reset), kind="chair")
    assert (now.vanished, now.silent) == (vanished, False)
    kept = before.standing and stroke >= P.standing_clear_mm
    assert now.standing is (vanished or kept or stroke > P.standing_mm)


def test_a_restart_over_somebody() -> None:
    for kind in ("lift", "chair"):
        for flying in (True, False):
            now = People.after_boot(kind, Marker(9, flying, (), 0))
            assert (now.aloft, now.standing) == (
                flying and kind == "lift", flying and kind == "chair",
            )  # fmt: skip
            assert now.pickup == LOST_PICKUPS * flying
            again = People.after_boot(kind, Marker(9, flying, (), 5))
            assert again.pickup == 5 + LOST_PICKUPS * flying, "no number of a dead gate comes again"


@pytest.mark.parametrize("who", ["aloft", "standing", "busy"])
def test_the_marker_says_in_flight_while_anybody_is_or_anything_may_move(who: str) -> None:
    person = replace(NOBODY, **({who: True} if who != "busy" else {}))
    wanted, now = memory.want_marker(EMPTY, person, frozenset({"b", "a"}), who == "busy", 0)
    assert wanted == Marker(1, in_flight=True, latched=("a", "b"), pickup=3)
    assert not now.marker_is_durable, "asked for, not yet written"
    again, later = memory.want_marker(wanted, now, frozenset({"a", "b"}), who == "busy", 0)
    assert (again, later.marker_is_durable) == (wanted, False)
    same, later = memory.want_marker(wanted, now, frozenset({"a", "b"}), who == "busy", 1)
    assert (same, later.marker_is_durable) == (wanted, True)
    more, later = memory.want_marker(same, later, frozenset({"a"}), who == "busy", 1)
    assert (more.seq, later.marker_is_durable) == (2, True), "in flight is durable already"
    idle, later = memory.want_marker(more, NOBODY, frozenset(), busy=False, durable_seq=2)
    assert (idle, later.marker_is_durable) == (Marker(3, False, (), 3), False)


def test_windows_of_loads() -> None:
    at = NOW - WINDOW_NS
    pairs = ((at - 2, 40.0), (at - 1, 60.0), (at, 65.0), (at + 1, 70.0), (at + 2, 68.0))
    now = replace(NOBODY, loads=pairs, window_ns=at)
    assert (now.before_kg, now.least_kg, now.most_kg, now.load_kg) == (60.0, 65.0, 70.0, 68.0)
    assert now.whole_window
    assert not replace(now, window_ns=at - 3).whole_window
    for confirmed_ns, lately in ((at - 3, False), (at - 2, True), (at, True)):
        assert replace(now, confirmed_ns=confirmed_ns).confirmed_lately is lately
    early = replace(NOBODY, loads=((5, 70.0), (9, 70.0)), confirmed_ns=5)
    assert early.confirmed_lately
    assert NEVER_NS == -1_000_000_000_000_000_000


def test_an_unknown_load_keeps_the_last_belief() -> None:
    assert not after(NOBODY, seen(None)).aloft
    whole = replace(HUNG, loads=loads((1.9, 0.0), (0.5, 0.0)), lowered_ns=NOW)
    assert after(whole, seen(None)).aloft
