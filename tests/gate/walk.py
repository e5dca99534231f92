"""A random but mostly sensible world round the gate of a demo site.

Role: the engine of tests/gate/test_walk.py: carers, controller, guard, recorder, disk and devices,
disturbed at random, and the books of an outsider beside them. As a program (`python -m
tests.gate.walk STEPS`) it walks both kinds and ends with what it was started by. Must never: let
the outsider see the gate's state.
"""

from __future__ import annotations

import os
import random
import sys
import threading
from dataclasses import dataclass, field
from functools import cache

from config.schema import load
from drivers.frames import Frame
from drivers.registry import build
from liftctl import ipc
from liftctl.gate import turn as gate
from liftctl.gate.inputs import Durable, GateInput, RxBytes, RxFrame
from liftctl.gate.turn import GateConfig, Outputs, configure, start
from safety.verdict import Marker
from tests.gate.books import Books
from tests.gate.conditions import BITS, OWN
from tests.gate.room import SITES
from tests.gate.trouble import STATIONS, happen
from tests.gate.world import MS, World

KINDS = ("lift", "chair")
GAPS_MS = (20,) * 60 + (5, 1, 40, 60)


@cache
def site(kind: str) -> GateConfig:
    found = load(SITES / f"demo-{kind}.toml")
    return configure(found, tuple(build(spec, found.limits) for spec in found.device))


@dataclass
class Carer:
    """One finger: what it holds, and until when."""

    session: int = 1
    press: int = 0
    motion: str = ""
    until: int = 0
    echo: int = 0


@dataclass
class Walk:
    """A gate, its world and its judge; `trouble` maps what is wrong now to when it ends."""

    kind: str
    seed: int
    steps: int = 0
    trouble: dict[str, int] = field(default_factory=dict)
    more: list[GateInput] = field(default_factory=list)
    carer: str = STATIONS[0]  # the others press seldom

    def __post_init__(self) -> None:
        self.rng = random.Random(f"{self.kind} {self.seed}")
        self.config = site(self.kind)
        self.world = World(self.kind, self.rng)
        self.now = self.tick = self.world.now
        self.state = start(self.config, self.now, Marker(0, False, (), 0))
        self.books = Books(self.kind, then_ns=self.now)
        self.carers = {name: Carer() for name in STATIONS}
        self.marker = Marker(0, False, (), 0)
        self.latched: tuple[str, ...] = ()
        self.asked: list[int] = []
        self.ready_ns = self.now + 2500 * MS
        self.masks = (127,) * 6 + (127 & ~BITS[OWN[self.kind][0]], 0, self.rng.randrange(128))

    def step(self) -> Outputs:
        """One turn; AssertionError when a rule broke."""
        rng, self.steps = self.rng, self.steps + 1
        gap = rng.choice((90, 300)) if rng.random() < 0.0005 else rng.choice(GAPS_MS)
        self.now += gap * MS
        if self.now > self.ready_ns:
            happen(self)
        given = tuple(self._inputs())
        self.more = []
        self.state, out = gate.turn(self.config, self.state, self.now, given)
        self.books.check(self.now, given, out)
        self._deliver(out)
        self.tick = self.now
        return out

    def walk(self, steps: int) -> None:
        """So many steps; a failure names seed and step."""
        while self.steps < steps:
            try:
                self.step()
            except Exception as error:
                where = f"Walk({self.kind!r}, {self.seed}), step {self.steps}"
                raise AssertionError(f"{where}: {type(error).__name__}: {error}") from error

    def _is(self, what: str) -> bool:
        return self.trouble.get(what, 0) > self.now

    # --- everybody's messages

    def _inputs(self) -> list[GateInput]:
        w, rng = self.world, self.rng
        w.relay = not self._is("guard") and not self._is("cut")
        found: list[GateInput] = [
            item for said in w.run(self.now) for item in self._received(*said)
        ]
        found += [self._hold(name) for name in ("panel:1", "panel:2") if self._beats(name)]
        if not self._is("controller") and rng.random() < 0.8:
            found.append(self._permission())
        if not self._is("guard") and rng.random() < 0.8:
            found.append(ipc.GuardSays(self.tick, "a lie" * self._is("cut")))
        if not self._is("recorder") and rng.random() < 0.3:
            found.append(ipc.RecorderSays(self.tick, not self._is("full")))
        if self.asked and rng.random() < 0.2:
            found.append(Durable(self.asked.pop(0), not self._is("disk")))
        if rng.random() < 0.1:
            rng.shuffle(found)
        for item in self.more:
            found.insert(rng.randrange(len(found) + 1), item)
        return found

    def _received(self, can_id: int, data: bytes) -> list[GateInput]:
        """Mostly what was sent; in trouble it is lost, late, early, twice or spoiled."""
        rng, flags, t_ns = self.rng, 0, self.now - self.rng.randrange(3 * MS)
        if self._is("deaf") or self._is(f"lost {can_id:X}"):
            return []
        if self._is("noise") and rng.random() < 0.2:
            pick = rng.randrange(7)
            if pick == 0:
                return []
            if pick == 1:
                t_ns -= 300 * MS
            elif pick == 2:
                t_ns += 60 * MS
            elif pick == 3:
                data = data[:-1]
            elif pick == 4:
                flags = rng.choice((1, 2, 4))
            elif pick == 5:
                data = bytes(byte ^ (rng.random() < 0.2) << rng.randrange(8) for byte in data)
            else:
                return [RxFrame(t_ns, self.kind, can_id, data)] * 2
        return [RxFrame(t_ns, self.kind, can_id, data, flags)]

    def _beats(self, name: str) -> bool:
        return not self._is(f"silent {name}") and self.rng.random() < 0.7

    def _hold(self, name: str) -> ipc.Hold:
        carer = self.carers[name]
        if not self._is(f"frozen {name}"):
            carer.echo = self.tick
        return ipc.Hold(
            name, f"{name}/{carer.session}", carer.press, carer.motion, carer.echo, self.now
        )

    def _permission(self) -> ipc.Permission:
        named = self.masks[-1] if self._is("mask") else 127
        confirmed = 0 if self._is("unconfirmed") else self.marker.pickup
        locks = (self.rng.choice(("paused", "cleaning")),) if self._is("locks") else ()
        return ipc.Permission(self.tick, named, confirmed, True, 400, locks)

    def _deliver(self, out: Outputs) -> None:
        self.latched = out.verdict.latched
        if out.verdict.marker != self.marker:
            self.marker = out.verdict.marker
            self.asked.append(self.marker.seq)
        for wire in out.wires:
            if self._is("mute") and self.rng.random() < 0.5:
                continue
            if isinstance(wire, Frame):
                self.world.obey(wire.id, wire.data)
            elif said := self.world.say(wire.data):
                self.more.append(RxBytes(self.now, wire.line, said))


def _die_with(stdin: int) -> None:
    os.read(stdin, 1)
    os._exit(3)


def main() -> None:
    """Walk both kinds; a failure is told on stdout with its seed."""
    threading.Thread(target=_die_with, args=(0,), daemon=True).start()
    steps, seed = int(sys.argv[1]), int(sys.argv[2])
    for kind in KINDS:
        walk = Walk(kind, seed)
        walk.walk(steps // len(KINDS))
        print(f"{kind}: {walk.steps} steps, seed {seed}, {walk.books.moved} moved")
        print(*(f"{kind}, {name}: {n}" for name, n in sorted(walk.books.tried.items())), sep="\n")


if __name__ == "__main__":
    main()
