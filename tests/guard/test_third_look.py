"""A third look at the guard: its own link, and what it takes for a lie."""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.schema import load
from drivers.frames import Frame
from drivers.ports.slcan import WINDOW, SlcanPort
from liftctl import ipc
from liftctl.entry import Turnover
from liftctl.guard.shell import RETRY_NS, Shell
from liftctl.guard.state import GuardInput, configure, start
from liftctl.guard.turn import turn
from liftctl.places import Places

MS = 1_000_000
LIFT = load(Path("config/sites/demo-lift.toml"))


@pytest.fixture
def adapted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Shell, int]]:
    """A guard on a slcan adapter that was set up, and the adapter's end of the line."""
    monkeypatch.setenv("LIFTCTL_RUN", str(tmp_path / "run"))
    far, near = os.openpty()
    port = SlcanPort("lift", os.ttyname(near), 500_000)
    os.read(far, 4096)
    os.write(far, b"\r\r\r\r")  # closed, closed, bit rate, open
    places, config = Places(LIFT.name), configure(LIFT)
    state, server = start(config, time.monotonic_ns()), ipc.serve(places.sock("guard"))
    shell = Shell(config, state, server, port, places, Turnover(LIFT.hash))
    shell.listen()
    woken(shell)
    assert port.is_open
    yield shell, far
    server.close()
    port.close()
    os.close(far)
    os.close(near)


def woken(shell: Shell) -> None:
    for key, _ in shell.selector.select(1):
        key.data()


def test_the_guard_survives_an_adapter_that_stops_answering(adapted: tuple[Shell, int]) -> None:
    """H23: noticed in sending, when no descriptor wakes anybody. The old one stayed registered,
    the new one had its number: the guard died of it and was restarted into the same end.
    """
    shell, far = adapted
    now_ns = time.monotonic_ns()
    for _ in range(WINDOW + 5):  # the adapter is silent from now on; as in `loop`
        now_ns += 20 * MS
        shell.decide(now_ns)
        if shell.port.fileno() >= 0:
            os.read(far, 4096)
    assert shell.port.fileno() < 0, "noticed by sending"
    shell._links(now_ns + 2 * RETRY_NS)
    os.write(far, b"\r\r\r\r")
    woken(shell)
    assert shell.port.is_open  # type: ignore[attr-defined]


def test_the_guard_survives_a_line_that_ends_while_it_reads(adapted: tuple[Shell, int]) -> None:
    """The other way to lose it: the number is free for the next descriptor, too."""
    shell, _ = adapted
    shell.port._lost([], "pulled")  # type: ignore[attr-defined]  # as `receive` does
    shell._read_port()
    shell.decide(time.monotonic_ns())
    shell._links(time.monotonic_ns() + 2 * RETRY_NS)
    assert shell.port.fileno() >= 0


# --- what moves though nobody asked ---------------------------------------------------------------

ENABLED = 0x27
DRIVES = {"hoist": 0x190, "traverse": 0x191}


def cut_of(axis: str, speed: int, word: int, permille: int = 0, estop: bool = False) -> str:
    """The cut after five seconds in which a drive says this, while nobody asks for anything."""
    config, now = configure(LIFT), 10**9
    state = start(config, now)
    for n in range(400):
        now += 20 * MS
        runs = n > 150
        relay = (0 if runs and estop else 6) | state.relay.toggles
        told = struct.pack("<Hih", word, speed, permille) if runs else bytes(8)
        given: tuple[GuardInput, ...] = (
            ipc.Hold("panel:1", "s", 0, "", now - 20 * MS),
            (now, Frame("lift", 0x701, b"\5")),
            (now, Frame("lift", DRIVES[axis] + 0x80, struct.pack("<Hi", 0x06, 0))),
            (now, Frame("lift", 0x1B0, bytes([relay]))),
            (now, Frame("lift", DRIVES[axis], told)),
        )
        state, _ = turn(config, state, now, given)
    assert state.relay.toggles == (state.cut == "")
    return state.cut


@pytest.mark.parametrize("speed", [1500, -1500])
def test_a_trolley_that_runs_left_is_cut_as_one_that_runs_right(speed: int) -> None:
    """H1, H19: a drive whose torque is not off though the e-stop is pressed. "What sinks is the
    strap or the lever" holds for hoist and stander; a rail has no way down.
    """
    assert cut_of("traverse", speed, ENABLED, estop=True) == "uncommanded"


def test_the_red_strap_with_the_estop_pressed_is_the_way_down() -> None:
    """Decision 9, as the kernel has it; upwards no strap goes."""
    assert cut_of("hoist", -420, ENABLED, estop=True) == ""
    assert cut_of("hoist", 420, ENABLED, estop=True) == "uncommanded"
