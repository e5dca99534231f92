"""A lift and a chair in fault-free use, with the numbers of one configuration."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from safety.bounds import Params
from safety.shape import dynamics
from safety.types import Axis, Motion, SignalId
from safety.verdict import Cmd, Verdict
from tests.kernel.world import PERIOD_NS, SPEED_OF, World

S, M = SignalId, Motion
LEAST_MM_S, OWN_DECEL_MM_S2 = 4.0, 60.0  # the stand actuator's: no command changes them
RIPPLE = 1.02  # of a drive that holds its speed


class Used(World):
    """Its drives are as good as real ones: they hold a speed with a ripple and stop on their ramp;
    the stand actuator starts at its least speed and has a ramp of its own.
    """

    def _move(self, verdict: Verdict) -> None:
        for item in verdict.commands:
            speed = SPEED_OF.get(item.axis.value)
            if speed is not None:
                self.values[speed] = self._real(item.axis, item.cmd, item.speed_mm_s)

    def _real(self, axis: Axis, cmd: Cmd, told_mm_s: float) -> float:
        if cmd is Cmd.MOVE and told_mm_s:
            least = LEAST_MM_S if axis is Axis.STANDER else 0.0
            return max(least, abs(told_mm_s) * RIPPLE) * (1 if told_mm_s > 0 else -1)
        was = self.values[SPEED_OF[axis.value]] or 0.0
        decel = dynamics(axis, self.params).decel_mm_s2
        slower = (OWN_DECEL_MM_S2 if axis is Axis.STANDER else decel) * PERIOD_NS / 1e9
        return max(0.0, abs(was) - slower) * (1 if was > 0 else -1)


@cache
def _ready(kind: str) -> Used:
    world = Used(kind=kind)
    world.ready()
    return world


def used(axis: Axis, params: Params) -> frozenset[str]:
    """The latches after the axis ran at full speed and was let go, each way, first empty."""
    world = _ready("chair" if axis is Axis.STANDER else "lift").clone()
    world.params, world.config = params, replace(world.config, params=params)
    for motion in {Axis.HOIST: (M.UP,), Axis.TRAVERSE: (M.RIGHT,)}.get(axis, (M.STAND, M.SIT)):
        _drive(world, axis, motion)
    if axis is Axis.HOIST:
        world.values[S.LOAD_KG], world.confirmed = 30.0, 1
        _drive(world, axis, M.UP)
        _drive(world, axis, M.DOWN)
    return world.state.latched


def _drive(world: World, axis: Axis, motion: Motion) -> None:
    world.press(motion)
    steady = 0
    for _ in range(200):  # full speed, and 120 ms of it
        before = world.state.axes[axis].speed_mm_s
        world.step()
        steady = steady + 1 if world.state.axes[axis].speed_mm_s == before != 0 else 0
        if steady == 6:
            break
    world.release()
    for _ in range(200):  # it stands, and may turn round
        world.step()
        if not world.state.axes[axis].may_have_mm_s and not world.values[SPEED_OF[axis.value]]:
            break
