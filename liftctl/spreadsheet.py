"""What a spreadsheet would run as a formula is text.

Role: the one guard of every CSV we write. Process: any; pure. Must never: change a number.
"""

from __future__ import annotations

from typing import Any

FORMULA = ("=", "+", "-", "@", "\t", "\r")


def safe(value: Any) -> Any:
    """The same, with an apostrophe before a text that begins like a formula."""
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    return value
