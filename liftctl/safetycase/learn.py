"""Which switches decide a row, and what it says for each of their settings: learnt from the kernel.

Role: settles every switch alone and in pairs, finds what influences a row, and asks the kernel for
all combinations of just that. Process: none of the service's. Must never: work out a fact itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import combinations, product
from math import prod

from liftctl.safetycase.steady import Flips, Rig, rig
from liftctl.safetycase.switches import Switch, singles
from safety.table import FOR_KIND, NOT_PERMITTED, ROWS
from safety.types import Clear
from safety.verdict import Verdict

# What a row says: nothing, true, unknown and acting; for a row with a latch also: true no more, but
# it was (its latch holds), and unknown without acting (its latch cannot be ended).
QUIET, TRUE, UNKNOWN, LATCHED, UNSURE = "-", "t", "u", "l", "s"
# Threes that are asked too: what makes a row only together (the load falls, the strap is slack),
# and whatever meets the two that say whether somebody hangs there.
TOGETHER = frozenset(
    {"situation", "plan", "load_kg", "strap_tight", "hoist_speed_mm_s", "hoist_height_mm"}
)
HANGING = frozenset({"situation", "load_kg"})
LARGE = 300  # entries of a table; beyond that it is split
Names = frozenset[str]


@dataclass(frozen=True, slots=True)
class Table:
    """What one row says. `parts`: (switch, class of each of its options); `says` has one letter for
    each combination of classes, the last switch turning fastest. `after`: rows that always bring
    it with them; the table then holds where none of them is true.
    """

    row: str
    parts: tuple[tuple[int, tuple[int, ...]], ...]
    says: str
    after: tuple[str, ...] = ()


def names(verdict: Verdict) -> Names:
    """What is active, the missing permission included."""
    refused = any(NOT_PERMITTED in item.rows for item in verdict.motions)
    return frozenset((*verdict.active, *((NOT_PERMITTED,) if refused else ())))


def _meeting(options: Iterable[tuple[int, int]], count: int) -> Iterator[Flips]:
    """So many different switches at once."""
    for chosen in combinations(options, count):
        if len({switch for switch, _ in chosen}) == count:
            yield chosen


def flips(switches: tuple[Switch, ...]) -> Iterator[Flips]:
    """Nothing, each switch alone, each pair of switches."""
    for count in (0, 1, 2):
        yield from _meeting(tuple(singles(switches)), count)


def _threes(switches: tuple[Switch, ...]) -> Iterator[Flips]:
    for chosen in _meeting(tuple(singles(switches)), 3):
        ids = {switches[number].id for number, _ in chosen}
        if ids <= TOGETHER or ids >= HANGING:
            yield chosen


@cache
def spoken(kind: str) -> dict[Flips, Verdict]:
    """The kernel's verdict for every switch alone, every pair, and a few threes."""
    bench = rig(kind)
    asked = (*flips(bench.switches), *_threes(bench.switches))
    return {item: bench.settle(item).verdict for item in asked}


@dataclass(frozen=True, slots=True)
class Learner:
    """What was heard of one kind of device."""

    bench: Rig
    heard: dict[Flips, Names]

    def table(self, row: str) -> Table:
        """Ask for every combination of what influences this row."""
        parts = tuple(self._parts(row, ()))
        after: tuple[str, ...] = ()
        if prod(max(of) + 1 for _, of in parts) > LARGE:
            after = self._brought_by(row)
            parts = tuple(self._parts(row, after))
        says = ""
        for classes in product(*(range(max(of) + 1) for _, of in parts)):
            chosen = zip(parts, classes, strict=True)
            picked = tuple((switch, of.index(number)) for (switch, of), number in chosen)
            says += self._says(row, tuple(item for item in picked if item[1]), after)
        return Table(row, parts, says, after)

    def _says(self, row: str, flipped: Flips, after: tuple[str, ...]) -> str:
        latching = row in ROWS and ROWS[row].clear is not Clear.AUTO
        if not latching and flipped in self.heard:
            return _letter(row, self.heard[flipped], after)
        settled = self.bench.settle(flipped)
        letter = _letter(row, names(settled.verdict), after)
        if latching and settled.over(row):
            return LATCHED if letter == TRUE else QUIET
        return UNSURE if latching and letter == QUIET else letter

    def _brought_by(self, row: str) -> tuple[str, ...]:
        """Grave rows that were never heard without this one."""
        grave = (item.id for item in FOR_KIND[self.bench.kind] if item.clear is Clear.SERVICE)
        for_sure = (
            name for name in grave if name != row
            and all(row in heard for heard in self.heard.values() if name in heard)
        )  # fmt: skip
        return tuple(for_sure)

    def _parts(self, row: str, after: tuple[str, ...]) -> Iterator[tuple[int, tuple[int, ...]]]:
        """The switches that make a difference, their options sorted by the difference."""
        for number, switch in enumerate(self.bench.switches):
            beside = _beside(self.bench.kind, number)
            seen: dict[tuple[str, ...], int] = {}
            classes = []
            for option in range(len(switch.options)):
                own: Flips = ((number, option),) if option else ()
                heard = (self.heard[tuple(sorted((*own, *item)))] for item in beside)
                marks = tuple(_letter(row, item, after) for item in heard)
                classes.append(seen.setdefault(marks, len(seen)))
            if len(seen) > 1:
                yield number, tuple(classes)


@cache
def _beside(kind: str, number: int) -> tuple[Flips, ...]:
    """What was heard together with every option of this switch, without it."""
    heard = (item for item in spoken(kind) if (number, 1) in item)
    return tuple(tuple(flip for flip in item if flip != (number, 1)) for item in heard)


def _letter(row: str, heard: Names, after: tuple[str, ...]) -> str:
    if row in heard:
        return QUIET if heard & set(after) else TRUE
    return UNKNOWN if f"{row}?" in heard else QUIET


@cache
def tables(kind: str) -> tuple[Table, ...]:
    """The rows of this kind that a switch can reach, and the missing permission, in table order."""
    learner = Learner(rig(kind), {item: names(v) for item, v in spoken(kind).items()})
    ids = (*(row.id for row in FOR_KIND[kind]), NOT_PERMITTED)
    return tuple(learner.table(row) for row in ids)
