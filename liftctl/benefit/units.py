"""Tables per ward, home and municipality that give nobody away.

Role: small-cell suppression. Process: library, plain Python. Must never: show a figure of
fewer than five residents, nor leave exactly one figure out of a table with a total (it could be
worked out), nor order units by their result.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Set

FEWEST = 5
Who = Mapping[str, Set[Hashable]]


def hidden(residents: Who, transfers: Mapping[str, int]) -> frozenset[str]:
    """Names not to be shown: the small ones, and more where the rest could be subtracted.

    `residents`: name -> who is behind it. What is hidden belongs, taken together, to at least
    `FEWEST` residents; names with the fewest transfers are taken first. One name alone is left: a
    table of one row has no total to subtract from.
    """
    if len(residents) == 1:
        return frozenset()
    small = {name for name, who in residents.items() if len(who) < FEWEST}
    rest = sorted(set(residents) - small, key=lambda name: (transfers[name], name))
    while rest and small and _guessable(small, residents):
        small.add(rest.pop(0))
    return frozenset(small)


def _guessable(names: set[str], residents: Who) -> bool:
    return len(names) < 2 or len(set().union(*(residents[name] for name in names))) < FEWEST
