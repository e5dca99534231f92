"""`make bench`: latency, lateness, cost of a turn, faces of the bus, nuisance stops, release to
stop frame, the ledger, the evidence and the knowledge centre.

Role: figures of the running ward, each beside a baseline of the same run. Must never: assert a
time.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import struct
import time
from pathlib import Path
from typing import Any

from hil.figures.bus import Tap, echo_ms, echo_process
from hil.figures.faces import faces
from hil.figures.fresh import fresh_clone
from hil.figures.load import http_load
from hil.figures.table import Spread, row, say
from hil.figures.virtual import virtual
from hil.judge.finger import Finger
from hil.judge.ward import WardUnderTest
from hil.rig.centre import figures as centre_figures
from hil.rig.evidence_figures import evidence_figures
from hil.rig.figures import tick_gaps_ms, turn_cost_us
from hil.rig.ledger_figures import ledger_figures

CONTACTS, HOIST_COMMAND, RAIL_COMMAND = 0x1A0, 0x210, 0x211
ESTOP_BITS = 0x60


def _pressed(id_: int, data: bytes) -> bool:
    return id_ == CONTACTS and not data[0] & ESTOP_BITS


def _isolated(id_: int, data: bytes) -> bool:
    return id_ == HOIST_COMMAND and data[:2] == b"\0\0"


def _stopped(id_: int, data: bytes) -> bool:
    return id_ == RAIL_COMMAND and struct.unpack("<i", data[2:6])[0] == 0


def _ready(state: dict[str, Any]) -> bool:
    return state["mode"] == "ready" and not state["motions"]["LEFT"]["rows"]


async def _reset(finger: Finger) -> None:
    await finger.until(lambda s: bool(s["resettable"]), "a reset to be offered")
    while finger.state["latched"]:
        await finger.reset()
        await asyncio.sleep(0.05)


async def estop_ms(ward: WardUnderTest, finger: Finger, tap: Tap, times: int) -> list[float]:
    """E-stop frame on the bus to the gate's stop frame on the bus."""
    found = []
    with ward.control("lift") as hands:
        for _ in range(times):
            before = tap.frames[-1][0]
            hands.do("estop", value=True)
            pressed = await asyncio.to_thread(tap.first, _pressed, before)
            stopped = await asyncio.to_thread(tap.first, _isolated, pressed or before)
            if pressed and stopped:
                found.append(stopped - pressed)
            hands.do("estop", value=False)
            await _reset(finger)
    return found


async def release_ms(finger: Finger, tap: Tap, times: int) -> list[float]:
    """Finger up (the neutral beat leaves) to the first frame that commands no speed."""
    found = []
    for n in range(times):
        await finger.press("RIGHT" if n % 2 == 0 else "LEFT")
        await finger.until(lambda s: s["moving"] != "", "motion")
        await asyncio.sleep(0.15)
        at_ms = time.time_ns() / 1e6
        await finger.release()
        stop = await asyncio.to_thread(tap.first, _stopped, at_ms)
        if stop:
            found.append(stop - at_ms)
        await asyncio.sleep(0.4)
    return found


async def hold_for(finger: Finger, seconds: float) -> tuple[float, list[str]]:
    """Hold the rail arrows to and fro: (seconds held, reasons of stops that nobody asked for).

    The end of the rail is no nuisance.
    """
    held, reasons, motion = 0.0, list[str](), "RIGHT"
    while held < seconds:
        before, start = len(finger.stops), time.monotonic()
        await finger.press(motion)
        while time.monotonic() - start < 10 and len(finger.stops) == before:
            await asyncio.sleep(0.02)
        reasons += [why for why in finger.stops[before:] if not why.startswith("rail_")]
        held += time.monotonic() - start
        await finger.release()
        await asyncio.sleep(0.7)
        motion = "LEFT" if motion == "RIGHT" else "RIGHT"
    return held, reasons


async def measure(ward: WardUnderTest, times: int, hold_s: float) -> None:
    """Everything on one ward, idle and then loaded."""
    finger, run = Finger(ward.port), ward.root / "run"
    await finger.open(60)
    await finger.until(
        lambda s: s["mode"] == "ready" and not s["motions"]["LEFT"]["rows"], "ready", 30
    )
    socket = run / "vbus" / "lift.sock"
    tap, echo = Tap(socket), echo_process(socket)
    await asyncio.sleep(1.0)
    try:
        for name in ("idle", "panel and desk under HTTP load"):
            if name == "idle":
                await _round(ward, finger, tap, times, hold_s, name)
                continue
            with http_load(ward.port) as count:
                await _round(ward, finger, tap, times, hold_s, name)
            say(f"  ({count[0]} HTTP requests during the loaded round)")
    finally:
        echo.kill()
        echo.wait()
        tap.close()
        await finger.close()


async def _round(
    ward: WardUnderTest, finger: Finger, tap: Tap, times: int, hold_s: float, name: str
) -> None:
    say(f"--- {name}")
    echo = Spread.of(await asyncio.to_thread(echo_ms, tap, times * 2))
    stops = Spread.of(await estop_ms(ward, finger, tap, times))
    row("e-stop frame in -> stop frame out", "ms", stops, echo, "bare python-can echo, same bus")
    released = Spread.of(await release_ms(finger, tap, times))
    row("panel release -> stop frame", "ms", released, echo, "bare python-can echo, same bus")
    gaps = await asyncio.to_thread(tick_gaps_ms, run_dir(ward), 5.0)
    late = Spread.of([max(0.0, gap - 20.0) for gap in gaps.gate])
    row("gate lateness beyond its 20 ms", "ms", late, Spread.of(gaps.sleeper),
        "a bare 20 ms sleeper in this process")  # fmt: skip
    held, nuisance = await hold_for(finger, hold_s)
    per_hour = len(nuisance) / held * 3600
    say(f"nuisance stops: {nuisance} in {held:.0f} s held, {per_hour:.1f} per hour")


def run_dir(ward: WardUnderTest) -> Path:
    """Where the ward's sockets are."""
    return ward.root / "run"


def main() -> int:
    """Print the figures; nothing is judged here."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--times", type=int, default=40)
    parser.add_argument("--hold-s", type=float, default=60.0)
    parser.add_argument("--transfers", type=int, default=1_000_000, help="of the made-up nation")
    parser.add_argument("--pack", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--fresh", action=argparse.BooleanOptionalAction, default=True)
    given: Any = parser.parse_args()
    say(f"processors {os.cpu_count()}, load {os.getloadavg()[0]:.1f}")
    full, empty = turn_cost_us()
    row("cost of a gate turn (8 frames in)", "us", Spread.of(full), Spread.of(empty),
        "the same turn without input")  # fmt: skip
    ledger_figures()
    evidence_figures()
    faces()
    virtual(given.pack)
    with WardUnderTest(rooms=("lift",)) as ward:
        asyncio.run(measure(ward, given.times, given.hold_s))
    centre_figures(given.transfers, seconds=10.0)
    if given.fresh:
        fresh_clone()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
