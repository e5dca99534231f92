"""One turn of the gate: decode, kernel step, encode. Pure.

Role: the only place a motion frame is made (design rule 1). Process: gate, replay, virtual bench.
Must never: read a clock, do I/O, mint a frame outside the whitelist, or emit its heartbeat for a
bus it did not hear.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec

from config.schema import Site
from drivers.device import Chunk, Decoded, Device, Grant, Level, Wire
from drivers.frames import Frame
from drivers.ports.base import Link as PortLink
from drivers.roboteq.device import COMMANDS as SERIAL_COMMANDS
from liftctl.gate import hand
from liftctl.gate.hand import Hand
from liftctl.gate.inputs import FROM_CHANNEL, Durable, GateInput, Link, RxBytes, RxFrame
from liftctl.ipc import (
    GuardSays,
    Hold,
    NewPlan,
    Permission,
    RecorderSays,
    ReleaseLatch,
    ResetPress,
    StationGone,
    StopPress,
)
from safety.signals import NS_PER_MS
from safety.state import KernelConfig, KernelState, boot
from safety.stations import HAND
from safety.step import step
from safety.types import (
    Axis,
    Beat,
    Gone,
    GuardBeat,
    KernelInput,
    Lease,
    MarkerDurable,
    Motion,
    Plan,
    PlanSet,
    RecorderBeat,
    Release,
    Reset,
    Sample,
    SignalId,
    Stop,
)
from safety.verdict import AxisCommand, Marker, Verdict

HEARTBEAT_MS = 50
BUS_ALIVE_MS = 250
NODE_ID = 1
OPERATIONAL = b"\x05"
NMT, NMT_COMMANDS = 0, (0x01, 0x80)  # the gate may start and wake nodes, nothing else
LINK_BROKEN = (PortLink.BUS_OFF, PortLink.DOWN)
LINK_WHOLE = (PortLink.RESTARTED, "up")  # "up" is the shell's own word
MOST_NAME = 64  # characters of a station's or session's name


@dataclass(frozen=True)
class GateConfig:
    """The site, its devices, what may be minted, and the kernel's part."""

    site: Site
    devices: tuple[Device, ...]
    kernel: KernelConfig
    grants: frozenset[Grant]
    nmt: frozenset[tuple[str, bytes]]  # bus and payload
    routes: dict[tuple[str, bool, int], int]
    lines: dict[str, int]
    urgent: frozenset[tuple[str, bool, int]]  # a change in one of these is decided at once
    buses: tuple[str, ...]  # with something that may be commanded: they get our heartbeat


@dataclass(frozen=True, slots=True)
class GateTurnState:
    """Everything a turn hands to the next."""

    kernel: KernelState
    devices: tuple[Any, ...]
    hand: Hand = field(default_factory=Hand)
    pending: tuple[Sample, ...] = ()
    broken: frozenset[str] = frozenset()  # buses and lines that carry nothing now
    heard_ns: dict[str, int] = field(default_factory=dict)
    beat_ns: int = 0
    counters: dict[str, int] = field(default_factory=dict)
    display: dict[str, dict[str, float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outputs:
    """What a turn decided: bytes for the wires, and the verdict behind them."""

    wires: tuple[Wire, ...]
    verdict: Verdict
    refused: tuple[str, ...] = ()  # minted outside the whitelist: a defect, never sent


def configure(site: Site, devices: tuple[Device, ...], fallback: bool = False) -> GateConfig:
    """The frozen configuration of a gate."""
    buses = {
        spec.on
        for spec, dev in zip(site.device, devices, strict=True)
        if dev.level is not Level.MONITOR
    }
    can = tuple(bus.name for bus in site.bus if bus.name in buses and not bus.monitor_only)
    beats = {Grant(bus, 0x700 + NODE_ID, 1) for bus in can}
    return GateConfig(
        site=site,
        devices=devices,
        kernel=KernelConfig(
            site.kind, site.limits, fallback, frozenset().union(*map(_fitted, devices))
        ),
        grants=frozenset().union(beats, *(device.mints for device in devices)),
        nmt=frozenset().union(*map(_nmt, devices)),
        routes={key: n for n, device in enumerate(devices) for key in device.accepts},
        lines={line: n for n, device in enumerate(devices) for line in device.lines},
        urgent=frozenset(key for device in devices for key in _urgent(device)),
        buses=can,
    )


def _fitted(device: Device) -> set[SignalId]:
    """The signals this device sends, by its own profile; the bus speaks for itself."""
    fields = [item for spec in device.profile.frame for item in spec.field]
    found = {SignalId(item.signal) for item in fields if item.signal}
    hand_control = {SignalId.HAND_OK} if any(item.key for item in fields) else set()
    return {SignalId.BUS_OK} | found | hand_control


def _nmt(device: Device) -> set[tuple[str, bytes]]:
    """Start and wake, of this device's own node: never of all nodes, never of somebody else's."""
    node = getattr(device, "boot", None)
    return {(node.bus, bytes((command, node.node))) for command in NMT_COMMANDS} if node else set()


def _urgent(device: Device) -> set[tuple[str, bool, int]]:
    """Frames that carry a safety contact or a key, by the device's own profile."""
    node = getattr(getattr(device, "boot", None), "node", 0)
    urgent = [spec for spec in device.profile.frame if any(item.urgent for item in spec.field)]
    ids = {spec.can_id(node) for spec in urgent}
    return {key for key in device.accepts if key[2] in ids}


def start(config: GateConfig, now_ns: int, marker: Marker | None) -> GateTurnState:
    """The state after a restart: faulted, everything unknown."""
    devices = tuple(device.start() for device in config.devices)
    return GateTurnState(boot(config.kernel, now_ns, marker), devices)


def turn(
    config: GateConfig, state: GateTurnState, now_ns: int, inputs: tuple[GateInput, ...]
) -> tuple[GateTurnState, Outputs]:
    """Decide once. Inputs in the order they arrived; time is an argument."""
    draft = _Draft(config, state)
    for item in inputs:
        draft.digest(item, now_ns)
    links = Sample(SignalId.BUS_OK, float(not draft.broken), now_ns)
    samples = (*state.pending, links, *draft.kernel_inputs)
    kernel, verdict = step(config.kernel, state.kernel, now_ns, samples)
    draft.reset_faults()
    wires, pending = draft.encode(verdict, now_ns)
    allowed, refused = _whitelist(config, wires)
    beats, beat_ns = _heartbeats(config, state, draft.heard_ns, now_ns)
    draft.tally(verdict)
    draft.count("minted_outside_whitelist", len(refused))
    after = GateTurnState(
        kernel, tuple(draft.devices), draft.hand, pending, draft.broken, draft.heard_ns, beat_ns,
        draft.counters, draft.display,
    )  # fmt: skip
    return after, Outputs((*allowed, *beats), verdict, refused)


def encoded(outputs: Outputs) -> bytes:
    """What a replay compares: the whole verdict and every byte that left."""
    return msgspec.msgpack.encode((outputs.verdict, outputs.wires))


class _Draft:
    """The mutable scratch of one turn."""

    def __init__(self, config: GateConfig, state: GateTurnState) -> None:
        self.config = config
        self.devices = list(state.devices)
        self.hand = state.hand
        self.broken = state.broken
        self.heard_ns = dict(state.heard_ns)
        self.counters = dict(state.counters)
        self.display = dict(state.display)
        self.kernel_inputs: list[KernelInput] = []
        self.reset = False

    def count(self, name: str, n: int = 1) -> None:
        if n:
            self.counters[name] = self.counters.get(name, 0) + n

    def digest(self, item: GateInput, now_ns: int) -> None:
        """One input: bytes go to their device, messages straight to the kernel."""
        if isinstance(item, RxFrame):
            frame = item.frame()
            where = self.config.routes.get((item.bus, frame.extended, frame.id))
            if not frame.error:
                self.heard_ns[item.bus] = item.t_ns
                self.broken -= {item.bus}
            if where is None or frame.remote or frame.error:
                self.count("frames_ignored")
            else:
                self._device(where, frame, item.t_ns)
        elif isinstance(item, RxBytes):
            if (where := self.config.lines.get(item.line)) is not None:
                self._device(where, item.chunk(), item.t_ns)
        elif isinstance(item, Link):
            self.count(f"link_{item.kind}")
            self._link(item)
        else:
            self.reset |= isinstance(item, ResetPress)
            self.kernel_inputs += _message(item)

    def _link(self, item: Link) -> None:
        """A bus that only shows something may be silent; one that carries a device may not."""
        if item.kind in LINK_WHOLE:
            self.broken -= {item.on}
        elif item.kind in LINK_BROKEN and (
            item.on in self.config.buses or item.on in self.config.lines
        ):
            self.broken |= {item.on}

    def reset_faults(self) -> None:
        """A reset edge reaches the drives too; each carries it out only at rest. After the step: a
        fault of the same turn stops first what moves.
        """
        if not self.reset:
            return
        for n, device in enumerate(self.config.devices):
            self.devices[n] = device.reset_fault(self.devices[n])

    def _device(self, where: int, wire: Wire, t_ns: int) -> None:
        device = self.config.devices[where]
        self.devices[where], said = device.on_wire(self.devices[where], wire, t_ns)
        self._said(device.name, said, t_ns)

    def _said(self, name: str, said: Decoded, t_ns: int) -> None:
        self.count("frames_not_believed", bool(said.error))
        self.kernel_inputs += said.samples
        if said.values:
            self.display[name] = {**self.display.get(name, {}), **dict(said.values)}
        if said.hand is not None:
            self.hand, beats = hand.digest(self.hand, said.hand, t_ns)
            self.kernel_inputs += beats
            self.kernel_inputs.append(Sample(SignalId.HAND_OK, float(not self.hand.spoiled), t_ns))

    def tally(self, verdict: Verdict) -> None:
        """What the desk counts: turns, moves, and every kind of event."""
        self.count("turns")
        self.count("turns_moving", bool(verdict.moving))
        for event in verdict.events:
            self.count(f"events_{event.kind}")

    def encode(self, verdict: Verdict, now_ns: int) -> tuple[tuple[Wire, ...], tuple[Sample, ...]]:
        """Each device's part of the verdict, as wires; and what only the drivers know."""
        orders: dict[Axis | None, AxisCommand] = {item.axis: item for item in verdict.commands}
        wires: list[Wire] = []
        samples: list[Sample] = []
        for n, device in enumerate(self.config.devices):
            order = orders.get(device.axis)
            self.devices[n], sent, more = device.turn(self.devices[n], now_ns, order)
            wires += sent
            samples += more
        return tuple(wires), tuple(samples)


def _message(item: FROM_CHANNEL | Durable) -> tuple[KernelInput, ...]:
    match item:
        case Hold():
            motion = Motion.__members__.get(item.motion, Motion.NONE)
            odd = item.station == HAND or len(item.station) + len(item.session) > MOST_NAME
            if odd or (item.motion and motion is Motion.NONE):
                return ()
            return (Beat(item.station, item.session, item.press, motion, item.echo_ns, item.rx_ns),)
        case StopPress():
            return (Stop(item.station),)
        case StationGone():
            return (Gone(item.station),)
        case ResetPress():
            return (Reset(item.station),)
        case ReleaseLatch():
            return (Release(item.row, item.by),)
        case Permission():
            return (_lease(item),)
        case NewPlan():
            return (PlanSet(_plan(item) if item.active else None),)
        case GuardSays():
            return (GuardBeat(item.echo_ns, item.cut),)
        case RecorderSays():
            return (RecorderBeat(item.echo_ns, item.healthy),)
    return (MarkerDurable(item.seq, item.ok),)


def _lease(item: Permission) -> Lease:
    return Lease(
        item.echo_ns,
        Motion(item.motions & 0x7F),
        item.confirmed_pickup,
        item.in_transfer,
        item.slow_below_mm,
        frozenset(item.locks),
    )


def _plan(item: NewPlan) -> Plan:
    return Plan(
        item.limit_kg,
        item.carers,
        item.one_carer_allowed,
        item.sling_kg,
        item.resident_kg,
        item.resident_ok,
        item.sling_ok,
    )


def _whitelist(
    config: GateConfig, wires: tuple[Wire, ...]
) -> tuple[tuple[Wire, ...], tuple[str, ...]]:
    """Exactly bus, id and length, and whom NMT is for; anything else is a defect of a driver and
    never leaves.
    """
    allowed: list[Wire] = []
    refused: list[str] = []
    for wire in wires:
        if isinstance(wire, Chunk):
            known = wire.line in config.lines and wire.data in SERIAL_COMMANDS
        else:
            known = Grant(wire.bus, wire.id, len(wire.data), wire.extended) in config.grants
            known = known and not (wire.remote or wire.error)
            known = known and (wire.id != NMT or (wire.bus, wire.data) in config.nmt)
        if known:
            allowed.append(wire)
        else:
            refused.append(str(wire))
    return tuple(allowed), tuple(refused)


def _heartbeats(
    config: GateConfig, state: GateTurnState, heard_ns: dict[str, int], now_ns: int
) -> tuple[tuple[Frame, ...], int]:
    if now_ns - state.beat_ns < HEARTBEAT_MS * NS_PER_MS:
        return (), state.beat_ns
    alive = [
        bus
        for bus in config.buses
        if bus in heard_ns and now_ns - heard_ns[bus] <= BUS_ALIVE_MS * NS_PER_MS
    ]
    return tuple(Frame(bus, 0x700 + NODE_ID, OPERATIONAL) for bus in alive), now_ns
