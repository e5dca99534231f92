"""The parts a report page is made of, before anybody decides whether it is HTML, PDF or a sheet.

Role: values between the writer of the report and its renderers. Process: library, plain Python.
Must never: hold markup.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from liftctl.benefit.words import Words


@dataclass(frozen=True, slots=True)
class Num:
    """A number with its decimals; None is a dash."""

    value: float | None
    digits: int = 0


@dataclass(frozen=True, slots=True)
class Range:
    """A mean with its interval."""

    span: dict[str, Any]
    digits: int = 0


Cell = str | Num | Range


def shown(cell: Cell, words: Words) -> str:
    """A cell as text."""
    if isinstance(cell, Num):
        return words.number(cell.value, cell.digits)
    return words.span(cell.span, cell.digits) if isinstance(cell, Range) else cell


@dataclass(frozen=True, slots=True)
class Heading:
    """`level` 2 begins a section."""

    text: str
    level: int = 2


@dataclass(frozen=True, slots=True)
class Para:
    """`soft`: a remark."""

    text: str
    soft: bool = False


@dataclass(frozen=True, slots=True)
class Grid:
    """A table; the first column heads its rows. `seen`: the caption says more than the heading."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    seen: bool = False


@dataclass(frozen=True, slots=True)
class Figure:
    """An SVG drawing; `text` says what it shows to whoever cannot see it."""

    name: str
    title: str
    text: str
    svg: str


@dataclass(frozen=True, slots=True)
class Card:
    """One of the three bottom lines."""

    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cards:
    """Side by side where there is room."""

    cards: tuple[Card, ...]


Block = Heading | Para | Grid | Figure | Cards


@dataclass(frozen=True, slots=True)
class Page:
    """One report in one language: the first page, then the rest."""

    language: str
    title: str
    period: str
    sentence: str
    notes: tuple[str, ...]
    first: tuple[Block, ...]
    rest: tuple[Block, ...]
    foot: str
