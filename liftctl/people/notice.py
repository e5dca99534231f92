"""The notice to staff: what is recorded about them, why, how long, who sees it.

Role: site settings -> page. Process: the CLI; pure, dates are arguments. Must never: pass for legal
advice, or say on an employer's behalf what only the employer can promise.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from liftctl.people.fields import grid
from liftctl.people.page import Blank, Block, Heading, Items, Page, Para
from liftctl.people.setting import Setting, place, recipients, retention
from liftctl.people.words import Words

CONTACTS = ("controller", "dpo", "contact", "safety_rep", "basis")


@dataclass(frozen=True, slots=True)
class Dates:
    """When recording begins (None: not known), how many weeks before staff are told, and today."""

    today: date
    begins: date | None = None
    weeks: int = 6

    @property
    def due(self) -> date | None:
        """The last day for the notice."""
        return self.begins - timedelta(weeks=self.weeks) if self.begins else None

    @property
    def late(self) -> bool:
        """Has that day gone by?"""
        return self.due is not None and self.today > self.due


def page(setting: Setting, dates: Dates, words: Words) -> Page:
    """The whole notice."""
    blocks: list[Block] = [Para(words("notice.intro")), *place(setting, words)]
    blocks += _when(dates, words)
    blocks += [Heading(words("notice.why_title")), Items(tuple(words.group("why")))]
    blocks += [Blank(words("blank.promise"), judge=True)]
    blocks += [Heading(words("notice.logged_title")), Items(tuple(words.group("logged")))]
    blocks += [grid(words, ("staff",))]
    blocks += [Heading(words("notice.never_title")), Items(tuple(words.group("never")))]
    blocks += [Para(words("notice.roster"))]
    blocks += retention(setting.site.ledger, words)
    blocks += recipients(setting, words)
    blocks += [Heading(words("notice.rights_title")), Items(tuple(words.group("right")))]
    blocks += [Heading(words("notice.contacts_title"))]
    blocks += [Blank(words(f"blank.{name}")) for name in CONTACTS]
    blocks += [Heading(words("notice.all_title")), Para(words("notice.all")), grid(words)]
    blocks += [Para(words("template.remark"), soft=True)]
    return Page(words.language, words("notice.title"), tuple(blocks))


def _when(dates: Dates, words: Words) -> Iterator[Block]:
    yield Heading(words("when.title"))
    if dates.due is None or dates.begins is None:
        yield Blank(words("when.open", weeks=dates.weeks))
    else:
        told = {"begins": dates.begins, "due": dates.due, "weeks": dates.weeks}
        yield Para(words("when.due", **told))
        if dates.late:
            yield Blank(words("when.late", today=dates.today, **told), judge=True)
    yield Blank(words("when.given"))
    yield Para(words("when.note"), soft=True)
