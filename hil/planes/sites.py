"""The site a scenario runs on: the demo site of its rig, with what the scenario changes.

Role: demo site and changes to an accepted configuration. Must never: accept what `liftctl config
accept` would refuse.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import config
from config.schema import ConfigError, Site, build
from liftctl.accept import check

SITES = Path(config.__file__).parent / "sites"
KEYS = {"device": "name", "bus": "name", "serial": "name", "resident": "token", "baseline": "kind"}


@cache
def _demo(rig: str) -> dict[str, Any]:
    return tomllib.loads((SITES / f"demo-{rig}.toml").read_text("utf-8"))


def site(rig: str, changes: dict[str, Any]) -> Site:
    """Raises ConfigError."""
    raw = _merge(_demo(rig), changes)
    found: Site = build(Site, raw, "site")
    if changes:
        check(found)
    return found


def _merge(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Tables are merged; a list of tables is changed by the name of an item, {} takes it away."""
    found = dict(base)
    for key, value in changes.items():
        if key in KEYS and isinstance(value, dict):
            found[key] = _by_name(base.get(key, []), value, KEYS[key])
        elif isinstance(value, dict) and isinstance(base.get(key), dict):
            found[key] = _merge(base[key], value)
        else:
            found[key] = value
    return found


def _by_name(items: list[dict[str, Any]], changes: dict[str, Any], key: str) -> list[Any]:
    found = {item[key]: item for item in items}
    for name, change in changes.items():
        if not isinstance(change, dict):
            raise ConfigError(f"site: {name}: a table of changes is wanted")
        found[name] = _merge(found.get(name, {key: name}), change)
    return list(found.values())
