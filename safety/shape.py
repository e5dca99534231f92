"""Speed: the smallest of independent caps, and ramps.

Role: from an authorised motion to this turn's commanded speed. Must never: exceed any cap, or turn
an axis round while it may still be moving the other way.
"""

from __future__ import annotations

from dataclasses import dataclass

from safety.bounds import Params
from safety.facts import AxisMemory
from safety.signals import NS_PER_MS
from safety.types import SIGN, Axis, Motion
from safety.verdict import AxisCommand, Cmd

MAX_STEP_MS = 40  # a late turn must not ramp faster


@dataclass(frozen=True, slots=True)
class Dynamics:
    """An axis's speeds and ramps as configured."""

    docking_mm_s: float
    accel_mm_s2: float
    decel_mm_s2: float


def dynamics(axis: Axis, p: Params) -> Dynamics:
    """Docking speed and ramps of one axis."""
    if axis is Axis.HOIST:
        return Dynamics(p.hoist_docking_mm_s, p.hoist_accel_mm_s2, p.hoist_decel_mm_s2)
    if axis is Axis.TRAVERSE:
        return Dynamics(p.traverse_docking_mm_s, p.traverse_accel_mm_s2, p.traverse_decel_mm_s2)
    return Dynamics(p.stand_docking_mm_s, p.stand_accel_mm_s2, p.stand_decel_mm_s2)


def full_speed(motion: Motion, aloft: bool, p: Params) -> float:
    """The configured speed of a motion with or without a person."""
    if motion is Motion.UP:
        return p.hoist_loaded_mm_s if aloft else p.hoist_empty_mm_s
    if motion is Motion.DOWN:
        return min(p.hoist_down_mm_s, p.hoist_empty_mm_s) if aloft else p.hoist_empty_mm_s
    return p.traverse_mm_s if motion in Motion.LEFT | Motion.RIGHT else p.stand_mm_s


def slew(memory: AxisMemory, target_mm_s: float, ramp: Dynamics, dt_ns: int) -> float:
    """One step from the last commanded speed towards the target."""
    dt_s = min(max(dt_ns, 0), MAX_STEP_MS * NS_PER_MS) / 1e9
    step = ramp.accel_mm_s2 * dt_s
    if abs(target_mm_s) < abs(memory.speed_mm_s):
        step = ramp.decel_mm_s2 * dt_s
    return memory.speed_mm_s + max(-step, min(step, target_mm_s - memory.speed_mm_s))


def coast(memory: AxisMemory, speed_mm_s: float, ramp: Dynamics, dt_ns: int) -> AxisMemory:
    """What the axis may still have: falls at half the configured ramp, so that a tired brake is no
    runaway.
    """
    fallen = memory.may_have_mm_s - ramp.decel_mm_s2 / 2 * dt_ns / 1e9
    # the last command stood until this turn, however late it is
    return AxisMemory(speed_mm_s, max(abs(speed_mm_s), abs(memory.speed_mm_s), fallen))


def command(
    axis: Axis,
    motion: Motion,
    cap_mm_s: float,
    memory: AxisMemory,
    before: Cmd,
    p: Params,
    dt_ns: int,
) -> AxisCommand:
    """MOVE towards the cap; an axis that still ramps the other way is first brought to rest."""
    ramping = before in (Cmd.RAMP, Cmd.QUICK) and memory.may_have_mm_s > 0
    if ramping or memory.speed_mm_s * SIGN[motion] < 0:
        return AxisCommand(axis, before if ramping else Cmd.RAMP)
    return AxisCommand(
        axis, Cmd.MOVE, slew(memory, SIGN[motion] * cap_mm_s, dynamics(axis, p), dt_ns)
    )
