"""Parameters: each `vary` gives values, a combination of one of each is a run.

Role: from the `parameters` of a scenario to the runs it stands for. Must never: draw from anything
but the scenario's own seed.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, product
from typing import Any

from hil.clock import random_of
from hil.scenario.units import parse

Values = dict[str, Any]


def runs(parameters: dict[str, Any], combine: str, seed: int) -> list[Values]:
    """One mapping for each run; a scenario without parameters has one."""
    choices = {name: _choices(name, given, seed) for name, given in parameters.items()}
    if combine == "each":
        return list(_each(choices))
    if combine == "pairs" and len(choices) > 2:
        return _pairs(choices)
    return [dict(zip(choices, values, strict=True)) for values in product(*choices.values())]


def _choices(name: str, given: Any, seed: int) -> list[Any]:
    if not isinstance(given, dict):
        return [given]
    if "vary" in given:
        return list(given["vary"])
    low, high = (parse(item) for item in given["uniform"])
    chance = random_of(seed, "parameter", name)
    drawn = (chance.uniform(low.value, high.value) for _ in range(given["n"]))
    return [f"{value:.3f} {low.unit}".strip() for value in drawn]


def _each(choices: dict[str, list[Any]]) -> Iterator[Values]:
    """The first of all, then one at a time away from it."""
    first = {name: values[0] for name, values in choices.items()}
    yield first
    for name, values in choices.items():
        yield from ({**first, name: value} for value in values[1:])


def _pairs(choices: dict[str, list[Any]]) -> list[Values]:
    """Greedy: every pair of values of two parameters is in some run."""
    names = list(choices)
    everything = [dict(zip(names, v, strict=True)) for v in product(*choices.values())]
    wanted = {pair for run in everything for pair in _of(run, names)}
    found: list[Values] = []
    while wanted:
        best = max(everything, key=lambda run: len(wanted & _of(run, names)))
        wanted -= _of(best, names)
        found.append(best)
    return found


def _of(run: Values, names: list[str]) -> set[tuple[str, Any, str, Any]]:
    return {(a, run[a], b, run[b]) for a, b in combinations(names, 2)}


def put(value: Any, given: Values) -> Any:
    """A value of the file with its `$name`s replaced."""
    if isinstance(value, dict):
        return {str(put(key, given)): put(item, given) for key, item in value.items()}
    if isinstance(value, list):
        return [put(item, given) for item in value]
    if not isinstance(value, str) or "$" not in value:
        return value
    if value[1:] in given and value[0] == "$":
        return given[value[1:]]
    for name in sorted(given, key=len, reverse=True):
        value = value.replace(f"${name}", str(given[name]))
    return value
