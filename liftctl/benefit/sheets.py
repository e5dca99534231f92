"""A report as a workbook: every table on its sheet, numbers as numbers.

Role: page -> xlsx. Process: library (`evidence` extra). Must never: write a formula that came from
a file (a cell that begins with = is text).
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import xlsxwriter

from liftctl.benefit.blocks import Cell, Grid, Num, Page, Range
from liftctl.benefit.words import Words

ZERO_DAY = datetime(2000, 1, 1)  # noqa: DTZ001  (a workbook's dates have no zone)
LONGEST_NAME = 28
OPTIONS = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}


def workbook(page: Page) -> bytes:
    """First sheet: the sentence. Then one sheet per table, intervals in columns of their own."""
    words, out = Words(page.language), io.BytesIO()
    book = xlsxwriter.Workbook(out, OPTIONS)
    book.set_properties({"title": f"{page.title}, {page.period}", "created": ZERO_DAY})
    bold, wrap = book.add_format({"bold": True}), book.add_format({"text_wrap": True, "bold": True})
    sheet = book.add_worksheet(page.title[:LONGEST_NAME])
    sheet.set_column(0, 0, 100)
    lines = (page.title, page.period, page.sentence, *page.notes, page.foot)
    for row, text in enumerate(lines):
        sheet.write_string(row, 0, text, wrap if row == 2 else None)
    grids = [block for block in page.rest if isinstance(block, Grid)]
    for number, grid in enumerate(grids, 1):
        _sheet(book.add_worksheet(_name(number, grid.caption)), grid, bold, words)
    book.close()
    return out.getvalue()


def _name(number: int, caption: str) -> str:
    plain = "".join(" " if letter in "[]:*?/\\" else letter for letter in caption)
    return f"{number} {plain[:LONGEST_NAME]}"


def _sheet(sheet: Any, grid: Grid, bold: Any, words: Words) -> None:
    ranged = [any(isinstance(row[at], Range) for row in grid.rows) for at in range(len(grid.head))]
    sheet.set_column(0, 0, 42)
    sheet.set_column(1, 3 * len(grid.head), 15)
    sheet.freeze_panes(1, 1)
    column = 0
    for name, wide in zip(grid.head, ranged, strict=True):
        for title in (name, f"95 % {words('low')}", f"95 % {words('high')}")[: 3 if wide else 1]:
            sheet.write_string(0, column, title, bold)
            column += 1
    for number, row in enumerate(grid.rows, 1):
        for place, value in enumerate(_values(row, ranged)):
            if isinstance(value, str):
                sheet.write_string(number, place, value)
            elif value is not None:
                sheet.write_number(number, place, value)


def _values(row: tuple[Cell, ...], ranged: list[bool]) -> Iterator[str | float | None]:
    for cell, wide in zip(row, ranged, strict=True):
        if isinstance(cell, Range):
            yield cell.span["mean"]
            yield from cell.span["ci95"] or (None, None)
            continue
        yield cell.value if isinstance(cell, Num) else cell
        if wide:
            yield from (None, None)
