"""Facts: three-valued statements about the world, made from readings.

Role: each fact is True, False or None (unknown) and is computed here once, from measurements and
the kernel's own commands, with its debounce. Must never: turn unknown into true or false (design
rule 5), or read a machine state.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from safety.bounds import Params
from safety.signals import NS_PER_MS
from safety.types import Axis, Motion, Quality, SignalId

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
    """Everything a fact may look at in one step. `since` carries debounce start times over to the
    next.
    """

    kind: str
    now_ns: int
    params: Params
    quality: Mapping[SignalId, Quality]
    raw: Mapping[SignalId, float]
    axes: Mapping[Axis, AxisMemory]
    limit_kg: float
    gap_ms: float = 0.0
    evidence_lost: bool = False
    key_held: bool = False
    permission_age_ms: float | None = None
    guard_age_ms: float | None = None
    guard_cut: bool = False
    recorder_age_ms: float | None = None
    recorder_healthy: bool = False
    in_transfer: bool = False
    one_carer_refused: bool = False
    ready: bool = False
    fallback: bool = False
    aloft: bool = False
    standing: bool = False
    pickup_height_mm: float | None = None
    confirmed: bool = False
    since: dict[str, int] = field(default_factory=dict)

    def value(self, signal: SignalId) -> float | None:
        """The reading, or None when it may not be used."""
        return self.raw[signal] if self.quality[signal] is Quality.FRESH else None

    def is_off(self, signal: SignalId) -> Truth:
        """Is a contact open (0)? None when unknown."""
        value = self.value(signal)
        return None if value is None else value < 0.5

    def for_ms(self, key: str, condition: Truth, limit_ms: float) -> Truth:
        """True once `condition` has been true without a break for `limit_ms`."""
        if not condition:
            self.since.pop(key, None)
            return condition
        start = self.since.setdefault(key, self.now_ns)
        return self.now_ns - start >= limit_ms * NS_PER_MS


Compute = Callable[[Scene], Truth]


def either(first: Truth, second: Truth) -> Truth:
    """Kleene's or."""
    if first or second:
        return True
    return None if first is None or second is None else False


def _over(signal: SignalId, limit: float, scene: Scene) -> Truth:
    value = scene.value(signal)
    return None if value is None else value > limit


def _differ(a: SignalId, b: SignalId, key: str, limit_ms: float, scene: Scene) -> Truth:
    first, second = scene.value(a), scene.value(b)
    apart = None if first is None or second is None else first != second
    return scene.for_ms(key, apart, limit_ms)


def _pair_open(a: SignalId, b: SignalId) -> Compute:
    return lambda scene: either(scene.is_off(a), scene.is_off(b))


def _pair_differs(a: SignalId, b: SignalId, key: str, bound: str) -> Compute:
    return lambda scene: _differ(a, b, key, getattr(scene.params, bound), scene)


def _open(signal: SignalId) -> Compute:
    return lambda scene: scene.is_off(signal)


def _older(age_ms: float | None, limit_ms: float) -> bool:
    return age_ms is None or not 0 <= age_ms <= limit_ms


def _below(signal: SignalId, bound: str) -> Compute:
    def fact(scene: Scene) -> Truth:
        value = scene.value(signal)
        return None if value is None else value < getattr(scene.params, bound)

    return fact


def _battery_reserve(scene: Scene) -> Truth:
    """A new lift is refused at the reserve; one that has begun may go on (H14)."""
    if scene.aloft or scene.standing:
        return False
    return _below(S.BATTERY_PCT, "battery_reserve_pct")(scene)


def _guard_cut(scene: Scene) -> Truth:
    fitted = scene.quality[S.RUN_ENABLE] is not Quality.MISSING
    off = scene.for_ms("relay_off", scene.is_off(S.RUN_ENABLE), 100) if fitted else False
    return either(scene.guard_cut, off)


def _recorder_lost(scene: Scene) -> Truth:
    """Rule 10: this transfer is finished, no new one begins."""
    lost = _older(scene.recorder_age_ms, scene.params.recorder_ms) or not scene.recorder_healthy
    return lost and not scene.in_transfer


def _agrees(signal: SignalId, agree: bool) -> Compute:
    """A contact against the load: do they say the same (`agree`), or not (then it is disputed)?"""

    def fact(scene: Scene) -> Truth:
        off, load = scene.is_off(signal), scene.value(S.LOAD_KG)
        if not off:
            return off
        unloaded = load is not None and load < scene.params.aloft_kg
        return unloaded == agree

    return fact


def _blind(scene: Scene) -> Truth:
    """No diverse signal is good: neither the strap contact nor the load can be believed."""
    return scene.value(S.STRAP_TIGHT) is None and scene.value(S.LOAD_KG) is None


def _overload(scene: Scene) -> Truth:
    limit = scene.limit_kg * scene.params.overload_stop_ratio
    over = _over(S.LOAD_KG, limit, scene)
    return scene.for_ms("overload", over, scene.params.overload_filter_ms)


def _tension_pause(scene: Scene) -> Truth:
    """Someone hangs, the loops of this pick-up are not confirmed, and the low height is reached
    (H5).
    """
    if not scene.aloft or scene.confirmed:
        return False
    height = scene.value(S.HOIST_POS)
    if height is None or scene.pickup_height_mm is None:
        return None
    return height - scene.pickup_height_mm >= scene.params.tension_pause_mm


def _pitch(scene: Scene) -> Truth:
    limit = scene.params.pitch_stand_deg

    def steep(signal: SignalId) -> Truth:
        value = scene.value(signal)
        return None if value is None else abs(value) > limit

    return either(steep(S.PITCH_DEG), steep(S.ROLL_DEG))


def _on(signal: SignalId) -> Compute:
    def fact(scene: Scene) -> Truth:
        off = scene.is_off(signal)
        return None if off is None else not off

    return fact


def _moving(signal: SignalId) -> Compute:
    def fact(scene: Scene) -> Truth:
        value = scene.value(signal)
        return None if value is None else abs(value) > 1

    return fact


# By row id: each row of the table has one fact, and each fact one row.
COMPUTE: dict[str, Compute] = {
    "estop": _pair_open(S.ESTOP_A, S.ESTOP_B),
    "estop_discrepancy": _pair_differs(S.ESTOP_A, S.ESTOP_B, "estop", "estop_discrepancy_ms"),
    "lag_warn": lambda scene: scene.gap_ms > scene.params.lag_warn_ms,
    "lag_stop": lambda scene: scene.gap_ms > scene.params.lag_stop_ms,
    "evidence_lost": lambda scene: scene.evidence_lost,
    "key_held": lambda scene: scene.key_held,
    "permission_lost": lambda s: _older(s.permission_age_ms, s.params.permission_ms),
    "guard_lost": lambda s: _older(s.guard_age_ms, s.params.guard_ms),
    "guard_cut": _guard_cut,
    "recorder_lost": _recorder_lost,
    "boot_faulted": lambda scene: not scene.ready,
    "config_fallback": lambda scene: scene.fallback,
    "battery_reserve": _battery_reserve,
    "battery_critical": _below(S.BATTERY_PCT, "battery_critical_pct"),
    "upper_limit": _open(S.UPPER_FREE),
    "lower_limit": _agrees(S.LOWER_FREE, True),
    "lower_limit_disputed": _agrees(S.LOWER_FREE, False),
    "slack": _agrees(S.STRAP_TIGHT, True),
    "slack_disputed": _agrees(S.STRAP_TIGHT, False),
    "blind": _blind,
    "rail_left": _open(S.RAIL_LEFT_FREE),
    "rail_right": _open(S.RAIL_RIGHT_FREE),
    "overload_warn": lambda scene: _over(S.LOAD_KG, scene.limit_kg, scene),
    "overload": _overload,
    "overload_hard": lambda scene: _over(
        S.LOAD_KG, scene.limit_kg * scene.params.overload_hard_ratio, scene
    ),
    "tension_pause": _tension_pause,
    "loops_unconfirmed": lambda scene: scene.aloft and not scene.confirmed,
    "one_carer": lambda scene: scene.one_carer_refused,
    "brakes": _open(S.BRAKES_ON),
    "knee_block": _pair_open(S.KNEE_A, S.KNEE_B),
    "knee_discrepancy": _pair_differs(S.KNEE_A, S.KNEE_B, "knee", "pair_discrepancy_ms"),
    "chest_belt": _pair_open(S.BELT_A, S.BELT_B),
    "belt_discrepancy": _pair_differs(S.BELT_A, S.BELT_B, "belt", "pair_discrepancy_ms"),
    "feet": _below(S.FEET_KG, "feet_kg"),
    "pitch": _pitch,
    "charger": _open(S.CHARGER_ABSENT),
    "stood": lambda s: None if s.value(S.STAND_POS) is None else s.standing,
    "drive_fault": _on(S.DRIVE_FAULT),
    "drive_unverified": _open(S.DRIVE_VERIFIED),
    "drive_moving": _moving(S.DRIVE_SPEED),
}


@dataclass(frozen=True, slots=True)
class AxisSignals:
    """Which signals tell about an axis, and its two motions."""

    axis: Axis
    speed: SignalId
    position: SignalId
    fault: SignalId
    verified: SignalId
    motions: Motion


AXES = {
    "hoist": AxisSignals(
        Axis.HOIST, S.HOIST_SPEED, S.HOIST_POS, S.HOIST_FAULT, S.HOIST_VERIFIED,
        Motion.UP | Motion.DOWN,
    ),
    "traverse": AxisSignals(
        Axis.TRAVERSE, S.TRAVERSE_SPEED, S.TRAVERSE_POS, S.TRAVERSE_FAULT, S.TRAVERSE_VERIFIED,
        Motion.LEFT | Motion.RIGHT,
    ),
    "stand": AxisSignals(
        Axis.STANDER, S.STAND_SPEED, S.STAND_POS, S.STAND_FAULT, S.STAND_VERIFIED,
        Motion.STAND | Motion.SIT,
    ),
}  # fmt: skip
