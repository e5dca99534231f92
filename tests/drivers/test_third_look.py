"""A third look at the ports: an adapter that was not awake when it was set up."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Iterator

import pytest

from drivers.frames import Frame
from drivers.ports import slcan
from drivers.ports.base import Link, LinkEvent
from drivers.ports.slcan import SET_UP_S, WINDOW, SlcanPort

FRAME = Frame("lift", 0x210, bytes(6))


@pytest.fixture
def asleep() -> Iterator[tuple[SlcanPort, int]]:
    """A port whose `C S6 O` was lost, and the adapter's end of its line."""
    far, near = os.openpty()
    port = SlcanPort("lift", os.ttyname(near), 500_000)
    os.read(far, 4096)  # it is still booting
    yield port, far
    port.close()
    os.close(far)
    os.close(near)


def answer(far: int) -> None:
    """What a sound adapter says: a carriage return for each command."""
    while select.select([far], [], [], 0.02)[0]:
        os.write(far, b"\r" * os.read(far, 4096).count(b"\r"))


def after(seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.monotonic()
    monkeypatch.setattr(slcan, "monotonic", lambda: now + seconds)


def test_an_adapter_that_slept_through_its_set_up_is_set_up_again(
    asleep: tuple[SlcanPort, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """H23: a brown-out resets an adapter on a UART. It was reopened while it still booted; nothing
    was ever sent or heard again, no `down` came: no electric lowering until the gate was restarted.
    """
    port, far = asleep
    assert not any(port.send(FRAME) for _ in range(2 * WINDOW))
    assert port.receive() == []  # however often it is asked: it has a while to answer
    after(SET_UP_S + 0.1, monkeypatch)
    assert not port.send(FRAME)
    assert port.receive() == [LinkEvent("lift", Link.DOWN, "no answer to the set-up")]
    assert port.fileno() < 0
    assert port.reopen()  # what gate and guard do after `down`; now it is awake
    answer(far)
    port.receive()
    assert port.send(FRAME)


def test_an_adapter_that_wakes_in_time_keeps_its_line(
    asleep: tuple[SlcanPort, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was refused before it was open is no sign of a dead one afterwards."""
    port, far = asleep
    assert not any(port.send(FRAME) for _ in range(WINDOW))
    os.write(far, b"\r\r\r\r")
    select.select([port.fileno()], [], [], 1)
    assert port.receive() == []
    after(10 * SET_UP_S, monkeypatch)
    assert all(port.send(FRAME) for _ in range(WINDOW))
    assert port.receive() == []


def test_a_listener_that_is_asked_to_send_stays_open() -> None:
    """A refusal on a line that only listens says nothing about its adapter."""
    far, near = os.openpty()
    port = SlcanPort("seen", os.ttyname(near), 500_000, listen_only=True)
    answer(far)
    assert port.receive() == []
    assert not any(port.send(FRAME) for _ in range(2 * WINDOW))
    assert port.receive() == []
    assert port.fileno() >= 0
    port.close()
