"""What the unmutated tree does: which test runs which line, how long each test takes.

Role: the measure for limits, and the choice of tests for a mutant. Process: the mutation test. Must
never: go on when a test fails without a mutant.
"""

from __future__ import annotations

import ast
import importlib
import tomllib
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from hil.selftest import mutants, operators
from hil.selftest.mutants import Mutant
from hil.selftest.operators import Enums
from hil.selftest.overlay import module_name
from tests.mutation.child import Job
from tests.mutation.pool import End, Outcome, run_one

HERE = Path(__file__).parent
SOURCES = ("safety", "config", "drivers", "liftctl")
OURS = (*SOURCES, "hil", "tests", "conftest", "__main__", "_pytest", "pytest")
FIRST_S = 1800.0  # for the runs without a mutant
CPU_TIMES, CPU_MORE_S = 8.0, 3.0  # a mutant may use this multiple of what its tests use, and more
WALL_TIMES = 4.0  # of that again: other work may share the machine


class Unusable(Exception):
    """The measurement cannot start, or cannot be trusted."""


@dataclass(frozen=True)
class Group:
    """Modules and the tests that judge them."""

    name: str
    modules: tuple[str, ...]
    tests: tuple[str, ...]

    @cached_property
    def sources(self) -> dict[str, str]:
        return {path: Path(path).read_text(encoding="utf-8") for path in self.modules}


@dataclass(frozen=True)
class Baseline:
    """A group, measured. `lines`: module to line to tests; the empty test is the import."""

    group: Group
    lines: dict[str, dict[str, list[str]]]
    seconds: dict[str, float]
    start_s: float  # what a child needs before its first test

    def tests_for(self, mutant: Mutant) -> tuple[str, ...]:
        """The tests that run the mutant's lines, fastest first; all of them for an import."""
        ran: set[str] = set()
        for line in range(mutant.first_line, mutant.last_line + 1):
            ran |= set(self.lines[mutant.module].get(str(line), ()))
        wanted = self.seconds.keys() if mutant.at_import or "" in ran else ran
        return tuple(sorted(wanted & self.seconds.keys(), key=lambda name: self.seconds[name]))

    def limits_s(self, tests: tuple[str, ...]) -> tuple[float, float]:
        """Processor and wall time for these tests with a mutant."""
        cpu = CPU_MORE_S + self.start_s + CPU_TIMES * sum(self.seconds[name] for name in tests)
        return cpu, cpu * WALL_TIMES


def groups(path: Path) -> list[Group]:
    """As the file says; a pattern that fits nothing yet is left out."""
    found = []
    for item in tomllib.loads(path.read_text(encoding="utf-8"))["group"]:
        modules = sorted({str(p) for one in item["modules"] for p in Path().glob(one)})
        tests = [str(p) for one in item["tests"] for p in _test_files(Path(one))]
        kept = tuple(name for name in tests if name not in item["without"])
        with_code = [p for p in modules if Path(p).stat().st_size]
        found.append(Group(item["name"], tuple(with_code), kept))
    return found


def _test_files(path: Path) -> list[Path]:
    return sorted(path.glob("test_*.py")) if path.is_dir() else [path]


def enums() -> Enums:
    """Of the whole service."""
    files = [path for folder in SOURCES for path in sorted(Path(folder).rglob("*.py"))]
    return operators.enums_of([ast.parse(path.read_text(encoding="utf-8")) for path in files])


def unmutated(group: Group, known: Enums, folder: Path) -> Outcome:
    """All tests of the group, with every module through the import hook but unchanged."""
    codes = {
        module_name(path): mutants.compiled(None, Path.cwd() / path, source, known)
        for path, source in group.sources.items()
    }
    return _passing(Job(folder, group.tests, FIRST_S, FIRST_S, codes, whole=True), group)


def measure(group: Group, known: Enums, folder: Path) -> Baseline:
    """Trace once, then time once without the tracer."""
    traced = Job(folder, group.tests, FIRST_S, FIRST_S, trace=group.modules, whole=True)
    lines = _passing(traced, group).said["lines"]
    timed = unmutated(group, known, folder)
    preload(timed.said["modules"])
    seconds = timed.said["passed"]
    return Baseline(group, lines, seconds, max(0.0, timed.took_s - sum(seconds.values())))


def _passing(job: Job, group: Group) -> Outcome:
    outcome = run_one(job)
    if outcome.end is not End.SURVIVED:
        raise Unusable(
            f"{group.name}: without a mutant: {outcome.end}: {outcome.test} {outcome.says}"
        )
    return outcome


def preload(modules: list[Any]) -> None:
    """Import other people's modules once, here: a child then begins with them."""
    for name in modules:
        if name.partition(".")[0] not in OURS:
            with suppress(Exception):
                importlib.import_module(name)
