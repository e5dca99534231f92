"""Every signal of every device, bad in every way: long, so neither counted nor asked of mutants."""

from __future__ import annotations

import pytest

from safety.signals import SPECS
from safety.types import Act, Motion, SignalId
from tests.kernel.world import World

S = SignalId


@pytest.mark.parametrize("how", ["missing", "corrupt", "future", "out_of_range", "not_a_number"])
@pytest.mark.parametrize("kind", ["lift", "chair"])
def test_any_bad_signal_stops_rising_and_never_latches(kind: str, how: str) -> None:
    raising = Motion.UP if kind == "lift" else Motion.STAND
    for signal in SPECS[kind]:
        world = World(kind=kind).ready()
        if how == "missing":
            world.values[signal] = None
        elif how == "corrupt":
            world.corrupt.add(signal)
        elif how == "future":
            world.future.add(signal)
        else:
            world.follow = False
            world.values[signal] = 1e9 if how == "out_of_range" else float("nan")
        verdict = world.run(3200)
        may_rise = signal in (
            S.TRAVERSE_SPEED, S.TRAVERSE_POS, S.TRAVERSE_FAULT, S.TRAVERSE_VERIFIED,
        ) or (kind == "lift" and signal is S.CHARGER_ABSENT)  # fmt: skip
        assert world.act(raising) >= Act.HOLD or may_rise, (signal, verdict.active)
        assert not verdict.latched
