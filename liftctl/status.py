"""`liftctl status` and `liftctl release`: a short visit to the gate's socket.

Role: reads what the gate publishes. Process: the CLI. Must never: hold a channel open, or send
anything but a technician's release.
"""

from __future__ import annotations

import json
import time
from typing import Any

import msgspec

from config.schema import Site
from liftctl import ipc
from liftctl.places import Places

PATIENCE_S = 1.0


def _listen(channel: ipc.Channel, kind: type[ipc.Message], patience_s: float) -> Any:
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline and not channel.closed:
        for message in channel.receive():
            if isinstance(message, kind):
                return message
        time.sleep(0.01)
    return None


def _ask(site: Site, process: str, kind: type[ipc.Message]) -> Any:
    channel = ipc.connect(Places(site.name).sock(process))
    if channel is None:
        return None
    channel.send(ipc.Hello(role="status"))
    found = _listen(channel, kind, PATIENCE_S)
    channel.close()
    return found


def _processes(site: Site) -> dict[str, Any]:
    try:
        text = (Places(site.name).run / "processes.json").read_text(encoding="utf-8")
        return {name: {"pid": row[0], "restarts": row[1]} for name, row in json.loads(text).items()}
    except (OSError, ValueError):
        return {}


def status(site: Site) -> dict[str, Any]:
    """Everything a technician asks first, as JSON-able values."""
    gate = _ask(site, "gate", ipc.GateState)
    guard = _ask(site, "guard", ipc.GuardState)
    controller = _ask(site, "controller", ipc.ControllerState)
    recorder = _ask(site, "recorder", ipc.RecorderState)
    picture = msgspec.to_builtins(gate) if gate else {}
    keep = ("mode", "owner", "moving", "active", "latched", "ages_ms", "counters", "values")
    return {
        "site": site.name,
        "running": gate is not None,
        "processes": _processes(site),
        "gate": {name: picture.get(name) for name in keep},
        "guard": msgspec.to_builtins(guard) if guard else None,
        "controller": {"mode": controller.mode} if controller else None,
        "recorder": msgspec.to_builtins(recorder) if recorder else None,
        "version": picture.get("version"),
        "config_hash": picture.get("config_hash"),
        "config_hash_of_file": site.hash,
        "config_fallback": picture.get("config_fallback"),
    }


def as_text(found: dict[str, Any]) -> str:
    """The same for a person."""
    gate = found["gate"]
    lines = [f"{found['site']}: {'running' if found['running'] else 'NOT RUNNING'}"]
    for name, row in found["processes"].items():
        lines.append(f"  {name:24} pid {row['pid']}, restarts {row['restarts']}")
    for name in ("mode", "owner", "moving", "active", "latched", "ages_ms"):
        lines.append(f"  {name:24} {gate.get(name)}")
    lines.append(f"  {'guard':24} {found['guard']}")
    lines.append(f"  {'recorder':24} {found['recorder']}")
    lines.append(f"  {'version, config':24} {found['version']}, {found['config_hash']}")
    return "\n".join(lines)


def release(site: Site, row: str, by: str) -> str:
    """Ask the gate to release a latched row; what came of it."""
    channel = ipc.connect(Places(site.name).sock("gate"))
    if channel is None:
        return f"{site.name}: the gate is not running"
    channel.send(ipc.ReleaseLatch(row=row, by=by))
    state, deadline = _listen(channel, ipc.GateState, PATIENCE_S), time.monotonic() + PATIENCE_S
    while state is not None and row in state.latched and time.monotonic() < deadline:
        state = _listen(channel, ipc.GateState, PATIENCE_S)
    channel.close()
    if state is None:
        return f"{site.name}: the gate does not answer; whether {row} is released is not known"
    if row in state.latched:
        return f"{row} is still latched: its cause is not gone, or it needs a reset at a station"
    return f"{row} is released"
