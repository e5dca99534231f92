"""`liftctl hil diff A B`: where two timelines part, in words.

Role: the first event that differs, what was so just before it, and how the plants part after it.
Must never: call timelines equal whose hashes differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from hil.timeline import HASHED_META, Event, Timeline

CONTEXT = 4
HEAD = ("t_ns", "lane", "kind")
APART = 0.02  # of a plant's quantity: what is told as a difference of the plants


@dataclass(frozen=True, slots=True)
class Divergence:
    """`index`: of the first different event; `a` or `b` is None where that timeline ended first."""

    index: int
    a: Event | None
    b: Event | None
    before: tuple[Event, ...]


def first(a: Timeline, b: Timeline) -> Divergence | None:
    """The first difference that the hash sees, or None."""
    for n, (one, other) in enumerate(zip_longest(a.events, b.events)):
        if _seen(one) != _seen(other):
            before = [event for event in a.events[:n] if event["lane"] != "plant"]
            return Divergence(n, one, other, tuple(before[-CONTEXT:]))
    return None


def _seen(event: Event | None) -> Any:
    """Of `meta` the hash sees seed and parameters only."""
    if event is None or event["lane"] != "meta":
        return event
    return {name: event[name] for name in HASHED_META if name in event}


def words(a: Timeline, b: Timeline, names: tuple[str, str]) -> str:
    """The report of a person who asks "where do they part"."""
    found = first(a, b)
    if found is None:
        return f"the same: {len(a.events)} events, hash {a.hash()[:16]}"
    told = [f"they part at event {found.index}, {_time(found)}"]
    if found.a is not None and found.b is not None and _same_head(found.a, found.b):
        told += list(_fields(found.a, found.b, names))
    else:
        told += [f"  {name}: {line(e)}" for name, e in zip(names, (found.a, found.b), strict=True)]
    if found.before:
        told += ["before it both said:", *(f"  {line(event)}" for event in found.before)]
    told += list(_plants(a, b, names))
    return "\n".join(told)


def _time(found: Divergence) -> str:
    times = [event["t_ns"] for event in (found.a, found.b) if event is not None]
    return f"{min(times) / 1e9:.6f} s"


def _same_head(a: Event, b: Event) -> bool:
    return all(a[name] == b[name] for name in HEAD)


def _fields(a: Event, b: Event, names: tuple[str, str]) -> Iterator[str]:
    yield f"  both: {a['lane']} {a['kind']}"
    for name in sorted(set(a) | set(b)):
        if a.get(name) != b.get(name):
            yield from _field(name, a.get(name), b.get(name), names)


def _field(name: str, a: Any, b: Any, names: tuple[str, str]) -> Iterator[str]:
    """Of lists and tables only what one has and the other has not."""
    if isinstance(a, list) and isinstance(b, list):
        only = [item for item in a if item not in b], [item for item in b if item not in a]
        told = [
            f"only {n} has {_short(items)}" for n, items in zip(names, only, strict=True) if items
        ]
        yield f"  {name}: {'; '.join(told) or 'another order'}"
    elif isinstance(a, dict) and isinstance(b, dict):
        for key in sorted(set(a) | set(b)):
            if a.get(key) != b.get(key):
                yield from _field(f"{name}.{key}", a.get(key), b.get(key), names)
    else:
        yield f"  {name}: {names[0]} {_short(a)}, {names[1]} {_short(b)}"


def line(event: Event | None) -> str:
    """One event on one line."""
    if event is None:
        return "(ended)"
    rest = {name: value for name, value in event.items() if name not in HEAD}
    said = ", ".join(f"{name} {_short(value)}" for name, value in rest.items())
    return f"{event['t_ns'] / 1e9:.6f} s {event['lane']} {event['kind']}: {said}"[:220]


def _short(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(_short(item) for item in value) or "(none)"
    return "(none)" if value in (None, "") else str(value)


def _plants(a: Timeline, b: Timeline, names: tuple[str, str]) -> Iterator[str]:
    """The largest distance of each quantity of the plants, and when."""
    apart = sorted(_apart(a, b), key=lambda item: -item[1])[:3]
    if apart:
        yield "the plants part most in:"
    for key, _, t_ns, one, other in apart:
        yield f"  {key} at {t_ns / 1e9:.3f} s: {names[0]} {one:g}, {names[1]} {other:g}"


def _apart(a: Timeline, b: Timeline) -> Iterator[tuple[str, float, int, float, float]]:
    ours, theirs = _samples(a.events), _samples(b.events)
    common = sorted(ours.keys() & theirs.keys())
    for key in sorted({key for t in common[:1] for key in ours[t].keys() & theirs[t].keys()}):
        pairs = [
            (t, ours[t][key], theirs[t][key]) for t in common if key in ours[t] and key in theirs[t]
        ]
        size = max(1e-9, *(max(abs(x), abs(y)) for _, x, y in pairs))
        t_ns, x, y = max(pairs, key=lambda item: abs(item[1] - item[2]))
        if abs(x - y) > APART * size:
            yield key, abs(x - y) / size, t_ns, x, y


def _samples(events: Iterable[Event]) -> dict[int, dict[str, float]]:
    """Moment -> the numbers of the plant."""
    return {
        event["t_ns"]: {key: value for key, value in event.items() if _number(value)}
        for event in events
        if event["lane"] == "plant"
    }


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
