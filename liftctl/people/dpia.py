"""The data-protection impact assessment, as far as the settings can fill it (GDPR Article 35).

Role: site settings -> page. Process: the CLI; pure. Must never: judge a likelihood, a severity or
whether something is lawful: those stand open, as questions.
"""

from __future__ import annotations

from collections.abc import Iterator

from liftctl.people.fields import grid
from liftctl.people.page import Blank, Block, Grid, Heading, Items, Page, Para
from liftctl.people.setting import Setting, place, recipients, retention
from liftctl.people.words import Words, catalogue


def page(setting: Setting, words: Words) -> Page:
    """The whole template, in the order of Article 35(7)."""
    blocks: list[Block] = [Para(words("dpia.intro")), *place(setting, words)]
    blocks += [*_section("need", words), *_section("description", words)]
    blocks += [Items(tuple(words.group("why"))), grid(words)]
    blocks += retention(setting.site.ledger, words)
    blocks += recipients(setting, words)
    blocks += [*_section("necessity", words), *_section("risks", words), _risks(words)]
    blocks += [*_section("measures", words), *_section("views", words)]
    blocks += [Para(words("template.remark"), soft=True)]
    return Page(words.language, words("dpia.title"), tuple(blocks))


def _section(name: str, words: Words) -> Iterator[Block]:
    yield Heading(words(f"dpia.{name}"))
    said = words.group(f"dpia_{name}")
    if said:
        yield Items(tuple(said))
    yield from (Blank(text, judge=True) for text in words.group(f"judge_{name}"))


def _risks(words: Words) -> Grid:
    names = [key.removeprefix("risk.") for key in catalogue() if key.startswith("risk.")]
    head = tuple(words(f"column.{name}") for name in ("risk", "measure", "left", "judged"))
    return Grid(
        head,
        tuple(
            (words(f"risk.{name}"), words(f"done.{name}"), words(f"left.{name}"), "☐")
            for name in names
        ),
    )
