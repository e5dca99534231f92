"""Facts about an axis that moves: does it do what it was told, and only that (H1, H6, H7).

Role: commanded speed against measured speed. Must never: trip on an unknown speed (design rule 5:
unknown never sets the latches of H1, H6 and H7; the `feedback` and `lost` facts speak for it).
"""

from __future__ import annotations

from safety.facts import AXES, COMPUTE, AxisSignals, Compute, Scene, Truth
from safety.types import Axis


def _feedback(it: AxisSignals) -> Compute:
    return lambda s: s.value(it.speed) is None or s.value(it.position) is None


def _lost(it: AxisSignals) -> Compute:
    return lambda s: s.value(it.speed) is None and s.value(it.position) is None


def _flag(it: AxisSignals, healthy: bool) -> Compute:
    signal = it.verified if healthy else it.fault

    def fact(scene: Scene) -> Truth:
        off = scene.is_off(signal)
        return off if off is None or healthy else not off

    return fact


def _still(it: AxisSignals, scene: Scene) -> float:
    p = scene.params
    return p.stand_still_mm_s if it.axis is Axis.STANDER else p.still_mm_s


def _emergency_lowering(it: AxisSignals, speed: float, scene: Scene) -> bool:
    """Where a drive has no power, or nobody knows, what sinks is the red strap or the lever."""
    if speed >= 0 or it.axis is Axis.TRAVERSE:
        return False
    dead = scene.is_off(it.fault) is not True or scene.is_off(it.verified) is not False
    return dead or COMPUTE["estop"](scene) is not False


def _runaway(it: AxisSignals) -> Compute:
    def fact(scene: Scene) -> Truth:
        speed, memory = scene.value(it.speed), scene.axes[it.axis]
        if speed is None:
            return None
        still = abs(speed) <= _still(it, scene) or memory.may_have_mm_s > 0
        running = not still and not _emergency_lowering(it, speed, scene)
        return scene.for_ms(f"{it.axis}:runaway", running, scene.params.runaway_ms)

    return fact


def _overspeed(it: AxisSignals) -> Compute:
    def fact(scene: Scene) -> Truth:
        speed, memory, p = scene.value(it.speed), scene.axes[it.axis], scene.params
        if speed is None:
            return None
        stander = it.axis is Axis.STANDER
        margin = p.stand_margin_mm_s if stander else p.overspeed_margin_mm_s
        allowed = memory.may_have_mm_s * p.overspeed_ratio + margin
        driven = memory.may_have_mm_s > 0 and not _emergency_lowering(it, speed, scene)
        fast = driven and abs(speed) > allowed
        ceiling = it.axis is Axis.HOIST and abs(speed) > p.overspeed_max_mm_s
        return scene.for_ms(f"{it.axis}:overspeed", fast or ceiling, p.overspeed_ms)

    return fact


def _wrong_way(it: AxisSignals) -> Compute:
    def fact(scene: Scene) -> Truth:
        speed, told = scene.value(it.speed), scene.axes[it.axis].speed_mm_s
        if speed is None:
            return None
        against = told != 0 and told * speed < 0 and abs(speed) > _still(it, scene)
        return scene.for_ms(f"{it.axis}:wrong_way", against, scene.params.wrong_way_ms)

    return fact


def _no_effect(it: AxisSignals) -> Compute:
    def fact(scene: Scene) -> Truth:
        speed, told = scene.value(it.speed), scene.axes[it.axis].speed_mm_s
        if speed is None:
            return None
        idle = told != 0 and abs(speed) < min(abs(told), _still(it, scene)) / 4
        return scene.for_ms(f"{it.axis}:no_effect", idle, scene.params.no_effect_ms)

    return fact


def _of_axis(name: str, it: AxisSignals) -> dict[str, Compute]:
    made = {
        "fault": _flag(it, healthy=False),
        "unverified": _flag(it, healthy=True),
        "feedback": _feedback(it),
        "lost": _lost(it),
        "runaway": _runaway(it),
        "overspeed": _overspeed(it),
        "wrong_way": _wrong_way(it),
        "no_effect": _no_effect(it),
    }
    return {f"{name}_{suffix}": compute for suffix, compute in made.items()}


ALL: dict[str, Compute] = dict(COMPUTE)
for _name, _signals in AXES.items():
    ALL |= _of_axis(_name, _signals)
