"""From facts to the ladder: which rows are active, what they do to each motion, what stays latched.

Role: evaluates every row, always, without short-circuit. Must never: skip a row (a fact that is not
there is unknown, and unknown has its own reaction), or clear a latch that its own event did not
clear.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from safety.facts import Scene, Truth
from safety.table import FOR_KIND, NOT_PERMITTED, Reactions, Row
from safety.types import ALL_MOTIONS, NEED_PERMISSION, Act, Clear, Motion
from safety.verdict import MotionVerdict

MOTIONS_OF = {
    "lift": (Motion.UP, Motion.DOWN, Motion.LEFT, Motion.RIGHT),
    "chair": (Motion.STAND, Motion.SIT, Motion.DRIVE),
}


@dataclass(frozen=True, slots=True)
class Active:
    """A row that acts now; `name` is its id, with "?" when its fact is unknown."""

    row: Row
    name: str
    reactions: Reactions


def truths(scene: Scene) -> dict[str, Truth]:
    """Every row's fact. A row whose signals are not fitted does not exist here: false."""
    return {
        row.id: row.fact(scene) if row.needs <= scene.fitted else False
        for row in FOR_KIND[scene.kind]
    }


def active_rows(
    kind: str, facts: Mapping[str, Truth], latched: Iterable[str]
) -> tuple[Active, ...]:
    """The rows that act, in table order. A latched row acts as true whatever its fact says now."""
    held = set(latched)
    found = []
    for row in FOR_KIND[kind]:
        truth = facts.get(row.id)
        if truth or row.id in held:
            found.append(Active(row, row.id, row.when_true))
        elif truth is None and row.when_unknown:
            found.append(Active(row, f"{row.id}?", row.when_unknown))
    return tuple(found)


def latch(
    kind: str, facts: Mapping[str, Truth], latched: frozenset[str], reset: bool, released: set[str]
) -> frozenset[str]:
    """The latches after this step. A reset or release counts only when the condition is known to
    be gone.
    """
    known = {row.id for row in FOR_KIND[kind]}
    now = {row for row in latched if row in known or row not in released}
    for row in FOR_KIND[kind]:
        truth = facts.get(row.id)
        if row.clear is Clear.AUTO:
            continue
        if truth:
            now.add(row.id)
        elif truth is False and (
            (row.clear is Clear.RESET and reset)
            or (row.clear is Clear.SERVICE and row.id in released)
        ):
            now.discard(row.id)
    return frozenset(now)


def ladder(kind: str, active: Iterable[Active], granted: Motion) -> tuple[MotionVerdict, ...]:
    """For each motion the highest rung and the rows that put it there, the most severe first.

    `granted`: motions the lease names. What needs permission and is not named is held.
    """
    hits: dict[Motion, list[tuple[Act, str]]] = {motion: [] for motion in MOTIONS_OF[kind]}
    for item in active:
        for reaction in item.reactions:
            for motion, found in hits.items():
                if motion & reaction.motions:
                    found.append((reaction.act, item.name))
    for motion in NEED_PERMISSION & ~granted & ALL_MOTIONS:
        if motion in hits:
            hits[motion].append((Act.HOLD, NOT_PERMITTED))
    return tuple(_verdict(motion, found) for motion, found in hits.items())


def _verdict(motion: Motion, found: list[tuple[Act, str]]) -> MotionVerdict:
    found.sort(key=lambda pair: -pair[0])
    act = found[0][0] if found else Act.NONE
    return MotionVerdict(motion, act, tuple(name for rung, name in found if rung >= Act.SLOW))
