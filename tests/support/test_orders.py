"""What comes twice, too often, too late, or from nobody known."""

from __future__ import annotations

from dataclasses import replace

from liftctl.remote import documents as d
from liftctl.support.values import Record
from tests.support.world import WALL_S, Room, asked, head


def test_an_order_counts_once_also_over_a_restart() -> None:
    room = Room()
    request = asked()
    room.order(request)
    room.press("support_no")
    room.order(request)
    again = room.restart()
    again.order(request)
    assert room.codes() == ["LC-REM-REFUSED", "LC-REM-REPLAY"]
    assert again.codes() == ["LC-REM-REPLAY"] and again.state.kept.request is None


def test_an_order_that_is_handed_out_again_and_again_is_told_once() -> None:
    room = Room()
    request = asked()
    for _ in range(100):
        room.order(request)
        room.after(5)
    assert room.events() == ["support_asked", "order_refused"]
    assert room.codes() == ["LC-REM-REPLAY"]


def test_a_flood_from_nobody_does_not_fill_the_ledger() -> None:
    room = Room()
    strange = d.LiveRequest(**head(controller="south-9"))
    for _ in range(50):
        room.order(strange)
    assert room.events() == ["order_refused"] * 10 and len(room.told(d.Answer)) == 10
    for _ in range(288):  # and then every five minutes, for a day
        room.after(300)
        room.order(strange)
    assert len(room.events()) <= 10 + 24
    times = [int(item.detail["times"]) for item in room.outputs if isinstance(item, Record)]
    assert 300 < sum(times) <= 338, "what is not recorded one by one is counted"


def test_a_stolen_key_that_signs_without_end_fills_neither_wall_nor_ledger() -> None:
    room = Room()
    for _ in range(150):
        room.order(asked())
    assert len(room.events()) <= 100 + 10
    room.after(600)
    late = asked()
    room.order(late)
    assert room.state.kept.request == late, "and an honest one is heard again"


def test_a_clock_that_was_set_back_revives_nothing() -> None:
    room = Room()
    stolen = d.SupportRequest(**head(expires=WALL_S + 100), who="T. T.", reason="noise")
    room.after(3000)
    room.order(asked_at(room))
    room.press("support_no")
    floor_s = room.state.kept.floor_s
    assert floor_s >= WALL_S + 2900
    again = room.restart(wall_s=max(float(WALL_S), floor_s))  # as the shell reads the clock
    again.order(stolen)
    assert again.codes() == ["LC-REM-EXPIRED"] and again.state.kept.request is None


def test_a_key_that_signs_ahead_of_time_does_not_set_the_sites_clock_ahead() -> None:
    room = Room()
    for _ in range(20):
        room.now = replace(room.now, wall_s=max(room.state.kept.floor_s, float(WALL_S)))
        ahead = int(room.now.wall_s) + 300
        room.order(d.SupportEnd(**head(issued=ahead, expires=ahead + 3600)))
    assert room.state.kept.floor_s <= WALL_S
    honest = asked()
    room.order(honest)
    assert room.state.kept.request == honest


def asked_at(room: Room) -> d.SupportRequest:
    now_s = int(room.now.wall_s)
    times = head(issued=now_s - 10, expires=now_s + 600)
    return d.SupportRequest(**times, who="T. Technician", reason="it squeaks")


def test_an_unanswered_request_goes_away() -> None:
    room = Room()
    room.order(asked())
    room.after(3601)
    assert room.state.kept.request is None and "support_unanswered" in room.events()
