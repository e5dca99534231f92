"""Tables per ward, home and municipality that give nobody away.

Role: small-cell suppression. Process: library, plain Python. Must never: show a figure of
fewer than five residents, nor leave one out that a total, or the table a level above, gives away,
nor order units by their result.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Set

FEWEST = 5
OTHER = "(other)"
Who = Mapping[str, Set[Hashable]]
Place = tuple[str, ...]


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


def shown(residents: Who, transfers: Mapping[str, int]) -> list[str]:
    """Names whose figure may be told, in order; a lone small one may not."""
    unseen = hidden(residents, transfers)
    return sorted(name for name in set(residents) - unseen if len(residents[name]) >= FEWEST)


def _guessable(names: set[str], residents: Who) -> bool:
    return len(names) < 2 or len(set().union(*(residents[name] for name in names))) < FEWEST


def coarsened(
    residents: Mapping[Place, Set[Hashable]], n: Mapping[Place, int]
) -> dict[Place, Place]:
    """Each place, such as (municipality, home, ward), as it may be told.

    `residents`: place -> who is behind it; `n`: its transfers. Every table of a level may then be
    held against the level above: what is left belongs to nobody, or to `FEWEST` at least.
    """
    return dict(_below((), residents, residents, n))


def _below(
    shown: Place,
    places: Iterable[Place],
    residents: Mapping[Place, Set[Hashable]],
    n: Mapping[Place, int],
) -> Iterable[tuple[Place, Place]]:
    """Of the places below one that is shown; what is below a hidden one is hidden with it."""
    parts: dict[str, list[Place]] = defaultdict(list)
    who: dict[str, set[Hashable]] = defaultdict(set)
    transfers: Counter[str] = Counter()
    for place in places:
        name = place[len(shown)]
        parts[name].append(place)
        who[name] |= residents[place]
        transfers[name] += n[place]
    unseen = hidden(who, transfers)
    for name, inside in parts.items():
        depth = len(inside[0]) - len(shown)
        if name in unseen:
            yield from ((place, (*shown, *[OTHER] * depth)) for place in inside)
        elif depth == 1:
            yield from ((place, place) for place in inside)
        else:
            yield from _below((*shown, name), inside, residents, n)
