"""All mutants of a group against its tests, and what comes of it.

Role: the order of work. Process: the mutation test. Must never: run a mutant before the unmutated
tree has passed, or trust results when it does not pass again at the end.
"""

from __future__ import annotations

import sys
import tomllib
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from hil.selftest import mutants
from hil.selftest.mutants import Mutant
from hil.selftest.operators import Enums
from hil.selftest.overlay import module_name
from tests.mutation import baseline
from tests.mutation.baseline import HERE, Baseline, Group
from tests.mutation.child import Job
from tests.mutation.memory import Memory
from tests.mutation.odds import Odds
from tests.mutation.pool import End, Outcome, file_of, run_all

Found = list[tuple[Mutant, Outcome]]
Tests = tuple[str, ...]


@dataclass
class Campaign:
    """`folder` is where children work; `only` limits the modules (empty: all)."""

    folder: Path
    memory: Memory
    at_once: int
    only: tuple[str, ...] = ()
    enums: Enums = field(default_factory=baseline.enums)
    odds: Odds = field(default_factory=lambda: Odds.known(HERE / "odds.json"))

    def __post_init__(self) -> None:
        self.odds.remember(self.memory.killers())

    def mutants_of(self, group: Group) -> list[Mutant]:
        """Of the wanted modules, in the order of the file."""
        return [
            mutant
            for path, source in group.sources.items()
            if not self.only or path in self.only
            for mutant in mutants.of_module(path, source, self.enums)
        ]

    def run(self, group: Group, wanted: list[Mutant]) -> Found:
        """Measure, run each mutant in a child of its own, and measure again."""
        if not wanted:
            return []
        note(f"{group.name}: {len(wanted)} mutants; the tests without a mutant come first")
        base = baseline.measure(group, self.enums, self.folder / "baseline")
        total = sum(base.seconds.values())
        note(
            f"{group.name}: {len(base.seconds)} tests in {total:.1f} s, start {base.start_s:.1f} s"
        )
        found = list(self._each(base, wanted))
        baseline.unmutated(group, self.enums, self.folder / "control")
        return found

    def _each(self, base: Baseline, wanted: list[Mutant]) -> Iterator[tuple[Mutant, Outcome]]:
        fresh: dict[Mutant, Tests] = {}
        for mutant in wanted:
            tests = base.tests_for(mutant)
            known = self.memory.recall(mutant, tests)
            if known is not None:
                yield mutant, known
            elif not tests:
                yield mutant, Outcome(End.EMPTY, says="no selected test runs this line")
            else:
                fresh[mutant] = tests
        for n, (mutant, outcome) in enumerate(self._file_by_file(base, fresh), 1):
            self.memory.keep(mutant, fresh[mutant], outcome)
            if n % 50 == 0 or n == len(fresh):
                self.memory.save()
                note(f"{base.group.name}: {n}/{len(fresh)}")
            yield mutant, outcome

    def _file_by_file(
        self, base: Baseline, fresh: dict[Mutant, Tests]
    ) -> Iterator[tuple[Mutant, Outcome]]:
        """The likeliest file of tests first: a child with one file starts soon. Who survives it
        meets the next one at once, so that the next mutant of the same function profits.
        """
        queue, left = deque(fresh), dict(fresh)
        met: dict[Mutant, Tests] = {}
        alive: dict[Mutant, Outcome] = {}
        while queue:
            for mutant, outcome in run_all(self._jobs(base, queue, left, met), self.at_once):
                self.odds.learn(mutant.key, file_of(met[mutant][0]), outcome.end is End.KILLED)
                others = tuple(name for name in left[mutant] if name not in met[mutant])
                if outcome.end is End.SURVIVED:
                    alive[mutant] = outcome
                if others and (outcome.unused or outcome.end is End.SURVIVED):
                    left[mutant] = others
                    queue.appendleft(mutant)
                else:
                    yield mutant, alive.get(mutant, outcome) if outcome.unused else outcome

    def _jobs(
        self,
        base: Baseline,
        queue: deque[Mutant],
        left: dict[Mutant, Tests],
        met: dict[Mutant, Tests],
    ) -> Iterator[tuple[Mutant, Callable[[], Job]]]:
        """Chosen as late as can be; `met` says which tests were."""
        while queue:
            mutant = queue.popleft()
            met[mutant] = _of_file(self._likely(base, mutant, left[mutant]), left[mutant])
            yield mutant, self._job(base, mutant, met[mutant])

    def _likely(self, base: Baseline, mutant: Mutant, tests: Tests) -> str:
        """The file that killed it before, or the one with the best odds."""
        took_s: dict[str, float] = {}
        for name in tests:
            took_s[file_of(name)] = took_s.get(file_of(name), 0.0) + base.seconds[name]
        known = self.memory.killer(mutant)
        return known if known in took_s else self.odds.best(mutant, took_s)

    def _job(self, base: Baseline, mutant: Mutant, tests: Tests) -> Callable[[], Job]:
        def job() -> Job:
            path, source = Path.cwd() / mutant.module, base.group.sources[mutant.module]
            code = mutants.compiled(mutant, path, source, self.enums)
            where = self.folder / f"m{mutant.site}-{mutant.change}"
            return Job(where, tests, *base.limits_s(tests), {module_name(mutant.module): code})

        return job


def planted(campaign: Campaign) -> tuple[Found, list[str], int]:
    """The planted mutants: what came out, what is wrong with that, how many must survive."""
    path = HERE / "planted.toml"
    expected: dict[str, str] = tomllib.loads(path.read_text(encoding="utf-8"))["expected"]
    (group,) = baseline.groups(path)
    names = {
        f"{m.function} {m.operator} `{m.after}`": m
        for m in mutants.of_module(group.modules[0], group.sources[group.modules[0]], {})
    }
    none = campaign.folder / "planted.json"
    outside = Campaign(campaign.folder, Memory(none, use=False), campaign.at_once, enums={})
    found = outside.run(group, [names[name] for name in expected])
    ends = {mutant: outcome.end for mutant, outcome in found}
    wrong = [
        f"planted: {name} is reported as {ends[names[name]]}, not as {end}"
        for name, end in expected.items()
        if ends[names[name]] != end
    ]
    return found, wrong, sum(end == End.SURVIVED for end in expected.values())


def _of_file(file: str, tests: Tests) -> Tests:
    return tuple(name for name in tests if file_of(name) == file)


def note(text: str) -> None:
    """For whoever waits; the result is on the other stream."""
    print(text, file=sys.stderr, flush=True)
