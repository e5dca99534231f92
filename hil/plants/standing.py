"""A person on a four-bar standing frame: angle, joints, centre of mass, what carries what. Pure.

Side view in mm from the ground below the rear wheels; x forward, z up. The actuator is one side of
a triangle with the frame and the seat link; the back link is led parallel, so that the trunk stays
upright. Segment masses and centres after Winter, Biomechanics and Motor Control of Human Movement.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from hil.plants.constants import G_M_S2

STROKE_MM, STAND_DEG = 300.0, 80.0
# frame pin to seat pin and to the actuator's foot, and the angle between them when seated
_SEAT_ARM_MM, _FRAME_ARM_MM = 260.0, 330.0
_ARMS = _SEAT_ARM_MM**2 + _FRAME_ARM_MM**2
_PRODUCT = 2.0 * _SEAT_ARM_MM * _FRAME_ARM_MM

KNEE_X_MM, KNEE_Z_MM = 470.0, 520.0
SHANK_MM, THIGH_MM, TRUNK_CENTRE_MM = 430.0, 440.0, 330.0
_SHANKS, _THIGHS, _TRUNK = 0.122, 0.200, 0.678  # shares of the body; trunk with head and arms
_THIGH_CENTRE = 0.567  # from the knee
CHAIR_KG, CHAIR_X_MM, CHAIR_Z_MM = 110.0, 230.0, 330.0
WHEELBASE_MM, HALF_TRACK_MM = 520.0, 290.0


def _seated_angle() -> float:
    """The triangle's angle when seated, so that the whole stroke is the whole stand angle."""
    low, high = 0.0, math.pi - math.radians(STAND_DEG)
    for _ in range(60):  # bisection: the stroke grows with the angle up to here
        middle = (low + high) / 2.0
        stroke = _actuator_mm(middle + math.radians(STAND_DEG)) - _actuator_mm(middle)
        low, high = (middle, high) if stroke > STROKE_MM else (low, middle)
    return (low + high) / 2.0


def _actuator_mm(angle_rad: float) -> float:
    return math.sqrt(_ARMS - _PRODUCT * math.cos(angle_rad))


_SEATED_RAD = _seated_angle()
_SHORT_MM = _actuator_mm(_SEATED_RAD)


def stand_angle_deg(stroke_mm: float) -> float:
    """Angle of the thighs above the seat: 0 seated, 80 standing."""
    long_mm = _SHORT_MM + stroke_mm
    angle = math.acos((_ARMS - long_mm * long_mm) / _PRODUCT)
    return math.degrees(angle - _SEATED_RAD)


def lever_mm(stroke_mm: float) -> float:
    """Arm of the actuator's force about the frame pin: d(stroke)/d(angle), mm per radian."""
    angle = math.radians(stand_angle_deg(stroke_mm)) + _SEATED_RAD
    return _PRODUCT / 2.0 * math.sin(angle) / _actuator_mm(angle)


@dataclass(frozen=True, slots=True)
class Point:
    """A place in the side view."""

    x_mm: float
    z_mm: float


def hip(angle_deg: float) -> Point:
    """Behind the knees when seated, above them when standing."""
    angle = math.radians(angle_deg)
    return Point(KNEE_X_MM - THIGH_MM * math.cos(angle), KNEE_Z_MM + THIGH_MM * math.sin(angle))


def person_centre(angle_deg: float, lean_mm: float = 0.0) -> Point:
    """Centre of the body; `lean_mm` is how far the trunk leans forward."""
    at = hip(angle_deg)
    thigh_x = KNEE_X_MM + (at.x_mm - KNEE_X_MM) * _THIGH_CENTRE
    thigh_z = KNEE_Z_MM + (at.z_mm - KNEE_Z_MM) * _THIGH_CENTRE
    shank_z = KNEE_Z_MM - 0.55 * SHANK_MM
    x_mm = _SHANKS * KNEE_X_MM + _THIGHS * thigh_x + _TRUNK * (at.x_mm + lean_mm)
    z_mm = _SHANKS * shank_z + _THIGHS * thigh_z + _TRUNK * (at.z_mm + TRUNK_CENTRE_MM)
    return Point(x_mm, z_mm)


def centre(mass_kg: float, angle_deg: float, lean_mm: float = 0.0) -> Point:
    """Centre of chair and person together."""
    person, whole = person_centre(angle_deg, lean_mm), mass_kg + CHAIR_KG
    return Point(
        (person.x_mm * mass_kg + CHAIR_X_MM * CHAIR_KG) / whole,
        (person.z_mm * mass_kg + CHAIR_Z_MM * CHAIR_KG) / whole,
    )


def tip_margin_mm(at: Point, side_mm: float, pitch_deg: float, roll_deg: float) -> float:
    """How far inside the wheels' rectangle gravity hits the ground; negative: it tips.

    Pitch is positive uphill (it tips backwards), roll positive to the right.
    """
    along = at.x_mm - at.z_mm * math.tan(math.radians(pitch_deg))
    across = side_mm + at.z_mm * math.tan(math.radians(roll_deg))
    return min(along, WHEELBASE_MM - along, HALF_TRACK_MM - abs(across))


def tipping_pitch_deg(at: Point) -> tuple[float, float]:
    """(backwards, forwards): slopes at which it would tip."""
    back = math.degrees(math.atan(at.x_mm / at.z_mm))
    return back, -math.degrees(math.atan((WHEELBASE_MM - at.x_mm) / at.z_mm))


def knee_n(mass_kg: float, angle_deg: float, lean_mm: float = 0.0) -> float:
    """Push of the shins on the knee block: it holds what would slide off the rising seat."""
    above = mass_kg * (1.0 - _SHANKS)
    angle = math.radians(angle_deg)
    slide_n = above * G_M_S2 * math.sin(angle) * math.cos(angle)
    leaning_n = mass_kg * _TRUNK * G_M_S2 * lean_mm / THIGH_MM
    return max(0.0, slide_n + leaning_n * math.sin(angle))


def actuator_n(mass_kg: float, stroke_mm: float) -> float:
    """Force of a slow motion: weight x rise of the centre per stroke (virtual work)."""
    angle = math.radians(stand_angle_deg(stroke_mm))
    rise_mm_rad = (_THIGHS * _THIGH_CENTRE + _TRUNK) * THIGH_MM * math.cos(angle)
    return mass_kg * G_M_S2 * rise_mm_rad / lever_mm(stroke_mm)
