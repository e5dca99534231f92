"""What one step hands to the next, and the state after a restart.

Role: the kernel's memory as one frozen value. Process: the gate, and replay. Must never: hold
anything a snapshot could not carry.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import inf

from safety.authority import Authority
from safety.bounds import Params
from safety.facts import AxisMemory
from safety.memory import EMPTY, People
from safety.motion_facts import BY_AXIS
from safety.signals import OPTIONAL, SPECS, Reading
from safety.types import Axis, SignalId
from safety.verdict import Cmd, Marker

AXES_OF = {"lift": (Axis.HOIST, Axis.TRAVERSE), "chair": (Axis.STANDER, Axis.DRIVE)}


@dataclass(frozen=True, slots=True)
class KernelConfig:
    """What the kernel needs of a site. `fallback`: the last accepted configuration runs instead
    (rule 11). `fitted`: the signals this site's devices send beyond those every device must have.
    """

    kind: str
    params: Params
    fallback: bool = False
    fitted: frozenset[SignalId] = frozenset()

    @property
    def expected(self) -> frozenset[SignalId]:
        """Every signal that must arrive here."""
        return frozenset(SPECS[self.kind]) | (self.fitted & frozenset(OPTIONAL[self.kind]))


@dataclass(frozen=True, slots=True)
class KernelState:
    """Everything one step hands to the next."""

    last_ns: int
    boot_ns: int
    authority: Authority
    people: People
    marker: Marker
    readings: Mapping[SignalId, Reading] = field(default_factory=dict)
    axes: Mapping[Axis, AxisMemory] = field(default_factory=dict)
    cmds: Mapping[Axis, Cmd] = field(default_factory=dict)
    kept: Mapping[str, int] = field(default_factory=dict)
    latched: frozenset[str] = frozenset()
    active: tuple[str, ...] = ()
    cap_mm_s: float = inf  # the lowest cap that the live press has met on its way down
    lately: Mapping[str, int] = field(default_factory=dict)  # row name -> when it last acted
    drive_ok_ns: int = 0  # since when nothing has inhibited driving
    drive_freed: bool = False  # a Reset has freed the joystick since
    ready: bool = False


def boot(config: KernelConfig, now_ns: int, marker: Marker | None) -> KernelState:
    """The state after a restart. An unreadable marker (None) means: assume that someone is aloft
    (rule 9), and that the lift was out of use (H37).
    """
    known = marker or replace(EMPTY, in_flight=True, latched=("quarantine",))
    on_disk = marker or EMPTY
    axes = AXES_OF[config.kind]
    return KernelState(
        last_ns=now_ns,
        boot_ns=now_ns,
        authority=Authority(durable_seq=on_disk.seq),
        people=People.after_boot(config.kind, known),
        marker=on_disk,
        axes={axis: AxisMemory(may_have_mm_s=_may_run(axis, config.params)) for axis in axes},
        cmds=dict.fromkeys(axes, Cmd.REST),
        latched=frozenset(known.latched),
    )


def _may_run(axis: Axis, p: Params) -> float:
    """The most an axis may have been doing when we were not looking."""
    return BY_AXIS[axis].full_mm_s(p) if axis in BY_AXIS else 0.0
