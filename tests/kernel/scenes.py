"""A moment as the kernel sees it, made by hand: facts, rows and commands are asked about it.

Role: builds scenes and states for tests of single parts. Must never: run a step.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from safety import facts
from safety.authority import Authority
from safety.bounds import Params
from safety.evaluate import ladder
from safety.facts import AxisMemory, Scene, Truth
from safety.signals import Reading
from safety.state import KernelConfig, KernelState, boot
from safety.stations import Station, Stations
from safety.types import ALL_MOTIONS, Act, Lease, Motion, Quality, SignalId
from safety.verdict import Marker, MotionVerdict

MS, NOW = 1_000_000, 10**10
P, S = Params(), SignalId


def scene(kind: str = "lift", **values: Any) -> Scene:
    """Only what a fact asks for is known: signals by their names."""
    raw = {SignalId(name): value for name, value in values.items()}
    state = boot(KernelConfig(kind, P), NOW, None)
    return Scene(
        kind=kind, now_ns=NOW, gap_ns=20 * MS, params=P, fitted=frozenset(),
        quality=dict.fromkeys(SignalId, Quality.MISSING) | dict.fromkeys(raw, Quality.FRESH),
        raw=raw, axes=dict.fromkeys(state.axes, AxisMemory()), authority=Authority(),
        latched=frozenset(), boot_ns=0, ready=True, fallback=False, drive_waits=False,
        people=replace(state.people, aloft=False, standing=False),
        heard_ns=dict.fromkeys(raw, NOW),
    )  # fmt: skip


def beats(now: Scene, **more: Any) -> Scene:
    now.authority = replace(now.authority, **more)
    return now


def for_once(fact: facts.Compute, now: Scene, key: str, limit_ms: float) -> tuple[Truth, Truth]:
    """The fact a nanosecond before its time is up, and at it."""
    now.kept[key] = NOW - round(limit_ms * MS) + 1
    early = fact(now)
    if key in now.kept:
        now.kept[key] -= 1
    return early, fact(now)


def state(kind: str = "lift", height: float | None = 2000.0, aloft: bool = False) -> KernelState:
    """A healthy moment with everything permitted; `height` is measured now."""
    now = boot(KernelConfig(kind, P), NOW, Marker(0, False, (), 0))
    known = {} if height is None else {S.HOIST_POS: Reading(height, NOW, True)}
    lease = Lease(NOW, ALL_MOTIONS, 0, False, slow_below_mm=1200)
    return replace(
        now, readings=known, people=replace(now.people, aloft=aloft, marker_is_durable=True),
        authority=replace(now.authority, lease=lease),
        axes=dict.fromkeys(now.axes, AxisMemory()),
    )  # fmt: skip


def pressing(now: KernelState, motion: Motion, since_ns: int = NOW) -> KernelState:
    one = Station("s", press=1, last_press=1, motion=motion, press_ns=since_ns, echo_ns=NOW)
    held = Stations({"panel:1": replace(one, rx_ns=NOW)}, owner="panel:1")
    return replace(now, authority=replace(now.authority, stations=held))


def acts(kind: str, **more: Act) -> tuple[MotionVerdict, ...]:
    return tuple(
        replace(item, act=more.get(item.motion.name or "", Act.NONE))
        for item in ladder(kind, (), ALL_MOTIONS)
    )
