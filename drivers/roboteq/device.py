"""Roboteq motor controller of a chair: driving is permitted or inhibited, never commanded.

Role: watchdog set up and read back, flags and speed polled, emergency stop held unless driving is
permitted. Process: the gate. Must never: send `!G`, or release the emergency stop while the read-
back is missing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from config.profiles import Profile
from drivers.device import Chunk, Decoded, Grant, Level, Wire
from drivers.roboteq.ascii import ESTOP, Reply, feed
from safety.types import Axis, Sample, SignalId
from safety.verdict import AxisCommand, Cmd

STOP, RELEASE = b"!EX\r", b"!MG\r"
POLL = b"?FF\r?FS\r?S\r?V\r"
WATCHDOG_MS = 200
SETUP = b"^ECHOF 1\r^RWD 200\r~RWD\r"
READ_BACK = b"~RWD\r"
COMMANDS = frozenset((STOP, RELEASE, POLL, SETUP, READ_BACK))
_POLL_NS = 100_000_000
_STOP_NS = 40_000_000
_READ_BACK_NS = 500_000_000
_TRUST_NS = 1_500_000_000


@dataclass(frozen=True, slots=True)
class RoboteqState:
    """`verified_ns`: last right read-back of the watchdog; `flags`: fault flags, once known."""

    buffer: bytes = b""
    verified_ns: int | None = None
    flags: int | None = None
    permitted: bool = False
    polled_ns: int | None = None
    asked_ns: int | None = None
    stopped_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Roboteq:
    """The controller on the serial line `line`."""

    name: str
    profile: Profile
    line: str
    axis: Axis = Axis.DRIVE

    @property
    def level(self) -> Level:
        """As the profile says."""
        return Level(self.profile.level)

    @property
    def accepts(self) -> frozenset[tuple[str, bool, int]]:
        """No CAN frame."""
        return frozenset()

    @property
    def mints(self) -> frozenset[Grant]:
        """No CAN frame."""
        return frozenset()

    @property
    def lines(self) -> frozenset[str]:
        """Its line."""
        return frozenset((self.line,))

    def start(self) -> RoboteqState:
        """Nothing heard, driving inhibited."""
        return RoboteqState()

    def on_wire(self, state: RoboteqState, wire: Wire, now_ns: int) -> tuple[RoboteqState, Decoded]:
        """Digest a piece of the byte stream."""
        if not isinstance(wire, Chunk) or wire.line != self.line:
            return state, Decoded()
        rest, replies = feed(state.buffer, wire.data)
        state, found, values, errors = replace(state, buffer=rest), [], [], []
        for reply in replies:
            state = _learn(state, reply, now_ns)
            found += self._samples(reply, now_ns)
            values += [(name, value) for name, value in named_values(reply)]
            errors += [reply.text] * (reply.name == "error")
        return state, Decoded(tuple(found), values=tuple(values), error="; ".join(errors))

    def _samples(self, reply: Reply, now_ns: int) -> list[Sample]:
        if reply.name == "S":
            fastest = max(reply.values, key=abs)
            return [Sample(SignalId(self.profile.speed_signal), float(fastest), now_ns)]
        if reply.name == "FF":
            bad = reply.values[0] & ~ESTOP != 0
            return [Sample(SignalId(self.profile.fault_signal), float(bad), now_ns)]
        if reply.name == "V" and len(reply.values) > 1:
            return [Sample(SignalId.BATTERY_V, reply.values[1] / 10, now_ns)]
        return []

    def turn(
        self, state: RoboteqState, now_ns: int, command: AxisCommand | None
    ) -> tuple[RoboteqState, tuple[Chunk, ...], tuple[Sample, ...]]:
        """Hold the emergency stop or release it once; poll; keep the watchdog verified."""
        good = _verified(state, now_ns)
        moving = good and command is not None and command.cmd is Cmd.MOVE
        state, out = _permit(state, now_ns) if moving else _inhibit(state, now_ns)
        if _due(state.asked_ns, now_ns, _READ_BACK_NS):
            state = replace(state, asked_ns=now_ns)
            out.append(READ_BACK if good else SETUP)
        if _due(state.polled_ns, now_ns, _POLL_NS):
            state = replace(state, polled_ns=now_ns)
            out.append(POLL)
        verified = Sample(SignalId(self.profile.verified_signal), float(good), now_ns)
        return state, tuple(Chunk(self.line, data) for data in out), (verified,)

    def reset_fault(self, state: RoboteqState) -> RoboteqState:
        """Its flags clear by themselves."""
        return state

    def status(self, state: RoboteqState) -> str:
        """Why it is not verified."""
        return "" if state.verified_ns is not None else "the serial watchdog was not read back"


def named_values(reply: Reply) -> tuple[tuple[str, float], ...]:
    """The reply's values with their units, for display."""
    if reply.name == "FF":
        return (("fault_flags", float(reply.values[0])),)
    if reply.name == "FS":
        return (("status_flags", float(reply.values[0])),)
    if reply.name == "RWD":
        return (("watchdog_ms", float(reply.values[0])),)
    if reply.name == "S":
        return tuple((f"speed_{n}_rpm", float(value)) for n, value in enumerate(reply.values, 1))
    if reply.name == "V":
        names = ("driver_v", "battery_v", "output_5v_v")
        scales = (10, 10, 1000)
        return tuple((n, v / s) for n, v, s in zip(names, reply.values, scales, strict=False))
    return ()


def _learn(state: RoboteqState, reply: Reply, now_ns: int) -> RoboteqState:
    if reply.name == "RWD":
        right = reply.values == (WATCHDOG_MS,)
        return replace(state, verified_ns=now_ns if right else None)
    if reply.name == "FF":
        return replace(state, flags=reply.values[0])
    return state


def _verified(state: RoboteqState, now_ns: int) -> bool:
    return state.verified_ns is not None and now_ns - state.verified_ns <= _TRUST_NS


def _due(last_ns: int | None, now_ns: int, every_ns: int) -> bool:
    return last_ns is None or now_ns - last_ns >= every_ns


def _permit(state: RoboteqState, now_ns: int) -> tuple[RoboteqState, list[bytes]]:
    released = [] if state.permitted else [RELEASE]
    return replace(state, permitted=True, stopped_ns=None), released


def _inhibit(state: RoboteqState, now_ns: int) -> tuple[RoboteqState, list[bytes]]:
    # Flags from before the stop say nothing about it.
    flags = None if state.permitted else state.flags
    state = replace(state, permitted=False, flags=flags)
    held = flags is not None and flags & ESTOP
    if held or not _due(state.stopped_ns, now_ns, _STOP_NS):
        return state, []
    return replace(state, stopped_ns=now_ns), [STOP]
