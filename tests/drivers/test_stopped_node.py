"""A node that somebody's NMT stop took out is woken and verified anew; nothing else wakes it."""

from __future__ import annotations

import pytest

from drivers.frames import Frame
from safety.verdict import Cmd
from tests.drivers.nodes import MOTION, NODES, Run, run

STOPPED, PRE_OPERATIONAL, WAKE = b"\x04", b"\x7f", 0x80


def running(name: str) -> Run:
    it = run(name)
    it.turns(60)
    assert it.verified == 1.0
    return it


def stop(it: Run, node: int) -> None:
    """The node answers no SDO in this state; it only says that it is stopped."""
    it.node.deaf = True
    it.hear(Frame("bus", 0x700 + node, STOPPED))


def wakes(it: Run) -> list[Frame]:
    return [wire for wire in it.sent if wire.id == 0 and wire.data[0] == WAKE]


@pytest.mark.parametrize("name", MOTION)
def test_a_stopped_node_is_not_trusted_and_asked_to_wake_every_200_ms(name: str) -> None:
    it, node = running(name), NODES[name]
    stop(it, node)
    assert it.verified == 0.0
    assert "the node was stopped" in it.dev.status(it.state)
    it.sent.clear()
    for _ in range(50):
        it.turn(it.command(Cmd.MOVE, 5.0))
        it.hear(Frame("bus", 0x700 + node, STOPPED))
    assert [wire.data for wire in wakes(it)] == [bytes((WAKE, node))] * 5
    assert not [wire for wire in it.sent if wire.id == 0x600 + node], "it could not answer"
    assert it.verified == 0.0


@pytest.mark.parametrize("name", MOTION)
def test_a_woken_node_is_verified_from_the_start(name: str) -> None:
    it, node = running(name), NODES[name]
    stop(it, node)
    it.turns(5)
    it.node.requests.clear()
    it.node.deaf, it.node.operational = False, False
    it.hear(Frame("bus", 0x700 + node, PRE_OPERATIONAL))
    it.turn()
    assert it.verified == 0.0
    it.turns(60)
    assert it.verified == 1.0
    assert len(it.node.requests) >= len(it.dev.boot.steps)  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", MOTION)
def test_a_heartbeat_that_is_no_state_wakes_nobody(name: str) -> None:
    it, node = running(name), NODES[name]
    stop(it, node)
    state = it.state
    for odd in (b"\x06", b"\xff", b"", b"\x7f\x7f"):
        it.hear(Frame("bus", 0x700 + node, odd))
    assert it.state == state


@pytest.mark.parametrize("name", MOTION)
def test_what_ran_away_and_was_stopped_is_not_woken_to_run_on(name: str) -> None:
    """H1: guard stops, gate wakes, and it crept 3 mm a second for as long as nobody came."""
    it, node = running(name), NODES[name]
    stop(it, node)
    it.sent.clear()
    for _ in range(50):
        it.turn(it.command(Cmd.ISOLATE))
        it.hear(Frame("bus", 0x700 + node, STOPPED))
    assert not wakes(it)
    it.turns(11, it.command(Cmd.REST))
    assert wakes(it), "after the technician's release it comes back"
