"""A hoist drive, byte by byte: what it is sent while it is not to be trusted, and after a fault."""

from __future__ import annotations

from typing import Any

import pytest

from drivers.frames import Frame
from safety.verdict import Cmd
from tests.drivers.nodes import NODES, Run, device, run

ENABLED, READY, FAULT = 0x0237, 0x0231, 0x0218
STILL = bytes(4)


def status(it: Run, word: int) -> Any:
    return it.hear(Frame("bus", 0x190, word.to_bytes(2, "little") + bytes(6)))


def words(it: Run, cmd: Cmd, count: int = 1) -> list[int]:
    """Controlwords of some turns; every one without a speed."""
    sent = [it.turn(it.command(cmd, 40.0))[0].data for _ in range(count)]
    assert {data[2:] for data in sent} == {STILL}
    return [int.from_bytes(data[:2], "little") for data in sent]


def booted(turns_at: Cmd = Cmd.REST) -> Run:
    it = run("cia402_hoist")
    it.turns(60, it.command(turns_at, 40.0))
    assert it.verified == 1.0
    return it


def test_a_drive_that_was_found_enabled_gets_no_power_before_a_rest() -> None:
    for cmd in (Cmd.MOVE, Cmd.RAMP):
        it = booted(turns_at=cmd)
        status(it, ENABLED)
        assert words(it, cmd, 3) == [0x00] * 3
        assert words(it, Cmd.REST) == [0x06]
        status(it, READY)
        assert words(it, cmd) == [0x07]


@pytest.mark.parametrize(("cmd", "after"), [(Cmd.REST, 0x07), (Cmd.ISOLATE, 0x07), (Cmd.QUICK, 0)])
def test_only_rest_or_isolation_ends_the_wait_after_a_fault(cmd: Cmd, after: int) -> None:
    it = booted()
    status(it, FAULT)
    status(it, READY)
    words(it, cmd)
    assert words(it, Cmd.MOVE) == [after]


@pytest.mark.parametrize("said", [0x0250, READY, 0x0207])
def test_a_drive_that_stopped_by_itself_is_not_moved_again_before_a_rest(said: int) -> None:
    """Its run enable or its own deadman came and went while the same press was held (rule 2)."""
    it = booted()
    status(it, ENABLED)
    assert it.turn(it.command(Cmd.MOVE, 40.0))[0].data == bytes.fromhex("0F0090010000")
    status(it, said)
    assert words(it, Cmd.MOVE, 2) == [0x00] * 2
    status(it, ENABLED)
    assert words(it, Cmd.MOVE) == words(it, Cmd.RAMP) == [0x00]
    assert words(it, Cmd.REST) == [0x06]
    status(it, READY)
    assert words(it, Cmd.MOVE) == [0x07]


def test_a_drive_that_is_not_enabled_yet_is_waited_for() -> None:
    it = booted()
    status(it, READY)
    assert words(it, Cmd.MOVE, 3) == [0x07] * 3
    status(it, ENABLED)
    assert it.turn(it.command(Cmd.MOVE, 40.0))[0].data == bytes.fromhex("0F0090010000")


def test_no_fault_is_reset_unasked_and_a_reset_is_no_motion() -> None:
    it = run("cia402_hoist")
    assert words(it, Cmd.REST, 5) == [0x06] * 5
    it = booted()
    assert it.dev.reset_fault(it.state) == it.state
    status(it, FAULT)
    assert words(it, Cmd.REST, 2) == [0x06] * 2
    it.state = it.dev.reset_fault(it.state)
    assert it.dev.reset_fault(it.state) == it.state
    assert words(it, Cmd.MOVE) == [0x00]  # only at rest
    assert words(it, Cmd.REST, 4) == [0x80, 0x80, 0x80, 0x06]


def test_an_unverified_drive_is_quick_stopped_when_motion_is_asked() -> None:
    it = run("cia402_hoist")
    it.turn(it.command(Cmd.REST))
    status(it, ENABLED)
    assert words(it, Cmd.MOVE) == [0x02]
    assert words(it, Cmd.RAMP) == [0x02]


@pytest.mark.parametrize("said", [0x00, 0x04, 0x7F])
def test_a_drive_that_left_operational_is_not_moved_in_the_next_turn(said: int) -> None:
    it = booted()
    status(it, ENABLED)
    assert it.turn(it.command(Cmd.MOVE, 40.0))[0].data[2:] != STILL
    decoded = it.hear(Frame("bus", 0x710, bytes((said,))))
    assert (decoded.urgent, [s.value for s in decoded.samples]) == (True, [0.0])
    assert words(it, Cmd.MOVE) == [0x02]
    assert it.verified == 0.0


def test_a_drive_that_fell_silent_forgets_its_state_but_not_its_emergency() -> None:
    it = booted()
    it.hear(Frame("bus", 0x090, bytes.fromhex("3081100000000000")))
    status(it, ENABLED)
    it.node.deaf = True
    it.turns(30)
    assert (it.state.statusword, it.state.emergency, it.state.must_rest) == (None, 0x8130, True)


def test_pdos_keep_a_drive_trusted_when_its_heartbeats_are_lost() -> None:
    it = booted()
    it.node.deaf = True
    for _ in range(60):
        it.turn()
        status(it, READY)
    assert it.verified == 1.0


def test_an_emergency_is_shown_with_its_code() -> None:
    it = booted()
    decoded = it.hear(Frame("bus", 0x090, bytes.fromhex("3081100000000000")))
    assert decoded.values == (("emergency_code", float(0x8130)),)


BELIEVED = {
    "cia402_hoist": {0x710, 0x590, 0x090, 0x190, 0x290},
    "thomson_electrak_hd_canopen": {0x713, 0x593, 0x093, 0x193},
    "cia401_lift_io": {0x720, 0x1A0},
}


@pytest.mark.parametrize("name", BELIEVED)
def test_a_canopen_device_believes_only_its_own_reports(name: str) -> None:
    dev = device(name)
    assert BELIEVED[name] <= {can_id for _, _, can_id in dev.accepts}
    assert not {grant.id for grant in dev.mints} & {can_id for _, _, can_id in dev.accepts}
    if name != "cia401_lift_io":
        assert {can_id for _, _, can_id in dev.accepts} == BELIEVED[name]


@pytest.mark.parametrize("name", [name for name in NODES if name != "roboteq"])
def test_a_can_device_has_no_serial_line(name: str) -> None:
    assert device(name).lines == frozenset()


@pytest.mark.parametrize(
    ("name", "level"),
    [
        ("cia402_hoist", "motion"),
        ("cia401_lift_io", "assist"),
        ("thomson_electrak_hd_canopen", "motion"),
        ("thomson_electrak_hd", "monitor"),
        ("roboteq", "assist"),
    ],
)
def test_a_device_is_used_for_no_more_than_its_profile_says(name: str, level: str) -> None:
    assert device(name).level == level


def test_without_a_statusword_it_is_enabled_step_by_step_and_then_moves() -> None:
    """H23, H24: one lost frame of the hoist left no way down, and nothing on the panel said so."""
    it = booted()
    status(it, READY)
    it.turns(13, it.command(Cmd.REST, 0.0))  # 260 ms without a word
    move = it.command(Cmd.MOVE, -30.0)
    sent = [it.turn(move)[0].data for _ in range(12)]
    assert [int.from_bytes(data[:2], "little") for data in sent] == [6] * 2 + [7] * 3 + [15] * 7
    speeds = [int.from_bytes(data[2:], "little", signed=True) for data in sent]
    assert speeds == [0] * 8 + [-300] * 4
    assert words(it, Cmd.REST) == [0x06]
    assert [it.turn(move)[0].data[0] for _ in range(3)] == [6, 6, 7], "each press anew"


def test_a_statusword_that_comes_back_is_believed_again() -> None:
    it = booted()
    status(it, READY)
    it.turns(13, it.command(Cmd.REST, 0.0))
    words(it, Cmd.MOVE, 4)
    status(it, READY)
    assert words(it, Cmd.MOVE) == [0x07]
    status(it, ENABLED)
    assert it.turn(it.command(Cmd.MOVE, 40.0))[0].data == bytes.fromhex("0F0090010000")


@pytest.mark.parametrize("at_rest", [Cmd.REST, Cmd.ISOLATE])
def test_a_reset_waits_until_the_axis_is_at_rest(at_rest: Cmd) -> None:
    """H12: fault reset takes the power stage off; in a quick stop it would end the ramp."""
    it = booted()
    it.hear(Frame("bus", 0x090, bytes.fromhex("1081010000000000")))
    it.state = it.dev.reset_fault(it.state)
    assert 0x80 not in words(it, Cmd.QUICK, 5)
    assert words(it, at_rest, 4)[:3] == [0x80] * 3


def test_a_drive_lost_sight_of_while_it_ran_is_not_started_again_by_the_same_press() -> None:
    """It was shut down, switched on again, and went on at the speed of a ramp it had not seen."""
    it = booted()
    status(it, ENABLED)
    move = it.command(Cmd.MOVE, -30.0)
    sent = [it.turn(move)[0].data[0] for _ in range(30)]
    assert sent == [0x0F] * 12 + [0x00] * 18
    assert words(it, Cmd.REST) == [0x06]
    assert [it.turn(move)[0].data[0] for _ in range(3)] == [6, 6, 7], "blind, by a fresh press"


def test_a_statusword_that_was_overtaken_says_nothing() -> None:
    """H24: a late frame must neither hide a newer fault nor make the newer word old."""
    it = booted()
    status(it, ENABLED)
    late = Frame("bus", 0x190, FAULT.to_bytes(2, "little") + bytes(6))
    it.state, _ = it.dev.on_wire(it.state, late, it.now_ns - 300_000_000)
    assert it.turn(it.command(Cmd.MOVE, 40.0))[0].data == bytes.fromhex("0F0090010000")


@pytest.mark.parametrize(("age_ns", "word"), [(250_000_000, 0x0F), (250_000_001, 0x06)])
def test_a_statusword_counts_as_long_as_the_widest_site_believes_it(age_ns: int, word: int) -> None:
    it = booted()
    status(it, ENABLED)
    _, sent, _ = it.dev.turn(it.state, it.state.heard_ns + age_ns, it.command(Cmd.MOVE, 40.0))
    assert sent[0].data[0] == word
