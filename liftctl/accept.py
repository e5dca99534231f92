"""Accepting a configuration, and falling back to the last accepted one (design rule 11).

Role: the only door a configuration comes through. Process: gate, guard, CLI. Must never: run a
configuration above its stopping distance, or leave a room without a way down because of a typing
error.
"""

from __future__ import annotations

import os
from pathlib import Path

from config.schema import ConfigError, Site, from_json, load, to_json
from drivers.registry import build
from liftctl.places import Places
from safety.stopping import too_far


def check(site: Site) -> None:
    """ConfigError when the site may not run."""
    for device in site.device:
        build(device, site.limits)
    for sentence in too_far(site.kind, site.limits):
        raise ConfigError(f"{site.name}: {sentence}")


def accept(site: Site) -> None:
    """Check and remember as the last accepted one; ConfigError or OSError."""
    check(site)
    path = Places(site.name).accepted
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(descriptor, to_json(site).encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    fresh.rename(path)


def load_or_fall_back(path: Path) -> tuple[Site, bool, str]:
    """(site, fallback, why): the file's own site if acceptable, else the last accepted one.

    Raises ConfigError when there is neither.
    """
    try:
        site = load(path)
        check(site)
    except ConfigError as error:
        last = Places(path.stem).accepted
        try:
            return from_json(last.read_text(encoding="utf-8")), True, str(error)
        except (OSError, ValueError, ConfigError):
            raise error from None
    return site, False, ""
