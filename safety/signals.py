"""Readings, and whether they may be used.

Role: turns the newest sample of each signal into a value or a reason not to use it. Must never:
keep an old value alive; a reading ages from its receive time, not from the turn that looks at it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from safety.bounds import Params
from safety.types import Quality, SignalId

NS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class Spec:
    """How long a reading is good (the name of a bound) and its physical range."""

    max_age: str
    minimum: float = 0.0
    maximum: float = 1.0


_CONTACT = Spec("io_ms")
_FLAG = Spec("feedback_ms")
_SPEED = Spec("feedback_ms", -2000, 2000)
_POSITION = Spec("feedback_ms", -500, 20000)
_SLOW = Spec("slow_ms", 0, 110)
_LOAD = Spec("load_ms", -50, 1000)

S = SignalId


def _specs(spec: Spec, *signals: SignalId) -> dict[SignalId, Spec]:
    return dict.fromkeys(signals, spec)


_BOTH = _specs(_CONTACT, S.ESTOP_A, S.ESTOP_B, S.CHARGER_ABSENT) | _specs(_SLOW, S.BATTERY_PCT)
# What a device of this kind must have.
SPECS: dict[str, dict[SignalId, Spec]] = {
    "lift": _BOTH
    | _specs(_CONTACT, S.UPPER_FREE, S.LOWER_FREE, S.STRAP_TIGHT, S.RAIL_LEFT_FREE)
    | _specs(_CONTACT, S.RAIL_RIGHT_FREE)
    | _specs(_LOAD, S.LOAD_KG)
    | _specs(_SPEED, S.HOIST_SPEED, S.TRAVERSE_SPEED)
    | _specs(_POSITION, S.HOIST_POS, S.TRAVERSE_POS)
    | _specs(_FLAG, S.HOIST_FAULT, S.HOIST_VERIFIED, S.TRAVERSE_FAULT, S.TRAVERSE_VERIFIED),
    "chair": _BOTH
    | _specs(_CONTACT, S.KNEE_A, S.KNEE_B, S.BELT_A, S.BELT_B, S.BRAKES_ON)
    | _specs(Spec("io_ms", -20, 300), S.FEET_KG)
    | _specs(Spec("io_ms", -90, 90), S.PITCH_DEG, S.ROLL_DEG)
    | _specs(_SPEED, S.STAND_SPEED)
    | _specs(_POSITION, S.STAND_POS)
    | _specs(_FLAG, S.STAND_FAULT, S.STAND_VERIFIED)
    | _specs(Spec("slow_ms", -10000, 10000), S.DRIVE_SPEED)
    | _specs(Spec("slow_ms"), S.DRIVE_FAULT, S.DRIVE_VERIFIED),
}
# What it may have; a row that needs one of these exists only where it is fitted.
_EITHER = (
    _specs(_CONTACT, S.BUS_OK, S.PINCH_FREE, S.HAND_PRESENT, S.HAND_OK, S.RUN_ENABLE)
    | _specs(Spec("slow_ms", 0, 100), S.BATTERY_V)
    | _specs(Spec("slow_ms", -40, 200), S.MOTOR_TEMP)
)
OPTIONAL: dict[str, dict[SignalId, Spec]] = {
    "lift": _EITHER
    | _specs(_CONTACT, S.RAIL_GATE_A, S.RAIL_GATE_B, S.MOTOR_LATCHED)
    | _specs(_LOAD, S.LOAD_LEFT_KG, S.LOAD_RIGHT_KG)
    | _specs(Spec("feedback_ms", -400, 400), S.HOIST_CURRENT),
    "chair": _EITHER
    | _specs(_CONTACT, S.CASTORS_LOCKED)
    | _specs(Spec("feedback_ms", 0, 60), S.STAND_CURRENT),
}
KNOWN = {kind: SPECS[kind] | OPTIONAL[kind] for kind in SPECS}


@dataclass(frozen=True, slots=True)
class Reading:
    """The newest sample of a signal; `ok` False when the source or the range refused it."""

    value: float
    t_ns: int
    ok: bool


def accept(spec: Spec, value: float, t_ns: int, ok: bool) -> Reading:
    """A reading; out of range or not a number is not ok."""
    sane = math.isfinite(value) and spec.minimum <= value <= spec.maximum
    return Reading(value if sane else 0.0, t_ns, ok and sane)


def quality(reading: Reading | None, spec: Spec, now_ns: int, params: Params) -> Quality:
    """Why this reading may or may not be used now."""
    if reading is None:
        return Quality.MISSING
    if reading.t_ns > now_ns:
        return Quality.FUTURE
    if not reading.ok:
        return Quality.CORRUPT
    max_age_ms: float = getattr(params, spec.max_age)
    if now_ns - reading.t_ns > max_age_ms * NS_PER_MS:
        return Quality.STALE
    return Quality.FRESH


def qualities(
    kind: str, readings: Mapping[SignalId, Reading], now_ns: int, params: Params
) -> dict[SignalId, Quality]:
    """The quality of every signal of this kind of device, the missing ones included."""
    return {
        signal: quality(readings.get(signal), spec, now_ns, params)
        for signal, spec in KNOWN[kind].items()
    }
