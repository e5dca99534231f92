"""Facts about the person on the lift: what hangs there, how, and how high (H4 to H9, H24, H25).

Role: as `facts.py`, from load, strap, height and motor current. Must never: take a load that is
being set down for one that fell, or an unknown load for none.
"""

from __future__ import annotations

from safety.bounds import Params
from safety.facts import Compute, Scene, Truth, both
from safety.signals import NS_PER_MS
from safety.types import Axis, Plan, SignalId

S = SignalId
EMPTY_BAR = 3  # how much better the current of an empty bar is known
LOWERED_NS = 1000 * NS_PER_MS  # a descent and its settling: here the load may fall


def limit_kg(p: Params, plan: Plan | None) -> float:
    """The effective limit: the least of lift, rail, spreader bar, sling and resident (H4)."""
    own = min(p.swl_kg, p.rail_swl_kg, p.spreader_swl_kg)
    return min(own, plan.limit_kg, plan.sling_kg) if plan else own


def over_limit(bound: str = "", filter_ms: str = "") -> Compute:
    """More than the limit times a ratio; a load cell that drifts costs a tenth (H25)."""

    def fact(scene: Scene) -> Truth:
        p = scene.params
        ratio: float = getattr(p, bound) if bound else 1.0
        limit = limit_kg(p, scene.authority.plan) * ratio * (0.9 if load_drift(scene) else 1.0)
        over = scene.test(S.LOAD_KG, lambda value: value > limit)
        return scene.for_ms(bound, over, getattr(p, filter_ms)) if filter_ms else over

    return fact


def agrees(signal: SignalId, agree: bool) -> Compute:
    """A contact against the load: do they say the same (`agree`), or not (then it is disputed)?"""

    def fact(scene: Scene) -> Truth:
        opened, load = scene.is_off(signal), scene.value(S.LOAD_KG)
        if not opened:
            return opened
        unloaded = load is not None and load < scene.params.aloft_kg
        return unloaded == agree

    return fact


def blind(scene: Scene) -> Truth:
    """No diverse signal is good: neither the strap contact nor the load can be believed."""
    return scene.value(S.STRAP_TIGHT) is None and scene.value(S.LOAD_KG) is None


def rise_mm(scene: Scene) -> float | None:
    """How far above its pick-up height the person hangs."""
    height, start = scene.value(S.HOIST_POS), scene.people.pickup_height_mm
    return None if height is None or start is None else height - start


def tension_pause(scene: Scene) -> Truth:
    """Someone hangs, their loops are not confirmed, and the low height is reached (H5)."""
    if not scene.people.aloft or scene.people.confirmed:
        return False
    rise = rise_mm(scene)
    return None if rise is None else rise >= scene.params.tension_pause_mm


def person_low(scene: Scene) -> Truth:
    """Too low to travel fast: feet or seat may still touch (H12)."""
    if not scene.people.aloft:
        return False
    rise = rise_mm(scene)
    return None if rise is None else rise < scene.params.travel_rise_mm


def asymmetry(scene: Scene) -> Truth:
    """One strap carries far more than the other (H5)."""
    left, right, p = scene.value(S.LOAD_LEFT_KG), scene.value(S.LOAD_RIGHT_KG), scene.params
    uneven = None
    if left is not None and right is not None:
        uneven = abs(left - right) > p.asymmetry_ratio * abs(left + right)
    return scene.for_ms("asymmetry", both(scene.people.aloft, uneven), p.overload_filter_ms)


def _fallen_kg(scene: Scene) -> float:
    """What a freely hanging person's load has lost from one window to the next; 0 while they are
    lowered, or may be.
    """
    person = scene.people
    hanging = person.before_kg >= 0.8 * person.carried_kg > 0
    lowered = scene.now_ns - max(person.lowered_ns, person.unseen_ns) <= LOWERED_NS
    free = hanging and person.confirmed_lately and not lowered
    # a hard stop makes the load swing, a third up and down: what comes back is no loss
    return min(person.before_kg, person.carried_kg) - person.most_kg if free else 0.0


def load_step(scene: Scene) -> Truth:
    """A loop slipped: the load fell at once, though nobody is being lowered (H5)."""
    if scene.value(S.LOAD_KG) is None:
        return None
    return _fallen_kg(scene) > scene.params.load_step_ratio * scene.people.carried_kg


def load_gone(scene: Scene) -> Truth:
    """Nearly all of it fell at once, and the strap is slack too: it has failed (H6)."""
    if scene.value(S.LOAD_KG) is None:
        return None
    gone = _fallen_kg(scene) > 0.8 * scene.people.carried_kg
    return both(gone, scene.is_off(S.STRAP_TIGHT))


def load_rise(scene: Scene) -> Truth:
    """Raised against something: the load jumps up (H9)."""
    if not scene.people.confirmed or scene.axes[Axis.HOIST].speed_mm_s <= 0:
        return False
    if scene.value(S.LOAD_KG) is None:
        return None
    return scene.people.jumps(scene.params)


def slack_rise(scene: Scene) -> Truth:
    """Raised far with a strap that stays slack: it is caught, or its contact is (H8)."""
    slack, height = scene.is_off(S.STRAP_TIGHT), scene.value(S.HOIST_POS)
    if not slack or height is None:
        if slack is False:
            scene.kept.pop("slack_mm", None)
        return None if slack is None or slack else False
    start = scene.kept["slack_mm"] = min(scene.kept.get("slack_mm", round(height)), round(height))
    return height - start > scene.params.slack_rise_mm


def over_joint(scene: Scene) -> Truth:
    """The trolley stands over a gate, turntable or exchange (H11)."""
    p, x = scene.params, scene.value(S.TRAVERSE_POS)
    if p.joint_to_mm <= p.joint_from_mm:
        return False
    return None if x is None else p.joint_from_mm <= x <= p.joint_to_mm


def load_drift(scene: Scene) -> Truth:
    """An empty sling that weighs something, or a person who weighs another's weight (H25)."""
    load, p, person = scene.value(S.LOAD_KG), scene.params, scene.people
    if load is None:
        return None
    plan = scene.authority.plan
    known = plan.resident_kg if plan and person.confirmed else 0.0
    wrong = known > 0 and abs(person.carried_kg - known) > max(5.0, known * p.load_weight_ratio)
    empty = not person.aloft and abs(load) > p.load_zero_kg
    return scene.for_ms("load_drift", wrong or empty, 5000)


def load_frozen(scene: Scene) -> Truth:
    """Frames go on, the value never changes, though the person moves up or down (H24)."""
    load, same = scene.value(S.LOAD_KG), None
    if load is not None:
        same = scene.kept.get("load_g") == round(load * 1000)
        scene.kept["load_g"] = round(load * 1000)
    moved = scene.people.aloft and scene.axes[Axis.HOIST].speed_mm_s != 0
    return scene.for_ms("load_frozen", both(moved, same), scene.params.load_frozen_ms)


def load_disputed(scene: Scene) -> Truth:
    """Motor current of a steady raise against the load cell: two diverse signals of one load."""
    load, current = scene.value(S.LOAD_KG), scene.value(S.HOIST_CURRENT)
    memory, speed, p = scene.axes[Axis.HOIST], scene.value(S.HOIST_SPEED), scene.params
    raising = memory.speed_mm_s > 0 and speed is not None and speed > 0.8 * memory.speed_mm_s
    steady, apart = scene.for_ms("raise_steady", raising, 500), None
    if load is not None and current is not None:
        expected = p.hoist_current_base_pct + p.hoist_current_pct_per_kg * load
        # an empty bar is well known: whoever hangs below a scale that says 0 must show at once
        tolerance = p.hoist_current_tol_pct / (1 if scene.people.aloft else EMPTY_BAR)
        apart = abs(current - expected) > tolerance
    return scene.for_ms("load_disputed", both(steady, apart), p.overload_filter_ms)
