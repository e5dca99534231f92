"""Figures that need the service's own code: what a turn costs, and how late its ticks are.

Role: measurement for `make bench`. Must never: run inside the service.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from config.schema import load
from drivers.registry import build
from liftctl import ipc
from liftctl.gate.inputs import RxFrame
from liftctl.gate.turn import GateConfig, configure, start, turn
from safety.verdict import Marker

SITE = Path("config/sites/demo-lift.toml")
FRAMES = (
    (0x190, bytes.fromhex("3702000000000000")),
    (0x290, bytes.fromhex("b036000001000000")),
    (0x191, bytes.fromhex("3702000000000000")),
    (0x291, bytes.fromhex("a00f000001000000")),
    (0x1A0, b"\xff\x80"),
    (0x1A1, b"\0\0\0\0\0"),
    (0x2A0, bytes.fromhex("8403fc09")),
    (0x720, b"\x05"),
)


@dataclass(frozen=True, slots=True)
class Gaps:
    """Milliseconds between the gate's ticks, and beyond 20 ms of a bare sleeper beside it."""

    gate: list[float]
    sleeper: list[float]


def turn_cost_us(times: int = 1500) -> tuple[list[float], list[float]]:
    """Microseconds of a turn with eight frames, and of one without input."""
    site = load(SITE)
    config = configure(site, tuple(build(spec, site.limits) for spec in site.device))
    return _cost(config, times, FRAMES), _cost(config, times, ())


def _cost(config: GateConfig, times: int, frames: tuple[tuple[int, bytes], ...]) -> list[float]:
    state, now_ns, found = start(config, 0, Marker(0, False, (), 0)), 0, []
    for _ in range(times):
        now_ns += 20_000_000
        inputs = tuple(RxFrame(now_ns, "lift", id_, data) for id_, data in frames)
        began = time.perf_counter_ns()
        state, _out = turn(config, state, now_ns, inputs)
        found.append((time.perf_counter_ns() - began) / 1000)
    return found


def tick_gaps_ms(run: Path, seconds: float) -> Gaps:
    """Listen to the gate's ticks, while sleeping 20 ms at a time as the baseline."""
    channel = ipc.connect(run / "demo-lift" / "gate.sock")
    ticks: list[int] = []
    late: list[float] = []
    end = time.monotonic() + seconds
    while channel is not None and time.monotonic() < end:
        began = time.monotonic_ns()
        time.sleep(0.02)
        late.append(max(0.0, (time.monotonic_ns() - began) / 1e6 - 20.0))
        ticks += [m.tick_ns for m in channel.receive() if isinstance(m, ipc.GateState)]
    if channel is not None:
        channel.close()
    return Gaps([(b - a) / 1e6 for a, b in pairwise(ticks)], late)
