"""A random walk through the kernel: whatever happens, the invariants of rules 1 to 9 hold.

Role: seeded walk and hypothesis machine around the engine in tests/guard/walk.py.
LIFTCTL_NIGHTLY=1 walks 10^7 steps.
"""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from safety.signals import SPECS
from tests.kernel.walk import NIGHTLY, OWN, STATIONS, M, Walk, happen

pytestmark = pytest.mark.no_cover  # long
SECONDS, STEPS = (86_400.0, 5_000_000) if NIGHTLY else (5.0, 50_000)


@pytest.mark.parametrize("kind", ["lift", "chair"])
def test_ten_thousand_random_steps(kind: str) -> None:
    seed = random.randrange(2**32) if NIGHTLY else 20_26
    rng, ending = random.Random(seed), time.monotonic() + SECONDS
    walk = Walk(kind)
    while walk.checks < STEPS and time.monotonic() < ending:
        try:
            walk.step(happen(walk, rng))
        except AssertionError as error:
            raise AssertionError(f"seed {seed}, step {walk.checks}: {error}") from error
    assert walk.moved > walk.checks / 25, f"{walk.moved} of {walk.checks}: the walk tests nothing"


class Machine(RuleBasedStateMachine):
    """The same walk in hypothesis' hands, which makes a failure small."""

    @initialize(kind=st.sampled_from(("lift", "chair")))
    def begin(self, kind: str) -> None:
        self.walk = Walk(kind)
        self.walk.step()

    @rule(station=st.sampled_from(STATIONS), n=st.integers(0, 4), steps=st.integers(1, 12))
    def press(self, station: str, n: int, steps: int) -> None:
        self.walk.press(station, (*OWN[self.walk.kind], M.NONE)[n % (len(OWN[self.walk.kind]) + 1)])
        self.run_on(steps)

    @rule(n=st.integers(0, 40), value=st.sampled_from((None, 0.0, 1.0, 70.0, 230.0, -40.0)))
    def signal(self, n: int, value: float | None) -> None:
        signals = sorted(SPECS[self.walk.kind])
        self.walk.world.values[signals[n % len(signals)]] = value
        self.run_on(3)

    @rule(seed=st.integers(0, 2**16), gap=st.sampled_from((1, 20, 20, 79, 81, 300)))
    def chaos(self, seed: int, gap: int) -> None:
        happen(self.walk, random.Random(seed))
        self.walk.step(gap)

    @rule()
    def heal(self) -> None:
        self.walk.heal()
        self.run_on(12)

    def run_on(self, steps: int) -> None:
        for _ in range(steps):
            self.walk.step()


TestMachine = Machine.TestCase
TestMachine.settings = settings(
    max_examples=2000 if NIGHTLY else 25,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
