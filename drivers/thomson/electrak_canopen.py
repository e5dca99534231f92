"""Thomson Electrak HD on CANopen: the stand actuator.

Role: command to RPDO1, TPDO1 to samples, boot dialogue with the message timeout (object 2005).
Process: the gate. Must never: enable before the timeout was read back, or without enable having
been 0 after an error.

STAND_SPEED is the drive's own speed word (2202) with the sign of its motion flags (2203), STAND_POS
its position (2200): two sources, so that a check of the speed against the position's change is a
diverse one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from config.profiles import Profile
from drivers.canopen import boot, emcy
from drivers.canopen.boot import Boot, BootState
from drivers.device import Decoded, Grant, Level, Wire, data_frame
from drivers.frames import Frame
from drivers.layout import LayoutError, Value, pack, unpack
from drivers.reading import numbers, samples
from safety.types import Axis, Sample, SignalId
from safety.verdict import AxisCommand, Cmd

STROKE_MM = 300.0
MIN_SPEED_PCT, FULL_SPEED_PCT = 20.0, 100.0
_ERRORS = (
    "parameter",
    "overload",
    "voltage",
    "temperature",
    "backdrive",
    "message_timeout",
    "fatal",
    "memory",
)
_NEED_DISABLE = ("overload", "message_timeout", "fatal")
_DISABLE_TURNS = 3  # enable 0 this often, against lost frames


@dataclass(frozen=True, slots=True)
class ElectrakState:
    """`disable_turns`: how often enable must still be sent as 0. `ran`: the last frame enabled it;
    `must_rest`: it booted or was disabled while it ran, and waits until no motion is asked for
    (rule 2).
    """

    boot: BootState = field(default_factory=BootState)
    position_mm: float = 0.0
    errors: tuple[str, ...] = ()
    emergency: int = 0
    disable_turns: int = _DISABLE_TURNS
    ran: bool = False
    must_rest: bool = True


@dataclass(frozen=True, slots=True)
class Electrak:
    """The actuator on a CANopen bus; `cap_mm_s` bounds every commanded speed."""

    name: str
    profile: Profile
    boot: Boot
    axis: Axis
    cap_mm_s: float

    @property
    def level(self) -> Level:
        """As the profile says."""
        return Level(self.profile.level)

    @property
    def accepts(self) -> frozenset[tuple[str, bool, int]]:
        """Heartbeat, SDO replies, emergencies, TPDO1."""
        ids = (self._id("tpdo1"), emcy.EMERGENCY + self.boot.node)
        return self.boot.accepts | frozenset((self.boot.bus, False, item) for item in ids)

    @property
    def mints(self) -> frozenset[Grant]:
        """NMT start, SDO requests, RPDO1."""
        return self.boot.mints | {Grant(self.boot.bus, self._id("rpdo1"), 8)}

    @property
    def lines(self) -> frozenset[str]:
        """None."""
        return frozenset()

    def _id(self, name: str) -> int:
        return self.profile.frame_named(name).can_id(self.boot.node)

    def start(self) -> ElectrakState:
        """Nothing heard, nothing verified."""
        return ElectrakState()

    def on_wire(
        self, state: ElectrakState, wire: Wire, now_ns: int
    ) -> tuple[ElectrakState, Decoded]:
        """Digest one frame of this node."""
        frame = data_frame(wire, self.accepts)
        if frame is None:
            return state, Decoded()
        if frame.id == self._id("tpdo1"):
            return self._on_tpdo(state, frame, now_ns)
        if frame.id == emcy.EMERGENCY + self.boot.node:
            return self._on_emergency(state, frame, now_ns)
        booted = boot.on_frame(self.boot, state.boot, frame, now_ns)
        if boot.is_boot_up(self.boot, frame):
            state = ElectrakState(booted)
        elif state.boot.running and not booted.running:
            state = replace(state, boot=booted, disable_turns=_DISABLE_TURNS)
        else:
            return replace(state, boot=booted), Decoded()
        return state, Decoded(samples=(self._verified(booted, now_ns),), urgent=True)

    def _on_emergency(
        self, state: ElectrakState, frame: Frame, now_ns: int
    ) -> tuple[ElectrakState, Decoded]:
        said = emcy.decode(frame.data)
        if said is None:
            return state, Decoded(error=f"emergency has {len(frame.data)} bytes, needs 8")
        state = replace(state, emergency=said.code, disable_turns=_DISABLE_TURNS)
        values = (("emergency_code", float(said.code)),)
        return state, Decoded((self._fault(state, now_ns),), values=values, urgent=True)

    def _on_tpdo(
        self, state: ElectrakState, frame: Frame, now_ns: int
    ) -> tuple[ElectrakState, Decoded]:
        spec = self.profile.frame_named("tpdo1")
        try:
            fields = unpack(spec, frame.data)
        except LayoutError as error:
            return state, Decoded(error=str(error))
        errors = tuple(name for name in _ERRORS if fields.values[name])
        urgent = errors != state.errors
        state = replace(
            state,
            boot=boot.alive(state.boot, now_ns),
            position_mm=float(fields.values["position_mm"]),
            errors=errors,
        )
        if any(name in errors for name in _NEED_DISABLE):
            state = replace(state, disable_turns=_DISABLE_TURNS)
        found = samples(spec, fields, now_ns)
        found += (self._speed(fields.values, now_ns), self._fault(state, now_ns))
        return state, Decoded(found, values=numbers(fields), urgent=urgent)

    def _speed(self, values: Mapping[str, Value], now_ns: int) -> Sample:
        """Signed, mm/s; not ok when the flags do not say which way a running motor turns."""
        sign = bool(values["extending"]) - bool(values["retracting"])
        size = float(values["speed_pct"]) / FULL_SPEED_PCT * self.profile.max_speed_mm_s
        still = size == 0 and not values["extending"]
        ok = sign != 0 or still
        return Sample(SignalId(self.profile.speed_signal), sign * size, now_ns, ok)

    def turn(
        self, state: ElectrakState, now_ns: int, command: AxisCommand | None
    ) -> tuple[ElectrakState, tuple[Frame, ...], tuple[Sample, ...]]:
        """The command frame first, then what the boot dialogue needs."""
        isolated = command is not None and command.cmd is Cmd.ISOLATE
        booted, dialogue = boot.turn(self.boot, state.boot, now_ns, isolated)
        if state.boot.running and not booted.running:
            state = replace(state, disable_turns=_DISABLE_TURNS)
        state = replace(state, boot=booted)
        speed = command.speed_mm_s if command and command.cmd is Cmd.MOVE else 0.0
        ready = booted.running and not state.disable_turns
        rest = bool(speed) and (state.must_rest or (state.ran and not ready))
        moves = ready and bool(speed) and not rest
        state = replace(state, must_rest=rest, ran=moves)
        if moves:
            frame = self._rpdo(STROKE_MM if speed > 0 else 0.0, self._pct(speed), True)
        else:
            frame = self._rpdo(state.position_mm, MIN_SPEED_PCT, False)
            state = replace(state, disable_turns=max(0, state.disable_turns - 1))
        return state, (frame, *dialogue), (self._verified(booted, now_ns),)

    def _pct(self, speed_mm_s: float) -> float:
        """Share of full speed, rounded down; below 20 % the actuator does not go."""
        size = min(abs(speed_mm_s), self.cap_mm_s) / self.profile.max_speed_mm_s * FULL_SPEED_PCT
        return min(FULL_SPEED_PCT, max(MIN_SPEED_PCT, math.floor(size * 10) / 10))

    def _rpdo(self, target_mm: float, speed_pct: float, enable: bool) -> Frame:
        spec = self.profile.frame_named("rpdo1")
        data = pack(spec, {"target_mm": target_mm, "speed_pct": speed_pct, "enable": enable})
        return Frame(self.boot.bus, spec.can_id(self.boot.node), data)

    def _fault(self, state: ElectrakState, now_ns: int) -> Sample:
        bad = bool(state.errors or state.emergency)
        return Sample(SignalId(self.profile.fault_signal), float(bad), now_ns)

    def _verified(self, booted: BootState, now_ns: int) -> Sample:
        return Sample(SignalId(self.profile.verified_signal), float(booted.running), now_ns)

    def reset_fault(self, state: ElectrakState) -> ElectrakState:
        """Forget the emergency; the error bits end by enable 0, which every stop sends anyway."""
        return replace(state, emergency=0)

    def status(self, state: ElectrakState) -> str:
        """Why it is not verified, or its errors."""
        return state.boot.status or ", ".join(state.errors)
