"""One frame of a reporting device: layout, end-to-end check, samples and keys.

Role: what CANopen and plain CAN inputs share. Process: the gate. Must never: give a fresh sample
out of a frame whose check failed, or any sample out of one that was repeated.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from config.profiles import FrameSpec
from drivers import e2e
from drivers.device import Decoded, HandKeys
from drivers.layout import Fields, LayoutError, Value, unpack
from safety.types import Motion, Sample, SignalId


@dataclass(frozen=True, slots=True)
class ReadState:
    """By frame name: the urgent bits last seen, and the end-to-end checks."""

    watched: tuple[tuple[str, tuple[object, ...]], ...] = ()
    checks: tuple[tuple[str, e2e.State], ...] = ()

    @property
    def status(self) -> str:
        """The frames whose newest payload was not believed."""
        bad = [f"{name}: {was.status}" for name, was in self.checks if was.status != e2e.Status.OK]
        return ", ".join(bad)


def start(frames: tuple[FrameSpec, ...]) -> ReadState:
    """Nothing heard yet."""
    return ReadState(checks=tuple((spec.name, e2e.State()) for spec in frames if spec.e2e))


def read(spec: FrameSpec, state: ReadState, data: bytes, now_ns: int) -> tuple[ReadState, Decoded]:
    """Digest one payload; `error` says why it was not believed."""
    try:
        fields = unpack(spec, data)
    except LayoutError as error:
        return state, Decoded(error=str(error))
    if spec.e2e is not None:
        checks = dict(state.checks)
        checks[spec.name] = e2e.check(spec.e2e, checks[spec.name], data)
        state = replace(state, checks=tuple(checks.items()))
        if checks[spec.name].status is not e2e.Status.OK:
            return state, _refused(spec, fields, checks[spec.name].status, now_ns)
    was = dict(state.watched)
    now = tuple(fields.values.get(item.name) for item in spec.field if item.urgent)
    decoded = Decoded(
        samples=samples(spec, fields, now_ns),
        hand=_hand(spec, fields),
        values=numbers(fields),
        urgent=bool(now) and was.get(spec.name) != now,
    )
    return replace(state, watched=tuple({**was, spec.name: now}.items())), decoded


def _refused(spec: FrameSpec, fields: Fields, status: e2e.Status, now_ns: int) -> Decoded:
    found = () if status is e2e.Status.REPEATED else samples(spec, fields, now_ns)
    return Decoded(
        samples=tuple(replace(sample, ok=False) for sample in found),
        error=f"{spec.name}: {status}",
    )


def samples(spec: FrameSpec, fields: Fields, now_ns: int) -> tuple[Sample, ...]:
    """The samples of a frame; none is ok while a field marked `invalid` is set or unavailable."""
    ok = not any(item.invalid and fields.values.get(item.name, True) for item in spec.field)
    return tuple(
        _sample(SignalId(item.signal), fields.values.get(item.name), now_ns, ok)
        for item in spec.field
        if item.signal
    )


def _sample(signal: SignalId, value: Value | None, now_ns: int, ok: bool) -> Sample:
    return Sample(signal, float(value or 0.0), now_ns, ok and value is not None)


def numbers(fields: Fields) -> tuple[tuple[str, float], ...]:
    """The values for display, booleans as 0 and 1."""
    return tuple((name, float(value)) for name, value in fields.values.items())


def _hand(spec: FrameSpec, fields: Fields) -> HandKeys | None:
    present = fields.values.get(SignalId.HAND_PRESENT)
    if present is None:
        return None
    # Keys without a hand control on the cable are noise.
    down = (
        Motion[item.key] for item in spec.field if item.key and fields.values[item.name] and present
    )
    return HandKeys(bool(present), sum(down, 0))
