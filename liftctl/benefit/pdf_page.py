"""A report as an accessible PDF (PDF/UA-1, tagged, with alternative texts).

Role: page -> Typst -> PDF. Process: library (`evidence` extra). Must never: fall back to an
untagged file.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import matplotlib as mpl
import typst

from liftctl.benefit.blocks import Block, Cards, Cell, Figure, Grid, Heading, Page, Para, shown
from liftctl.benefit.words import Words

TEMPLATE = Path(__file__).with_name("report.typ")
STANDARD = "ua-1"
EPOCH = 0
WIDE = 8  # columns: from here on names are wrapped and letters smaller, numbers must not touch
WRAPPED = 18
NO_BREAK = "\u2011"  # a hyphen


def pdf(page: Page) -> bytes:
    """The same page gives the same bytes."""
    words = Words(page.language)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        shutil.copy(TEMPLATE, root / "report.typ")
        told = {
            "language": page.language,
            "title": page.title,
            "period": page.period,
            "sentence": page.sentence,
            "notes": list(page.notes),
            "foot": page.foot,
            "first": [_plain(block, words, root) for block in page.first],
            "rest": [_plain(block, words, root) for block in page.rest],
        }
        (root / "page.json").write_text(json.dumps(told), encoding="utf-8")
        return bytes(
            typst.compile(  # type: ignore[call-overload]
                str(root / "report.typ"),
                root=folder,
                font_paths=[str(Path(mpl.get_data_path()) / "fonts" / "ttf")],
                ignore_system_fonts=True,
                format="pdf",
                pdf_standards=[STANDARD],
                timestamp=EPOCH,
            )
        )


def _plain(block: Block, words: Words, root: Path) -> dict[str, Any]:
    match block:
        case Heading(text, level):
            return {"type": "heading", "text": text, "level": level}
        case Para(text, soft):
            return {"type": "para", "text": text, "soft": soft}
        case Figure(name, title, text, svg):
            (root / f"{name}.svg").write_text(svg, encoding="utf-8")
            return {"type": "figure", "title": title, "text": text, "file": f"{name}.svg"}
        case Cards(cards):
            made = [{"title": card.title, "lines": list(card.lines)} for card in cards]
            return {"type": "cards", "cards": made}
        case Grid():
            return _grid(block, words)


def _grid(grid: Grid, words: Words) -> dict[str, Any]:
    """Widths follow the longest text of each column, within limits."""
    rows = [[_unbroken(cell, words) for cell in row] for row in grid.rows]
    columns, wide = range(len(grid.head)), len(grid.head) >= WIDE
    longest = [
        max(
            [len(row[at]) for row in rows]
            + [1 + len(word) * 6 // 5 for word in grid.head[at].split()]
        )
        for at in columns
    ]
    return {
        "type": "grid",
        "caption": grid.caption if grid.seen else "",
        "head": [name.replace("-", NO_BREAK) for name in grid.head],
        "rows": rows,
        "widths": [
            min(max(width, 7), WRAPPED if wide and not at else 30)
            for at, width in enumerate(longest)
        ],
        "wide": wide,
        "numeric": [
            at > 0 and any(not isinstance(row[at], str) for row in grid.rows) for at in columns
        ],
    }


def _unbroken(cell: Cell, words: Words) -> str:
    """A number and its interval stay on one line."""
    text = shown(cell, words)
    return text if isinstance(cell, str) else text.replace(" ", "\u00a0")
