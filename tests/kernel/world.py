"""A healthy world around the kernel, to be disturbed by tests: 20 ms steps in virtual time."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field, replace

from liftctl.safetycase.switches import healthy
from safety.bounds import Params
from safety.signals import KNOWN, NS_PER_MS, OPTIONAL
from safety.state import KernelConfig, KernelState, boot
from safety.step import step
from safety.types import (
    ALL_MOTIONS,
    AXIS_OF,
    Beat,
    GuardBeat,
    KernelInput,
    Lease,
    MarkerDurable,
    Motion,
    RecorderBeat,
    Reset,
    Sample,
    SignalId,
)
from safety.verdict import Cmd, Marker, Verdict

S = SignalId
SPEED_OF = {"hoist": S.HOIST_SPEED, "traverse": S.TRAVERSE_SPEED, "stander": S.STAND_SPEED}
POS_OF = {"hoist": S.HOIST_POS, "traverse": S.TRAVERSE_POS, "stander": S.STAND_POS}
PERIOD_NS = 20 * NS_PER_MS


@dataclass
class World:
    """Signals are healthy unless put into `values`; None in `values` means: no samples any more.

    Everything optional is fitted. What depends on the load (straps, motor current, the noise of a
    real scale) follows it, unless it was put into `values` by hand.
    """

    kind: str = "lift"
    params: Params = field(default_factory=Params)
    marker: Marker | None = field(default_factory=lambda: Marker(0, False, (), 0))
    fallback: bool = False

    def __post_init__(self) -> None:
        self.now_ns = 10**9
        fitted = frozenset(OPTIONAL[self.kind])
        self.config = KernelConfig(self.kind, self.params, self.fallback, fitted)
        self.state: KernelState = boot(self.config, self.now_ns, self.marker)
        self.values: dict[SignalId, float | None] = {
            signal: healthy(signal) for signal in KNOWN[self.kind]
        }
        self.corrupt: set[SignalId] = set()
        self.future: set[SignalId] = set()
        self.keys: dict[str, tuple[int, Motion]] = {"panel:1": (0, Motion.NONE)}
        self.frozen_stations: set[str] = set()
        self.presses = 0
        self.lease = ALL_MOTIONS
        self.confirmed = 0
        self.in_transfer = False
        self.locks: frozenset[str] = frozenset()
        self.by_hand: set[SignalId] = set()
        self.stuck = False  # the encoders
        self.left_at: dict[SignalId, float | None] = {}
        self.controller = self.guard = self.recorder = self.disk = self.follow = True
        self.extra: list[KernelInput] = []
        self.verdict: Verdict | None = None
        self.log: list[Verdict] = []

    def press(self, motion: Motion, station: str = "panel:1") -> None:
        self.presses += 1
        self.keys[station] = (self.presses, motion)

    def release(self, station: str = "panel:1") -> None:
        self.keys[station] = (0, Motion.NONE)

    def inputs(self) -> tuple[KernelInput, ...]:
        now = self.now_ns
        found: list[KernelInput] = []
        for signal, value in (self.values | self._load()).items():
            if value is not None:
                t_ns = now + 10**9 if signal in self.future else now
                found.append(Sample(signal, value, t_ns, signal not in self.corrupt))
        for station, (press, motion) in self.keys.items():
            if station not in self.frozen_stations:
                found.append(Beat(station, f"s-{station}", press, motion, now, now))
        if self.controller:
            found.append(Lease(now, self.lease, self.confirmed, self.in_transfer, 0, self.locks))
        if self.guard:
            found.append(GuardBeat(now, ""))
        if self.recorder:
            found.append(RecorderBeat(now, True))
        found += self.extra
        self.extra = []
        return tuple(found)

    def _load(self) -> dict[SignalId, float | None]:
        """What the load alone decides."""
        load, p = self.values.get(S.LOAD_KG), self.params
        if load is None:
            return {}
        raising = self.verdict is not None and self.speed(Motion.UP) > 0
        current = p.hoist_current_base_pct + p.hoist_current_pct_per_kg * load
        made: dict[SignalId, float | None] = {
            S.LOAD_KG: load + 0.01 * (self.now_ns // PERIOD_NS % 2),
            S.LOAD_LEFT_KG: load / 2,
            S.LOAD_RIGHT_KG: load / 2,
            S.HOIST_CURRENT: current if raising else 0.0,
        }
        return {
            k: v for k, v in made.items() if k not in self.by_hand and self.values[k] is not None
        }

    def step(self, gap_ns: int = PERIOD_NS) -> Verdict:
        self.now_ns += gap_ns
        self.settle_encoders()
        before = self.state.marker
        self.state, verdict = step(self.config, self.state, self.now_ns, self.inputs())
        if self.disk and verdict.marker != before:
            self.extra.append(MarkerDurable(verdict.marker.seq, True))
        self.verdict = verdict
        if self.follow:
            self._move(verdict)
        self._integrate(gap_ns)
        self.log.append(verdict)
        return verdict

    def _move(self, verdict: Verdict) -> None:
        """An ideal plant: does at once what it is told."""
        for item in verdict.commands:
            speed = SPEED_OF.get(item.axis.value)
            if speed is not None and self.values[speed] is not None:
                self.values[speed] = item.speed_mm_s

    def _integrate(self, gap_ns: int) -> None:
        """Positions follow the measured speeds."""
        for axis, position in POS_OF.items():
            at = self.values.get(position)
            if at is not None and not self.stuck:
                self.values[position] = at + self._really(axis) * gap_ns / 1e9
            self.left_at[position] = self.values.get(position)

    def _really(self, axis: str) -> float:
        """The speed of an axis in mm/s, known or not."""
        known = self.values[SPEED_OF[axis]]
        if known is not None or not self.follow or self.verdict is None:
            return known or 0.0
        return sum(item.speed_mm_s for item in self.verdict.commands if item.axis.value == axis)

    def settle_encoders(self) -> None:
        """A position that a test put there is where the axis was all along, no encoder's jump."""
        moved = [axis for axis, p in POS_OF.items() if self.values.get(p) != self.left_at.get(p)]
        kept = {k: v for k, v in self.state.kept.items() if k.removesuffix(":um") not in moved}
        self.state = replace(self.state, kept=kept)

    def set_down(self) -> None:
        """The person comes to rest on a surface, lowered."""
        self.values[S.HOIST_SPEED] = -6.0
        self.step()
        self.values[S.LOAD_KG] = 0.0
        self.step()
        self.values[S.HOIST_SPEED] = 0.0
        self.run(240)  # a whole window of an empty sling

    def run(self, ms: int, gap_ms: int = 20) -> Verdict:
        for _ in range(ms // gap_ms):
            self.step(gap_ms * NS_PER_MS)
        assert self.verdict is not None
        return self.verdict

    def ready(self) -> World:
        self.run(1000)
        assert self.state.ready, self.state.active
        if self.kind == "chair":
            self.free_joystick()
        return self

    def free_joystick(self) -> None:
        """A second without anything that inhibits driving, then a Reset."""
        self.run(1100)
        self.extra.append(Reset("panel:1"))
        self.run(100)

    def clone(self) -> World:
        """Another world in the same state."""
        made = copy.copy(self)
        for name in (
            "values",
            "corrupt",
            "future",
            "keys",
            "frozen_stations",
            "by_hand",
            "left_at",
        ):
            setattr(made, name, copy.copy(getattr(self, name)))
        made.extra, made.log = list(self.extra), []
        return made

    def speed(self, motion: Motion) -> float:
        """What the axis of this motion is commanded now."""
        assert self.verdict is not None
        axis = AXIS_OF[motion]
        return next(item.speed_mm_s for item in self.verdict.commands if item.axis is axis)

    def cmd(self, motion: Motion) -> Cmd:
        assert self.verdict is not None
        return next(item.cmd for item in self.verdict.commands if item.axis is AXIS_OF[motion])

    def act(self, motion: Motion) -> int:
        assert self.verdict is not None
        return next(int(item.act) for item in self.verdict.motions if item.motion == motion)

    def events(self) -> list[str]:
        return [f"{e.kind}:{e.detail}" for verdict in self.log for e in verdict.events]
