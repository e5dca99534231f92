"""The kernel in a steady world: what it says once some switches have been flipped and all settled.

Role: a healthy world and the real `step` in virtual time; the playable page and its test are made
from it. Process: none of the service's. Must never: decide anything a fact or a row decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache

from liftctl.safetycase.switches import (
    CHOICES,
    SITUATION,
    Option,
    Switch,
    choice,
    healthy,
    latch,
    measured,
    singles,
)
from safety.bounds import Params
from safety.signals import KNOWN, NS_PER_MS, OPTIONAL
from safety.state import KernelConfig, KernelState, boot
from safety.step import step
from safety.table import FOR_KIND
from safety.types import (
    ALL_MOTIONS,
    Beat,
    Clear,
    GuardBeat,
    KernelInput,
    Lease,
    Motion,
    Plan,
    PlanSet,
    RecorderBeat,
    Release,
    Reset,
    Sample,
    SignalId,
)
from safety.verdict import Marker, Verdict

S = SignalId
TURN_NS, LONG_NS = 20 * NS_PER_MS, 6000 * NS_PER_MS
# Numbers a site sets where the default is "there is none".
PARAMS = Params(
    hoist_top_mm=2500, rail_min_mm=0, rail_max_mm=4000, joint_from_mm=2000, joint_to_mm=2300,
    charger_stops_up=1,
)  # fmt: skip
Flips = tuple[tuple[int, int], ...]  # (switch, option), ascending, no healthy options


@dataclass(frozen=True, slots=True)
class World:
    """One arrangement of everything that is not a signal's value."""

    values: Mapping[SignalId, float | None]
    does: frozenset[str]
    key: Motion  # of a key that is held

    def inputs(self, now_ns: int) -> tuple[KernelInput, ...]:
        """What reaches the kernel in one turn."""
        does = self.does
        found: list[KernelInput] = [
            Sample(signal, value or 0.0, now_ns, value is not None)
            for signal, value in self.values.items()
        ]  # fmt: skip
        if "restart" not in does:
            held = (1, self.key) if "held" in does else (0, Motion.NONE)
            station = "panel:held" if "held" in does else "panel:1"
            found.append(Beat(station, station, *held, now_ns, now_ns))
        if "no_lease" not in does:
            locks = frozenset(name[5:] for name in does if name.startswith("lock:"))
            motions = Motion.NONE if "no_motion" in does else ALL_MOTIONS
            found.append(Lease(now_ns, motions, int("confirmed" in does), False, 0, locks))
        if "no_guard" not in does:
            found.append(GuardBeat(now_ns, "cut" if "cut" in does else ""))
        if "no_recorder" not in does:
            found.append(RecorderBeat(now_ns, "full" not in does))
        return (*found, *self._plan())

    def _plan(self) -> tuple[KernelInput, ...]:
        does = self.does
        if not does & {"plan", "one_carer", "resident", "sling", "limit", "weight"}:
            return ()
        plan = Plan(
            limit_kg=60 if "limit" in does else 200,
            carers=1 if "one_carer" in does else 2,
            one_carer_allowed=False,
            resident_kg=100 if "weight" in does else 0,
            resident_ok="resident" not in does,
            sling_ok="sling" not in does,
        )
        return (PlanSet(plan),)


@dataclass(frozen=True, slots=True)
class Settled:
    """What the kernel says in the end, and the world that made it say so."""

    config: KernelConfig
    state: KernelState
    world: World
    verdict: Verdict

    def over(self, row: str) -> bool:
        """Would the row's own event end its latch now: its fact is known to be false."""
        now_ns = self.state.last_ns + TURN_NS
        latched = replace(self.state, latched=frozenset({row}))
        freed = (Reset("panel:1"), Release(row, "technician"))
        _, verdict = step(self.config, latched, now_ns, (*self.world.inputs(now_ns), *freed))
        return row not in verdict.latched


class Rig:
    """One kind of device with everything fitted, and its switches."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.config = KernelConfig(kind, PARAMS, fitted=frozenset(OPTIONAL[kind]))
        self._usual: dict[SignalId, float | None] = {s: healthy(s) for s in KNOWN[kind]}
        self._bases = [self._base(option) for option in SITUATION[kind].options]
        signals = (measured(signal, KNOWN[kind][signal]) for signal in KNOWN[kind])
        self.switches: tuple[Switch, ...] = (
            SITUATION[kind],
            *(choice(*item) for item in CHOICES),
            *signals,
        )
        self.switches += tuple(map(latch, self._unreached()))

    def _unreached(self) -> tuple[str, ...]:
        """Rows with a latch that no switch alone makes true: they need a motion or a moment."""
        reached: set[str] = set()
        for switch, option in singles(self.switches):
            reached |= set(self.settle(((switch, option),)).verdict.active)
        rows = (row for row in FOR_KIND[self.kind] if row.clear is not Clear.AUTO)
        return tuple(row.id for row in rows if row.id not in reached)

    def settle(self, flips: Flips) -> Settled:
        """From the healthy world of the situation flip the rest, wait until all has settled."""
        chosen = dict(flips)
        state = self._bases[chosen.get(0, 0)]
        world = self._world(self.switches[switch].options[item] for switch, item in flips)
        config, now_ns = self.config, state.last_ns
        if "fallback" in world.does:
            config = replace(config, fallback=True)
        if "restart" in world.does:
            state = replace(boot(config, now_ns, Marker(0, False, (), 0)), people=state.people)
        latched = frozenset(name[6:] for name in world.does if name.startswith("latch:"))
        state = replace(_encoders_agree(state), latched=latched)
        late_ns = next((int(x[5:]) * NS_PER_MS for x in world.does if x[:5] == "late:"), TURN_NS)
        for gap_ns in (TURN_NS, LONG_NS, LONG_NS, LONG_NS, late_ns):
            now_ns += gap_ns
            state, verdict = step(config, state, now_ns, world.inputs(now_ns))
        return Settled(config, state, world, verdict)

    def _world(self, options: Iterable[Option]) -> World:
        values, does = dict(self._usual), set()
        for option in options:
            values |= dict(option.values) | dict(option.then)
            does |= {option.does} - {""}
        key = Motion.SIT if self.kind == "chair" else Motion.DOWN
        return World(values, frozenset(does), key)

    def _base(self, option: Option) -> KernelState:
        """The settled healthy world of a situation: picked up low, then where it says."""
        now_ns = 10**9
        state = boot(self.config, now_ns, Marker(0, False, (), 0))
        option = replace(option, then=())
        low = replace(option, values=tuple(v for v in option.values if v[0] is not S.HOIST_POS))
        for options in ((), (low,), (option,)):
            world, state = self._world(options), _encoders_agree(state)
            for _ in range(20):
                now_ns += TURN_NS
                state, _ = step(self.config, state, now_ns, world.inputs(now_ns))
        return state


def _encoders_agree(state: KernelState) -> KernelState:
    """A position that is put somewhere was there all along; it is no encoder's jump."""
    return replace(state, kept={k: v for k, v in state.kept.items() if not k.endswith(":um")})


@cache
def rig(kind: str) -> Rig:
    """The one rig of a kind."""
    return Rig(kind)
