"""Facts: three-valued statements about the world, made from readings.

Role: each fact is True, False or None (unknown), computed from measurements and the kernel's own
commands, with its debounce. Must never: turn unknown into true or false (design rule 5), or read a
machine state.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from safety.authority import Authority
from safety.bounds import Params
from safety.memory import People
from safety.signals import NS_PER_MS
from safety.types import Axis, Plan, Quality, SignalId

Truth = bool | None
S = SignalId


@dataclass(frozen=True, slots=True)
class AxisMemory:
    """What an axis was told: last commanded speed, and the speed it may still have while ramping
    down.
    """

    speed_mm_s: float = 0.0
    may_have_mm_s: float = 0.0


@dataclass(slots=True)
class Scene:
    """Everything a fact may look at in one step. `kept` carries debounce times (ns) and running
    sums over to the next.
    """

    kind: str
    now_ns: int
    gap_ns: int
    params: Params
    fitted: frozenset[SignalId]
    quality: Mapping[SignalId, Quality]
    raw: Mapping[SignalId, float]
    axes: Mapping[Axis, AxisMemory]
    authority: Authority
    latched: frozenset[str]
    boot_ns: int
    ready: bool
    fallback: bool
    drive_waits: bool
    people: People
    heard_ns: Mapping[SignalId, int] = field(default_factory=dict)
    kept: dict[str, int] = field(default_factory=dict)

    @property
    def carrying(self) -> bool:
        """Someone hangs or stands."""
        return self.people.aloft or self.people.standing

    def value(self, signal: SignalId) -> float | None:
        """The reading, or None when it may not be used."""
        return self.raw[signal] if self.quality.get(signal) is Quality.FRESH else None

    def test(self, signal: SignalId, wanted: Callable[[float], bool]) -> Truth:
        """Is the reading as `wanted`? None when it may not be used."""
        value = self.value(signal)
        return None if value is None else wanted(value)

    def is_off(self, signal: SignalId) -> Truth:
        """Is a contact open (0)? None when unknown."""
        return self.test(signal, lambda value: value < 0.5)

    def for_ms(
        self, key: str, condition: Truth, limit_ms: float, *, by: SignalId | None = None
    ) -> Truth:
        """True once `condition` has been true for `limit_ms`; time unknown neither counts nor
        starts anew. With `by` it lasts from when that signal was heard to when it was last heard:
        one sample is a moment, and the silence after it no duration (rule 5).
        """
        if condition is False:
            self.kept.pop(key, None)
            return False
        if condition is None:
            if key in self.kept:
                self.kept[key] += self.gap_ns
            return None
        heard_ns = self.heard_ns.get(by, 0) if by else self.now_ns
        new = heard_ns > self.now_ns - self.gap_ns  # what is heard since the last step shows it
        start = self.kept.setdefault(key, heard_ns if new else self.now_ns)
        return heard_ns - start >= limit_ms * NS_PER_MS


Compute = Callable[[Scene], Truth]


def either(first: Truth, second: Truth) -> Truth:
    """Kleene's or."""
    if first or second:
        return True
    return None if first is None or second is None else False


def both(first: Truth, second: Truth) -> Truth:
    """Kleene's and."""
    if first is False or second is False:
        return False
    return None if first is None or second is None else True


def off(signal: SignalId) -> Compute:
    """The contact is open."""
    return lambda scene: scene.is_off(signal)


def on(signal: SignalId) -> Compute:
    """The flag is set."""
    return lambda scene: scene.test(signal, lambda value: value >= 0.5)


def below(signal: SignalId, bound: str, filter_ms: str = "") -> Compute:
    """The reading is under a number of the site, for the time named by `filter_ms`."""

    def fact(scene: Scene) -> Truth:
        p = scene.params
        low = scene.test(signal, lambda value: bool(value < getattr(p, bound)))
        return scene.for_ms(bound, low, getattr(p, filter_ms)) if filter_ms else low

    return fact


def above(signal: SignalId, bound: str) -> Compute:
    """The reading is over a number of the site."""
    return lambda scene: scene.test(signal, lambda v: bool(v > getattr(scene.params, bound)))


def pair_open(a: SignalId, b: SignalId) -> Compute:
    """One contact of two is open."""
    return lambda scene: either(scene.is_off(a), scene.is_off(b))


def pair_differs(a: SignalId, b: SignalId, bound: str) -> Compute:
    """Two contacts of one switch disagree for longer than a number of the site."""

    def fact(scene: Scene) -> Truth:
        first, second = scene.value(a), scene.value(b)
        apart = None if first is None or second is None else first != second
        return scene.for_ms(f"{a}:{bound}", apart, getattr(scene.params, bound), by=a)

    return fact


def for_new(fact: Compute) -> Compute:
    """What is refused before it begins is finished once it has begun (H14, H18, H36)."""
    return lambda scene: both(fact(scene), not scene.carrying)  # its filter runs on all the time


def older(age_ms: float | None, limit_ms: float) -> bool:
    """A beat that is missing, too old or from the future."""
    return age_ms is None or not 0 <= age_ms <= limit_ms


def locked(name: str) -> Compute:
    """A lock that a person or the calendar has set, by the controller's living word."""

    def fact(scene: Scene) -> Truth:
        lease = scene.authority.lease
        return None if lease is None or permission_lost(scene) else name in lease.locks

    return fact


def plan_says(fault: Callable[[Plan], bool]) -> Compute:
    """Something in the plan is not as it must be; without a plan there is nothing to compare."""

    def fact(scene: Scene) -> Truth:
        plan = scene.authority.plan
        return plan is not None and fault(plan)

    return fact


def lag(bound: str) -> Compute:
    """The gate's own turn came late."""
    return lambda scene: scene.gap_ns > getattr(scene.params, bound) * NS_PER_MS


def permission_lost(scene: Scene) -> Truth:
    return older(scene.authority.age_ms("lease", scene.now_ns), scene.params.permission_ms)


def guard_lost(scene: Scene) -> Truth:
    return older(scene.authority.age_ms("guard", scene.now_ns), scene.params.guard_ms)


def guard_cut(scene: Scene) -> Truth:
    """By the guard's word, or by the relay itself."""
    fitted = scene.quality[S.RUN_ENABLE] is not Quality.MISSING
    relay = scene.for_ms("relay_off", scene.is_off(S.RUN_ENABLE), 100) if fitted else False
    guard = scene.authority.guard
    return either(bool(guard and guard.cut), relay)


def relay_welded(scene: Scene) -> Truth:
    """The guard has cut, and the relay says it is still closed (H1)."""
    guard = scene.authority.guard
    closed = on(S.RUN_ENABLE)(scene) if guard and guard.cut else False
    return scene.for_ms("relay_welded", closed, scene.params.guard_ms + scene.params.io_ms)


def charger_up(scene: Scene) -> Truth:
    """On charge, where the maker forbids raising on charge."""
    return both(scene.params.charger_stops_up >= 0.5, scene.is_off(S.CHARGER_ABSENT))


def recorder_lost(scene: Scene) -> Truth:
    """Rule 10: this transfer is finished, no new one begins."""
    beat = scene.authority.recorder
    age_ms = scene.authority.age_ms("recorder", scene.now_ns)
    lost = older(age_ms, scene.params.recorder_ms) or not (beat and beat.healthy)
    return lost and not scene.authority.in_transfer(scene.carrying)


def boot_deadline(scene: Scene) -> Truth:
    """An expected node has never been heard (H23): a heartbeat consumer alone would not notice."""
    silent = any(scene.quality[s] is Quality.MISSING for s in scene.fitted)
    return silent and scene.now_ns - scene.boot_ns > scene.params.boot_ms * NS_PER_MS


def duty(scene: Scene) -> Truth:
    """The motor has raised for longer than its duty allows and must rest (H18)."""
    p = scene.params
    raising = any(a.speed_mm_s > 0 for axis, a in scene.axes.items() if axis is not Axis.TRAVERSE)
    rest = -p.duty_ratio / (1 - p.duty_ratio)
    heat = scene.kept.get("heat_ns", 0) + round(scene.gap_ns * (1 if raising else rest))
    scene.kept["heat_ns"] = max(0, heat)
    full = p.duty_s * 1000 * NS_PER_MS
    hot = heat >= (full / 2 if "hot" in scene.kept else full)  # it rests until half has gone
    if hot:
        scene.kept["hot"] = scene.now_ns
    else:
        scene.kept.pop("hot", None)
    return hot and not scene.carrying


# Rows after which the device is not used again before a technician has looked at it (H37).
EVENTS = {
    f"{axis}_{what}"
    for axis in ("hoist", "traverse", "stand")
    for what in ("runaway", "overspeed", "wrong_way")
} | {"load_gone", "relay_welded"}


def quarantine(scene: Scene) -> Truth:
    """A grave event happened, or a loop slipped and its share of the load stayed away (H37),
    whatever was pressed meanwhile and whether or not anything is left. Back once, it is back.
    """
    if scene.latched & EVENTS:
        return True
    kept, person, slipped = scene.kept, scene.people, "load_step" in scene.latched
    if slipped and not kept.get("slipped"):
        if not person.carried_kg:  # it slipped before a restart: whether it came back is not known
            return True
        left = 1 - scene.params.load_step_ratio
        kept["slip_g"] = round(left * person.carried_kg * 1000)
    kept["slipped"] = int(slipped)
    least_kg = kept.get("slip_g", 0) / 1000
    if person.whole_window and person.least_kg >= least_kg:
        kept.pop("slip_g", None)
    short = scene.test(S.LOAD_KG, lambda value: value < least_kg)
    lost = scene.for_ms("slip_ns", both("slip_g" in kept, short), scene.params.load_lost_ms)
    if lost:
        kept.pop("slip_g")
    return lost
