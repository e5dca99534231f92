"""What the room grants, to whom and until when.

Role: values and rules of grants and of the guided way down, pure. Process: support. Must never:
prolong a grant, or go a step of the script for anybody.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from config.languages import texts
from liftctl.remote.documents import SupportRequest, Want
from liftctl.setup.applied import Deadline

MINUTES = (15, 30, 60, 120)
OVERSPEED = frozenset({"hoist_overspeed", "stand_overspeed"})


class Grant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Given by `by` on site to `who` far away, holder of `key` (its id; it serves no other).
    `live`: a picture goes out once a second.
    """

    request: str
    who: str
    by: str
    wants: tuple[Want, ...]
    until: Deadline
    live: bool = False
    key: str = ""


class Guide(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The script on the wall. `step` counts from 1; only the room moves it."""

    order: str
    script: str
    step: int
    of: int


def grant(request: SupportRequest, who: str, key: str, by: str, until: Deadline) -> Grant:
    return Grant(request.id, who, by, request.wants, until, key=key)


def minutes(asked: SupportRequest, given: str) -> int:
    """What the room chose, never more than was asked for; 0 when it is no choice."""
    chosen = next((item for item in MINUTES if str(item) == given), 0)
    return min(chosen, asked.minutes)


def script(how: str, latched: tuple[str, ...]) -> str:
    """Which way down: after over-speed nobody lowers (design rule 4)."""
    return "never" if OVERSPEED.intersection(latched) else how


def begin(order: str, name: str) -> Guide:
    """At the first step of the site's script; its texts are data (`config/languages/`)."""
    words = texts("en")
    of = next(n for n in range(1, 99) if f"lower.{name}.{n + 1}" not in words)
    return Guide(order, name, 1, of)


def turn_page(guide: Guide, how: Literal["next", "back"]) -> Guide | None:
    """One step on or back; None after the last."""
    step = guide.step + (1 if how == "next" else -1)
    if step > guide.of:
        return None
    return msgspec.structs.replace(guide, step=max(1, step))
