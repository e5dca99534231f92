"""A CiA 402 drive in profile velocity mode: hoist or traverse.

Role: command to RPDO, PDOs to samples, boot dialogue with the deadman. Process: the gate. Must
never: give a velocity before every read-back agreed, reset a fault unasked, or switch on after a
fault without REST between.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from config.profiles import FrameSpec, Profile
from drivers.canopen import boot, cia402, emcy
from drivers.canopen.boot import Boot, BootState
from drivers.device import Decoded, Grant, Level, Wire, data_frame
from drivers.frames import Frame
from drivers.layout import LayoutError, pack, unpack
from drivers.reading import numbers, samples
from safety.types import Axis, Sample, SignalId
from safety.verdict import AxisCommand, Cmd

_RESET_TURNS = 3  # one rising edge, repeated against a lost frame
_POWERED = (Cmd.MOVE, Cmd.RAMP)
_AT_REST = (Cmd.REST, Cmd.ISOLATE)
_STALE_NS = 250_000_000  # the largest bound of feedback_ms: an older statusword says nothing
_BLIND_TURNS = 3  # of each step towards ENABLED, against a lost frame


@dataclass(frozen=True, slots=True)
class DriveState:
    """`must_rest`: no power until a REST was commanded; true at boot, after each fault and when the
    drive left OPERATION ENABLED by itself while it ran (`ran`: the last frame held a velocity).
    `heard_ns`: when the statusword came; `blind_turns`: how long it has been enabled without one.
    """

    boot: BootState = field(default_factory=BootState)
    statusword: int | None = None
    emergency: int = 0
    must_rest: bool = True
    ran: bool = False
    reset_turns: int = 0
    heard_ns: int = 0
    blind_turns: int = 0

    @property
    def fault(self) -> bool:
        """Fault bit set, or an emergency that was not withdrawn."""
        return bool((self.statusword or 0) & cia402.FAULT_BIT or self.emergency)


@dataclass(frozen=True, slots=True)
class Drive:
    """A drive on a CANopen bus; `cap_mm_s` bounds every commanded speed."""

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
        """Heartbeat, SDO replies, emergencies, TPDOs."""
        ids = [*self._tpdos, emcy.EMERGENCY + self.boot.node]
        return self.boot.accepts | frozenset((self.boot.bus, False, item) for item in ids)

    @property
    def mints(self) -> frozenset[Grant]:
        """NMT start, SDO requests, RPDO1."""
        rpdo = self.profile.frame_named("rpdo1")
        return self.boot.mints | {Grant(self.boot.bus, rpdo.can_id(self.boot.node), rpdo.length)}

    @property
    def lines(self) -> frozenset[str]:
        """None."""
        return frozenset()

    @property
    def _tpdos(self) -> dict[int, FrameSpec]:
        return {spec.can_id(self.boot.node): spec for spec in self.profile.frame if not spec.tx}

    def start(self) -> DriveState:
        """Nothing heard, nothing verified."""
        return DriveState()

    def on_wire(self, state: DriveState, wire: Wire, now_ns: int) -> tuple[DriveState, Decoded]:
        """Digest one frame of this node."""
        frame = data_frame(wire, self.accepts)
        if frame is None:
            return state, Decoded()
        spec = self._tpdos.get(frame.id)
        if spec is not None:
            return self._on_tpdo(state, spec, frame, now_ns)
        if frame.id == emcy.EMERGENCY + self.boot.node:
            return self._on_emergency(state, frame, now_ns)
        return self._on_boot(state, frame, now_ns)

    def _on_boot(self, state: DriveState, frame: Frame, now_ns: int) -> tuple[DriveState, Decoded]:
        booted = boot.on_frame(self.boot, state.boot, frame, now_ns)
        if boot.is_boot_up(self.boot, frame):
            state = DriveState(booted)
        elif state.boot.running and not booted.running:
            state = DriveState(booted, emergency=state.emergency)
        else:
            return replace(state, boot=booted), Decoded()
        return state, Decoded(samples=(self._verified(booted, now_ns),), urgent=True)

    def _on_emergency(
        self, state: DriveState, frame: Frame, now_ns: int
    ) -> tuple[DriveState, Decoded]:
        said = emcy.decode(frame.data)
        if said is None:
            return state, Decoded(error=f"emergency has {len(frame.data)} bytes, needs 8")
        state = _faulted(replace(state, emergency=said.code))
        values = (("emergency_code", float(said.code)),)
        return state, Decoded((self._fault(state, now_ns),), values=values, urgent=True)

    def _on_tpdo(
        self, state: DriveState, spec: FrameSpec, frame: Frame, now_ns: int
    ) -> tuple[DriveState, Decoded]:
        try:
            fields = unpack(spec, frame.data)
        except LayoutError as error:
            return state, Decoded(error=str(error))
        found, was = samples(spec, fields, now_ns), state.fault
        state = replace(state, boot=boot.alive(state.boot, now_ns))
        if "statusword" in fields.values and now_ns >= state.heard_ns:
            word = int(fields.values["statusword"])
            state = _faulted(replace(state, statusword=word, heard_ns=now_ns))
            found += (self._fault(state, now_ns),)
        return state, Decoded(found, values=numbers(fields), urgent=state.fault and not was)

    def turn(
        self, state: DriveState, now_ns: int, command: AxisCommand | None
    ) -> tuple[DriveState, tuple[Frame, ...], tuple[Sample, ...]]:
        """The command frame first, then what the boot dialogue needs."""
        isolated = command is not None and command.cmd is Cmd.ISOLATE
        booted, dialogue = boot.turn(self.boot, state.boot, now_ns, isolated)
        if state.boot.running and not booted.running:
            state = DriveState(emergency=state.emergency)
        command = command or AxisCommand(self.axis, Cmd.REST)
        stale = now_ns - state.heard_ns > _STALE_NS
        state, word, speed = self._word(replace(state, boot=booted), command, stale)
        return state, (self._rpdo(word, speed), *dialogue), (self._verified(booted, now_ns),)

    def _word(
        self, state: DriveState, command: AxisCommand, stale: bool
    ) -> tuple[DriveState, int, float]:
        turns = state.blind_turns + 1 if stale and command.cmd in _POWERED else 0
        state = replace(_dropped(state, stale), blind_turns=turns)
        state, word, speed = self._answer(state, command)
        speed = max(-self.cap_mm_s, min(self.cap_mm_s, speed))
        return replace(state, ran=speed != 0), word, speed

    def _answer(self, state: DriveState, command: AxisCommand) -> tuple[DriveState, int, float]:
        powered = command.cmd in _POWERED
        if state.reset_turns and command.cmd in _AT_REST:
            state = replace(state, reset_turns=state.reset_turns - 1)
            return state, cia402.FAULT_RESET, 0.0
        if not powered and command.cmd is not Cmd.QUICK and not state.fault:
            state = replace(state, must_rest=False)
        if powered and not state.boot.running:
            return state, cia402.QUICK_STOP, 0.0
        if powered and state.must_rest:
            return state, cia402.DISABLE_VOLTAGE, 0.0
        if state.blind_turns:
            return state, *cia402.blind_controlword(state.blind_turns // _BLIND_TURNS, command)
        return state, *cia402.controlword_for(state.statusword, command)

    def _rpdo(self, word: int, speed_mm_s: float) -> Frame:
        spec = self.profile.frame_named("rpdo1")
        data = pack(spec, {"controlword": word, "target_velocity_mm_s": speed_mm_s})
        return Frame(self.boot.bus, spec.can_id(self.boot.node), data)

    def _fault(self, state: DriveState, now_ns: int) -> Sample:
        return Sample(SignalId(self.profile.fault_signal), float(state.fault), now_ns)

    def _verified(self, booted: BootState, now_ns: int) -> Sample:
        return Sample(SignalId(self.profile.verified_signal), float(booted.running), now_ns)

    def reset_fault(self, state: DriveState) -> DriveState:
        """One rising edge of bit 7 in the next turns at rest, to SWITCH ON DISABLED."""
        if state.reset_turns or not state.fault:
            return state
        return replace(state, reset_turns=_RESET_TURNS, emergency=0)

    def status(self, state: DriveState) -> str:
        """Why it is not verified, or what is wrong."""
        if state.emergency:
            return f"emergency {state.emergency:04X}"
        return state.boot.status or ("fault" if state.fault else "")


def _dropped(state: DriveState, stale: bool) -> DriveState:
    """A drive that stopped by itself, or was lost sight of while it ran, must not be started again
    by the press it ran for (rule 2).
    """
    enabled = cia402.mode_of(state.statusword or 0) is cia402.DriveMode.ENABLED
    goes_on = state.blind_turns > 0 if stale else enabled
    return replace(state, must_rest=True) if state.ran and not goes_on else state


def _faulted(state: DriveState) -> DriveState:
    return replace(state, must_rest=True) if state.fault else state
