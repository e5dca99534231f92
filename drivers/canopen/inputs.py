"""CANopen nodes that only report: contacts and hand control (CiA 401), load cell (CiA 404).

Role: PDOs to samples and keys, as the profile's frame table says. Process: the gate. Must never:
send anything but NMT start.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from config.profiles import FrameSpec, Profile
from drivers.canopen import boot
from drivers.canopen.boot import Boot, BootState
from drivers.device import Decoded, Grant, HandKeys, Level, Wire, data_frame
from drivers.frames import Frame
from drivers.layout import Fields, LayoutError, unpack
from safety.types import Axis, Motion, Sample, SignalId
from safety.verdict import AxisCommand


@dataclass(frozen=True, slots=True)
class InputState:
    """`watched`: the urgent bits last seen, by frame name."""

    boot: BootState = field(default_factory=BootState)
    watched: tuple[tuple[str, tuple[object, ...]], ...] = ()


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
        return InputState()

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
        try:
            fields = unpack(spec, frame.data)
        except LayoutError as error:
            return state, Decoded(error=str(error))
        state = replace(state, boot=boot.alive(state.boot, now_ns))
        watched = {**dict(state.watched), spec.name: _watch(spec, fields)}
        decoded = Decoded(
            samples=samples(spec, fields, now_ns),
            hand=_hand(spec, fields),
            values=numbers(fields),
            urgent=bool(watched[spec.name])
            and dict(state.watched).get(spec.name) != watched[spec.name],
        )
        return replace(state, watched=tuple(watched.items())), decoded

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
        """Why it is not running."""
        return state.boot.status


def samples(spec: FrameSpec, fields: Fields, now_ns: int) -> tuple[Sample, ...]:
    """The samples of a frame; none is ok while a field marked `invalid` is set."""
    ok = not any(item.invalid and fields.values[item.name] for item in spec.field)
    return tuple(
        Sample(SignalId(item.signal), float(fields.values[item.name]), now_ns, ok)
        for item in spec.field
        if item.signal
    )


def numbers(fields: Fields) -> tuple[tuple[str, float], ...]:
    """The values for display, booleans as 0 and 1."""
    return tuple((name, float(value)) for name, value in fields.values.items())


def _watch(spec: FrameSpec, fields: Fields) -> tuple[object, ...]:
    return tuple(fields.values[item.name] for item in spec.field if item.urgent)


def _hand(spec: FrameSpec, fields: Fields) -> HandKeys | None:
    present = fields.values.get(SignalId.HAND_PRESENT)
    if present is None:
        return None
    # Keys without a hand control on the cable are noise.
    down = (
        Motion[item.key] for item in spec.field if item.key and fields.values[item.name] and present
    )
    return HandKeys(bool(present), sum(down, 0))
