"""Inspection and service: when each is due, and whether somebody's word about one can be taken.

Role: rules, pure. Process: all that show or record it. Must never: clear an overdue inspection by a
word that names no next one, or outlive a date that somebody set in the site file afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from liftctl.ipc import Upkeep

# ISO 10535: a periodic inspection at least once a year. A service plan reaches further.
LONGEST_DAYS = {"inspection": 366, "service": 1830}
WARN_DAYS = 30  # as for slings and assessments (H36)
NAME_CHARS, NOTE_CHARS = 80, 500
MOST_CYCLES = 10_000_000


class UpkeepError(ValueError):
    """One line: the field, what is wrong with it, and what to do."""


def newest(said: Iterable[Upkeep], what: str) -> Upkeep | None:
    """The word that counts about `what`."""
    return next((item for item in said if item.what == what), None)


def due(said: Iterable[Upkeep], what: str, set_on_site: str = "") -> str:
    """ISO date; "" when nobody tracks it here. `set_on_site` is the site file's: once it is another
    one than the word was given for, it counts again. A failed inspection stands until one passes:
    no date from a file, or from afar, takes it back.
    """
    word = newest(said, what)
    if word is None or (word.passed and word.instead_of != set_on_site):
        return set_on_site
    return word.next_due


def notice(what: str, until: str, today: str) -> str:
    """What is to be said, as a code (texts: notice.CODE), or ""."""
    if not until or not today:
        return ""
    if today > until:
        return f"{what}_overdue"
    left = date.fromisoformat(until) - date.fromisoformat(today)
    return f"{what}_due" if left.days <= WARN_DAYS else ""


def shown(said: Iterable[Upkeep], set_on_site: str, today: str) -> list[dict[str, object]]:
    """What desk and command tell of each: done, due, passed, cycles, and the notice's code."""
    words = tuple(said)
    found = list[dict[str, object]]()
    for what in LONGEST_DAYS:
        word = newest(words, what)
        until = due(words, what, set_on_site if what == "inspection" else "")
        found.append(
            {
                "what": what,
                "done": word.done if word else None,
                "due": until or None,
                "passed": word.passed if word else None,
                "cycles": (word.cycles or None) if word else None,
                "notice": notice(what, until, today),
            }
        )
    return found


def taken(word: Upkeep, by: str, note: str, today: date, before: Upkeep | None) -> Upkeep:
    """The word as it is recorded; UpkeepError."""
    if word.what not in LONGEST_DAYS:
        raise UpkeepError(f"what '{word.what}' is unknown; use {' or '.join(LONGEST_DAYS)}")
    if not 2 <= len(by.strip()) <= NAME_CHARS:
        raise UpkeepError(f"by: who did it, 2 to {NAME_CHARS} characters; it is recorded")
    if len(note) > NOTE_CHARS:
        raise UpkeepError(f"note: {len(note)} characters, at most {NOTE_CHARS}; shorten it")
    if not 0 <= word.cycles <= MOST_CYCLES:
        raise UpkeepError(f"cycles {word.cycles} is outside 0..{MOST_CYCLES}")
    done = _day("on", word.done)
    if done > today:
        raise UpkeepError(f"on {done} is after today ({today}); correct it, or the machine's clock")
    if before is not None and word.done < before.done:
        raise UpkeepError(
            f"on {done} is before the {word.what} of {before.done} that is recorded; the newest "
            "one counts, so an older one changes nothing"
        )
    if word.passed:
        _next(word, done, today)
        return word
    if word.next_due:
        raise UpkeepError("next: a failed inspection has no next date; it is due at once")
    yesterday = str(done - timedelta(days=1))
    return Upkeep(word.what, word.done, yesterday, False, word.instead_of)


def _next(word: Upkeep, done: date, today: date) -> None:
    until, most = _day("next", word.next_due), LONGEST_DAYS[word.what]
    if until <= done:
        raise UpkeepError(f"next {until} is not after on {done}; are they exchanged?")
    if until < today:
        raise UpkeepError(f"next {until} is past: it is due again; record the newer one")
    if (until - done).days > most:
        raise UpkeepError(f"next {until} is more than {most} days after on {done}; name an earlier")


def _day(name: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UpkeepError(f"{name} '{text}' is no date; write YYYY-MM-DD") from error
