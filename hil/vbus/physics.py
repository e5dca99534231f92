"""Words of the bus: what can go wrong, what is told about it, what somebody wants to go wrong.

Pure values. Operation and error names follow FMI-LS-BUS (CAN): confirm, arbitration lost, bus
error, status. A fault engine injects, and reads `hits` as proof that the fault was on the wire.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from hil.vbus.confinement import NodeState
from hil.vbus.frame import Frame, stuffed_length


class ErrorKind(StrEnum):
    """Codes of the FMI-LS-BUS operation `Bus Error`."""

    BIT = "bit error"
    STUFF = "bit stuffing error"
    FORM = "form error"
    CRC = "crc error"
    ACK = "ack error"


class Operation(StrEnum):
    """What the bus tells about a node's transmission, or about the node."""

    CONFIRM = "confirm"
    ARBITRATION_LOST = "arbitration lost"
    BUS_ERROR = "bus error"
    STATUS = "status"
    DISCARDED = "discarded"  # ours: a frame that died with its node's bus-off


@dataclass(frozen=True, slots=True)
class BusEvent:
    """`node` is whom it concerns; a bus error is told once, for the (first) sender. A status comes
    with the counters of that moment.
    """

    t_ns: int
    node: int
    what: Operation
    frame: Frame | None = None
    error: ErrorKind | None = None
    state: NodeState | None = None
    tec: int = 0
    rec: int = 0


@dataclass(frozen=True, slots=True)
class Counters:
    """A node's error counters and state."""

    tec: int
    rec: int
    state: NodeState


@dataclass(frozen=True, slots=True)
class ErrorSpec:
    """An error to be put on the wire.

    `can_id` (None: any frame) and `sender` (None: anybody) say whose; `count` how often (None:
    until cleared). With `receiver` only that node sees it, and answers with an error flag.
    `bit` is where it is noticed, counted from the start of frame; None takes the kind's own place.
    """

    kind: ErrorKind
    can_id: int | None = None
    is_extended: bool = False
    sender: int | None = None
    receiver: int | None = None
    count: int | None = 1
    bit: int | None = None

    def __post_init__(self) -> None:
        if self.count is not None and self.count < 1:
            raise ValueError(f"count {self.count} is not positive; None means until cleared")
        if self.bit is not None and self.bit < 1:
            raise ValueError(f"bit {self.bit} is before the frame; bits count from 1")
        if self.receiver is not None and self.kind is ErrorKind.ACK:
            raise ValueError("a missing acknowledge is seen by the sender; name no receiver")


class Injection:
    """An ErrorSpec at work; `hits` counts the frames that were broken."""

    def __init__(self, spec: ErrorSpec) -> None:
        self.spec = spec
        self.hits = 0
        self.is_over = False

    def matches(self, sender: int, frame: Frame) -> bool:
        """Whether it strikes this frame."""
        spec = self.spec
        return (
            not self.is_over
            and spec.sender in (None, sender)
            and (spec.can_id is None or (spec.can_id, spec.is_extended) == _name(frame))
        )

    def hit(self) -> None:
        """It struck; over after `count` times."""
        self.hits += 1
        self.is_over = self.spec.count is not None and self.hits >= self.spec.count

    def clear(self) -> None:
        """No more."""
        self.is_over = True


def _name(frame: Frame) -> tuple[int, bool]:
    return frame.can_id, frame.is_extended


ERROR_DELIMITER_BITS, INTERMISSION_BITS = 8, 3


def bits_ns(bits: int, bit_rate: int) -> int:
    """So many bit times, rounded up."""
    return -(-bits * 1_000_000_000 // bit_rate)


def noticed_at(kind: ErrorKind, frame: Frame, bit: int | None = None) -> int:
    """Bits of the frame on the wire until the error flag begins."""
    stuffed = stuffed_length(frame)
    own_place = {
        ErrorKind.BIT: stuffed,
        ErrorKind.STUFF: stuffed,
        ErrorKind.ACK: stuffed + 2,  # CRC delimiter, ACK slot
        ErrorKind.CRC: stuffed + 3,  # receivers wait for the ACK delimiter
        ErrorKind.FORM: stuffed + 4,  # first bit of the end of frame
    }[kind]
    return own_place if bit is None else min(bit, stuffed + 10)


def flag_bits(kind: ErrorKind, *, company: bool) -> int:
    """Dominant bits of the error flags laid over each other, by who notices when."""
    if not company:
        return 6
    return 7 if kind in (ErrorKind.CRC, ErrorKind.FORM) else 12
