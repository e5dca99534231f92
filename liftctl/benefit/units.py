"""Tables per ward, home and municipality that give nobody away.

Role: small-cell suppression. Process: library, plain Python. Must never: show a figure of
fewer than five residents, nor leave exactly one figure out of a table with a total (it could be
worked out), nor order units by their result.
"""

from __future__ import annotations

from collections.abc import Mapping

FEWEST = 5


def hidden(residents: Mapping[str, int], transfers: Mapping[str, int]) -> frozenset[str]:
    """Units not to be shown: the small ones, and one more where the rest could be subtracted.

    The one more is the unit with the fewest transfers. What is hidden holds, taken together, at
    least `FEWEST` residents.
    """
    if len(residents) == 1:
        return frozenset()
    small = {name for name, count in residents.items() if count < FEWEST}
    rest = sorted(set(residents) - small, key=lambda name: (transfers[name], name))
    while rest and small and _guessable(small, residents):
        small.add(rest.pop(0))
    return frozenset(small)


def _guessable(names: set[str], residents: Mapping[str, int]) -> bool:
    return len(names) < 2 or sum(residents[name] for name in names) < FEWEST
