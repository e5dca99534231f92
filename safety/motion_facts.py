"""Facts about an axis that moves: does it do what it was told, and only that (H1, H6, H7).

Role: commanded speed against measured speed and position. Must never: trip on an unknown speed
(design rule 5: unknown never sets the latches of H1, H6, H7; `feedback` and `lost` speak for it).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from safety.bounds import Params
from safety.facts import AxisMemory, Compute, Scene, Truth, both, off, on, pair_open
from safety.types import Axis, Motion, SignalId

S = SignalId
ESTOP = pair_open(S.ESTOP_A, S.ESTOP_B)
SYNC_S = 2.0  # how fast the position estimate follows the measured one


@dataclass(frozen=True, slots=True)
class AxisSignals:
    """Which signals tell about an axis, and its two motions."""

    axis: Axis
    speed: SignalId
    position: SignalId
    fault: SignalId
    verified: SignalId
    motions: Motion

    def still_mm_s(self, p: Params) -> float:
        """Measured speed up to which the axis stands."""
        return p.stand_still_mm_s if self.axis is Axis.STANDER else p.still_mm_s

    def full_mm_s(self, p: Params) -> float:
        """The fastest it is ever commanded."""
        if self.axis is Axis.HOIST:
            return max(p.hoist_loaded_mm_s, p.hoist_empty_mm_s, p.hoist_down_mm_s)
        return p.traverse_mm_s if self.axis is Axis.TRAVERSE else p.stand_mm_s


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
BY_AXIS = {it.axis: it for it in AXES.values()}


def emergency_lowering(it: AxisSignals, speed: float, scene: Scene) -> bool:
    """Where a drive has no power, or nobody knows, what sinks is the red strap or the lever."""
    if speed >= 0 or it.axis is Axis.TRAVERSE:
        return False
    dead = scene.is_off(it.fault) is not True or scene.is_off(it.verified) is not False
    return dead or ESTOP(scene) is not False


Watch = Callable[[AxisSignals, Scene, float, AxisMemory], bool]


def _watched(it: AxisSignals, key: str, bound: str, wrong: Watch) -> Compute:
    """`wrong` for longer than a number of the site; None without a measured speed."""

    def fact(scene: Scene) -> Truth:
        odd = scene.test(it.speed, lambda speed: wrong(it, scene, speed, scene.axes[it.axis]))
        return scene.for_ms(f"{it.axis}:{key}", odd, getattr(scene.params, bound), by=it.speed)

    return fact


def _runaway(it: AxisSignals, scene: Scene, speed: float, memory: AxisMemory) -> bool:
    still = abs(speed) <= it.still_mm_s(scene.params) or memory.may_have_mm_s > 0
    return not still and not emergency_lowering(it, speed, scene)


def _overspeed(it: AxisSignals, scene: Scene, speed: float, memory: AxisMemory) -> bool:
    p = scene.params
    margin = p.stand_margin_mm_s if it.axis is Axis.STANDER else p.overspeed_margin_mm_s
    driven = memory.may_have_mm_s > 0 and not emergency_lowering(it, speed, scene)
    fast = driven and abs(speed) > memory.may_have_mm_s * p.overspeed_ratio + margin
    return fast or (it.axis is Axis.HOIST and abs(speed) > p.overspeed_max_mm_s)


def _wrong_way(it: AxisSignals, scene: Scene, speed: float, memory: AxisMemory) -> bool:
    return memory.speed_mm_s * speed < 0 and abs(speed) > it.still_mm_s(scene.params)


def _no_effect(it: AxisSignals) -> Compute:
    """Told to move, and neither the speed nor (without one) the position shows it."""

    def fact(scene: Scene) -> Truth:
        speed_mm_s, p = scene.axes[it.axis].speed_mm_s, scene.params
        seated = it.axis is Axis.STANDER and speed_mm_s < 0 and not scene.people.standing
        least = min(abs(speed_mm_s), it.still_mm_s(p)) / 4
        slow = scene.test(it.speed, lambda speed: abs(speed) < least)
        idle = _unmoved(it, scene, least * p.no_effect_ms) if slow is None else slow
        odd = both(speed_mm_s != 0 and not seated, idle)
        return scene.for_ms(f"{it.axis}:no_effect", odd, p.no_effect_ms)

    return fact


def _unmoved(it: AxisSignals, scene: Scene, least_um: float) -> Truth:
    """The position is still about where it was."""
    position, key = scene.value(it.position), f"{it.axis}:from_um"
    if position is None:
        return None
    at = round(position * 1000)
    if abs(at - scene.kept.setdefault(key, at)) < least_um:
        return True
    scene.kept[key] = at
    return False


def _disputed(it: AxisSignals) -> Compute:
    """Position and integrated speed drift apart: one of them is frozen or wrong (H24)."""
    key = f"{it.axis}:um"

    def fact(scene: Scene) -> Truth:
        speed, position, p = scene.value(it.speed), scene.value(it.position), scene.params
        if speed is None or position is None:
            scene.kept.pop(key, None)
            return None
        at, dt_s = position * 1000, scene.gap_ns / 1e9
        guess = scene.kept.get(key, at) + speed * 1000 * dt_s
        scene.kept[key] = round(guess + (at - guess) * min(1.0, dt_s / SYNC_S))
        return abs(guess - at) > it.full_mm_s(p) * p.slip_ms

    return fact


def _feedback(it: AxisSignals) -> Compute:
    return lambda s: s.value(it.speed) is None or s.value(it.position) is None


def _lost(it: AxisSignals) -> Compute:
    return lambda s: s.value(it.speed) is None and s.value(it.position) is None


def of_axis(name: str) -> dict[str, Compute]:
    """The facts every driven axis has, by the second half of their rows' ids."""
    it = AXES[name]
    return {
        "fault": on(it.fault),
        "unverified": off(it.verified),
        "feedback": _feedback(it),
        "lost": _lost(it),
        "disputed": _disputed(it),
        "runaway": _watched(it, "runaway", "runaway_ms", _runaway),
        "overspeed": _watched(it, "overspeed", "overspeed_ms", _overspeed),
        "wrong_way": _watched(it, "wrong_way", "wrong_way_ms", _wrong_way),
        "no_effect": _no_effect(it),
    }
