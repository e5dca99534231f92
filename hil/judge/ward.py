"""A whole ward under a judge: bus, simulated hardware with truth logs, and the service's processes.

Role: starts and ends everything in a place of its own. Must never: import the service; it is
started as a stranger would start it.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hil.control import WardControl
from hil.judge.finger import Broken
from hil.judge.truth import TruthLog
from hil.orphan import ends_with_parent
from hil.vbus.paths import is_served

BUSES = {"lift": ("lift",), "chair": ("chair", "observed")}
RATES = {"lift": 500_000, "chair": 500_000, "observed": 250_000}
SITES = {"lift": "demo-lift", "chair": "demo-chair"}


def free_ports() -> int:
    """A base port whose panel, desk and simulator neighbours are free too."""
    for base in range(18080, 30000, 40):
        try:
            for shift in (0, 1, 5, 6, 10, 11):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", base + shift))
        except OSError:
            continue
        return base
    raise Broken("no free ports")


@dataclass
class WardUnderTest:
    """`rooms`: of "lift" and "chair"; `modules`: replacement processes for sabotage; `adapters`:
    bus -> (interface, channel, bit/s) of a real one it is joined to; `present`: ids of nodes that
    really are there, so that nobody simulates their voice.
    """

    rooms: tuple[str, ...] = ("lift", "chair")
    modules: dict[str, str] = field(default_factory=dict)
    sites: dict[str, Path] = field(default_factory=dict)
    adapters: dict[str, tuple[str, str, int]] = field(default_factory=dict)
    present: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="liftctl-judge-")
        self.root = Path(self._folder.name)
        self.port = free_ports()
        self.truth = {room: TruthLog() for room in self.rooms}
        self.log = (self.root / "log").open("wb")
        self.popens: dict[str, subprocess.Popen[bytes]] = {}
        self.env = os.environ | {
            "LIFTCTL_RUN": str(self.root / "run"),
            "LIFTCTL_DATA": str(self.root / "data"),
        }

    def __enter__(self) -> WardUnderTest:
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for popen in reversed(self.popens.values()):
            if popen.poll() is None:
                popen.send_signal(signal.SIGCONT)
                popen.terminate()
                try:
                    popen.wait(10)
                except subprocess.TimeoutExpired:
                    popen.kill()
                    popen.wait()
        self.log.close()
        self._folder.cleanup()

    def start(self) -> None:
        """Bus first, then hardware, then the service."""
        run = self.root / "run"
        run.mkdir()
        (self.root / "data").mkdir()
        names = [name for room in self.rooms for name in BUSES[room]]
        flags = [item for name in names for item in ("--bus", f"{name}:{RATES[name]}")]
        self._spawn("hub", ["hil.vbus.hub", "--control", str(run), *flags])
        self._wait(
            lambda: all(is_served(run / "vbus" / f"{name}.sock") for name in names), "the bus"
        )
        for name, where in self.adapters.items():
            self._bridge(name, *where)
        for room in self.rooms:
            self._hardware(room)
        files = [
            str(self.sites.get(room, Path("config/sites") / f"{SITES[room]}.toml"))
            for room in self.rooms
        ]
        modules = [item for pair in self.modules.items() for item in ("--module", "=".join(pair))]
        flags = ["up", "--no-hardware", "--port", str(self.port), *modules]
        self._spawn("up", ["liftctl", *flags, *files])

    def _bridge(self, bus: str, interface: str, channel: str, rate: int) -> None:
        args = ["--bus", bus, "--interface", interface, "--channel", channel]
        self._spawn(f"bridge-{bus}", ["hil.faces.bridge", *args, "--bit-rate", str(rate)])

    def lost(self) -> str:
        """What a bridge said when it ended; empty while all of them carry."""
        bridges = [popen for name, popen in self.popens.items() if name.startswith("bridge-")]
        if all(popen.poll() is None for popen in bridges):
            return ""
        lines = (self.root / "log").read_text(errors="replace").splitlines()
        said = [line for line in lines if line.startswith("bridge: ")]
        return said[-1] if said else "a bridge ended without a word"

    def _hardware(self, room: str) -> None:
        args = [
            "hil.ward",
            "--room",
            room,
            "--bus",
            room,
            "--control",
            str(self.control_path(room)),
        ]
        args += ["--truth-fd", str(self.truth[room].fd)]
        args += ["--present", ",".join(map(str, self.present))] if self.present else []
        if room == "chair":
            args += ["--serial-link", str(self.root / "run" / "serial" / "chair-motors")]
        self.control_path(room).parent.mkdir(parents=True, exist_ok=True)
        self._spawn(f"hardware-{room}", args, (self.truth[room].fd,))
        self._wait(self.control_path(room).exists, f"the hardware of room {room}")

    def _spawn(self, name: str, module: list[str], fds: tuple[int, ...] = ()) -> None:
        self.popens[name] = subprocess.Popen(
            [sys.executable, "-m", *module],
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            pass_fds=fds,
            preexec_fn=ends_with_parent,  # noqa: PLW1509
        )

    def _wait(self, what: Any, name: str, patience_s: float = 60.0) -> None:
        deadline = time.monotonic() + patience_s
        while not what():
            if time.monotonic() > deadline:
                raise Broken(f"{name} did not start; {self.tail()}")
            time.sleep(0.02)

    def tail(self) -> str:
        """The last lines of everything that was said."""
        self.log.flush()
        lines = (self.root / "log").read_text(errors="replace").splitlines()
        return " | ".join(lines[-6:])

    def control_path(self, room: str) -> Path:
        """Where the simulated hardware takes requests."""
        return self.root / "run" / SITES[room] / "hardware.sock"

    def control(self, room: str) -> WardControl:
        """Hands in the room."""
        return WardControl(self.control_path(room))

    def bus(self, name: str) -> WardControl:
        """Faults of a bus; `pid(room, process)` names who is struck."""
        return WardControl(self.root / "run" / f"{name}.bus")

    def panel_port(self, room: str) -> int:
        """Of the room's panel."""
        return self.port + (room == "chair" and len(self.rooms) > 0)

    def site_file(self, room: str) -> str:
        """The room's configuration."""
        return str(self.sites.get(room, Path("config/sites") / f"{SITES[room]}.toml"))

    def liftctl(self, *args: str) -> tuple[int, str]:
        """Run a command of the service against this ward: (status, standard output)."""
        done = subprocess.run(
            [sys.executable, "-m", "liftctl", *args],
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout or done.stderr

    def status(self, room: str) -> dict[str, Any]:
        """`liftctl status --json` of one room."""
        _, text = self.liftctl("status", "--json", self.site_file(room))
        try:
            found: dict[str, Any] = json.loads(text)[0]
        except (ValueError, IndexError) as error:
            raise Broken(f"liftctl status said: {text[-300:]}") from error
        return found

    def pid(self, room: str, process: str) -> int:
        """The process id of one process of a room."""
        return int(self.status(room)["processes"][f"{SITES[room]}/{process}"]["pid"])
