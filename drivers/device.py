"""The contract every device driver keeps: pure, bytes to samples and verdicts to bytes.

Role: what gate and tests may ask of a device. Process: the gate. Must never: do I/O, read a clock,
or let a device without its own deadman claim class `motion` (design rule 3).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from config.profiles import Profile
from drivers.frames import Frame
from safety.types import Axis, Sample
from safety.verdict import AxisCommand


class Level(StrEnum):
    """What a device may be used for."""

    MONITOR = "monitor"  # read only: it never gets a frame
    ASSIST = "assist"  # may be stopped or inhibited
    MOTION = "motion"  # has a device-side deadman, written at boot and read back


@dataclass(frozen=True, slots=True)
class Chunk:
    """Bytes from or to the serial line named `line`."""

    line: str
    data: bytes


Wire = Frame | Chunk


@dataclass(frozen=True, slots=True)
class Grant:
    """One entry of a whitelist: exactly this bus, id and length."""

    bus: str
    id: int
    length: int
    extended: bool = False


@dataclass(frozen=True, slots=True)
class HandKeys:
    """The hand control as decoded from one frame; `motion` is a mask of the keys that are down."""

    present: bool
    motion: int


@dataclass(frozen=True, slots=True)
class Decoded:
    """What one frame or chunk said; `values` (name with unit, value) are for display only."""

    samples: tuple[Sample, ...] = ()
    hand: HandKeys | None = None
    values: tuple[tuple[str, float], ...] = ()
    error: str = ""  # why the frame was not believed
    urgent: bool = False  # a safety contact changed: decide now, not at the next period


class Device(Protocol):
    """A device on one bus or line. All methods are pure: state in, state out (state is frozen)."""

    @property
    def name(self) -> str: ...
    @property
    def profile(self) -> Profile: ...
    @property
    def level(self) -> Level: ...
    @property
    def axis(self) -> Axis | None: ...
    @property
    def accepts(self) -> frozenset[tuple[str, bool, int]]:
        """(bus, extended, id) of the frames that are believed; empty for a serial device."""
        ...

    @property
    def mints(self) -> frozenset[Grant]:
        """Everything this device may ever be sent; empty for class monitor."""
        ...

    @property
    def lines(self) -> frozenset[str]:
        """The serial lines it is on."""
        ...

    def start(self) -> Any:
        """The state at power-up."""
        ...

    def on_wire(self, state: Any, wire: Wire, now_ns: int) -> tuple[Any, Decoded]:
        """Digest one frame or chunk that `accepts`/`lines` named."""
        ...

    def turn(
        self, state: Any, now_ns: int, command: AxisCommand | None
    ) -> tuple[Any, tuple[Wire, ...], tuple[Sample, ...]]:
        """Once a gate turn: the command frame, and boot-time dialogue (NMT, SDO) when due.

        The samples are what only the driver knows (the read-back of the deadman). No command is
        REST.
        """
        ...

    def reset_fault(self, state: Any) -> Any:
        """Ask for one fault reset. It is carried out only at rest and never leads to power on."""
        ...

    def status(self, state: Any) -> str:
        """Why the device is not ready (one line for people), or empty."""
        ...


def data_frame(wire: Wire, accepts: frozenset[tuple[str, bool, int]]) -> Frame | None:
    """The wire as a data frame that `accepts` names, or None (remote, error, foreign, serial)."""
    if not isinstance(wire, Frame) or wire.remote or wire.error:
        return None
    return wire if (wire.bus, wire.extended, wire.id) in accepts else None
