"""What people do on the virtual plane: fingers, buttons, steps of the transfer, hands in the room.

Role: from a carer, a technician or a hand in the room to the pages, the gate and the room. Must
never: reach a process by another way than a person would.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hil.clock import Clock
from hil.planes.log import Log
from hil.planes.people import Page
from hil.planes.post import Post
from hil.rooms.room import Room
from liftctl import ipc
from liftctl.panel import session


class Hands:
    """The people's half of a plane; the plane itself has these parts."""

    kind: str
    clock: Clock
    log: Log
    post: Post
    room: Room
    pages: dict[str, Page]
    refused: list[tuple[str, str]]  # action, code

    def page(self, station: str) -> Page:
        """The page of a station, opened when it is first asked for."""
        if station not in self.pages:
            self.pages[station] = Page(station, self.kind, self.clock, self.post)
        return self.pages[station]

    def _to_pages(self, _sender: str, message: ipc.Message) -> None:
        if isinstance(message, ipc.GateState):
            for page in self.pages.values():
                page.see(message.tick_ns)

    def _refusal(self, refusal: ipc.Refused) -> None:
        self.refused.append((refusal.action, refusal.code))
        self.log.add("controller", "refused", action=refusal.action, code=refusal.code)

    def human(self, kind: str, **fields: Any) -> None:
        """What a person did, into the timeline."""
        self.log.add("human", kind, **fields)

    def press(self, station: str, motion: str) -> None:
        """A finger comes down: on a panel, or on keys of the hand control."""
        self.human("press", station=station, motion=motion)
        if station == "hand":
            self.room.command({"do": "hand", "keys": [key.lower() for key in motion.split("+")]})
        else:
            self.page(station).down(motion)

    def release(self, station: str) -> None:
        """The finger lifts."""
        self.human("release", station=station)
        if station == "hand":
            self.room.command({"do": "hand", "keys": []})
        else:
            self.page(station).up()

    def stop(self, station: str) -> None:
        """The STOP button."""
        self.human("stop", station=station)
        self.page(station).say(session.Stop())

    def reset(self, station: str) -> None:
        """The reset button."""
        self.human("reset", station=station)
        self.page(station).say(session.Reset())

    def workflow(self, station: str, action: str, args: dict[str, str]) -> None:
        """A button of the transfer."""
        self.human("step", station=station, action=action)
        self.page(station).say(session.Step(action, args))

    def at(self, after_ns: int, action: Callable[[], None]) -> None:
        """Do it later."""
        self.clock.at(self.clock.now_ns + after_ns, action, 2)

    def technician(self, row: str, by: str) -> None:
        """`liftctl release`, on site and with a name."""
        self.human("technician", row=row, by=by)
        self.post.send("technician", "gate", ipc.ReleaseLatch(row, by))

    def command(self, request: dict[str, Any]) -> None:
        """A hand in the room; raises RequestError."""
        self.room.command(request)
