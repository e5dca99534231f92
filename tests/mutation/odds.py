"""Which file of tests a mutant meets first: the one that most likely kills it in a second.

Role: learns while the run goes on, from what each file did to mutants of the same function and
module. Process: the mutation test. Must never: decide an outcome; only the order of the files.
"""

from __future__ import annotations

from collections import Counter

from hil.selftest.mutants import Mutant

START_S = 0.3  # of a child, before the first test


class Odds:
    """Tries and kills by place and file of tests."""

    def __init__(self) -> None:
        self._tries: Counter[tuple[str, str]] = Counter()
        self._kills: Counter[tuple[str, str]] = Counter()

    def learn(self, key: str, file: str, killed: bool) -> None:
        """The mutant of this key met this file."""
        for place in _places(key):
            self._tries[place, file] += 1
            self._kills[place, file] += killed

    def best(self, mutant: Mutant, took_s: dict[str, float]) -> str:
        """Of files by the seconds their tests take for this mutant."""
        return max(took_s, key=lambda file: self._kill(mutant, file) / (START_S + took_s[file]))

    def _kill(self, mutant: Mutant, file: str) -> float:
        """Laplace's rule twice: what is not known of the function is guessed from the module."""
        module, function = ((place, file) for place in _places(mutant.key))
        guess = (1 + self._kills[module]) / (2 + self._tries[module])
        return (2 * guess + self._kills[function]) / (2 + self._tries[function])


def _places(key: str) -> tuple[str, str]:
    """Module, and function in it."""
    function = key.partition(" ")[0]
    return function.partition(":")[0], function
