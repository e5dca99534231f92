"""What can reach the gate in one turn, as values that the black box can keep.

Role: the closed list of inputs. Process: gate, replay. Must never: hold anything a replay could not
read back.
"""

from __future__ import annotations

import msgspec

from drivers.device import Chunk
from drivers.frames import Frame
from liftctl.ipc import (
    GuardSays,
    Hold,
    NewPlan,
    Permission,
    RecorderSays,
    ReleaseLatch,
    ResetPress,
    StationGone,
    StopPress,
)


class RxFrame(msgspec.Struct, frozen=True, tag="rx"):
    """A frame from a bus; `flags`: 1 extended, 2 remote, 4 error."""

    t_ns: int
    bus: str
    id: int
    data: bytes
    flags: int = 0

    def frame(self) -> Frame:
        """The frame itself."""
        return Frame(
            self.bus,
            self.id,
            self.data,
            bool(self.flags & 1),
            bool(self.flags & 2),
            bool(self.flags & 4),
        )

    @classmethod
    def of(cls, frame: Frame, t_ns: int) -> RxFrame:
        """An input from a frame received at `t_ns`."""
        flags = frame.extended + 2 * frame.remote + 4 * frame.error
        return cls(t_ns, frame.bus, frame.id, frame.data, flags)


class RxBytes(msgspec.Struct, frozen=True, tag="bytes"):
    """Bytes from a serial line."""

    t_ns: int
    line: str
    data: bytes

    def chunk(self) -> Chunk:
        """The chunk itself."""
        return Chunk(self.line, self.data)


class Link(msgspec.Struct, frozen=True, tag="link"):
    """Something happened to a bus or line: a word of `drivers.ports.base.Link` ("bus-off",
    "error-passive", "restarted", "down", ...), or "up" when it is open again.
    """

    t_ns: int
    on: str
    kind: str


class Durable(msgspec.Struct, frozen=True, tag="durable"):
    """The marker helper's answer."""

    seq: int
    ok: bool


FROM_CHANNEL = (
    Hold
    | StopPress
    | StationGone
    | ResetPress
    | ReleaseLatch
    | Permission
    | NewPlan
    | GuardSays
    | RecorderSays
)
GateInput = RxFrame | RxBytes | Link | Durable | FROM_CHANNEL
