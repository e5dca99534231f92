"""Transfers as CSV.

Role: text only. Process: CLI. Must never: write a cell that a spreadsheet runs as a formula.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from typing import Any, TextIO

from liftctl.exports.rows import COLUMNS, rows
from liftctl.spreadsheet import safe


def write_csv(records: Iterable[Mapping[str, Any]], out: TextIO) -> int:
    """Header and rows (RFC 4180); how many rows."""
    writer = csv.DictWriter(out, [column.name for column in COLUMNS], lineterminator="\r\n")
    writer.writeheader()
    count = 0
    for row in rows(records):
        writer.writerow({name: safe(value) for name, value in row.items()})
        count += 1
    return count
