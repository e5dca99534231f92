"""CANopen nodes that only report: contacts and hand control (CiA 401), load cell (CiA 404).

Role: PDOs to samples and keys, as the profile's frame table says. Process: the gate. Must never:
send anything but NMT start.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from config.profiles import FrameSpec, Profile
from drivers import reading
from drivers.canopen import boot
from drivers.canopen.boot import Boot, BootState
from drivers.device import Decoded, Grant, Level, Wire, data_frame
from drivers.frames import Frame
from drivers.reading import ReadState
from safety.types import Axis, Sample
from safety.verdict import AxisCommand


@dataclass(frozen=True, slots=True)
class InputState:
    """How far the start-up is, and what its frames said."""

    boot: BootState = field(default_factory=BootState)
    read: ReadState = field(default_factory=ReadState)


@dataclass(frozen=True, slots=True)
class Inputs:
    """A node whose frames become samples."""

    name: str
    profile: Profile
    boot: Boot
    axis: Axis | None = None

    @property
    def level(self) -> Level:
        """As the profile says; a node that must be started cannot be `monitor`."""
        return Level(self.profile.level)

    @property
    def accepts(self) -> frozenset[tuple[str, bool, int]]:
        """Heartbeat and PDOs."""
        return self.boot.accepts | frozenset((self.boot.bus, False, item) for item in self._frames)

    @property
    def mints(self) -> frozenset[Grant]:
        """NMT start."""
        return self.boot.mints

    @property
    def lines(self) -> frozenset[str]:
        """None."""
        return frozenset()

    @property
    def _frames(self) -> dict[int, FrameSpec]:
        return {spec.can_id(self.boot.node): spec for spec in self.profile.frame}

    def start(self) -> InputState:
        """Nothing heard yet."""
        return InputState(read=reading.start(self.profile.frame))

    def on_wire(self, state: InputState, wire: Wire, now_ns: int) -> tuple[InputState, Decoded]:
        """Heartbeats drive the start-up, PDOs become samples."""
        frame = data_frame(wire, self.accepts)
        if frame is None:
            return state, Decoded()
        spec = self._frames.get(frame.id)
        if spec is None:
            return replace(
                state, boot=boot.on_frame(self.boot, state.boot, frame, now_ns)
            ), Decoded()
        seen, decoded = reading.read(spec, state.read, frame.data, now_ns)
        # Only what is believed counts as life.
        booted = state.boot if decoded.error else boot.alive(state.boot, now_ns)
        return InputState(booted, seen), decoded

    def turn(
        self, state: InputState, now_ns: int, command: AxisCommand | None
    ) -> tuple[InputState, tuple[Frame, ...], tuple[Sample, ...]]:
        """Start the node when it is not operational."""
        booted, frames = boot.turn(self.boot, state.boot, now_ns)
        return replace(state, boot=booted), frames, ()

    def reset_fault(self, state: InputState) -> InputState:
        """There is nothing to reset."""
        return state

    def status(self, state: InputState) -> str:
        """Why it is not running, or which of its frames are not believed."""
        return state.boot.status or state.read.status
