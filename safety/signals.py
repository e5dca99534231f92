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

S = SignalId
_COMMON: dict[SignalId, Spec] = {
    S.ESTOP_A: _CONTACT,
    S.ESTOP_B: _CONTACT,
    S.BATTERY_PCT: _SLOW,
    S.CHARGER_ABSENT: _CONTACT,
}
SPECS: dict[str, dict[SignalId, Spec]] = {
    "lift": _COMMON
    | {
        S.UPPER_FREE: _CONTACT,
        S.LOWER_FREE: _CONTACT,
        S.STRAP_TIGHT: _CONTACT,
        S.RAIL_LEFT_FREE: _CONTACT,
        S.RAIL_RIGHT_FREE: _CONTACT,
        S.LOAD_KG: Spec("load_ms", -50, 1000),
        S.HOIST_SPEED: _SPEED,
        S.HOIST_POS: _POSITION,
        S.HOIST_FAULT: _FLAG,
        S.HOIST_VERIFIED: _FLAG,
        S.TRAVERSE_SPEED: _SPEED,
        S.TRAVERSE_POS: _POSITION,
        S.TRAVERSE_FAULT: _FLAG,
        S.TRAVERSE_VERIFIED: _FLAG,
    },
    "chair": _COMMON
    | {
        S.KNEE_A: _CONTACT,
        S.KNEE_B: _CONTACT,
        S.BELT_A: _CONTACT,
        S.BELT_B: _CONTACT,
        S.BRAKES_ON: _CONTACT,
        S.FEET_KG: Spec("io_ms", -20, 300),
        S.PITCH_DEG: Spec("io_ms", -90, 90),
        S.ROLL_DEG: Spec("io_ms", -90, 90),
        S.STAND_SPEED: _SPEED,
        S.STAND_POS: _POSITION,
        S.STAND_FAULT: _FLAG,
        S.STAND_VERIFIED: _FLAG,
        S.DRIVE_SPEED: Spec("slow_ms", -10000, 10000),
        S.DRIVE_FAULT: Spec("slow_ms"),
        S.DRIVE_VERIFIED: Spec("slow_ms"),
    },
}
# Shown and recorded, but no boot condition and no row of their own.
OPTIONAL: dict[SignalId, Spec] = {
    S.BATTERY_V: Spec("slow_ms", 0, 100),
    S.HOIST_CURRENT: Spec("feedback_ms", -400, 400),
    S.STAND_CURRENT: Spec("feedback_ms", 0, 60),
    S.HAND_PRESENT: _CONTACT,
    S.RUN_ENABLE: _CONTACT,
}


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
    specs = SPECS[kind] | OPTIONAL
    return {
        signal: quality(readings.get(signal), spec, now_ns, params)
        for signal, spec in specs.items()
    }
