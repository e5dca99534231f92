"""Accepting a configuration, and falling back to the last accepted one (design rule 11).

Role: the only door a configuration comes through. Process: gate, guard, CLI. Must never: run a
configuration above its stopping distance, or leave a room without a way down because of a typing
error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from config.profiles import load as load_profile
from config.schema import ConfigError, Site, from_json, load, to_json
from drivers.registry import build
from liftctl.durable import replace
from liftctl.places import Places
from liftctl.setup.applied import overlay
from safety.stopping import too_far
from safety.table import ROWS

GATE, GUARD = 1, 2  # their node ids on every bus they command


def check(site: Site) -> None:
    """ConfigError when the site may not run."""
    _one_listener_each(site)
    _one_address_each(site)
    _protected_signals(site)
    _whole_pairs(site)
    for sentence in too_far(site.kind, site.limits):
        raise ConfigError(f"{site.name}: {sentence}")


def _one_address_each(site: Site) -> None:
    """Gate, guard, the guard's own node and every device: no two share an address of a bus."""
    taken = {(site.guard.bus, GATE): "the gate", (site.guard.bus, GUARD): "the guard"}
    taken[site.guard.bus, site.guard.node] = "the guard's node"
    for device in site.device:
        where = (device.on, device.node)
        if device.node and where in taken:
            raise ConfigError(
                f"{site.name}: {device.name} and {taken[where]} share address {device.node:#x} on "
                f"{device.on}; give each its own"
            )
        taken[where] = device.name


def _one_listener_each(site: Site) -> None:
    taken: dict[tuple[str, bool, int], str] = {}
    for spec in site.device:
        for key in build(spec, site.limits).accepts:
            other = taken.setdefault(key, spec.name)
            if other != spec.name:
                raise ConfigError(
                    f"{site.name}: {other} and {spec.name} both listen to {key[2]:X} on {key[0]}; "
                    "keep one"
                )


def _given(site: Site) -> Iterator[tuple[str, str, bool]]:
    """Signal, the device that gives it, and whether its frame is protected."""
    for device in site.device:
        for frame in load_profile(device.profile).frame:
            for field in frame.field:
                if field.signal:
                    yield field.signal, device.name, frame.e2e is not None


def _protected_signals(site: Site) -> None:
    """What a protected frame says no other device may say without protection."""
    said = list(_given(site))
    guarded = {signal: name for signal, name, protected in said if protected}
    for signal, name, _ in said:
        if guarded.get(signal, name) != name:
            raise ConfigError(
                f"{site.name}: {guarded[signal]} protects '{signal}' and {name} gives it too; "
                "keep one"
            )


def _whole_pairs(site: Site) -> None:
    """Signals that one row compares come together, or the row would not exist."""
    said = {signal for signal, _, _ in _given(site)}
    for row in ROWS.values():
        if said & row.needs and row.needs - said:
            names = " and ".join(f"'{name}'" for name in sorted(row.needs))
            raise ConfigError(
                f"{site.name}: {names} are compared and only one of them is there; "
                "add the other or take both out"
            )


def accept(site: Site) -> None:
    """Check and remember as the last accepted one; ConfigError or OSError."""
    check(site)
    replace(Places(site.name).accepted, to_json(site).encode())


def _name_in(path: Path) -> str:
    """The site's name as far as a broken file still tells it; else the file's own."""
    with suppress(OSError, UnicodeDecodeError):
        if found := re.search(r'^name\s*=\s*"([\w.-]+)"', path.read_text(encoding="utf-8"), re.M):
            return found[1]
    return path.stem


def load_or_fall_back(path: Path) -> tuple[Site, bool, str]:
    """(site, fallback, why): the file's own site with what was accepted from afar on top of it, if
    acceptable, else the last accepted one.

    Raises ConfigError when there is neither.
    """
    try:
        site = overlay(load(path))
        check(site)
    except ConfigError as error:
        last = Places(_name_in(path)).accepted
        try:
            return from_json(last.read_text(encoding="utf-8")), True, str(error)
        except (OSError, ValueError, ConfigError):
            raise error from None
    return site, False, ""
