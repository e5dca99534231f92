"""One mutant in a process of its own: scenarios against changed code, until one of them fails.

Role: reads a job from standard input, installs the changed module, runs, prints what came. Process:
a child of `liftctl hil selftest`. Must never: import anything of the project before the change is
in place.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hil.selftest.overlay import Overlay, module_name

if TYPE_CHECKING:
    from hil.scenario.model import Scenario


def run(job: dict[str, Any]) -> dict[str, Any]:
    """`module`, `source` (empty: unchanged), `likely` and `others` (paths), `quick`: the first run
    of each; the verdicts, in the order of `_in_order`.
    """
    overlay = Overlay({})
    if job["module"]:
        path = str(Path(job["root"]) / job["module"])
        code = compile(job["source"], path, "exec", dont_inherit=True)
        overlay = Overlay({module_name(job["module"]): code})
        sys.meta_path.insert(0, overlay)
    runs = _runs(job, bool(job["module"]))
    return {"runs": runs, "planted": not job["module"] or bool(overlay.loaded)}


def _runs(job: dict[str, Any], until_failed: bool) -> list[dict[str, Any]]:
    from hil.run import Bench
    from hil.timeline import Verdict

    bench, found = Bench(), []
    for scenario in _in_order(job):
        result = bench(scenario).result
        found.append(
            {
                "id": result.id,
                "source": result.source,
                "verdict": result.verdict,
                "why": list(result.reasons)[:2],
            }
        )
        if until_failed and result.verdict is Verdict.FAIL:
            break
    return found


def _in_order(job: dict[str, Any]) -> list[Scenario]:
    """First runs of the likely files, their others, first runs of the rest, the others of those."""
    from hil.run import gather

    stages: tuple[list[Scenario], ...] = ([], [], [], [])
    for rest, paths in enumerate((job["likely"], job["others"])):
        seen = set[str]()
        for scenario in gather([Path(path) for path in paths]) if paths else ():
            stages[2 * rest + (scenario.id in seen)].append(scenario)
            seen.add(scenario.id)
    return [*stages[0], *stages[2]] if job["quick"] else [run for part in stages for run in part]


def main() -> int:
    """A result on standard output, or a traceback and a status."""
    job = json.load(sys.stdin)
    resource.setrlimit(resource.RLIMIT_CPU, (job["cpu_s"], job["cpu_s"] + 5))
    print(json.dumps(run(job)))  # noqa: T201  the parent reads it
    return 0


if __name__ == "__main__":
    sys.exit(main())
