"""What may be proposed from afar at all, and the site that would come of it.

Role: the closed list of keys, pure. Process: support, CLI. Must never: reach buses, devices, guard,
web addresses, residents, baselines or the way down: those are changed by somebody who stands there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields

from config.schema import ConfigError, Site, build, cross_check, from_json, to_json
from safety.bounds import Params

Value = float | bool | str | tuple[str, ...]
LIMITS = tuple(f"limits.{item.name}" for item in fields(Params))
# An interlock reads each of these: two people answer for a change.
SAFETY = frozenset({*LIMITS, "inspection_due", "relocatable"})
PLAIN = frozenset({"title", "languages"})
PROPOSABLE = SAFETY | PLAIN


@dataclass(frozen=True, slots=True)
class Difference:
    """One key as a person reads it."""

    key: str
    before: str
    after: str


def unknown(changes: Mapping[str, Value]) -> tuple[str, ...]:
    """Keys that may not be proposed."""
    return tuple(sorted(changes.keys() - PROPOSABLE))


def touches_safety(changes: Mapping[str, Value]) -> bool:
    """Does any of these need a second person's signature?"""
    return bool(SAFETY & changes.keys())


def built(site: Site, changes: Mapping[str, Value]) -> Site:
    """The site with `changes`, types checked and nothing more; ConfigError."""
    if strange := unknown(changes):
        raise ConfigError(f"{site.name}: '{strange[0]}' is not changed from afar; do it on site")
    raw = json.loads(to_json(site))
    for key, value in changes.items():
        table, _, name = key.rpartition(".")
        target = raw[table] if table else raw
        target[name] = list(value) if isinstance(value, tuple) else value
    made: Site = build(Site, raw, site.name)
    return made


def changed(site: Site, changes: Mapping[str, Value]) -> Site:
    """As `built`, and a site its schema takes, bounds included; ConfigError."""
    made = built(site, changes)
    cross_check(made, site.name)
    return made


def differences(site: Site, changes: Mapping[str, Value]) -> tuple[Difference, ...]:
    """What the person on site reads before saying yes; only what really differs."""
    told = from_json(to_json(site))
    found = []
    for key, after in sorted(changes.items()):
        before = _now(told, key)
        if before != after:
            found.append(Difference(key, _text(before), _text(after)))
    return tuple(found)


def _now(site: Site, key: str) -> Value:
    table, _, name = key.rpartition(".")
    value: Value = getattr(getattr(site, table) if table else site, name)
    return value


def _text(value: Value) -> str:
    if isinstance(value, tuple):
        return ", ".join(value)
    return f"{value:g}" if isinstance(value, float) else str(value)
