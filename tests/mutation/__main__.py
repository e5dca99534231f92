"""`python -m tests.mutation`: change the code in thousands of small ways; the tests must notice.

Role: command line, and a copy of the tree to work in. Process: the mutation test. Must never:
change the tree it was started in.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.mutation import baseline, campaign, verdict
from tests.mutation.baseline import HERE, Unusable
from tests.mutation.campaign import Campaign
from tests.mutation.memory import Memory
from tests.mutation.odds import Odds

HOME = "LIFTCTL_MUTATION_HOME"  # set inside the copy: where the tree is
LEFT_OUT = shutil.ignore_patterns(".*", "var", "build", "dist", "*.egg-info", "node_modules")


def main() -> int:
    """Exit 0 only when enough is killed and everything planted was reported."""
    options = _options()
    home = os.environ.get(HOME)
    if home is None:
        return _in_a_copy()
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        memory = Memory(Path(home) / ".cache" / "mutation.json", options.resume)
        work = Campaign(Path(folder), memory, options.jobs, tuple(options.module))
        try:
            return _run(work, options)
        except Unusable as error:
            print(f"infrastructure failure: {error}")
            return 2
        finally:
            memory.save()
            if options.learn:
                Odds().remember(memory.killers()).save(Path(home) / "tests/mutation/odds.json")


def _run(work: Campaign, options: argparse.Namespace) -> int:
    known = baseline.groups(HERE / "selection.toml")
    wanted = {group.name: work.mutants_of(group) for group in known}
    modules = {mutant.module for found in wanted.values() for mutant in found}
    if unknown := set(options.module) - modules:
        print(f"no mutants in {', '.join(sorted(unknown))}; see tests/mutation/selection.toml")
        return 2
    if options.list:
        print("\n".join(mutant.key for found in wanted.values() for mutant in found))
        return 0
    planted, wrong, must_survive = campaign.planted(work)
    found = [] if options.planted else [x for g in known for x in work.run(g, wanted[g.name])]
    reasons = verdict.equivalents(HERE / "equivalent.toml")
    said = verdict.judged(found, reasons, wrong, set() if options.planted else modules)
    print("\n".join(verdict.lines(said, planted, must_survive)))
    return 0 if said.good else 1


def _in_a_copy() -> int:
    """The same command in a copy, with a fixed hash seed: nobody's edits disturb a run."""
    with tempfile.TemporaryDirectory(prefix="mutation-tree-") as folder:
        tree = Path(folder) / "tree"
        shutil.copytree(Path.cwd(), tree, ignore=LEFT_OUT, symlinks=True)
        env = {**os.environ, HOME: str(Path.cwd()), "PYTHONHASHSEED": "0", "PYTHONPATH": str(tree)}
        env.pop("LIFTCTL_NIGHTLY", None)  # the long forms are for unmutated code
        command = [sys.executable, "-m", "tests.mutation", *sys.argv[1:]]
        return subprocess.run(command, cwd=tree, env=env, check=False).returncode


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--module", action="append", default=[], help="only this file; repeatable")
    parser.add_argument("--jobs", type=int, default=2, help="children at a time")
    parser.add_argument("--learn", action="store_true", help="write down which file kills what")
    parser.add_argument("--resume", action="store_true", help="only what has changed since")
    parser.add_argument("--list", action="store_true", help="the keys of all mutants")
    parser.add_argument("--planted", action="store_true", help="only the planted mutants")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
