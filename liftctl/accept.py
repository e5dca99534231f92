"""Accepting a configuration, and falling back to the last accepted one (design rule 11).

Role: the only door a configuration comes through. Process: gate, guard, CLI. Must never: run a
configuration above its stopping distance, or leave a room without a way down because of a typing
error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from config.profiles import load as load_profile
from config.schema import ConfigError, DeviceSpec, Site, from_json, load, to_json
from drivers.device import Device, Level
from drivers.registry import build
from liftctl.files import replace_file
from liftctl.guard.watch import watched
from liftctl.places import Places, data_root
from liftctl.setup.applied import on_trial, overlay
from safety.signals import KNOWN, SPECS
from safety.state import AXES_OF
from safety.stopping import too_far
from safety.table import ROWS
from safety.types import Axis

GATE, GUARD = 1, 2  # their node ids on every bus they command
DOCKING = {Axis.HOIST: "hoist_docking_mm_s", Axis.STANDER: "stand_docking_mm_s"}
_TABLE = re.compile(r"^\s*\[", re.M)
_NAME = re.compile(r"""^\s*["']?name["']?\s*=\s*["']*([^"'#\n]*)""", re.M)
HEARTBEAT, FIRST_PDO, SECOND_PDO = 0x700, 0x180, 0x200


def check(site: Site) -> None:
    """ConfigError when the site may not run."""
    devices = tuple(build(spec, site.limits) for spec in site.device)
    _guard_in_place(site)
    for spec, device in zip(site.device, devices, strict=True):
        _on_its_line(site, spec, device)
        _seen_by_the_guard(site, spec, device)
        _lowers_without_the_guard(site, device)
    _one_drive_each(site, devices)
    _one_listener_each(site, devices)
    _one_address_each(site, devices)
    _one_sender_each(site, devices)
    _one_giver_each(site)
    _every_signal(site, devices)
    _whole_pairs(site)
    for sentence in too_far(site.kind, site.limits):
        raise ConfigError(f"{site.name}: {sentence}")


def _guard_in_place(site: Site) -> None:
    """A bus it may send on, and an address of its own there."""
    open_to_it = [bus.name for bus in site.bus if not bus.monitor_only]
    if site.guard.bus not in open_to_it:
        raise ConfigError(
            f"{site.name}: guard.bus '{site.guard.bus}' is no CAN bus the guard may send on; "
            f"use one of {', '.join(open_to_it) or 'the buses to be added'}"
        )
    if not 1 <= site.guard.node <= 127 or site.guard.node in (GATE, GUARD):
        raise ConfigError(
            f"{site.name}: guard.node {site.guard.node} is outside 1..127 or is {GATE} (the gate) "
            f"or {GUARD} (the guard); set the address of the guard's I/O node"
        )


def _on_its_line(site: Site, spec: DeviceSpec, device: Device) -> None:
    """CAN devices on a bus, serial ones on a line; nothing to be told where nothing is sent."""
    fit = [line.name for line in site.serial] if device.lines else [bus.name for bus in site.bus]
    what = "serial line" if device.lines else "CAN bus"
    if spec.on not in fit:
        raise ConfigError(
            f"{site.name}: {spec.name} ({spec.profile}) needs a {what} and '{spec.on}' is none; "
            f"put it on one of {', '.join(fit) or f'the {what}s to be added'}"
        )
    if device.mints and spec.on in [bus.name for bus in site.bus if bus.monitor_only]:
        raise ConfigError(
            f"{site.name}: {spec.name} must be sent frames and {spec.on} is monitor_only; "
            "put it on another bus"
        )


def _seen_by_the_guard(site: Site, spec: DeviceSpec, device: Device) -> None:
    """Whatever drives, and whatever asks for it by hand, the guard must read too (rule 14)."""
    mine = watched(replace(site, device=(spec,)))
    keys = any(field.key for frame in device.profile.frame for field in frame.field)
    blind = device.level is Level.MOTION and not mine.commands
    if blind or (keys and len(mine.feedback) < 2):
        raise ConfigError(
            f"{site.name}: the guard cannot read {spec.name} ({spec.profile} on {spec.on}); put it "
            f"on guard.bus '{site.guard.bus}' and use a profile the guard knows"
        )


def _lowers_without_the_guard(site: Site, device: Device) -> None:
    """Docking speed is the one its drive lets pass without run enable (rules 4, 14)."""
    key, free = DOCKING.get(device.axis or Axis.DRIVE), device.profile.free_down_mm_s
    if key and free and getattr(site.limits, key) > free:
        raise ConfigError(
            f"{site.name}: limits.{key} is {getattr(site.limits, key):g} and {device.name} "
            f"({device.profile.name}) lets {free:g} mm/s pass without the guard's run enable: "
            f"nobody could be lowered once the guard is dead; set {key} to {free:g} or less"
        )


def _one_drive_each(site: Site, devices: Sequence[Device]) -> None:
    """Each axis of this kind is driven by one device, and there is no other."""
    for device in devices:
        if device.axis is not None and device.axis not in AXES_OF[site.kind]:
            raise ConfigError(
                f"{site.name}: {device.name} drives the {device.axis}, which no {site.kind} has; "
                "take it out or correct 'kind'"
            )
    for axis in AXES_OF[site.kind]:
        names = [device.name for device in devices if device.axis is axis]
        if len(names) != 1:
            raise ConfigError(
                f"{site.name}: the {axis} is driven by {' and '.join(names) or 'no device'}; "
                "it needs exactly one"
            )


def _commanded(site: Site, devices: Sequence[Device]) -> tuple[str, ...]:
    """The buses with something to be told: the gate's heartbeat and the guard's go there."""
    told = {spec.on for spec, device in zip(site.device, devices, strict=True) if device.mints}
    return tuple(bus.name for bus in site.bus if bus.name in told | {site.guard.bus})


def _one_address_each(site: Site, devices: Sequence[Device]) -> None:
    """Gate, guard, the guard's own node and every device: no two share an address of a bus.

    A device with the gate's address would keep the drives' deadman fed when the gate is dead.
    """
    taken = {(bus, GATE): "the gate" for bus in _commanded(site, devices)}
    taken |= {(bus, GUARD): "the guard" for bus in _commanded(site, devices)}
    taken[site.guard.bus, site.guard.node] = "the guard's node"
    for device in site.device:
        where = (device.on, device.node)
        if device.node and where in taken:
            raise ConfigError(
                f"{site.name}: {device.name} and {taken[where]} share address {device.node:#x} on "
                f"{device.on}; give each its own"
            )
        taken[where] = device.name


def _one_sender_each(site: Site, devices: Sequence[Device]) -> None:
    """What gate, guard and the guard's node send, no device's frame may be."""
    nodes = (FIRST_PDO, SECOND_PDO, HEARTBEAT)
    ours = {(grant.bus, grant.extended, grant.id) for dev in devices for grant in dev.mints}
    for bus in _commanded(site, devices):
        ours |= {(bus, False, HEARTBEAT + node) for node in (GATE, GUARD)}
    ours |= {(site.guard.bus, False, base + site.guard.node) for base in nodes}
    for device in devices:
        for bus, _, can_id in sorted(device.accepts & ours):
            raise ConfigError(
                f"{site.name}: {device.name} listens to {can_id:X} on {bus}, which gate or guard "
                "send there; use another id"
            )


def _one_listener_each(site: Site, devices: Sequence[Device]) -> None:
    taken: dict[tuple[str, bool, int], str] = {}
    for device in devices:
        for key in device.accepts:
            other = taken.setdefault(key, device.name)
            if other != device.name:
                raise ConfigError(
                    f"{site.name}: {other} and {device.name} both listen to {key[2]:X} on "
                    f"{key[0]}; keep one"
                )


def _given(site: Site) -> Iterator[tuple[str, str]]:
    """Signal (or key of the hand control), and the device whose frames give it."""
    for device in site.device:
        for frame in load_profile(device.profile).frame:
            for field in frame.field:
                if field.signal:
                    yield field.signal, device.name
                if field.key:
                    yield f"key {field.key}", device.name


def _one_giver_each(site: Site) -> None:
    """Of two that give one signal the newest wins: a healthy one would hide the other's fault."""
    taken: dict[str, str] = {}
    for signal, name in _given(site):
        other = taken.setdefault(signal, name)
        if other != name:
            raise ConfigError(f"{site.name}: {other} and {name} both give '{signal}'; keep one")


def _every_signal(site: Site, devices: Sequence[Device]) -> None:
    """A signal nobody gives is unknown for ever; one of the other kind is read by no row."""
    said = {signal for signal, _ in _given(site) if not signal.startswith("key ")}
    for item in (device.profile for device in devices):
        said |= {item.speed_signal, item.fault_signal, item.verified_signal} - {""}
    if missing := SPECS[site.kind].keys() - said:
        raise ConfigError(
            f"{site.name}: nothing gives {', '.join(sorted(missing))}; a {site.kind} needs it, "
            "add the device"
        )
    if foreign := said - KNOWN[site.kind].keys():
        raise ConfigError(
            f"{site.name}: {', '.join(sorted(foreign))} is given and no {site.kind} uses it; "
            "take the device out or correct 'kind'"
        )


def _whole_pairs(site: Site) -> None:
    """Signals that one row compares come together, or the row would not exist."""
    said = {signal for signal, _ in _given(site)}
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
    replace_file(Places(site.name).accepted, to_json(site).encode())


def _names_in(path: Path) -> Iterator[str]:
    """What a broken file may call its site: its own word, in whatever quotes; the file's name."""
    with suppress(OSError):
        text = path.read_text(encoding="utf-8-sig", errors="replace")
        head = _TABLE.split(text, maxsplit=1)[0]  # below it buses and devices have names, too
        if found := _NAME.search(head):
            yield found[1].strip()
    yield path.stem


def current(path: Path) -> Site:
    """The file's own site with what was accepted from afar on top of it; ConfigError."""
    return overlay(load(path))


def _last_accepted(site_name: str) -> Site | None:
    """None when nothing was accepted yet, or it cannot be read any more."""
    try:
        return from_json(Places(site_name).accepted.read_text(encoding="utf-8"))
    except (OSError, ValueError, ConfigError):
        return None


def _only_accepted() -> Site | None:
    """The one site that was accepted here; None of several: it could be another room's."""
    found = list(data_root().glob(f"*/{Places('').accepted.name}"))
    return _last_accepted(found[0].parent.name) if len(found) == 1 else None


def _fallback(path: Path) -> Site | None:
    """What was accepted for the room of a file that may not run."""
    by_name = (_last_accepted(name) for name in _names_in(path))
    return next((site for site in by_name if site), None) or _only_accepted()


def _well_named(site: Site) -> None:
    """ConfigError when it is new here and has the buses of the only site there is: a misspelt name
    would find no data, and nobody could be lowered.
    """
    only = None if Places(site.name).data.is_dir() else _only_accepted()
    if only is not None and (only.bus, only.guard) == (site.bus, site.guard):
        raise ConfigError(
            f"{site.name}: name '{site.name}' is unknown here and its buses are those of "
            f"'{only.name}'; correct it, or begin anew: liftctl init --site FILE"
        )


def _was_accepted(site: Site) -> None:
    """ConfigError when something else was: an edited file is in force once somebody answers for it.
    The first file of a site, and what is on trial by a yes on site, run without.
    """
    _well_named(site)
    last = _last_accepted(site.name)
    if last is None or last.hash == site.hash or on_trial(site.name):
        return
    raise ConfigError(
        f"{site.name}: {', '.join(_differing(asdict(last), asdict(site)))} differs from the "
        "accepted configuration; put it back, or accept it: liftctl config accept --site FILE"
    )


def _differing(old: dict[str, Any], new: dict[str, Any], table: str = "") -> Iterator[str]:
    """The keys as the file writes them."""
    for key, value in new.items():
        if isinstance(value, dict) and isinstance(old[key], dict):
            yield from _differing(old[key], value, f"{table}{key}.")
        elif value != old[key]:
            yield f"'{table}{key}'"


def load_or_fall_back(path: Path, accepting: bool = False) -> tuple[Site, bool, str]:
    """(site, fallback, why): the current site if it may run, else the last accepted one.

    `accepting`: whoever calls accepts it now. Raises ConfigError when there is neither.
    """
    try:
        site = current(path)
        check(site)
        if not accepting:
            _was_accepted(site)
    except ConfigError as error:
        last = _fallback(path)
        if last is None:
            raise
        return last, True, str(error)
    return site, False, ""
