"""The texts of these documents in Danish, Swedish and English.

Role: the one catalogue (`texts.json`: key -> language -> text). Process: the CLI; standard library
only, for it runs on the gateway. Must never: show a key instead of a text.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

LANGUAGES = ("da", "sv", "en")
CATALOGUE = Path(__file__).with_name("texts.json")
DASH = "–"


@cache
def catalogue() -> dict[str, dict[str, str]]:
    """Key -> language -> text."""
    found: dict[str, dict[str, str]] = json.loads(CATALOGUE.read_text("utf-8"))
    return found


class Words:
    """One language; KeyError when it, or a text, is not there."""

    def __init__(self, language: str) -> None:
        if language not in LANGUAGES:
            raise KeyError(language)
        self.language = language

    def __call__(self, key: str, **parts: Any) -> str:
        """The text of a key with its gaps filled."""
        return catalogue()[key][self.language].format(**parts)

    def group(self, prefix: str) -> list[str]:
        """Every text whose key begins with `prefix.`, in the catalogue's order."""
        return [self(key) for key in catalogue() if key.startswith(f"{prefix}.")]

    def shown(self, value: Any) -> str:
        """A value as people read it; None is a dash."""
        if value is None or value in ("", [], {}):
            return DASH
        if isinstance(value, bool):
            return self("word.yes" if value else "word.no")
        if isinstance(value, dict):
            return ", ".join(f"{name} {self.shown(item)}" for name, item in value.items())
        if isinstance(value, list | tuple):
            return "; ".join(map(self.shown, value))
        return str(value).removesuffix(".0") if isinstance(value, float) else str(value)
