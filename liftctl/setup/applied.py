"""The changes in force: one small file on top of the site's own, bound to it by hash.

Role: read by everybody who loads a site, written by the support process alone, while it holds the
gate's lock. Must never: touch the site's file, or apply to another file than the one it was made
for: who edits the file on site has the last word.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import msgspec

from config.schema import ConfigError, Site
from liftctl.files import replace_file
from liftctl.places import Places
from liftctl.setup.changes import Value, changed


class Deadline(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When something ends by itself: by either clock, and with the boot it was set in."""

    wall_s: float
    boot_s: float
    boot: str
    set_wall_s: float


class Applied(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`changes` are all that differ from the file whose hash is `base`; `last_good` those of the
    version before, while `trial` runs; None: kept.
    """

    base: str
    version: int
    changes: dict[str, Value]
    good_version: int = 0
    last_good: dict[str, Value] = {}
    trial: Deadline | None = None


def read(places: Places) -> Applied | None:
    """What is in force, None when nothing is; ConfigError when it cannot be read."""
    try:
        return msgspec.json.decode(places.applied.read_bytes(), type=Applied)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise ConfigError(
            f"{places.applied}: {error}; remove it to run the site's file alone"
        ) from error


def overlay(site: Site) -> Site:
    """`site` as read from its file, with what is in force on top; ConfigError."""
    found = read(Places(site.name))
    if found is None or found.base != site.hash or not found.changes:
        return site
    return changed(site, found.changes)


def on_trial(site_name: str) -> bool:
    """Not yet confirmed: nothing to fall back to."""
    with suppress(ConfigError):
        found = read(Places(site_name))
        return found is not None and found.trial is not None
    return False


def write(places: Places, applied: Applied) -> None:
    """Durable when it returns; OSError, and what was there before."""
    replace_file(places.applied, msgspec.json.encode(applied))


@contextmanager
def no_gate(places: Places) -> Iterator[bool]:
    """True while no gate runs and none can start; False when one does."""
    descriptor = os.open(places.gate_lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)
