"""Hazard and clause against scenarios: what was tried, and the worst that came of it.

Role: the matrix a test lab signs. Must never: call a hazard covered by a run that did not pass or
fail; inconclusive is shown as what it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hil.timeline import Result, Verdict

# The worst first; a run that is not applicable says nothing about anything.
ORDER = (Verdict.ERROR, Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.PASS)


@dataclass(frozen=True, slots=True)
class Line:
    """`worst` is None when no run that could say something names it."""

    name: str
    text: str
    scenarios: tuple[str, ...]
    worst: Verdict | None


def worst(verdicts: Iterable[Verdict]) -> Verdict | None:
    """The worst of them."""
    there = set(verdicts)
    return next((verdict for verdict in ORDER if verdict in there), None)


def hazards(results: Iterable[Result], known: Mapping[str, str]) -> tuple[Line, ...]:
    """One line for each hazard of the list (id -> what it is), named by a run or not."""
    kept = tuple(results)
    named = {name for item in kept for name in item.hazards} - set(known)
    every = {**known, **dict.fromkeys(sorted(named), "not in the hazard list")}
    return tuple(
        _line(name, text, [item for item in kept if name in item.hazards])
        for name, text in every.items()
    )


def clauses(results: Iterable[Result]) -> tuple[Line, ...]:
    """One line for each clause that a run names."""
    kept = tuple(results)
    named = sorted({name for item in kept for name in item.clauses})
    return tuple(_line(name, "", [item for item in kept if name in item.clauses]) for name in named)


def _line(name: str, text: str, runs: list[Result]) -> Line:
    scenarios = tuple(dict.fromkeys(item.id for item in runs))
    return Line(name, text, scenarios, worst(item.verdict for item in runs))
