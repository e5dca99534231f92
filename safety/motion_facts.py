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


def _emergency_lowering(it: AxisSignals, speed: float, scene: Scene) -> bool:
    """With the e-stop chain open the power stage is gone; what goes down then is the red strap's
    doing.
    """
    return speed < 0 and it.axis is not Axis.TRAVERSE and bool(COMPUTE["estop"](scene))


def _runaway(it: AxisSignals) -> Compute:
    def fact(scene: Scene) -> Truth:
        speed, memory = scene.value(it.speed), scene.axes[it.axis]
        if speed is None:
            return None
        still = abs(speed) <= scene.params.still_mm_s or memory.may_have_mm_s > 0
        running = not still and not _emergency_lowering(it, speed, scene)
        return scene.for_ms(f"{it.axis}:runaway", running, scene.params.runaway_ms)

    return fact


def _overspeed(it: AxisSignals) -> Compute:
    def fact(scene: Scene) -> Truth:
        speed, memory, p = scene.value(it.speed), scene.axes[it.axis], scene.params
        if speed is None:
            return None
        allowed = memory.may_have_mm_s * p.overspeed_ratio + p.overspeed_margin_mm_s
        fast = memory.may_have_mm_s > 0 and abs(speed) > allowed
        ceiling = it.axis is Axis.HOIST and abs(speed) > p.overspeed_max_mm_s
        return scene.for_ms(f"{it.axis}:overspeed", fast or ceiling, p.overspeed_ms)

    return fact


def _wrong_way(it: AxisSignals) -> Compute:
    def fact(scene: Scene) -> Truth:
        speed, told = scene.value(it.speed), scene.axes[it.axis].speed_mm_s
        if speed is None:
            return None
        against = told != 0 and told * speed < 0 and abs(speed) > scene.params.still_mm_s
        return scene.for_ms(f"{it.axis}:wrong_way", against, scene.params.wrong_way_ms)

    return fact


def _no_effect(it: AxisSignals) -> Compute:
    def fact(scene: Scene) -> Truth:
        speed, told = scene.value(it.speed), scene.axes[it.axis].speed_mm_s
        if speed is None:
            return None
        idle = told != 0 and abs(speed) < min(abs(told), scene.params.still_mm_s) / 4
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
