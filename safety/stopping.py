"""Time becomes distance: the worst single-fault stopping distance of each axis (design rule 11).

Role: from the bounds of a configuration to millimetres; accepting a configuration, the documents'
table and the tests use this one function. Must never: know a path that is not in the list, or be
softened by a configuration.
"""

from __future__ import annotations

from dataclasses import dataclass

from safety.bounds import Params
from safety.shape import dynamics
from safety.types import Axis

TURN_MS = 20  # the gate's period: an event waits at most one turn
BUS_MS = 5  # a stop frame behind a full bus of higher ids
DRIVE_MS = 10  # the drive's own cycle

# What fails -> the bounds on the path until the drive begins to ramp.
PATHS: dict[str, tuple[str, ...]] = {
    "panel or network freezes": ("evidence_ms",),
    "controller dies": ("permission_ms",),
    "guard dies": ("guard_ms",),
    "gate dies": ("device_deadman_ms",),
    "feedback goes stale": ("feedback_ms",),
    "gate stalls and thaws": ("lag_stop_ms",),
}
SPEEDS: dict[Axis, tuple[str, ...]] = {
    Axis.HOIST: ("hoist_loaded_mm_s", "hoist_down_mm_s"),
    Axis.TRAVERSE: ("traverse_mm_s",),
    Axis.STANDER: ("stand_mm_s",),
}
LIMITS = {
    Axis.HOIST: "hoist_stop_limit_mm",
    Axis.TRAVERSE: "traverse_stop_limit_mm",
    Axis.STANDER: "stand_stop_limit_mm",
}
KIND_AXES = {"lift": (Axis.HOIST, Axis.TRAVERSE), "chair": (Axis.STANDER,)}


@dataclass(frozen=True, slots=True)
class StopDistance:
    """How far an axis travels after `fault`, from its fastest speed with a person, in the worst
    case.
    """

    axis: Axis
    fault: str
    bounds: tuple[str, ...]
    speed_mm_s: float
    reaction_ms: float
    distance_mm: float
    limit_mm: float


def distance_mm(speed_mm_s: float, reaction_ms: float, decel_mm_s2: float) -> float:
    """v * t + v^2 / 2a."""
    return speed_mm_s * reaction_ms / 1000 + speed_mm_s**2 / (2 * decel_mm_s2)


def distances(kind: str, params: Params) -> tuple[StopDistance, ...]:
    """Every axis and path of this kind of device."""
    found = []
    for axis in KIND_AXES[kind]:
        speed = max(getattr(params, name) for name in SPEEDS[axis])
        limit: float = getattr(params, LIMITS[axis])
        decel = dynamics(axis, params).decel_mm_s2
        for fault, bounds in PATHS.items():
            waited = max(getattr(params, name) for name in bounds)
            reaction = waited + TURN_MS + BUS_MS + DRIVE_MS
            far = distance_mm(speed, reaction, decel)
            found.append(StopDistance(axis, fault, bounds, speed, reaction, far, limit))
    return tuple(found)


def too_far(kind: str, params: Params) -> tuple[str, ...]:
    """One sentence per path above its limit: by how much, and which bound to tighten."""
    return tuple(
        f"{item.axis}: when {item.fault} it travels {item.distance_mm:.1f} mm, "
        f"{item.distance_mm - item.limit_mm:.1f} mm above the limit of {item.limit_mm:g} mm; "
        f"lower {' or '.join((*SPEEDS[item.axis], *item.bounds))}"
        for item in distances(kind, params)
        if item.distance_mm > item.limit_mm
    )
