"""A third look at the guard: its own link, and what it takes for a lie."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.schema import load
from drivers.ports.slcan import WINDOW, SlcanPort
from liftctl import ipc
from liftctl.entry import Turnover
from liftctl.guard.shell import RETRY_NS, Shell
from liftctl.guard.state import configure, start
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
