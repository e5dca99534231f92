"""Deciding recorded turns again, with the gate's own code.

Role: the machine that `liftctl replay` drives. Process: the CLI. Must never: decide anything a
different way than `turn` does.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import msgspec

from config.schema import ConfigError, Site, from_json
from drivers.frames import Frame
from drivers.registry import build
from liftctl.blackbox.turnlog import Stamped, Step, digest_of
from liftctl.gate.hand import Hand
from liftctl.gate.inputs import GateInput, RxFrame
from liftctl.gate.turn import GateConfig, GateTurnState, Outputs, configure, encoded, turn
from safety.state import KernelState
from safety.types import Sample

_inputs = msgspec.msgpack.Decoder(tuple[GateInput, ...])


def snapshot(state: GateTurnState) -> bytes:
    """The whole state as bytes; device states one by one, since their types differ."""
    parts = {f.name: getattr(state, f.name) for f in fields(state) if f.name != "devices"}
    devices = [msgspec.Raw(msgspec.msgpack.encode(item)) for item in state.devices]
    return msgspec.msgpack.encode((parts, devices))


def restore(config: GateConfig, payload: bytes) -> GateTurnState:
    """The state from `snapshot`; ValueError when it does not fit the configuration."""
    parts, devices = msgspec.msgpack.decode(payload, type=tuple[msgspec.Raw, list[msgspec.Raw]])
    loaded = msgspec.msgpack.decode(parts, type=_Parts)
    if len(devices) != len(config.devices):
        raise ValueError(
            f"snapshot of {len(devices)} devices, configuration has {len(config.devices)}"
        )
    states = tuple(
        msgspec.msgpack.decode(raw, type=type(device.start()))
        for raw, device in zip(devices, config.devices, strict=True)
    )
    return GateTurnState(devices=states, **msgspec.structs.asdict(loaded))


class _Parts(msgspec.Struct):
    kernel: KernelState
    hand: Hand
    pending: tuple[Sample, ...]
    broken: frozenset[str]
    heard_ns: dict[str, int]
    beat_ns: int
    counters: dict[str, int]
    display: dict[str, dict[str, float]]


class GateMachine:
    """A ReplayMachine around `turn`; `site` overrides the recorded configuration."""

    def __init__(self, site: Site | None = None) -> None:
        self.site = site
        self.config: GateConfig | None = None
        self.state: GateTurnState | None = None

    def from_session(self, header: dict[str, Any]) -> None:
        """Build the configuration the session ran with."""
        try:
            site = self.site or from_json(header["config"])
            devices = tuple(build(spec, site.limits) for spec in site.device)
        except (ConfigError, KeyError) as error:
            raise ValueError(str(error)) from error
        self.config = configure(site, devices, bool(header.get("fallback", False)))

    def load_snapshot(self, payload: bytes) -> None:
        """Become the recorded state."""
        if self.config is None:
            raise ValueError("a snapshot before its session")
        self.state = restore(self.config, payload)

    def step(self, now_ns: int, inputs: bytes) -> Step:
        """Decide one turn again."""
        if self.config is None or self.state is None:
            raise ValueError("a turn before its session and snapshot")
        given = _inputs.decode(inputs)
        self.state, out = turn(self.config, self.state, now_ns, given)
        received = tuple(Stamped(i.t_ns, i.frame()) for i in given if isinstance(i, RxFrame))
        sent = tuple(Stamped(now_ns, wire) for wire in out.wires if isinstance(wire, Frame))
        return step_of(out, received + sent)


def step_of(out: Outputs, frames: tuple[Stamped, ...] = ()) -> Step:
    """A turn's outputs as a replay compares and tells them."""
    text = f"{out.verdict.commands} {[(m.motion.name, m.rows) for m in out.verdict.motions]}"
    return Step(digest_of(encoded(out)), out.verdict.active, text, frames)


def machine(site: Site | None = None) -> GateMachine:
    """The machine, optionally with another site's configuration."""
    return GateMachine(site)
