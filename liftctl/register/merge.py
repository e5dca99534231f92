"""What an import would change: matched by identifier and serial, nothing removed.

Role: pure. Process: the CLI. Must never: give one person two tokens, or drop who is not in a file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from config.plans import Register, ResidentSpec, SlingSpec, resident_faults, sling_faults
from liftctl.register.store import fresh_token

CPR = re.compile(r"(\d{6})-?\d{4}")
TOKEN = re.compile(r"r-[0-9a-z]{4,32}")


class ImportFault(Exception):
    """Nothing was imported; `problems` says why, one line each."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Found:
    """One item of a file and where it stood. A resident's token is "" where the file has none."""

    where: str
    item: ResidentSpec | SlingSpec


@dataclass(frozen=True, slots=True)
class Change:
    """The register after an import, and what is said of it."""

    register: Register
    lines: tuple[str, ...]


def merge(before: Register, found: Iterable[Found]) -> Change:
    """ImportFault names every line that cannot be taken."""
    residents = {item.identifier or item.token: item for item in before.resident}
    slings = {item.serial: item for item in before.sling}
    problems, lines, seen = list[str](), list[str](), dict[str, str]()
    taken = list(found)
    known = {**slings, **{f.item.serial: f.item for f in taken if isinstance(f.item, SlingSpec)}}
    for one in taken:
        key = _key(one.item)
        wrong = [*_faults(one.item, known)]
        if key in seen:
            wrong.append(f"the same as {seen[key]}; keep one")
        seen[key] = one.where
        problems += [f"{one.where}: {sentence}" for sentence in wrong]
        if isinstance(one.item, SlingSpec):
            lines.append(_told("sling", one.item.serial, slings.get(one.item.serial), one.item))
            slings[one.item.serial] = one.item
        else:
            old = residents.get(one.item.identifier)
            token = old.token if old else one.item.token or fresh_token()
            residents[one.item.identifier] = now = replace(one.item, token=token)
            lines.append(_told("resident", one.item.identifier, old, now))
    if problems:
        raise ImportFault(problems)
    kept = len(residents) + len(slings) - len(seen)
    lines.append(f"{len(seen)} read, {kept} not in the file and kept")
    after = Register(resident=tuple(residents.values()), sling=tuple(slings.values()))
    return Change(after, tuple(lines))


def _key(item: ResidentSpec | SlingSpec) -> str:
    if isinstance(item, SlingSpec):
        return f"sling {item.serial}"
    return f"resident {item.identifier}"


def _faults(item: ResidentSpec | SlingSpec, slings: dict[str, SlingSpec]) -> Iterable[str]:
    if isinstance(item, SlingSpec):
        yield from sling_faults(item)
        return
    yield from resident_faults(item)
    if not item.identifier:
        yield "resident is empty; write the care record's own number"
    elif _is_cpr(item.identifier):
        yield "resident looks like a CPR number; use the care record's own number"
    if item.token and not TOKEN.fullmatch(item.token):
        yield f"token '{item.token}' is not like r-0a1b2c; leave it empty for a new one"
    if item.carers == 1 and not (item.expires or item.one_carer_until):
        yield "one carer needs an end; write expires or one_carer_until"
    if item.sling and slings and item.sling not in slings:
        yield f"sling '{item.sling}' is not on record; import slings first"


def _is_cpr(text: str) -> bool:
    found = CPR.fullmatch(text)
    try:
        return found is not None and bool(datetime.strptime(found[1], "%d%m%y"))  # noqa: DTZ007
    except ValueError:
        return False


def _told(
    what: str,
    name: str,
    before: ResidentSpec | SlingSpec | None,
    now: ResidentSpec | SlingSpec,
) -> str:
    if before is None:
        return f"{what} {name}: new"
    old = asdict(before)
    changed = [f"{key} {old[key]!r} -> {item!r}" for key, item in asdict(now).items()
               if old[key] != item]  # fmt: skip
    return f"{what} {name}: {', '.join(changed) or 'unchanged'}"
