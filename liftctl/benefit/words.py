"""Words, numbers and dates of a report in Danish, Swedish and English.

Role: the one catalogue (`texts.json`), and babel for numbers and dates. Process: library
(`evidence` extra). Must never: show a key instead of a text, or a number in another country's form.
"""

from __future__ import annotations

import json
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from babel.dates import format_date
from babel.numbers import format_decimal, format_percent

LOCALES = {"da": "da_DK", "sv": "sv_SE", "en": "en_GB"}
CATALOGUE = Path(__file__).with_name("texts.json")
DASH = "–"
MANY_HOURS = 100


@cache
def catalogue() -> dict[str, dict[str, str]]:
    """Key -> language -> text."""
    found: dict[str, dict[str, str]] = json.loads(CATALOGUE.read_text("utf-8"))
    return found


class Words:
    """One language. Numbers come with the unit's own decimals; None is a dash."""

    def __init__(self, language: str = "en") -> None:
        self.language, self._locale = language, LOCALES[language]

    def __call__(self, key: str, **parts: Any) -> str:
        """The text of a key with its blanks filled; KeyError when there is none."""
        return catalogue()[key][self.language].format(**parts)

    def number(self, value: float | None, digits: int = 0) -> str:
        """With the language's separators."""
        if value is None:
            return DASH
        shape = "#,##0" + ("." + "0" * digits if digits else "")
        return format_decimal(round(value, digits) + 0.0, shape, locale=self._locale)

    def percent(self, share: float | None, digits: int = 0) -> str:
        if share is None:
            return DASH
        space = "" if self.language == "en" else "\u00a0"
        shape = "#,##0" + ("." + "0" * digits if digits else "") + space + "%"
        return format_percent(share, shape, locale=self._locale)

    def day(self, iso: str) -> str:
        """A date as people write it."""
        if not iso:
            return DASH
        return format_date(date.fromisoformat(iso), "medium", locale=self._locale)

    def days(self, told: dict[str, Any]) -> str:
        """From `first_day` to `last_day`."""
        return f"{self.day(told['first_day'])} {self('to')} {self.day(told['last_day'])}"

    def kind(self, name: str) -> str:
        """A kind of transfer; one that the catalogue does not know keeps its own name."""
        return catalogue().get(f"kind.{name}", {}).get(self.language, name)

    def month(self, day: date) -> str:
        """A month as an axis has it."""
        return format_date(day, "MMM yy", locale=self._locale)

    def span(self, span: dict[str, Any], digits: int = 0) -> str:
        """Mean (low to high)."""
        if span["mean"] is None:
            return DASH
        mean = self.number(span["mean"], digits)
        return mean if span["ci95"] is None else f"{mean} ({self.limits(span, digits)})"

    def limits(self, span: dict[str, Any], digits: int = 0) -> str:
        """Low to high."""
        if span["ci95"] is None:
            return DASH
        low, high = (self.number(limit, digits) for limit in span["ci95"])
        return f"{low} {self('to')} {high}"

    def payback(self, span: dict[str, Any] | None) -> str:
        """Years with their limits; a limit that the gain may never reach is never."""
        if span is None:
            return DASH
        low, high = span["ci95"] or (None, None)
        mean, *limits = (self("never") if year is None else self.number(year, 1)
                         for year in (span["mean"], low, high))  # fmt: skip
        if not span["ci95"] or limits == [mean, mean]:
            return mean
        return f"{mean} ({limits[0]} {self('to')} {limits[1]})"


def statement(found: dict[str, Any], words: Words) -> str:
    """The report in one sentence and its reservations, from the numbers."""
    parts = [_verdict(found, words)]
    if found["context"]["not_holding"]:
        names = ", ".join(found["context"]["not_holding"])
        parts.append(words("note.not_holding", names=names))
    if not found["baseline"]["measured"]:
        parts.append(words("note.not_measured"))
    if 0 < found["n_residents"] < 10:
        parts.append(words("note.few", n=found["n_residents"]))
    if found["n_analysed"]:
        parts += [_compared(found, words), words("note.released")]
    return "; ".join(parts)


def _compared(found: dict[str, Any], words: Words) -> str:
    """Which period is held against which, and that this is no trial."""
    base, now = found["baseline"], words.days(found["context"])
    if base["first_day"]:
        return words("note.trial", before=words.days(base), now=now)
    title = base["title"].replace("; ", ", ")
    return words("note.trial_published", title=title, now=now)


def _verdict(found: dict[str, Any], words: Words) -> str:
    seconds, hours = found["saved_s_per_transfer"], found["saved_hours_total"]
    low, high = seconds["ci95"] or (None, None)
    hours_low, hours_high = hours["ci95"] or (None, None)
    why = found["interval"]["why_none"]
    mean = seconds["mean"]
    digits = 0 if abs(hours["mean"] or 0.0) >= MANY_HOURS else 1
    return words(
        f"verdict.{found['verdict']}",
        mean=words.number(_minutes(mean), 1),
        more=words.number(None if mean is None else -mean / 60, 1),
        low=words.number(_minutes(low), 1),
        high=words.number(_minutes(high), 1),
        hours=words.number(hours["mean"], digits),
        hours_low=words.number(hours_low, digits),
        hours_high=words.number(hours_high, digits),
        why=words(f"why.{why}") if why and why != "nothing" else "",
    )


def _minutes(seconds: float | None) -> float | None:
    return None if seconds is None else seconds / 60
