"""The report in one language: one page first, then the whole.

Role: numbers -> blocks. Process: library (`evidence` extra). Must never: compute a figure, or put
one where the numbers have none.
"""

from __future__ import annotations

from typing import Any

from liftctl.benefit import plots
from liftctl.benefit.blocks import Block, Card, Cards, Figure, Heading, Page, Para
from liftctl.benefit.sections import rest
from liftctl.benefit.words import Words, statement

PARTS = 3


def page(found: dict[str, Any], language: str, name: str, version: str) -> Page:
    """The whole report. `name`: what it is about; `version`: of the software."""
    words = Words(language)
    sentence, *notes = statement(found, words).split("; ")
    if found["verdict"] in ("saved", "no_interval") and notes:
        sentence, notes = f"{sentence}; {notes[0]}", notes[1:]
    context = found["context"]
    return Page(
        language=language,
        title=words("title"),
        period=words("period", name=name or words("unnamed"), first=words.day(context["first_day"]),
                     last=words.day(context["last_day"])),
        sentence=_sentence(sentence),
        notes=tuple(_sentence(note) for note in notes),
        first=(_plot(found, words), _bottom_lines(found, words)),
        rest=(Heading(words("the_rest"), 1), *rest(found, words)),
        foot=words("code", version=version),
    )  # fmt: skip


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."


def _plot(found: dict[str, Any], words: Words) -> Block:
    pair = plots.means(found)
    if pair is None:
        return Para(_sentence(words(f"verdict.{found['verdict']}")))
    before, now = (words.number(value / 60, 1) for value in pair)
    title = words("plot.weeks" if found["baseline"]["first_day"] else "plot.published")
    text = words("plot.weeks_desc", before=before, now=now)
    return Figure("weeks", title, text, plots.weeks(found, words, title, text))


def _bottom_lines(found: dict[str, Any], words: Words) -> Cards:
    return Cards(
        (
            Card(words("citizen"), tuple(_citizen(found, words))),
            Card(words("environment"), tuple(_environment(found, words))),
            Card(words("resources"), tuple(_resources(found, words))),
        )
    )


def _citizen(found: dict[str, Any], words: Words) -> list[str]:
    share = found["single_handed_share"]
    lines = [
        words("citizen.share_hidden")
        if share is None
        else words("citizen.share", share=words.percent(share))
    ]
    wait = found["waiting"]["seconds_per_two_carer_transfer"]
    if wait is not None:
        lines.append(words("citizen.wait", seconds=words.number(wait)))
    if found["decomposition"]:
        rate = found["decomposition"]["transfers_per_resident"]
        now, before = words.number(rate["now"], 2), words.number(rate["baseline"], 2)
        known = rate["baseline"] is not None
        key = "citizen.rate" if known else "citizen.rate_unknown"
        lines.append(words(key, now=now, before=before))
    adverse = words.number(found["safety"]["adverse_events_per_1000"], 1)
    return [*lines, words("citizen.adverse", rate=adverse), *_free(found, "citizen")]


def _environment(found: dict[str, Any], words: Words) -> list[str]:
    safety = found["safety"]
    return [
        words("environment.fallback", rate=words.number(safety["fallback2_per_1000"], 1)),
        words("environment.trips", rate=words.number(safety["interlock_trips_per_1000"], 1)),
        words("environment.nobody"),
        *_free(found, "environment"),
    ]


def _free(found: dict[str, Any], name: str) -> list[str]:
    text = found["texts"].get(name)
    return [text] if text else []


def _resources(found: dict[str, Any], words: Words) -> list[str]:
    money = found["economics"]
    if money is None:
        return [words("resources.total", hours=words.span(found["saved_hours_total"]))]
    lines = [words("resources.hours", hours=words.span(money["released_hours_per_year"]))]
    if money["extrapolated_from_days"]:
        lines.append(words("money.extrapolated", days=money["extrapolated_from_days"]))
    for name in ("reused", "cashed"):
        span = money[f"{name}_hours_per_year"]
        if span:
            lines.append(words(f"resources.{name}", hours=words.number(span["mean"])))
    if not money["reused_hours_per_year"] and not money["cashed_hours_per_year"]:
        lines.append(words("resources.unknown"))
    released, cashed = money["payback_years_released"], money["payback_years_cashed"]
    if released:
        lines.append(words("resources.payback", released=words.payback(released)))
        if cashed:
            lines.append(words("resources.payback_cashed", cashed=words.payback(cashed)))
    return lines
