"""Conditions: "speed < 5 mm/s and latched has hoist_runaway", parsed once, asked at each sample.

Role: a small language with units over the words of `words.py`. Must never: run anything, or compare
a length with a speed.
"""

from __future__ import annotations

import difflib
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hil.scenario.units import NUMBER, UNIT, UnitError, parse
from hil.scenario.words import WORDS, Word, still

Now = dict[str, dict[str, Any]]
Ask = Callable[[Now], Any]
OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
}
TOKEN = re.compile(
    rf"\s*(?:(?P<quantity>{NUMBER}\s*(?:{UNIT})?(?![\w/]))|(?P<op><=|>=|==|!=|<|>)"
    r"|(?P<sign>[()|])|(?P<word>[A-Za-z_][\w:?.-]*))"
)


class ConditionError(ValueError):
    """A condition that cannot be read; the message names the remedy."""


@dataclass(frozen=True, slots=True)
class Condition:
    """`ask` gives True or False, or None while a word has no value yet."""

    text: str
    ask: Ask

    def __call__(self, now: Now) -> bool:
        """Is it so? What is not known is not so."""
        return bool(self.ask(now))


def condition(text: str) -> Condition:
    """Parse; ConditionError."""
    reader = _Reader(text)
    ask = reader.any_of()
    if reader.rest:
        raise ConditionError(f"'{text}': '{reader.rest[0][1]}' is too much")
    return Condition(text, ask)


def quantity(text: str) -> tuple[Ask, Word]:
    """A word that can be measured, or |word|."""
    name = text.strip().strip("|").strip()
    word = _word(name, text)
    if word.kind in ("bool", "word", "set"):
        raise ConditionError(f"'{name}' is no quantity; measure a length, a speed or a load")
    ask = _value(word)
    return (_size(ask) if text.strip().startswith("|") else ask), word


def _word(name: str, text: str) -> Word:
    if name not in WORDS:
        near = difflib.get_close_matches(name, WORDS, n=1)
        hint = f"did you mean '{near[0]}'?" if near else "`liftctl hil explain words` lists them"
        raise ConditionError(f"'{text}': there is no '{name}'; {hint}")
    return WORDS[name]


def _value(word: Word) -> Ask:
    lane, field, factor = word.lane, word.field, word.factor

    def ask(now: Now) -> Any:
        found = now.get(lane, {}).get(field)
        return found if factor == 1.0 or found is None else found * factor

    return ask


def _size(ask: Ask) -> Ask:
    return lambda now: None if (found := ask(now)) is None else abs(found)


class _Reader:
    """Recursive descent: or, and, not, comparison."""

    def __init__(self, text: str) -> None:
        self.text, self.rest = text, _tokens(text)

    def next(self) -> tuple[str, str]:
        if not self.rest:
            raise ConditionError(f"'{self.text}' ends too early")
        return self.rest.pop(0)

    def takes(self, text: str) -> bool:
        if self.rest and self.rest[0][1] == text:
            self.rest.pop(0)
            return True
        return False

    def any_of(self) -> Ask:
        parts = [self.all_of()]
        while self.takes("or"):
            parts.append(self.all_of())
        return parts[0] if len(parts) == 1 else lambda now: any(part(now) for part in parts)

    def all_of(self) -> Ask:
        parts = [self.one()]
        while self.takes("and"):
            parts.append(self.one())
        return parts[0] if len(parts) == 1 else lambda now: all(part(now) for part in parts)

    def one(self) -> Ask:
        if self.takes("not"):
            inner = self.one()
            return lambda now: None if (found := inner(now)) is None else not found
        if self.takes("("):
            found = self.any_of()
            self._must(")")
            return found
        return self.comparison()

    def _must(self, text: str) -> None:
        if not self.takes(text):
            raise ConditionError(f"'{self.text}': '{text}' is missing")

    def comparison(self) -> Ask:
        size = self.takes("|")
        kind, name = self.next()
        if kind != "word":
            raise ConditionError(f"'{self.text}': a word is wanted where '{name}' stands")
        if name == "still":
            return lambda now: still(now["plant"]) if "plant" in now else None
        word = _word(name, self.text)
        if size:
            self._must("|")
        ask = _size(_value(word)) if size else _value(word)
        if word.kind == "bool":
            return ask
        if word.kind == "set":
            return self._has(ask)
        return self._compared(ask, word)

    def _has(self, ask: Ask) -> Ask:
        self._must("has")
        member = self.next()[1]
        return lambda now: member in (ask(now) or ())

    def _compared(self, ask: Ask, word: Word) -> Ask:
        kind, sign = self.next()
        if kind != "op":
            raise ConditionError(f"'{self.text}': compare it, as in 'speed < 5 mm/s'")
        wanted, compare = self._wanted(word), OPERATORS[sign]
        return lambda now: None if (found := ask(now)) is None else compare(found, wanted)

    def _wanted(self, word: Word) -> Any:
        kind, text = self.next()
        if word.kind == "word":
            return "" if text == "none" else text
        if kind != "quantity":
            raise ConditionError(f"'{self.text}': a {word.kind} is wanted where '{text}' stands")
        try:
            return parse(text, word.kind).value
        except UnitError as error:
            raise ConditionError(f"'{self.text}': {error}") from error


def _tokens(text: str) -> list[tuple[str, str]]:
    found, at = [], 0
    while at < len(text.rstrip()):
        match = TOKEN.match(text, at)
        if match is None:
            raise ConditionError(f"'{text}': cannot read '{text[at:].strip()}'")
        at = match.end()
        found.append((str(match.lastgroup), match[str(match.lastgroup)]))
    return found
