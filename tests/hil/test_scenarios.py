"""The bench runs its scenarios, says the same twice, and refuses what it does not understand.

Role: the scenarios themselves, each a test, and the promises of the bench. Must never: weaken a
scenario; one that fails is a finding.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hil.run import Bench, Ran, cannot, gather
from hil.scenario.load import FOLDER
from hil.scenario.model import Scenario
from hil.timeline import Verdict

NIGHTLY = bool(os.environ.get("LIFTCTL_NIGHTLY"))
EVERY = gather([FOLDER])
BENCH = Bench()
RELEASE = "H02-release"


def one_for_each_hazard() -> list[Scenario]:
    """One run for each hazard; the whole pack at night, and by `liftctl hil run`."""
    seen: dict[str, Scenario] = {}
    for scenario in EVERY:
        seen.setdefault(scenario.hazards[0], scenario)
    return EVERY if NIGHTLY else list(seen.values())


def runs_of(name: str) -> list[Scenario]:
    return [scenario for scenario in EVERY if scenario.id == name]


def named(scenario: Scenario) -> str:
    return "-".join((scenario.id, *scenario.parameters.values()))


@pytest.mark.parametrize("scenario", one_for_each_hazard(), ids=named)
def test_scenario(scenario: Scenario) -> None:
    """Each file of hil/scenarios holds."""
    if reason := cannot(scenario, "virtual"):
        assert BENCH.refuse(scenario, reason).result.verdict is Verdict.NOT_APPLICABLE
        return
    result = BENCH(scenario).result
    assert result.verdict is Verdict.PASS, "\n".join(result.reasons)


@contextmanager
def busy() -> Iterator[None]:
    """Other processes want both processors."""
    burn = [sys.executable, "-c", "while True: pass"]
    popens = [subprocess.Popen(burn) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for popen in popens:
            popen.kill()
            popen.wait()


def test_a_run_is_the_same_twice_and_under_load_and_from_a_shared_beginning() -> None:
    """The hash of the timeline says so; it differs as soon as the person weighs more."""
    light, heavier = runs_of(RELEASE)[:2]
    alone = Bench(share=False)(light)
    with busy():
        loaded = Bench(share=False)(light)
    shared = Bench()
    shared(light)
    copied = shared(light)
    assert hashes(alone, loaded, copied) == {alone.timeline.hash()}
    assert alone.result.timeline_hash == alone.timeline.hash()
    assert shared(heavier).timeline.hash() != alone.timeline.hash()


def hashes(*runs: Ran) -> set[str]:
    return {ran.timeline.hash() for ran in runs}


def test_a_written_timeline_hashes_as_it_did(tmp_path: Path) -> None:
    """What is written is what was judged."""
    from hil.timeline import read

    ran = Bench()(runs_of(RELEASE)[0])
    ran.timeline.write(tmp_path / "events.jsonl")
    assert read(tmp_path / "events.jsonl").hash() == ran.timeline.hash()
