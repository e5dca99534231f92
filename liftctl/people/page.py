"""A document as one HTML file and as Markdown: no script, no font, no address outside it.

Role: blocks -> text. Process: the CLI; pure. Must never: let a text of a file into the page without
escaping it, or let a blank that a person must fill look as if it were filled.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape

STYLE = """
body{font:16px/1.5 system-ui,sans-serif;color:#1a1a1a;background:#fff;margin:0}
main{max-width:60rem;margin:0 auto;padding:2rem 1.5rem}
h1{font-size:1.7rem;line-height:1.25}h2{font-size:1.2rem;margin:2rem 0 .4rem}
table{border-collapse:collapse;width:100%;font-size:.88rem;margin:.6rem 0}
th,td{border:1px solid #bbb;padding:.3rem .5rem;text-align:left;vertical-align:top;
overflow-wrap:break-word}th{background:#f0f0f0}
.blank,.judge{border:2px dashed #8a5a00;background:#fff8e6;padding:.5rem .8rem;margin:.5rem 0}
.blank:after{content:"";display:block;border-bottom:1px solid #8a5a00;height:1.8rem}
.judge:after{content:"";display:block;border-bottom:1px solid #8a5a00;height:3.4rem}
.soft{color:#555;font-size:.9rem}
@media print{main{padding:0}.blank,.judge,tr{break-inside:avoid}}
"""


@dataclass(frozen=True, slots=True)
class Heading:
    """Begins a section."""

    text: str


@dataclass(frozen=True, slots=True)
class Para:
    """`soft`: a remark."""

    text: str
    soft: bool = False


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """A table."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Blank:
    """Something only a person can write; `judge`: a question only a person can answer."""

    text: str
    judge: bool = False


Block = Heading | Para | Items | Grid | Blank


@dataclass(frozen=True, slots=True)
class Page:
    """A document."""

    language: str
    title: str
    blocks: tuple[Block, ...]


def html(page: Page) -> str:
    """The whole file."""
    body = "".join(part for block in page.blocks for part in _html(block))
    return (
        f'<!doctype html><html lang="{page.language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(page.title)}</title><style>{STYLE}</style></head>"
        f"<body><main><h1>{escape(page.title)}</h1>{body}</main></body></html>\n"
    )


def _html(block: Block) -> Iterator[str]:
    match block:
        case Heading(text):
            yield f"<h2>{escape(text)}</h2>"
        case Para(text, soft):
            yield f'<p class="soft">{escape(text)}</p>' if soft else f"<p>{escape(text)}</p>"
        case Items(lines):
            yield f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>"
        case Grid(head, rows):
            yield f"<table>{_row('th', head)}{''.join(_row('td', row) for row in rows)}</table>"
        case Blank(text, judge):
            yield f'<div class="{"judge" if judge else "blank"}">☐ {escape(text)}</div>'


def _row(tag: str, cells: Iterable[str]) -> str:
    return f"<tr>{''.join(f'<{tag}>{escape(cell)}</{tag}>' for cell in cells)}</tr>"


def markdown(page: Page) -> str:
    """The same as text."""
    blocks = [f"# {_plain(page.title)}", *("\n".join(_markdown(block)) for block in page.blocks)]
    return "\n\n".join(blocks) + "\n"


def _markdown(block: Block) -> Iterator[str]:
    match block:
        case Heading(text):
            yield f"## {_plain(text)}"
        case Para(text):
            yield _plain(text)
        case Items(lines):
            yield from (f"- {_plain(line)}" for line in lines)
        case Grid(head, rows):
            yield _line(head)
            yield _line(["---"] * len(head))
            yield from map(_line, rows)
        case Blank(text):
            yield f"- [ ] **{_plain(text)}**\n\n  ______________________________"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(map(_plain, cells))} |"


def _plain(text: str) -> str:
    """A reader of Markdown shall not take a text for markup or a new line."""
    return re.sub(r"([\\`*_{}\[\]<>|#])", r"\\\1", " ".join(text.split()))
