"""From a live press to what every axis is told this turn.

Role: authorised motion, speed caps, ramps, brake; the drive inhibit. Process: the gate, and replay.
Must never: give a speed to an axis whose motion is held, or start one by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import inf

from safety import shape, stations
from safety.authority import granted
from safety.bounds import Params
from safety.signals import KNOWN, NS_PER_MS, quality
from safety.state import AXES_OF, KernelConfig, KernelState
from safety.types import AXIS_OF, LOWERING, NEED_MARKER, Act, Axis, Motion, Quality, SignalId
from safety.verdict import AxisCommand, Cmd, Event, MotionVerdict

DRIVE_RELEASE_NS = 1_000_000_000


def command(
    config: KernelConfig,
    state: KernelState,
    motions: tuple[MotionVerdict, ...],
    hard: bool,
    dt_ns: int,
) -> tuple[KernelState, tuple[AxisCommand, ...], tuple[Event, ...]]:
    pressed = stations.pressed(state.authority.stations)
    state, held, events = _wait_for_marker(config, state, pressed)
    pressed = Motion.NONE if held else pressed
    acts = {item.motion: item.act for item in motions}
    # who sinks slowly is not let down faster by the same press (H8, H9)
    cap = min(state.cap_mm_s, _cap(config, state, pressed, acts[pressed])) if pressed else inf
    commands = tuple(
        _axis(config, state, axis, pressed, acts, hard, dt_ns, cap) for axis in AXES_OF[config.kind]
    )
    axes = {
        item.axis: shape.coast(
            state.axes[item.axis], item.speed_mm_s, shape.dynamics(item.axis, config.params), dt_ns
        )
        for item in commands
    }
    cmds = {item.axis: item.cmd for item in commands}
    sinks = cap if pressed & LOWERING else inf
    return replace(state, axes=axes, cmds=cmds, cap_mm_s=sinks), commands, events


def _wait_for_marker(
    config: KernelConfig, state: KernelState, pressed: Motion
) -> tuple[KernelState, bool, tuple[Event, ...]]:
    """Rule 9: UP and STAND wait until the in-flight marker is durable, not for ever."""
    if not pressed & NEED_MARKER or state.people.marker_is_durable:
        return state, False, ()
    started = state.authority.stations.by_name[state.authority.stations.owner].press_ns
    if state.last_ns - started <= config.params.marker_wait_ms * NS_PER_MS:
        return state, True, ()
    ended, _ = stations.kill(state.authority.stations, "marker", state.last_ns)
    authority = replace(state.authority, stations=ended)
    return replace(state, authority=authority), True, (Event("refused", "marker"),)


def _axis(
    config: KernelConfig,
    state: KernelState,
    axis: Axis,
    pressed: Motion,
    acts: Mapping[Motion, Act],
    hard: bool,
    dt_ns: int,
    cap_mm_s: float,
) -> AxisCommand:
    p, memory, before = config.params, state.axes[axis], state.cmds[axis]
    if axis is Axis.DRIVE:
        return AxisCommand(axis, Cmd.MOVE if _may_drive(state, acts, hard, p) else Cmd.QUICK)
    if any(acts[m] is Act.ISOLATE for m, on in AXIS_OF.items() if on is axis and m in acts):
        return AxisCommand(axis, Cmd.ISOLATE)
    if pressed and AXIS_OF[pressed] is axis:
        return shape.command(axis, pressed, cap_mm_s, memory, before, p, dt_ns)
    if before in (Cmd.REST, Cmd.ISOLATE) or (memory.may_have_mm_s == 0 and before is not Cmd.MOVE):
        return AxisCommand(axis, Cmd.REST)
    return AxisCommand(axis, Cmd.QUICK if hard or before is Cmd.QUICK else Cmd.RAMP)


def _may_drive(state: KernelState, acts: Mapping[Motion, Act], hard: bool, p: Params) -> bool:
    """Inhibit only: the chair's own joystick drives. After an inhibit it must first be known to be
    still, and freed by a Reset: the joystick is not seen, and somebody may be leaning on it (H3).
    """
    if hard or acts[Motion.DRIVE] >= Act.HOLD:
        return False
    if state.cmds[Axis.DRIVE] is Cmd.MOVE:
        return True
    speed = state.readings.get(SignalId.DRIVE_SPEED)
    known = quality(speed, KNOWN["chair"][SignalId.DRIVE_SPEED], state.last_ns, p) is Quality.FRESH
    return known and speed is not None and speed.value == 0 and state.drive_freed


def drive_waits(kind: str, state: KernelState, now_ns: int) -> bool:
    """Nothing has inhibited driving for a second, and nobody has freed it yet."""
    waited = now_ns - state.drive_ok_ns >= DRIVE_RELEASE_NS
    return kind == "chair" and waited and not state.drive_freed


def _cap(config: KernelConfig, state: KernelState, motion: Motion, act: Act) -> float:
    """The smallest of the independent speed caps."""
    p, axis = config.params, AXIS_OF[motion]
    docking = shape.dynamics(axis, p).docking_mm_s
    full = shape.full_speed(motion, state.people.aloft, p)
    lease = granted(state.authority, state.last_ns, p)
    if act >= Act.SLOW or not lease & motion or _near_the_ground(state, motion):
        return min(full, docking)
    return full


def _near_the_ground(state: KernelState, motion: Motion) -> bool:
    """The last stretch of a descent is slow; without a height all of it is, and while somebody
    hangs also where nobody says where it begins.
    """
    lease = state.authority.lease
    if motion is not Motion.DOWN or not lease:
        return False
    if state.people.aloft and lease.slow_below_mm <= 0:
        return True
    height = state.readings.get(SignalId.HOIST_POS)
    return height is None or height.value <= lease.slow_below_mm
