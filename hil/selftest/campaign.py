"""The scenario pack against every planted danger; the kill rate.

Role: one process for each mutant, a few at a time. Must never: count anything as killed but a
scenario that FAILed: a crash, an error or a time-out of the bench is told apart.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from threading import Lock
from typing import Any

from hil.scenario.model import Scenario
from hil.selftest.seeds import ROOT, Seed

LIMIT_S = 600  # of processor for one mutant; the pack itself takes less than three minutes
PATIENCE = 10  # wall time in those: other work may share the machine


class End(StrEnum):
    """How a mutant ended; only KILLED is a kill."""

    KILLED = "killed"
    SURVIVED = "survived"
    CRASH = "crash of the bench"
    TIMEOUT = "timeout"
    ARGUED = "survives as argued"


@dataclass(frozen=True, slots=True)
class Outcome:
    """`by`: the scenario that failed; `why`: what it said, or what went wrong."""

    seed: Seed
    end: End
    by: str = ""
    why: str = ""

    @property
    def good(self) -> bool:
        """Killed, or expected to survive."""
        return self.end in (End.KILLED, End.ARGUED)


class Unusable(Exception):
    """The pack does not pass without a mutant; the message names the scenario."""


def baseline(files: list[str], quick: bool, at_once: int = 1) -> None:
    """Every run of these files passes on unchanged code; Unusable when one does not."""
    with ThreadPoolExecutor(at_once) as pool:
        parts = [files[n::at_once] for n in range(min(at_once, len(files)))]
        for said in pool.map(lambda part: _child("", "", Asked(tuple(part)), quick), parts):
            _all_passed(said)


def _all_passed(said: dict[str, Any] | Outcome) -> None:
    if isinstance(said, Outcome):
        raise Unusable(f"the pack cannot be run without a mutant: {said.why}")
    if bad := [run for run in said["runs"] if run["verdict"] != "PASS"]:
        why = "; ".join(bad[0]["why"])
        raise Unusable(f"{bad[0]['id']} is {bad[0]['verdict']} without a mutant: {why}")


def campaign(
    seeds: tuple[Seed, ...],
    scenarios: list[Scenario],
    at_once: int,
    quick: bool = False,
    note: Callable[[Outcome], None] = lambda outcome: None,
) -> Iterator[Outcome]:
    """Each seed against the pack until a scenario fails; outcomes in the order of the seeds, told
    to `note` as they come. Asked first are all runs of its own hazard's scenarios, then the first
    run of every other one, then the rest. `quick`: only the first runs of its own hazard's; a seed
    that is argued to survive is never asked more than its own hazard's.
    """
    wanted = {seed: ordered(seed, scenarios, quick) for seed in seeds}
    names = {name for asked in wanted.values() for name in (*asked.likely, *asked.others)}
    baseline(sorted(names), quick, at_once)

    def one(seed: Seed) -> Outcome:
        outcome = _one(seed, wanted[seed], quick)
        note(outcome)
        return outcome

    with ThreadPoolExecutor(at_once) as pool:
        yield from pool.map(one, seeds)


@dataclass(frozen=True, slots=True)
class Asked:
    """Files of scenarios: those of the seed's own hazard, and others to go on with."""

    likely: tuple[str, ...]
    others: tuple[str, ...] = ()


def ordered(seed: Seed, scenarios: list[Scenario], quick: bool) -> Asked:
    """Which files this danger is asked of."""
    files = dict.fromkeys(str(item.path) for item in scenarios)
    likely = dict.fromkeys(str(item.path) for item in scenarios if seed.hazard in item.hazards)
    if likely and (quick or seed.survives):
        return Asked(tuple(likely))
    return Asked(tuple(likely), tuple(name for name in files if name not in likely))


class Progress:
    """Lines for people while a campaign runs: how far it is, and when it may be over."""

    def __init__(self, of: int, say: Callable[[str], None]) -> None:
        self._of, self._say, self._done = of, say, 0
        self._begun_s, self._lock = time.monotonic(), Lock()
        say(f"{of} dangers; first the pack without any of them")

    def __call__(self, outcome: Outcome) -> None:
        """One more is known."""
        with self._lock:
            self._done += 1
            gone_s = time.monotonic() - self._begun_s
            left_s = gone_s / self._done * (self._of - self._done)
            self._say(f"[{self._done}/{self._of}, {left_s / 60:.0f} min left] {line(outcome)}")


def _one(seed: Seed, asked: Asked, quick: bool) -> Outcome:
    said = _child(seed.module, seed.source, asked, quick)
    if isinstance(said, Outcome):
        return Outcome(seed, said.end, why=said.why)
    if not said["planted"]:
        return Outcome(seed, End.CRASH, why=f"{seed.module} was never imported")
    failed = next((run for run in said["runs"] if run["verdict"] == "FAIL"), None)
    if failed is not None:
        return Outcome(seed, End.KILLED, failed["id"], "; ".join(failed["why"]))
    if seed.survives:
        return Outcome(seed, End.ARGUED, why=seed.survives)
    odd = [run for run in said["runs"] if run["verdict"] != "PASS"]
    why = "; ".join(f"{run['id']}: {run['verdict']}" for run in odd[:3])
    return Outcome(seed, End.CRASH if odd else End.SURVIVED, why=why)


def _child(module: str, source: str, asked: Asked, quick: bool) -> dict[str, Any] | Outcome:
    job: dict[str, Any] = {"module": module, "source": source}
    job |= {"likely": asked.likely, "others": asked.others}
    job |= {"root": str(ROOT), "cpu_s": LIMIT_S, "quick": quick}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "hil.selftest.child"],
            input=json.dumps(job), capture_output=True, text=True, check=False,
            timeout=LIMIT_S * PATIENCE,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Outcome(_NOBODY, End.TIMEOUT, why=f"more than {LIMIT_S * PATIENCE} s of wall time")
    if done.returncode == -signal.SIGXCPU:
        return Outcome(_NOBODY, End.TIMEOUT, why=f"more than {LIMIT_S} s of processor")
    try:
        said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    except (ValueError, IndexError):
        last = done.stderr.strip().splitlines()[-1:] or ["no word"]
        return Outcome(_NOBODY, End.CRASH, why=f"ended with {done.returncode}: {last[0]}")
    return said


_NOBODY = Seed("", "", "", "")


def figures(outcomes: Iterable[Outcome]) -> dict[str, Any]:
    """Kill rate as a whole and by group; argued survivors are named and not counted."""
    kept = tuple(outcomes)
    counted = [item for item in kept if item.end is not End.ARGUED]
    groups: dict[str, dict[str, int]] = {}
    for item in counted:
        told = groups.setdefault(item.seed.group, {"killed": 0, "of": 0})
        told["of"] += 1
        told["killed"] += item.end is End.KILLED
    killed = sum(item.end is End.KILLED for item in counted)
    return {
        "killed": killed,
        "of": len(counted),
        "rate": round(killed / len(counted), 3) if counted else None,
        "groups": groups,
        "ends": {str(end): n for end, n in Counter(item.end for item in kept).items()},
        "survivors": [item.seed.id for item in counted if item.end is not End.KILLED],
    }


def words(found: dict[str, Any]) -> str:
    """The figures as one line, and who survived."""
    groups = ", ".join(f"{k} {v['killed']}/{v['of']}" for k, v in found["groups"].items())
    rate = "-" if found["rate"] is None else f"{100 * found['rate']:.0f} %"
    left = "".join(f"\n  not killed: {name}" for name in found["survivors"])
    return f"kill rate {rate}: {found['killed']} of {found['of']} ({groups}){left}"


def line(outcome: Outcome) -> str:
    """One line for people."""
    seed = outcome.seed
    by = f" by {outcome.by}" if outcome.by else ""
    why = f": {outcome.why}" if outcome.why else ""
    danger = f" ({seed.danger})" if seed.danger else ""
    return f"{outcome.end}: {seed.id}{danger}{by}{why}"[:300]


def scenarios_of(paths: list[Path], plane: str = "virtual") -> list[Scenario]:
    """The runs of these files that the plane can do."""
    from hil.run import cannot, gather

    return [item for item in gather(paths) if not cannot(item, plane)]
