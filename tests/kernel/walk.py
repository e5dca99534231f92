"""A random walk through the kernel and the books of an outsider who checks rules 1 to 9.

Role: the engine of tests/kernel/test_walk.py. Must never: ask the kernel what it believes.
"""

from __future__ import annotations

import math
import os
import random
from dataclasses import dataclass, field

from liftctl.safetycase.switches import healthy
from safety import types as t
from safety.bounds import Params
from safety.signals import KNOWN
from safety.step import step
from safety.table import LOCKS
from safety.types import ALL_MOTIONS, AXIS_OF, Act, Axis, KernelInput, Motion, SignalId
from safety.verdict import Cmd
from tests.kernel.world import World

MS, P, S, M = 1_000_000, Params(), SignalId, Motion
NIGHTLY = os.environ.get("LIFTCTL_NIGHTLY") == "1"
OWN = {"lift": (M.UP, M.DOWN, M.LEFT, M.RIGHT), "chair": (M.STAND, M.SIT)}
STATIONS = ("panel:1", "panel:2", "hand")
# Rule 4: what may take lowering away.
_LOST = ("fault", "unverified", "unverified?", "lost", "runaway", "overspeed", "wrong_way",
         "no_effect")  # fmt: skip
_ALSO = {"estop", "estop_discrepancy", "lag_stop", "evidence_lost", "lower_limit", "slack",
         "blind", "press_long", "cleaning", "pinch", "sit_obstructed", "load_gone"}  # fmt: skip
# A carer's reset ends these; every other latch needs a technician.
BY_RESET = {"estop", "load_step", "load_vanished", "load_frozen", "load_disputed",
            "rail_gate_discrepancy", "hoist_disputed", "traverse_disputed",
            "stand_disputed", "stand_vanished"}  # fmt: skip
EXEMPT = _ALSO | {f"{axis}_{name}" for axis in ("hoist", "stand") for name in _LOST}
SPEED_OF_LATCH = {"hoist": S.HOIST_SPEED, "traverse": S.TRAVERSE_SPEED, "stand": S.STAND_SPEED}
DOCKING = {
    Axis.HOIST: P.hoist_docking_mm_s,
    Axis.TRAVERSE: P.traverse_docking_mm_s,
    Axis.STANDER: P.stand_docking_mm_s,
}
FULL = {Axis.HOIST: P.hoist_empty_mm_s, Axis.TRAVERSE: P.traverse_mm_s, Axis.STANDER: P.stand_mm_s}


@dataclass
class Told:
    """The newest believable beat of a station, as an outsider would keep it."""

    session: str
    press: int = 0
    motion: Motion = M.NONE
    echo_ns: int = 0
    rx_ns: int = 0


@dataclass
class Walk:
    """A world, its outsider's books, and the checks."""

    kind: str = "lift"
    world: World = field(init=False)

    def __post_init__(self) -> None:
        self.world = World(kind=self.kind).ready()
        self.world.keys = {}
        self.told: dict[str, Told] = {}
        self.keys = dict.fromkeys(STATIONS, (0, M.NONE))
        self.sessions = dict.fromkeys(STATIONS, 0)
        self.presses = self.moved = self.checks = 0
        self.frozen: set[str] = set()
        self.lease: t.Lease | None = None
        self.markers: dict[int, t.Marker] = {}
        self.confirmed = -1
        self.dead: set[tuple[str, str, int]] = set()
        self.moving: tuple[str, str, int] | None = None
        self.speeds: dict[Axis, float] = {}
        self.odd: list[KernelInput] = []
        self.controller = self.disk = True
        self.mask = ALL_MOTIONS
        self.locks: frozenset[str] = frozenset()
        self.latched: tuple[str, ...] = self.world.verdict.latched if self.world.verdict else ()

    def press(self, station: str, motion: Motion) -> None:
        self.presses += bool(motion)
        self.keys[station] = (self.presses if motion else 0, motion)

    def heal(self) -> None:
        for signal in KNOWN[self.kind]:
            self.world.values.setdefault(signal, 1.0)
            if self.world.values[signal] is None or signal not in SPEED_OF_LATCH.values():
                self.world.values[signal] = healthy(signal)
        self.world.corrupt, self.world.future = set(), set()
        self.world.guard = self.world.recorder = self.controller = self.disk = True
        self.mask, self.frozen, self.locks = ALL_MOTIONS, set(), frozenset()
        self.keys = dict.fromkeys(STATIONS, (0, M.NONE))
        self.odd += [t.Reset("panel:1"), *(t.Release(row, "A. Technician") for row in self.latched)]

    def beats(self, now: int) -> list[KernelInput]:
        found: list[KernelInput] = []
        for name, (press, motion) in self.keys.items():
            if name not in self.frozen:
                session = f"{name}/{self.sessions[name]}"
                found.append(t.Beat(name, session, press, motion, now - 20 * MS, now))
        return found

    def step(self, gap_ms: int = 20) -> t.Verdict:
        w = self.world
        now = w.now_ns + gap_ms * MS
        items = [*self.odd, *self.beats(now)]
        self.odd = []
        if self.controller:
            items.append(
                t.Lease(now - 20 * MS, self.mask, w.state.people.pickup, True, 400, self.locks)
            )
        for item in items:
            self.note(item, now)
        w.controller, w.extra = False, items + self.answers()
        w.settle_encoders()
        before, inputs = w.state, self.capture(gap_ms)
        assert w.verdict is not None
        stopped = any(isinstance(item, t.Stop) for item in items)
        self.check(w.verdict, inputs, stopped, now)
        if self.checks % 7 == 0:
            self.compare(before, now, inputs)
        self.checks += 1
        return w.verdict

    def capture(self, gap_ms: int) -> tuple[KernelInput, ...]:
        """Step the world; return the very inputs it gave."""
        w, seen = self.world, []
        honest = w.inputs

        def spy() -> tuple[KernelInput, ...]:
            seen.append(honest())
            return seen[0]

        w.inputs = spy  # type: ignore[method-assign]
        disk, w.disk = w.disk, False
        try:
            w.step(gap_ms * MS)
        finally:
            del w.inputs  # type: ignore[method-assign]
            w.disk = disk
            w.log.clear()
        return seen[0]

    def answers(self) -> list[KernelInput]:
        """The disk confirms the newest record it was asked for, or fails."""
        if not self.markers or max(self.markers) <= self.confirmed:
            return []
        seq = max(self.markers)
        self.confirmed = seq if self.disk else self.confirmed
        return [t.MarkerDurable(seq, self.disk)]

    def note(self, item: KernelInput, now: int) -> None:
        if isinstance(item, t.Lease):
            self.lease = item
        elif isinstance(item, t.Gone):
            self.told.pop(item.station, None)
        elif isinstance(item, t.Beat):
            fresh = 0 <= now - item.echo_ns <= P.evidence_ms * MS
            if fresh and 0 <= now - item.rx_ns <= P.evidence_ms * MS:
                self.told[item.station] = Told(
                    item.session, item.press, item.motion, item.echo_ns, item.rx_ns
                )

    # --- what must hold -----------------------------------------------------------------------

    def check(
        self, verdict: t.Verdict, inputs: tuple[KernelInput, ...], stopped: bool, now: int
    ) -> None:
        moves = [c for c in verdict.commands if c.cmd is Cmd.MOVE and c.axis is not Axis.DRIVE]
        assert len(moves) <= 1
        assert not (stopped and moves), "motion in the turn of a STOP"
        who = self.told.get(verdict.owner)
        press = (verdict.owner, who.session, who.press) if who else None
        if self.moving and (not moves or self.moving != press):
            self.dead.add(self.moving)
        self.moving = press if moves else None
        for item in moves:
            self.moved += 1
            assert who is not None
            assert who.press, "motion without evidence"
            assert AXIS_OF[who.motion] is item.axis
            assert 0 <= now - max(who.echo_ns, 0) <= P.evidence_ms * MS
            assert press not in self.dead, "a dead press moves"
            self.check_motion(verdict, who.motion, item.speed_mm_s, now)
        for item in verdict.commands:
            if item.cmd is not Cmd.MOVE:
                assert item.speed_mm_s == 0
        self.check_latches(verdict, inputs)
        self.check_ladder(verdict)
        self.speeds = {item.axis: abs(item.speed_mm_s) for item in verdict.commands}
        self.markers.setdefault(verdict.marker.seq, verdict.marker)
        assert self.markers[verdict.marker.seq] == verdict.marker, "one number, two records"
        for seq in [seq for seq in self.markers if seq < self.confirmed]:
            del self.markers[seq]

    def check_motion(self, verdict: t.Verdict, motion: Motion, speed: float, now: int) -> None:
        axis, act = AXIS_OF[motion], next(v.act for v in verdict.motions if v.motion is motion)
        assert act < Act.HOLD
        lease = self.lease
        granted = lease is not None and 0 <= now - lease.echo_ns <= P.permission_ms * MS
        named = granted and lease is not None and bool(lease.motions & motion)
        assert named or motion not in t.NEED_PERMISSION, "no permission"
        assert abs(speed) <= FULL[axis]
        if not named or act == Act.SLOW:
            assert abs(speed) <= max(DOCKING[axis], self.speeds.get(axis, 0.0))
        if motion in t.NEED_MARKER:
            assert any(
                m.in_flight and all(n.in_flight for k, n in self.markers.items() if k >= seq)
                for seq, m in self.markers.items()
                if seq <= self.confirmed
            ), "UP before the marker was durable"

    def check_latches(self, verdict: t.Verdict, inputs: tuple[KernelInput, ...]) -> None:
        for row in set(verdict.latched) - set(self.latched):
            axis, _, name = row.partition("_")
            if name in ("runaway", "overspeed", "wrong_way"):
                reading = self.world.state.readings[SPEED_OF_LATCH[axis]]
                assert reading.ok
                assert 0 <= self.world.now_ns - reading.t_ns <= P.feedback_ms * MS
        gone = set(self.latched) - set(verdict.latched)
        released = {item.row for item in inputs if isinstance(item, t.Release) and item.by.strip()}
        assert gone <= released | BY_RESET
        assert not gone & BY_RESET or any(isinstance(item, t.Reset) for item in inputs)
        self.latched = verdict.latched

    def check_ladder(self, verdict: t.Verdict) -> None:
        for item in verdict.motions:
            if item.motion in t.LOWERING and item.act >= Act.HOLD:
                assert set(item.rows) & EXEMPT, f"{item.motion!r} taken by {item.rows}"

    def compare(self, before: object, now: int, inputs: tuple[KernelInput, ...]) -> None:
        """The same step again gives the same; with one signal more unknown it permits no more."""
        config = self.world.config
        state, verdict = step(config, before, now, inputs)  # type: ignore[arg-type]
        assert (state, verdict) == (self.world.state, self.world.verdict)
        signals = sorted(KNOWN[self.kind])
        bad = t.Sample(signals[self.checks % len(signals)], 0.0, now, False)
        _, worse = step(config, before, now, (*inputs, bad))  # type: ignore[arg-type]
        assert not permitted(worse) & ~permitted(verdict), bad.signal


def permitted(verdict: t.Verdict) -> Motion:
    found = M.NONE
    for item in verdict.motions:
        if item.act < Act.HOLD and item.motion in t.NEED_PERMISSION:
            found |= item.motion
    return found


def happen(walk: Walk, rng: random.Random) -> int:
    """One random event; returns the gap to the next step in ms."""
    w, pick, signals = walk.world, rng.random(), sorted(KNOWN[walk.kind])
    station = rng.choice((*STATIONS, w.state.authority.stations.owner or "hand"))
    if pick < 0.06:
        walk.press(station, rng.choice((*OWN[walk.kind], M.NONE)))
    elif pick < 0.075:
        w.values[rng.choice(signals)] = rng.choice((None, 0.0, 1.0, 70.0, 230.0, -40.0, math.nan))
    elif pick < 0.08:
        (w.corrupt if rng.random() < 0.5 else w.future).add(rng.choice(signals))
    elif pick < 0.09:
        walk.frozen ^= {station}
    elif pick < 0.10:
        walk.controller, walk.mask = rng.random() < 0.8, M(rng.randrange(128))
    elif pick < 0.105:
        w.guard, w.recorder = rng.random() < 0.9, rng.random() < 0.9
        walk.locks = frozenset(rng.sample(sorted(LOCKS), rng.randrange(2)))
    elif pick < 0.11:
        walk.disk = rng.random() < 0.8
    elif pick < 0.115:
        walk.sessions[station] += 1
        walk.odd.append(t.Gone(station))
    elif pick < 0.135:
        walk.odd.append(oddity(walk, rng, station))
    elif pick < 0.15:
        walk.heal()
    elif pick < 0.16:
        walk.odd.append(t.Stop(station))
        walk.press(station, rng.choice(OWN[walk.kind]))
    return rng.choice((20, 20, 20, 20, 20, 20, 5, 1, 40, 60)) if rng.random() < 0.998 else 300


def oddity(walk: Walk, rng: random.Random, station: str) -> KernelInput:
    now, far = walk.world.now_ns, rng.choice((-(2**63), -1, 0, 2**63, 10**12))
    press, motion = rng.randrange(-3, walk.presses + 3), rng.choice(OWN[walk.kind])
    session = f"{station}/{walk.sessions[station]}"
    choices: tuple[KernelInput, ...] = (
        t.Stop(station),
        t.Stop("nobody"),
        t.Beat(station, session, press, motion, far, now),
        t.Beat(station, session, press, motion, now, far),
        t.Beat(station, session, rng.randrange(2**62), M(rng.randrange(128)), far, far),
        t.Gone("nobody"),
        t.Reset(station),
        t.Release("no_such_row", "x"),
        t.Release("hoist_runaway", " "),
        t.PlanSet(t.Plan(rng.choice((0.0, -5.0, 60.0, float("inf"))), -1, False)),
        t.PlanSet(t.Plan(80.0, 1, True, 70.0, 75.0, rng.random() < 0.9, rng.random() < 0.9)),
        t.PlanSet(None),
        t.Lease(far, ALL_MOTIONS, rng.randrange(-2, 9), rng.random() < 0.5, rng.choice((0, 2**62))),
        t.GuardBeat(far, "x"),
        t.RecorderBeat(far, False),
        t.MarkerDurable(-1, False),
    )
    return rng.choice(choices)
