"""A house of fakes: gate, guard and controller on real sockets, and servers in threads."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn

from config.schema import Site, load
from liftctl import ipc
from liftctl.panel.edge import server
from liftctl.panel.session import MOTIONS
from liftctl.places import Places

SITES = Path(__file__).parents[2] / "config" / "sites"
LIFT_STEPS = [
    "idle",
    "planned",
    "checking",
    "consent",
    "hooking",
    "raising",
    "tension_pause",
    "moving_up",
    "traversing",
    "lowering",
    "slack",
    "unhooking",
    "outcome",
    "done",
]
CHAIR_STEPS = [
    "idle",
    "planned",
    "checking",
    "consent",
    "standing_up",
    "standing",
    "sitting_down",
    "outcome",
    "done",
]
RESIDENTS = (("r-7f3a", "Resident A", 1), ("r-21c9", "Resident B", 2))
VALUES = {
    "load_kg": 0.4,
    "hoist_height_mm": 1630.0,
    "battery_pct": 58.0,
    "charger_absent": 1.0,
    "stand_stroke_mm": 2.0,
    "feet_load_kg": 11.0,
    "estop_a_closed": 1.0,
    "estop_b_closed": 1.0,
}


def site(kind: str) -> Site:
    return load(SITES / f"demo-{kind}.toml")


def gate_state(kind: str, **changes: Any) -> ipc.GateState:
    arrow = ipc.MotionState(allowed=True, docking=False, act="none", rows=())
    blank: dict[str, Any] = {
        "tick_ns": time.monotonic_ns(),
        "site": f"demo-{kind}",
        "kind": kind,
        "mode": "ready",
        "owner": "",
        "moving": "",
        "motions": dict.fromkeys(MOTIONS[kind], arrow),
        "values": VALUES,
        "quality": {},
        "active": (),
        "latched": (),
        "aloft": False,
        "standing": False,
        "tension_pause": False,
        "pickup": 0,
        "limit_kg": 140.0,
        "in_flight": False,
        "events": (),
        "devices": {"hoist": {"velocity_mm_s": 0.0}},
        "ages_ms": {"controller": 12.0},
        "counters": {"bus_errors": 3, "odd-name.x": 7},
        "config_hash": "abc123",
        "config_fallback": False,
        "version": "0.1.0",
    }
    return ipc.GateState(**{**blank, **changes})


def transfer(kind: str, step: str, *actions: str, **changes: Any) -> ipc.TransferView:
    blank: dict[str, Any] = {
        "id": "t-1",
        "kind": "bed-chair" if kind == "lift" else "stand-sit",
        "step": step,
        "steps": tuple(LIFT_STEPS if kind == "lift" else CHAIR_STEPS),
        "actions": actions,
        "resident": "r-7f3a",
        "carers_planned": 1,
        "carers_now": 1,
        "limit_kg": 140.0,
        "started_ns": 0,
        "phases": {},
        "blocks": (),
        "peak_load_kg": 0.0,
        "outcome": "",
    }
    return ipc.TransferView(**{**blank, **changes})


@dataclass
class House:
    """Speaks as the gate and remembers what was said. `moves`: obey holds."""

    kind: str
    changes: dict[str, Any] = field(default_factory=dict)
    running: ipc.TransferView | None = None
    alarms: tuple[tuple[str, str, str], ...] = ()
    notices: dict[str, tuple[str, ...]] = field(default_factory=dict)
    slings: tuple[tuple[str, str], ...] = ()
    recorder: ipc.RecorderState | None = None
    moves: bool = True
    controller_up: bool = True
    said: list[tuple[float, str, ipc.AnyMessage]] = field(default_factory=list)
    newest: dict[str, ipc.Hold] = field(default_factory=dict)
    silent: bool = False
    every_s: float = 0.04

    def __post_init__(self) -> None:
        places = Places(f"demo-{self.kind}")
        self._servers = {
            name: ipc.serve(places.sock(name))
            for name in ("gate", "guard", "controller", "recorder")
        }
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._loop, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._over.set()
        self._thread.join()
        for one in self._servers.values():
            one.close()

    def heard(self, kind: type, at: str = "gate") -> list[Any]:
        return [
            message
            for _, where, message in list(self.said)
            if where == at and type(message) is kind
        ]

    def holds(self) -> list[ipc.Hold]:
        return self.heard(ipc.Hold)

    def moving(self) -> str:
        pressed = [hold for hold in self.newest.values() if hold.press and self.moves]
        return pressed[0].motion if pressed else ""

    def speak(self) -> None:
        state = gate_state(self.kind, **{"moving": self.moving(), **self.changes})
        if not self.silent:
            self._servers["gate"].broadcast(state)
        if self.controller_up:
            self._servers["controller"].broadcast(
                ipc.ControllerState(
                    tick_ns=state.tick_ns,
                    mode="ready",
                    permission=0,
                    transfer=self.running,
                    residents=RESIDENTS,
                    alarms=self.alarms,
                    notices=self.notices,
                    slings=self.slings,
                )
            )
        if self.recorder is not None:
            self._servers["recorder"].broadcast(self.recorder)

    def _loop(self) -> None:
        due = time.monotonic()
        while not self._over.is_set():
            servers = dict(self._servers)  # a test may add one meanwhile
            socks: list[Any] = [one.sock for one in servers.values()]
            socks += [c for one in servers.values() for c in one.channels if not c.closed]
            select.select(socks, [], [], max(0.0, due - time.monotonic()))
            for name, one in servers.items():
                while one.accept():
                    pass
                for channel in one.channels:
                    for message in channel.receive():
                        self._hear(name, message, channel)
            if time.monotonic() >= due:
                self.speak()
                due += self.every_s

    def _hear(self, name: str, message: ipc.AnyMessage, channel: ipc.Channel) -> None:
        self.said.append((time.monotonic(), name, message))
        if name == "gate" and isinstance(message, ipc.Hold):
            self.newest[message.station] = message
        if isinstance(message, ipc.StopPress | ipc.StationGone):
            self.newest.clear()
        if isinstance(message, ipc.Workflow) and message.action == "nonsense":
            channel.send(ipc.Refused(message.station, message.action, "unknown", "do this"))


@contextlib.contextmanager
def serving(app: Any) -> Iterator[int]:
    """An ASGI application on a free port, in a thread, with the production settings."""
    sock = socket.create_server(("127.0.0.1", 0))
    one: uvicorn.Server = server(app)
    thread = threading.Thread(target=one.run, kwargs={"sockets": [sock]}, daemon=True)
    thread.start()
    until(lambda: one.started)
    try:
        yield sock.getsockname()[1]
    finally:
        one.should_exit = True
        thread.join(5)


def until(check: Any, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.005)
