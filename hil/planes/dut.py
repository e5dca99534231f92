"""The plane `dut`: a foreign controller under test, in real time, on any python-can adapter.

Role: the bench plays the plant, its devices and the hands in the room; whatever commands them is
somebody else's. The oracle and the expectations look at plant truth. Must never: stand in for the
controller, or hide how late this machine was.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable
from typing import Any

from hil.faces.python_can import Adapter
from hil.planes.jitter import Jitter
from hil.planes.log import flat
from hil.rooms.chair import ChairRoom
from hil.rooms.lift import LiftRoom
from hil.rooms.room import NODE_NS
from hil.timeline import Timeline
from hil.vbus.frame import Frame

SAMPLE_NS = 10_000_000
HAND, FIRST_PANEL = "hand", "panel:1"


class NotHere(Exception):
    """Something that a bench in front of a foreign controller cannot do."""


class DutPlane:
    """`run` lets real time pass; the rest is what hands in the room do."""

    name = "dut"

    def __init__(self, rig: str, adapter: Adapter, mass_kg: float, seed: int) -> None:
        self.kind, self.adapter = rig, adapter
        self.timeline, self.jitter = Timeline(), Jitter()
        self.start_ns = time.monotonic_ns()
        room = ChairRoom if rig == "chair" else LiftRoom
        self.room: LiftRoom | ChairRoom = room(mass_kg, seed, self.start_ns)
        self.now: dict[str, dict[str, Any]] = {"plant": flat(self.room.truth())}
        self.watchers: list[Callable[[int], None]] = []
        self.refused: list[tuple[str, str]] = []
        self._due_ns = self.start_ns
        self._later: list[tuple[int, int, Callable[[], None]]] = []

    # --- time -------------------------------------------------------------------------------------

    @property
    def t_ns(self) -> int:
        """Since the scenario began."""
        return max(0, self.room.t_ns - self.start_ns)

    def run(self, ns: int) -> None:
        """Let real time pass; AdapterError when the bus is gone."""
        end_ns = self.room.t_ns + ns
        while self.room.t_ns < end_ns:
            self._due_ns += NODE_NS
            self._listen_until(self._due_ns)
            now_ns = time.monotonic_ns()
            self.jitter.add(self._due_ns, now_ns)
            self._due_ns = max(self._due_ns, now_ns - NODE_NS)  # what was missed is not caught up
            self._advance(now_ns)

    def _listen_until(self, due_ns: int) -> None:
        """Frames are answered when they come."""
        while (left_ns := due_ns - time.monotonic_ns()) > 0:
            for frame in self.adapter.receive(left_ns / 1e9):
                self._tell("rx", frame)
                self._send(self.room.on_frame(frame, time.monotonic_ns()))

    def _advance(self, now_ns: int) -> None:
        while (sample_ns := self._next_sample()) <= now_ns:
            self._send(self.room.advance(sample_ns))
            self._sample()
            while self._later and self._later[0][0] <= self.t_ns:
                heapq.heappop(self._later)[2]()
        self._send(self.room.advance(now_ns))

    def _next_sample(self) -> int:
        return self.start_ns + (self.t_ns // SAMPLE_NS + 1) * SAMPLE_NS

    def _sample(self) -> None:
        self.now = {"plant": flat(self.room.truth())}
        self.timeline.add(self.t_ns, "plant", "sample", **self.now["plant"])
        for watch in tuple(self.watchers):
            watch(self.room.t_ns)

    def _send(self, frames: list[tuple[int, Frame]]) -> None:
        for _, frame in frames:
            self.adapter.send(frame)
            self._tell("tx", frame)

    def _tell(self, kind: str, frame: Frame) -> None:
        self.timeline.add(
            self.t_ns, "bus", kind, bus="dut", id=frame.can_id, data=frame.data.hex(),
            extended=frame.is_extended, remote=frame.is_remote,
        )  # fmt: skip

    def at(self, after_ns: int, action: Callable[[], None]) -> None:
        """Do it later, at the next sample then."""
        heapq.heappush(self._later, (self.t_ns + after_ns, len(self._later), action))

    # --- people -----------------------------------------------------------------------------------

    def human(self, kind: str, **fields: Any) -> None:
        """What a person did, into the timeline."""
        self.timeline.add(self.t_ns, "human", kind, **fields)

    def press(self, station: str, motion: str) -> None:
        """Keys of the hand control; a foreign controller's panel has no place here."""
        self._here(station)
        self.human("press", station=HAND, motion=motion)
        self.room.command({"do": "hand", "keys": [key.lower() for key in motion.split("+")]})

    def release(self, station: str) -> None:
        """The finger lifts."""
        self._here(station)
        self.human("release", station=HAND)
        self.room.command({"do": "hand", "keys": []})

    def _here(self, station: str) -> None:
        """The first panel's finger is on the hand control too: there is no panel."""
        if station not in (HAND, FIRST_PANEL):
            raise NotHere(f"station {station}: the bench has only the hand control here")

    def stop(self, station: str) -> None:
        """There is no panel."""
        raise NotHere("a foreign controller's STOP button cannot be pressed from here")

    def reset(self, station: str) -> None:
        """There is no panel."""
        raise NotHere("a foreign controller's reset cannot be pressed from here")

    def workflow(self, station: str, action: str, args: dict[str, str]) -> None:
        """There is no workflow."""
        raise NotHere(f"step {action}: a foreign controller has no workflow of ours")

    def technician(self, row: str, by: str) -> None:
        """There are no rows."""
        raise NotHere(f"release of {row}: a foreign controller has no rows of ours")

    def command(self, request: dict[str, Any]) -> None:
        """A hand in the room; raises RequestError."""
        self.room.command(request)
