"""Which file of tests a mutant meets first: the one that most likely kills it in a second.

Role: learns while the run goes on, from what each file did to mutants of the same function and
module. Process: the mutation test. Must never: decide an outcome; only the order of the files.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from hil.selftest.mutants import Mutant

START_S = 0.3  # of a child, before the first test


class Odds:
    """Tries and kills by place and file of tests."""

    def __init__(self) -> None:
        self._tries: Counter[tuple[str, str]] = Counter()
        self._kills: Counter[tuple[str, str]] = Counter()

    @classmethod
    def known(cls, path: Path) -> Odds:
        """What `--learn` has written: the kills of each file by function."""
        odds = cls()
        for function, kills in json.loads(path.read_text(encoding="utf-8")).items():
            for file, n in kills.items():
                odds._count(function, file, n, n)
        return odds

    def save(self, path: Path) -> None:
        """For the next run, on whatever machine."""
        found: dict[str, dict[str, int]] = {}
        for (place, file), n in sorted(self._kills.items()):
            if n and ":" in place:
                found.setdefault(place, {})[file] = n
        path.write_text(json.dumps(found, indent=0) + "\n", encoding="utf-8")

    def remember(self, killers: Iterable[tuple[str, str]]) -> Odds:
        """Mutants' keys, and the files that killed them."""
        for key, file in killers:
            self.learn(key, file, killed=True)
        return self

    def learn(self, key: str, file: str, killed: bool) -> None:
        """The mutant of this key met this file."""
        self._count(key.partition(" ")[0], file, 1, killed)

    def _count(self, function: str, file: str, tries: int, kills: int) -> None:
        for place in _places(function):
            self._tries[place, file] += tries
            self._kills[place, file] += kills

    def best(self, mutant: Mutant, took_s: dict[str, float]) -> str:
        """Of files by the seconds their tests take for this mutant."""
        return max(took_s, key=lambda file: self._kill(mutant, file) / (START_S + took_s[file]))

    def _kill(self, mutant: Mutant, file: str) -> float:
        """Laplace's rule twice: what is not known of the function is guessed from the module."""
        module, function = ((place, file) for place in _places(mutant.place))
        guess = (1 + self._kills[module]) / (2 + self._tries[module])
        return (2 * guess + self._kills[function]) / (2 + self._tries[function])


def _places(function: str) -> tuple[str, str]:
    """Module, and function in it."""
    return function.partition(":")[0], function
