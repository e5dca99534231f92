"""`liftctl up`: starts the processes of one or more sites, keeps them alive, leaves nothing behind.

Role: supervisor where there is no systemd (demo ward, benches). Process: its own. Must never: touch
a bus, or restart a process without saying so.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from config.schema import ConfigError, Site
from liftctl import ipc, processes
from liftctl.accept import accept, load_or_fall_back
from liftctl.entry import Ending, Unusable, say
from liftctl.gate import marker
from liftctl.orphan import end_with_parent
from liftctl.places import Places, data_root, run_root
from liftctl.processes import Command
from liftctl.setup.applied import on_trial

RESTART_S = 1.0
KILL_AFTER_S = 4.0
READY_S = 60.0


def die_with_parent(sign: int = signal.SIGKILL) -> None:
    """Even `kill -9` of the supervisor leaves nothing behind. Its own group: Ctrl-C is ours to
    pass on.
    """
    os.setpgid(0, 0)
    end_with_parent(sign)


@dataclass(slots=True)
class Child:
    """A process, how often it was restarted and when it last died."""

    command: Command
    popen: subprocess.Popen[bytes] | None = None
    restarts: int = 0
    died_at_s: float = 0.0
    gave_up: bool = False

    def start(self) -> None:
        self.popen = subprocess.Popen(
            self.command.args,
            stdin=subprocess.DEVNULL,
            preexec_fn=die_with_parent,  # noqa: PLW1509
            pass_fds=self.command.pass_fds,
        )

    def look(self, now_s: float) -> None:
        """Restart what died. Exit 2 is "cannot work here": once said, trying again would say it
        for ever.
        """
        if self.popen is None or self.gave_up:
            return
        status = self.popen.poll()
        if status is None:
            return
        if not self.died_at_s:
            self.died_at_s = now_s
            self.gave_up = status == 2 and self.restarts == 0
            end = "it stays down" if self.gave_up else "restarting it"
            say("up", f"{self.command.group} {self.command.name} ended with {status}; {end}")
        if not self.gave_up and now_s - self.died_at_s >= RESTART_S:
            self.died_at_s, self.restarts = 0.0, self.restarts + 1
            self.start()


@dataclass(slots=True)
class Ward:
    """All sites of one `liftctl up`."""

    sites: dict[Path, Site]
    shift: int
    modules: Mapping[str, str]
    with_hardware: bool
    children: list[Child] = field(default_factory=list)
    written: str = ""

    def start(self) -> None:
        """Hub, hardware, then each site's processes."""
        sites = tuple(self.sites.values())
        if self.with_hardware:
            self._launch(processes.hub(sites))
            self._wait_for_hub()
            for site in sites:
                self._launch(processes.hardware(site, self.shift))
        for path, site in self.sites.items():
            self._launch(processes.service(site, path, self.shift, self.modules))

    def _launch(self, commands: tuple[Command, ...]) -> None:
        for command in commands:
            child = Child(command)
            child.start()
            self.children.append(child)

    def _wait_for_hub(self) -> None:
        names = [
            bus.port.partition(":")[2]
            for site in self.sites.values()
            for bus in site.bus
            if bus.port.startswith("vbus:")
        ]
        deadline = time.monotonic() + 10
        while any(not (run_root() / "vbus" / f"{name}.sock").exists() for name in names):
            if time.monotonic() > deadline:
                raise Unusable("the virtual bus did not start; see the lines above")
            time.sleep(0.02)

    def look(self) -> None:
        """Restart the dead, and keep the process table for `liftctl status`."""
        for child in self.children:
            child.look(time.monotonic())
        table = {
            f"{c.command.group}/{c.command.name}": [c.popen.pid if c.popen else 0, c.restarts]
            for c in self.children
        }
        text = json.dumps(table)
        if text != self.written:
            self.written = text
            for site in self.sites.values():
                path = Places(site.name).run / "processes.json"
                fresh = path.with_suffix(".new")
                fresh.write_text(text, encoding="utf-8")
                fresh.rename(path)  # a reader never sees half of it

    def stuck(self) -> str:
        """The gate that gave up at its first start: without it nothing can be lowered."""
        for child in self.children:
            if child.gave_up and child.command.name == "gate":
                return f"{child.command.group} gate"
        return ""

    def ready(self) -> bool:
        """Does every panel answer?"""
        return all(_answers(site.web.panel_port + self.shift) for site in self.sites.values())

    def stop(self) -> None:
        """Everything ends: asked first, killed when it does not listen."""
        alive = [c.popen for c in reversed(self.children) if c.popen and c.popen.poll() is None]
        for popen in alive:
            popen.send_signal(signal.SIGCONT)
            popen.terminate()
        deadline = time.monotonic() + KILL_AFTER_S
        for popen in alive:
            try:
                popen.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                popen.kill()
                popen.wait()


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def init(site: Site, fallback: bool = False) -> None:
    """First start of a site: its folders, its marker, its accepted configuration.

    Where a gate has run, a marker that is not there was lost: it stays an unreadable one.
    """
    places = Places(site.name)
    places.data.mkdir(parents=True, exist_ok=True)
    places.run.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not places.marker.exists() and not places.gate_lock.exists():
        marker.init(places.marker)
    if not fallback and not on_trial(site.name):
        accept(site)


def _already_running(site: Site) -> bool:
    channel = ipc.connect(Places(site.name).sock("gate"))
    if channel is None:
        return False
    channel.close()
    return True


def _prepare(paths: list[Path], shift: int) -> dict[Path, Site]:
    sites: dict[Path, Site] = {}
    fallen = set()
    for path in paths:
        site, fallback, why = load_or_fall_back(path, accepting=True)
        sites[path] = site
        if fallback:
            fallen.add(site.name)
            say("up", f"{why}. Starting with the last accepted configuration, lowering only")
        if _already_running(site):
            raise Unusable(f"{site.name} is already running here; stop it, or set LIFTCTL_RUN")
        for port in (site.web.panel_port + shift, site.web.desk_port + shift):
            if _answers(port):
                raise Unusable(f"port {port} is in use; choose another with PORT= or --port")
        try:
            init(site, site.name in fallen)
        except OSError as error:
            raise Unusable(f"{Places(site.name).data}: {error.strerror}; choose DATA=") from error
    return sites


def _tell(sites: dict[Path, Site], shift: int) -> None:
    for site in sites.values():
        sys.stdout.write(f"{site.title}\n")
        sys.stdout.write(f"  panel      http://127.0.0.1:{site.web.panel_port + shift}\n")
        sys.stdout.write(f"  desk       http://127.0.0.1:{site.web.desk_port + shift}\n")
        if site.hardware and site.hardware.web_port:
            port = site.hardware.web_port + shift
            sys.stdout.write(f"  simulator  http://127.0.0.1:{port}\n")
    sys.stdout.write("Ctrl-C ends everything.\n")
    sys.stdout.flush()


def up(
    paths: list[Path],
    shift: int = 0,
    modules: Mapping[str, str] | None = None,
    hardware: bool = True,
) -> int:
    """Run until asked to end; the exit status."""
    with contextlib.ExitStack() as stack:
        if "LIFTCTL_DATA" not in os.environ:
            fresh = stack.enter_context(tempfile.TemporaryDirectory(prefix="liftctl-"))
            os.environ["LIFTCTL_DATA"] = fresh
            say("up", "fresh data in a temporary folder; DATA=dir keeps it")
        try:
            sites = _prepare(paths, shift)
        except (ConfigError, Unusable) as error:
            say("up", str(error))
            return 2
        except OSError as error:
            say("up", f"{error.filename}: {error.strerror}; check {data_root()} and {run_root()}")
            return 2
        return _watch(Ward(sites, shift, modules or {}, hardware))


def _watch(ward: Ward) -> int:
    ending = Ending()
    started, told = time.monotonic(), False
    try:
        ward.start()
        while not ending.asked:
            ward.look()
            if stuck := ward.stuck():
                raise Unusable(f"{stuck} cannot work here; see its line above")
            if not told and ward.ready():
                told = True
                say("up", f"ready after {time.monotonic() - started:.1f} s")
                _tell(ward.sites, ward.shift)
            elif not told and time.monotonic() - started > READY_S:
                told = True
                say("up", "a panel does not answer yet; see the lines above")
            time.sleep(0.1)
    except Unusable as error:
        say("up", str(error))
        return 2
    finally:
        ward.stop()
    return 0
