"""`liftctl hil rerun MANIFEST`: the same runs again; in virtual time the hashes must be the same.

Role: from a manifest whose files are unaltered to one line for each of its runs. Must never: call a
run reproduced whose timeline hash differs, or compare real time with real time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hil import diff, timeline
from hil.report import manifest
from hil.report.manifest import ManifestError
from hil.run import Bench
from hil.scenario.load import load
from hil.scenario.model import Scenario
from hil.timeline import Timeline

VIRTUAL = "virtual"
NEVER_RAN = "NOT_APPLICABLE"


@dataclass(frozen=True, slots=True)
class Again:
    """One run of the manifest, run again. `same` is None where that says nothing; why is in
    `words`.
    """

    name: str
    same: bool | None
    words: str


def changed_code(told: dict[str, Any]) -> str:
    """A sentence when today's code is not what the manifest was made with, or ""."""
    if told["code"] == manifest.tree_hash():
        return ""
    made = str(told.get("revision", ""))[:12] or "no revision"
    return f"the code is not the one of the manifest (made at {made}); hashes may differ for that"


def rerun(path: Path) -> Iterator[Again]:
    """Each run again, in order; ManifestError when files are missing, altered or no manifest."""
    told = manifest.read(path)
    folder = path if path.is_dir() else path.parent
    bench = Bench()
    for run in told["runs"]:
        yield _again(bench, run, folder)


def _again(bench: Bench, run: dict[str, Any], folder: Path) -> Again:
    given = ", ".join(f"{name} {value}" for name, value in run["parameters"].items())
    name = f"{run['id']}{f' ({given})' if given else ''}"
    if run["verdict"] == NEVER_RAN or not run["timeline"]:
        return Again(name, None, f"was {run['verdict'].lower().replace('_', ' ')}: no timeline")
    if run["plane"] != VIRTUAL:
        return Again(name, None, f"plane {run['plane']}: real time and kernels are not run again")
    ran = bench(_scenario(run))
    if ran.result.timeline_hash == run["timeline_hash"]:
        return Again(name, True, f"reproduced, {run['verdict']}, {run['timeline_hash'][:16]}")
    before = timeline.read(folder / run["timeline"])
    return Again(name, False, _words(before, ran.timeline))


def _words(before: Timeline, after: Timeline) -> str:
    return "NOT REPRODUCED: " + diff.words(before, after, ("manifest", "today"))


def _scenario(run: dict[str, Any]) -> Scenario:
    for scenario in load(Path(run["source"])):
        if scenario.parameters == run["parameters"]:
            return replace(scenario, seed=run["seed"])
    raise ManifestError(f"{run['source']}: has no run with the parameters {run['parameters']}")
