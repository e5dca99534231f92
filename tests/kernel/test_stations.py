"""Presses and ownership, each rule alone and at its bound (rules 2 and 6)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from safety import stations
from safety.stations import FORGET_NS, HAND, Station, Stations
from safety.types import Beat, Motion
from safety.verdict import Event
from tests.kernel.scenes import MS, NOW, P

M = Motion
LIMIT_NS = round(P.evidence_ms * MS)
ONE, TWO = "panel:1", "panel:2"
CALM = Station("s", neutral=True, ever_neutral=True, last_press=6, echo_ns=NOW, rx_ns=NOW)
HELD = replace(CALM, press=7, last_press=7, motion=M.UP, press_ns=NOW - 9, neutral=False)
ENDED = replace(HELD, press=0, motion=M.NONE)


def room(owner: str = ONE, idle_ns: int = 5, **by: Station) -> Stations:
    """`one`, `two`, `hand`."""
    names = {"one": ONE, "two": TWO, "hand": HAND}
    return Stations({names[key]: station for key, station in by.items()}, owner, idle_ns)


def said(press: int, motion: Motion, station: str = ONE, session: str = "s") -> Beat:
    return Beat(station, session, press, motion, NOW, NOW)


def told(before: Stations, *beats: Beat) -> tuple[Stations, list[Event]]:
    events: list[Event] = []
    for item in beats:
        before, more = stations.beat(before, item, NOW, P)
        events += more
    return before, events


@pytest.mark.parametrize(("age_ns", "alive"), [
    (-1, False), (0, True), (LIMIT_NS, True), (LIMIT_NS + 1, False),
])  # fmt: skip
def test_a_station_lives_while_both_its_times_are_young(age_ns: int, alive: bool) -> None:
    for late in ({"echo_ns": NOW - age_ns}, {"rx_ns": NOW - age_ns}):
        assert stations.live(replace(CALM, **late), NOW, P) is alive


def test_a_kill_ends_what_is_pressed_and_nothing_else() -> None:
    after, events = stations.kill(room(one=HELD, two=CALM), "why", NOW)
    assert after == room(idle_ns=NOW, one=ENDED, two=CALM)
    assert events == (Event("stop", "why"),)
    calm = room(one=CALM, two=CALM)
    assert stations.kill(calm, "why", NOW) == (calm, ())


@pytest.mark.parametrize("over_ns", [0, 1])
def test_a_silent_station_is_forgotten_after_a_minute(over_ns: int) -> None:
    silent = replace(CALM, rx_ns=NOW - FORGET_NS - over_ns)
    after, _, _ = stations.expire(room("", one=silent), NOW, P)
    assert (ONE in after.by_name) is not bool(over_ns)
    assert FORGET_NS == 60_000_000_000


def test_a_press_that_nobody_ended_is_never_forgotten() -> None:
    other = replace(HELD, rx_ns=NOW - FORGET_NS - 1)
    after, events, lost = stations.expire(room("", one=other), NOW, P)
    assert (after.by_name, events, lost) == ({ONE: other}, (), False)


@pytest.mark.parametrize("over_ns", [0, 1])
def test_a_press_without_young_evidence_is_lost(over_ns: int) -> None:
    held = replace(HELD, echo_ns=NOW - LIMIT_NS - over_ns)
    after, events, lost = stations.expire(room(one=held), NOW, P)
    if not over_ns:
        assert (after, events, lost) == (room(one=held), (), False)
        return
    assert after.by_name[ONE] == replace(ENDED, echo_ns=held.echo_ns)
    assert (after.owner, events, lost) == ("", (Event("stop", "evidence_lost"),), True)


@pytest.mark.parametrize("over_ns", [0, 1])
def test_ownership_lapses_at_rest_and_never_while_pressed(over_ns: int) -> None:
    since = NOW - round(P.ownership_ms * MS) - over_ns
    after, _, _ = stations.expire(room(idle_ns=since, one=CALM), NOW, P)
    assert after.owner == ("" if over_ns else ONE)
    after, _, _ = stations.expire(room(idle_ns=since, one=HELD), NOW, P)
    assert after.owner == ONE


def test_ownership_lapses_with_its_own_station_and_no_other() -> None:
    dead = replace(CALM, rx_ns=0)
    after, _, _ = stations.expire(room(idle_ns=NOW, one=CALM, two=dead), NOW, P)
    assert after.owner == ONE
    after, _, _ = stations.expire(room(idle_ns=NOW, one=replace(CALM, echo_ns=0)), NOW, P)
    assert after.owner == ""


@pytest.mark.parametrize(("station", "held"), [
    (replace(CALM, ever_neutral=False), True), (CALM, False),
    (replace(CALM, ever_neutral=False, last_press=0), False),
    (replace(CALM, ever_neutral=False, rx_ns=0), False),
])  # fmt: skip
def test_a_key_that_was_down_from_the_start(station: Station, held: bool) -> None:
    assert stations.held_at_start(room(one=station), NOW, P) is held
    assert stations.held_at_start(room(one=CALM, two=station), NOW, P) is held


def test_a_station_that_is_gone_ends_its_press_and_its_ownership() -> None:
    after, events = stations.gone(room(one=HELD, two=CALM), ONE, NOW)
    assert after == room("", NOW, one=replace(ENDED, echo_ns=0), two=CALM)
    assert events == (Event("stop", "station_gone"),)


def test_a_station_at_neutral_goes_without_an_event_and_must_be_seen_at_neutral_again() -> None:
    after, events = stations.gone(room(one=CALM, two=CALM), ONE, NOW)
    assert after == room("", one=replace(CALM, neutral=False, echo_ns=0), two=CALM)
    assert events == ()


@pytest.mark.parametrize("name", [TWO, "panel:9"])
def test_another_station_that_goes_takes_nothing_from_the_owner(name: str) -> None:
    after, events = stations.gone(room(one=HELD, two=CALM), name, NOW)
    left = CALM if name != TWO else replace(CALM, neutral=False, echo_ns=0)
    assert (after, events) == (room(one=HELD, two=left), ())


# --- beats


def test_the_first_beat_of_a_station() -> None:
    new = Station("s", echo_ns=NOW, rx_ns=NOW)
    after, events = told(room(""), said(0, M.NONE))
    assert (after, events) == (room("", one=replace(new, neutral=True, ever_neutral=True)), [])
    after, events = told(room(""), said(7, M.UP))
    assert after == room("", one=replace(new, last_press=7))
    assert events == [Event("refused", "no_neutral")]
    assert stations.held_at_start(after, NOW, P)


def test_a_fresh_press_of_whoever_owns_or_of_anybody_when_nobody_does() -> None:
    for owner in ("", ONE):
        after, events = told(room(owner, one=CALM), said(7, M.UP))
        assert after == room(ONE, one=replace(HELD, press_ns=NOW))
        assert events == [Event("press", "panel:1:UP")]


def test_the_same_beat_again_changes_nothing_but_its_age() -> None:
    old = replace(HELD, echo_ns=NOW - 5, rx_ns=NOW - 3)
    assert told(room(one=old), said(7, M.UP)) == (room(one=HELD), [])


@pytest.mark.parametrize("again", [said(7, M.DOWN), said(8, M.UP), said(6, M.UP)])
def test_another_direction_or_press_without_neutral_stops(again: Beat) -> None:
    after, events = told(room(one=HELD), again)
    ended = replace(ENDED, last_press=max(7, again.press))
    assert (after, events) == (room(idle_ns=NOW, one=ended), [Event("stop", "changed_press")])


@pytest.mark.parametrize("calm", [said(0, M.NONE), said(0, M.UP), said(9, M.NONE)])
def test_a_release(calm: Beat) -> None:
    after, events = told(room(one=HELD), calm)
    free = replace(ENDED, neutral=True)
    assert (after, events) == (room(idle_ns=NOW, one=free), [Event("release", ONE)])
    assert told(room(one=CALM), calm) == (room(one=CALM), [])


@pytest.mark.parametrize("spent", [said(6, M.UP), said(5, M.UP)])
def test_a_spent_press_never_lives_again(spent: Beat) -> None:
    assert told(room(one=CALM), spent) == (room(one=CALM), [])


@pytest.mark.parametrize("odd", [M.UP | M.DOWN, M.UP | M.LEFT])
def test_two_motions_at_once_are_none(odd: Motion) -> None:
    after, events = told(room(one=CALM), said(7, odd))
    assert (after, events) == (room(one=replace(CALM, last_press=7)), [])


def test_without_neutral_nothing_moves_and_the_press_is_spent() -> None:
    waiting = replace(CALM, neutral=False)
    after, events = told(room("", one=waiting), said(7, M.UP))
    assert (after, events) == (
        room("", one=replace(waiting, last_press=7)), [Event("refused", "no_neutral")],
    )  # fmt: skip


def test_a_press_of_another_stops_whoever_moves() -> None:
    after, events = told(room(one=HELD, two=CALM), said(7, M.DOWN, TWO))
    assert after == room(
        idle_ns=NOW, one=ENDED, two=replace(CALM, last_press=7, neutral=False)
    )  # fmt: skip
    assert events == [Event("stop", "pressed_by:panel:2"), Event("refused", "two_stations")]
    waiting = replace(CALM, neutral=False)
    after, events = told(room(one=HELD, two=waiting), said(7, M.DOWN, TWO))
    assert after == room(idle_ns=NOW, one=ENDED, two=replace(waiting, last_press=7))
    assert events == [Event("stop", "pressed_by:panel:2")]


def test_the_hand_control_owns_from_its_first_press_and_moves_with_its_next() -> None:
    after, events = told(room(one=CALM, hand=CALM), said(7, M.UP, HAND))
    taken = replace(CALM, last_press=7, neutral=False)
    assert after == room(HAND, NOW, one=CALM, hand=taken)
    assert events == [Event("refused", "two_stations")]
    after, events = told(after, said(0, M.NONE, HAND), said(8, M.UP, HAND))
    assert stations.pressed(after) == M.UP
    assert events == [Event("press", "hand:UP")]


def test_a_page_that_is_new_ends_the_press_of_the_one_before() -> None:
    after, events = told(room(one=HELD), said(1, M.UP, session="t"))
    assert after.by_name[ONE] == replace(Station("t"), last_press=1, echo_ns=NOW, rx_ns=NOW)
    assert (after.owner, stations.pressed(after)) == ("", M.NONE)
    assert events == [Event("stop", "station_gone"), Event("refused", "no_neutral")]


def test_a_station_that_was_silent_has_not_been_seen_at_neutral() -> None:
    """Nobody knows what it did in between (H3)."""
    silent = replace(CALM, echo_ns=NOW - LIMIT_NS - 1)
    after, events = told(room("", one=silent), said(7, M.UP))
    assert (stations.pressed(after), events) == (M.NONE, [Event("refused", "no_neutral")])


@pytest.mark.parametrize("late", [{"echo_ns": NOW - LIMIT_NS - 1}, {"rx_ns": NOW - LIMIT_NS - 1},
                                  {"echo_ns": NOW + 1}, {"rx_ns": NOW + 1}])  # fmt: skip
def test_an_old_beat_is_no_evidence(late: dict[str, int]) -> None:
    for before in (room(one=CALM), room(one=HELD)):
        for item in (said(7, M.UP), said(8, M.DOWN), said(0, M.NONE)):
            assert told(before, replace(item, **late)) == (before, [])


def test_ages_never_go_backwards() -> None:
    older = replace(said(7, M.UP), echo_ns=NOW - 50, rx_ns=NOW - 40)
    assert told(room(one=HELD), older) == (room(one=HELD), [])


@pytest.mark.parametrize(("press", "since_ns", "ms"), [(7, 9, 9e-6), (0, 9, 0.0)])
def test_how_long_it_has_been_held(press: int, since_ns: int, ms: float) -> None:
    now = room(one=replace(HELD, press=press, press_ns=NOW - since_ns))
    assert stations.held_ms(now, NOW) == ms
    assert stations.pressed(now) == (M.UP if press else M.NONE)
    assert stations.held_ms(room("", one=HELD), NOW) == 0.0
