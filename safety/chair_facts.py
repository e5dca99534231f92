"""Facts about the chair: where it stands, what holds it, and the person who stands up (H9, H24, H28
to H32).

Role: as `facts.py`, from slope, castors, actuator and drive. Must never: keep a standing person
from sitting because of one sensor.
"""

from __future__ import annotations

from safety.facts import Scene, Truth, both, either
from safety.types import Axis, SignalId

S = SignalId


def pitch(scene: Scene) -> Truth:
    """The chair stands on a slope."""
    first, second = (
        scene.test(signal, lambda value: abs(value) > scene.params.pitch_stand_deg)
        for signal in (S.PITCH_DEG, S.ROLL_DEG)
    )
    return either(first, second)


def castor_lock(scene: Scene) -> Truth:
    """A stand has begun and the castors are not locked in time (H31)."""
    begun = scene.people.standing or scene.axes[Axis.STANDER].speed_mm_s > 0
    loose = scene.is_off(S.CASTORS_LOCKED) if begun else False
    return scene.for_ms("castor_lock", loose, scene.params.castor_ms)


def sit_obstructed(scene: Scene) -> Truth:
    """The actuator pushes while it should only let down: something is in the way (H9)."""
    # current_stuck comes before in the table: its row has been asked in this step
    sitting = scene.axes[Axis.STANDER].speed_mm_s < 0 and "current_stuck" not in scene.kept
    pushes = both(sitting, _high_current(scene))
    return scene.for_ms("sit_obstructed", pushes, scene.params.sit_current_ms)


def _high_current(scene: Scene) -> Truth:
    return scene.test(S.STAND_CURRENT, lambda value: value > scene.params.sit_current_a)


def current_stuck(scene: Scene) -> bool:
    """A current that was high at rest is no measurement, until it has been low once (H24): it
    must not keep a standing person from sitting.
    """
    high, resting = _high_current(scene), scene.axes[Axis.STANDER].may_have_mm_s == 0
    if scene.for_ms("current_at_rest", both(resting, high), 1000):
        scene.kept["current_stuck"] = scene.now_ns
    elif high is False:
        scene.kept.pop("current_stuck", None)
    return "current_stuck" in scene.kept


def stood(scene: Scene) -> Truth:
    return None if scene.value(S.STAND_POS) is None else scene.people.standing


def drive_moving(scene: Scene) -> Truth:
    return scene.test(S.DRIVE_SPEED, lambda value: abs(value) > 1)
