"""A report as one HTML file: no script, no font, no address outside it.

Role: page -> HTML. Process: library, plain Python. Must never: let a text of a file into the page
without escaping it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path

from liftctl.benefit.blocks import (
    Block,
    Card,
    Cards,
    Cell,
    Figure,
    Grid,
    Heading,
    Page,
    Para,
    shown,
)
from liftctl.benefit.words import Words

STYLE = Path(__file__).with_name("report.css")


def html(page: Page) -> str:
    """The whole file."""
    words = Words(page.language)
    head = (
        f'<!doctype html><html lang="{page.language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(page.title)}</title><style>{STYLE.read_text('utf-8')}</style></head>"
    )
    notes = "".join(f"<p>{escape(note)}</p>" for note in page.notes)
    first = (
        f'<section class="first"><header><h1>{escape(page.title)}</h1>'
        f'<p class="period">{escape(page.period)}</p></header>'
        f'<p class="sentence">{escape(page.sentence)}</p><div class="notes">{notes}</div>'
        f"{_blocks(page.first, words)}</section>"
    )
    rest = f'<section class="rest">{_blocks(page.rest, words)}</section>'
    foot = f"<footer>{escape(page.foot)}</footer>"
    return f"{head}<body><main>{first}{rest}</main>{foot}</body></html>\n"


def _blocks(blocks: Iterable[Block], words: Words) -> str:
    return "".join(part for block in blocks for part in _block(block, words))


def _block(block: Block, words: Words) -> Iterator[str]:
    match block:
        case Heading(text, level):
            yield f"<h{max(level, 2)}>{escape(text)}</h{max(level, 2)}>"
        case Para(text, soft):
            yield f'<p class="soft">{escape(text)}</p>' if soft else f"<p>{escape(text)}</p>"
        case Figure(name, title, _, svg):
            yield f'<figure class="{name}"><figcaption>{escape(title)}</figcaption>{svg}</figure>'
        case Cards(cards):
            yield '<div class="cards">' + "".join(_card(card) for card in cards) + "</div>"
        case Grid():
            yield _grid(block, words)


def _card(card: Card) -> str:
    lines = "".join(f"<li>{escape(line)}</li>" for line in card.lines)
    return f"<article><h3>{escape(card.title)}</h3><ul>{lines}</ul></article>"


def _grid(grid: Grid, words: Words) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in grid.head)
    rows = "".join(f"<tr>{''.join(_cells(row, words))}</tr>" for row in grid.rows)
    caption = escape(grid.caption)
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{caption}"><table>'
        f'<caption class="{"seen" if grid.seen else "unseen"}">{caption}</caption>'
        f"<thead><tr>{head}</tr></thead>"
        f"<tbody>{rows}</tbody></table></div>"
    )


def _cells(row: tuple[Cell, ...], words: Words) -> Iterator[str]:
    first, *others = row
    yield f'<th scope="row">{escape(shown(first, words))}</th>'
    for cell in others:
        style = "" if isinstance(cell, str) else ' class="number"'
        yield f"<td{style}>{escape(shown(cell, words))}</td>"
