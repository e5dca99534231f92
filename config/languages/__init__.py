"""The words carers and technicians read: one flat JSON file for each language.

Role: loader. Process: panel and desk. Must never: leave a key without a text (tests/panel holds
the files together).
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent


def codes() -> tuple[str, ...]:
    """The languages there are."""
    return tuple(sorted(path.stem for path in HERE.glob("*.json")))


@cache
def texts(code: str) -> dict[str, str]:
    """Key -> text of one language; KeyError when there is no such language."""
    if code not in codes():
        raise KeyError(code)
    found: dict[str, str] = json.loads((HERE / f"{code}.json").read_text(encoding="utf-8"))
    return found
