"""Which processes a site has, and how each is started.

Role: the process table of `liftctl up`. Process: the supervisor. Must never: start anything itself.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from config.schema import Site
from liftctl.places import Places, run_root

SERVICE = ("recorder", "guard", "gate", "controller", "panel", "desk")
REMOTE = ("support", "remote")


@dataclass(frozen=True, slots=True)
class Command:
    """One process: its name within `group` (a site, or "ward") and its argument list."""

    group: str
    name: str
    args: tuple[str, ...]
    pass_fds: tuple[int, ...] = ()


def names(site: Site) -> tuple[str, ...]:
    """A site that was never enrolled has no process for a centre."""
    places = Places(site.name)
    uplink = ("uplink",) if places.enrolment.is_file() else ()
    return SERVICE + uplink + (REMOTE if places.trust.exists() else ())


def _python(module: str, *args: str) -> tuple[str, ...]:
    return (sys.executable, "-m", module, *args)


def hub(sites: tuple[Site, ...]) -> tuple[Command, ...]:
    """The simulated bus medium, when a site's buses are virtual."""
    names = {
        bus.port.partition(":")[2]: bus.bitrate
        for site in sites
        for bus in site.bus
        if bus.port.startswith("vbus:")
    }
    if not names:
        return ()
    flags = [item for name, rate in names.items() for item in ("--bus", f"{name}:{rate}")]
    return (Command("ward", "hub", _python("hil.vbus.hub", *flags)),)


def hardware(site: Site, shift: int) -> tuple[Command, ...]:
    """The simulated devices of a demo site."""
    if site.hardware is None:
        return ()
    room = site.hardware.room
    args = ["--room", room, "--bus", room, "--control", str(Places(site.name).sock("hardware"))]
    if site.hardware.web_port:
        args += ["--web", str(site.hardware.web_port + shift)]
    for line in site.serial:
        if line.port.startswith("vserial:"):
            args += ["--serial-link", str(run_root() / "serial" / line.port.partition(":")[2])]
    return (Command(site.name, "hardware", _python("hil.ward", *args)),)


def service(site: Site, path: Path, shift: int, modules: Mapping[str, str]) -> tuple[Command, ...]:
    """The site's own processes in starting order; `modules` replaces one for a bench."""
    found = []
    for name in names(site):
        args = ["--site", str(path)]
        if name == "panel":
            args += ["--port", str(site.web.panel_port + shift)]
        if name == "desk":
            args += ["--port", str(site.web.desk_port + shift)]
        module = modules.get(f"{site.name}:{name}", modules.get(name, f"liftctl.{name}"))
        found.append(Command(site.name, name, _python(module, *args)))
    return tuple(found)
