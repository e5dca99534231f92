"""A node's way up, to the nanosecond: what is sent when, and what ends the trust in it."""

from __future__ import annotations

import pytest

from drivers.canopen import boot, sdo
from drivers.canopen.boot import Boot, BootState, Phase
from drivers.frames import Frame

S = 1_000_000_000
T = 7 * S + 3
STEP = sdo.Step(0x1017, 0, 2, 100)
PLAIN, ASKED = Boot("bus", 0x10), Boot("bus", 0x10, (STEP,))
START = (Frame("bus", 0, bytes((0x01, 0x10))),)
WAKE = (Frame("bus", 0, bytes((0x80, 0x10))),)
WRITE = (Frame("bus", 0x610, bytes.fromhex("2B17100064000000")),)


def beat(state: int) -> Frame:
    return Frame("bus", 0x710, bytes((state,)))


def hear(it: Boot, state: BootState, frame: Frame, now_ns: int = T) -> BootState:
    return boot.on_frame(it, state, frame, now_ns)


def running(it: Boot = ASKED) -> BootState:
    return BootState(Phase.RUN, heard_ns=T)


def test_a_node_is_trusted_for_500_ms_after_its_last_sign_of_life() -> None:
    assert boot.turn(ASKED, running(), T + S // 2) == (running(), ())
    state, sent = boot.turn(ASKED, running(), T + S // 2 + 1)
    assert (state.running, state.status, sent) == (False, "checking; no heartbeat", WRITE)


def test_a_failed_dialogue_is_tried_again_after_a_second() -> None:
    paused = BootState(Phase.PAUSE, since_ns=T, reason="1017:00: no answer")
    assert boot.turn(ASKED, paused, T + S - 1) == (paused, ())
    assert paused.status == "waiting to try again; 1017:00: no answer"
    state, sent = boot.turn(ASKED, paused, T + S)
    assert (state.status, sent) == ("checking; 1017:00: no answer", WRITE)


def test_a_node_that_does_not_start_is_asked_every_200_ms_for_3_s() -> None:
    state, sent = boot.turn(PLAIN, BootState(), T)
    assert (state.status, sent) == ("starting", START)
    state = BootState(Phase.START, since_ns=T, sent_ns=T + 11)
    assert boot.turn(PLAIN, state, T + 11 + S // 5 - 1) == (state, ())
    state, sent = boot.turn(PLAIN, state, T + 11 + S // 5)
    assert (state.sent_ns, sent) == (T + 11 + S // 5, START)
    assert boot.turn(PLAIN, state, T + 3 * S)[1] == START
    state, sent = boot.turn(PLAIN, state, T + 3 * S + 1)
    assert (state.phase, sent) == (Phase.PAUSE, ())
    assert state.status == "waiting to try again; does not become operational"
    assert boot.turn(PLAIN, state, T + 4 * S)[1] == ()
    assert boot.turn(PLAIN, state, T + 4 * S + 1)[1] == START


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (0x00, "checking; the node booted"),
        (0x04, "checking; the node was stopped"),
        (0x7F, "checking; the node went pre-operational"),
    ],
)
def test_a_node_that_leaves_operational_is_no_longer_trusted(said: int, reason: str) -> None:
    assert hear(ASKED, running(), beat(said)).status == reason


def test_only_operational_or_nonsense_leaves_a_running_node_trusted() -> None:
    later = T + 5
    assert hear(ASKED, running(), beat(0x05), later) == BootState(Phase.RUN, heard_ns=later)
    assert hear(ASKED, running(), beat(0x06), later) == running()


def test_a_stopped_node_is_woken_every_200_ms_until_it_is_back() -> None:
    stopped = hear(ASKED, running(), beat(0x04))
    state, sent = boot.turn(ASKED, stopped, 5)
    assert sent == WAKE  # at once, whatever the time is
    state, sent = boot.turn(ASKED, stopped, T)
    assert sent == WAKE
    assert hear(ASKED, state, beat(0x04)) == state
    assert boot.turn(ASKED, state, T + S // 5 - 1) == (state, ())
    again, sent = boot.turn(ASKED, state, T + S // 5)
    assert (again.since_ns, sent) == (T + S // 5, WAKE)
    back = hear(ASKED, again, beat(0x7F))
    assert not back.stopped
    assert boot.turn(ASKED, back, T + S)[1] == WRITE


def test_only_a_heartbeat_says_that_a_node_booted() -> None:
    assert boot.is_boot_up(ASKED, beat(0))
    assert not boot.is_boot_up(ASKED, beat(5))
    assert not boot.is_boot_up(ASKED, Frame("bus", 0x590, b"\x00"))


def test_an_operational_node_that_was_never_started_is_not_believed() -> None:
    assert hear(ASKED, BootState(), beat(0x05)) == BootState()
    assert boot.alive(BootState(Phase.START, sent_ns=T), T + 1).running


def test_a_node_without_a_dialogue_is_not_listened_to_on_the_sdo_id() -> None:
    assert PLAIN.accepts == {("bus", False, 0x710)}
    assert ASKED.accepts == {("bus", False, 0x710), ("bus", False, 0x590)}
    assert {(g.id, g.length) for g in PLAIN.mints} == {(0, 2)}
    assert {(g.id, g.length) for g in ASKED.mints} == {(0, 2), (0x610, 8)}
