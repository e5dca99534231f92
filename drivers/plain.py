"""A sensor that sends plain CAN frames by itself: no start-up, no address, nothing to write.

Role: its frames to samples, as the profile's frame table says. Process: the gate. Must never: be
sent a frame.
"""

from __future__ import annotations

from dataclasses import dataclass

from config.profiles import FrameSpec, Profile
from drivers import reading
from drivers.device import Decoded, Grant, Level, Wire, data_frame
from drivers.reading import ReadState
from safety.types import Axis, Sample
from safety.verdict import AxisCommand


@dataclass(frozen=True, slots=True)
class PlainInputs:
    """The frames have the ids of the profile, whatever else is on the bus."""

    name: str
    profile: Profile
    bus: str
    axis: Axis | None = None

    @property
    def level(self) -> Level:
        """Always monitor."""
        return Level.MONITOR

    @property
    def accepts(self) -> frozenset[tuple[str, bool, int]]:
        """The profile's frames."""
        return frozenset(self._frames)

    @property
    def mints(self) -> frozenset[Grant]:
        """Nothing."""
        return frozenset()

    @property
    def lines(self) -> frozenset[str]:
        """None."""
        return frozenset()

    @property
    def _frames(self) -> dict[tuple[str, bool, int], FrameSpec]:
        return {(self.bus, spec.extended, spec.id): spec for spec in self.profile.frame}

    def start(self) -> ReadState:
        """Nothing heard yet."""
        return reading.start(self.profile.frame)

    def on_wire(self, state: ReadState, wire: Wire, now_ns: int) -> tuple[ReadState, Decoded]:
        """Frames become samples."""
        frame = data_frame(wire, self.accepts)
        if frame is None:
            return state, Decoded()
        spec = self._frames[frame.bus, frame.extended, frame.id]
        return reading.read(spec, state, frame.data, now_ns)

    def turn(
        self, state: ReadState, now_ns: int, command: AxisCommand | None
    ) -> tuple[ReadState, tuple[Wire, ...], tuple[Sample, ...]]:
        """Nothing is ever due."""
        return state, (), ()

    def reset_fault(self, state: ReadState) -> ReadState:
        """There is nothing to reset."""
        return state

    def status(self, state: ReadState) -> str:
        """The frames that are not believed."""
        return state.status
