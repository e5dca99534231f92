"""The thin shell around the hold sessions: channels on one side, browsers on the other.

Role: forwards each beat unchanged and at once. Process: panel. Must never: keep a beat for later,
or let a slow browser hold up another one.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import secrets
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import msgspec
from starlette.websockets import WebSocket, WebSocketState

from config.schema import Site
from liftctl import ipc
from liftctl.entry import Turnover
from liftctl.panel import session, view
from liftctl.panel.links import Link
from liftctl.places import Places

MOST_CLIENTS = 16
MOST_NOTES = 8
HERE_NS = 100_000_000
NOBODY = "panel:0"
HERE_S = 1.0
HERE = '{"type":"here"}'


@dataclass(slots=True)
class Client:
    """One browser. `frame` is the newest state not yet sent, `stops` why presses ended in it and in
    those it replaced, `notes` what must not be skipped.
    """

    held: session.Session
    frame: str = ""
    frame_ns: int = 0
    stops: tuple[str, ...] = ()
    notes: list[str] = field(default_factory=list)
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    def note(self, text: str) -> None:
        self.notes = [*self.notes, text][-MOST_NOTES:]
        self.wake.set()


class Hub:
    """All browsers of one panel process."""

    def __init__(self, site: Site) -> None:
        places = Places(site.name)
        self._motions = session.MOTIONS[site.kind]
        self._controller_state: ipc.ControllerState | None = None
        self._clients: dict[str, Client] = {}
        self._numbers = itertools.count(1)
        self._session, self._here_ns = secrets.token_hex(8), 0
        self._gate = Link(places.sock("gate"), "panel", self._take)
        self._guard = Link(places.sock("guard"), "panel", self._take)
        self._controller = Link(places.sock("controller"), "panel", self._take)
        self._support = Link(places.sock("support"), "panel", self._take)
        self._enrolled = places.trust.exists()
        self._support_state: ipc.SupportState | None = None
        self._turnover, self._build = Turnover(site.hash), view.build(site)
        self._ways = {
            session.To.EVIDENCE: (self._gate, self._guard),
            session.To.GATE: (self._gate,),
            session.To.CONTROLLER: (self._controller,),
            session.To.SUPPORT: (self._support,),
        }

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        links = [self._gate, self._guard, self._controller]
        if self._enrolled:
            links.append(self._support)
        for link in links:
            link.start()
        living = asyncio.create_task(self._live())
        try:
            yield
        finally:
            living.cancel()
            for link in links:
                link.stop()

    async def _live(self) -> None:
        """So that a page tells a line that died from a gate that says nothing."""
        while True:
            await asyncio.sleep(HERE_S)
            for client in self._clients.values():
                if not client.notes:
                    client.note(HERE)

    async def serve(self, socket: WebSocket) -> None:
        """One browser from accept to close."""
        if len(self._clients) >= MOST_CLIENTS:
            await socket.close(4429)
            return
        station = f"panel:{next(self._numbers)}"
        client = Client(session.Session(station, secrets.token_hex(8), self._motions))
        self._clients[station] = client
        hello = {"type": "hello", "station": station, "build": self._build}
        client.note(msgspec.json.encode(hello).decode())
        sender = asyncio.create_task(_pump(socket, client))
        try:
            code = await self._listen(socket, client)
        finally:
            self._clients.pop(station)
            self._turn(client, session.Gone())
            sender.cancel()
        if code and socket.application_state is WebSocketState.CONNECTED:
            with contextlib.suppress(RuntimeError, OSError):
                await socket.close(code)

    async def _listen(self, socket: WebSocket, client: Client) -> int:
        """Until the browser leaves (0) or misbehaves (the code to close with)."""
        while True:
            message = await socket.receive()
            if message["type"] != "websocket.receive":
                return 0
            try:
                said = session.decoder.decode(message.get("text") or b"")
            except (ValueError, RecursionError):  # not JSON, UTF-8 or one of the four messages
                return 4400
            if code := self._turn(client, said):
                return code

    def _turn(self, client: Client, said: session.Input) -> int:
        client.held, outputs = session.turn(client.held, time.monotonic_ns(), (said,))
        for output in outputs:
            if isinstance(output, session.Close):
                return output.code
            ways = self._ways[output.to]
            sent = [link.send(output.message) for link in ways]
            if not any(sent) and isinstance(output.message, ipc.Workflow):
                who = "support" if output.to is session.To.SUPPORT else "controller"
                self._refuse(client, output.message, f"{who}_away")
        return 0

    def _refuse(self, client: Client, work: ipc.Workflow, code: str) -> None:
        self._take(ipc.Refused(client.held.station, work.action, code, ""))

    def _take(self, message: ipc.AnyMessage) -> None:
        match message:
            case ipc.GateState():
                self._here(message.tick_ns)
                self._turnover.hear(message.config_hash)
                self._show(message)
            case ipc.SupportState():
                self._support_state = message
            case ipc.ControllerState():
                self._controller_state = message
            case ipc.Refused(station=station) if station in self._clients:
                text = msgspec.json.encode(
                    {
                        "type": "refused",
                        "action": message.action,
                        "code": message.code,
                        "hint": message.hint,
                    }
                )
                self._clients[station].note(text.decode())
            case _:
                pass

    def _here(self, tick_ns: int) -> None:
        """Tell the guard that this process hears, whether or not a page is open: a gate that moves
        while the tablet sleeps moves without evidence, and that is then known.
        """
        if tick_ns - self._here_ns >= HERE_NS:
            self._here_ns = tick_ns
            self._guard.send(ipc.Hold(NOBODY, self._session, 0, "", tick_ns))

    def _show(self, state: ipc.GateState) -> None:
        if not self._clients:
            return
        stops = view.stops_of(state)
        frames: dict[tuple[str, ...], str] = {}
        for client in self._clients.values():
            # The gate tells once why a press ended; the page shows the first reason.
            missed = client.stops if client.frame else ()
            client.stops = tuple(dict.fromkeys((*missed, *stops)))[:MOST_NOTES]
            if client.stops not in frames:
                frames[client.stops] = view.state_view(
                    state, self._controller_state, self._support_state, client.stops
                )
            client.frame, client.frame_ns = frames[client.stops], state.tick_ns
            client.wake.set()


async def _pump(socket: WebSocket, client: Client) -> None:
    """Newest state only: a browser that cannot keep up skips states, nothing piles up."""
    with contextlib.suppress(RuntimeError, OSError):
        while True:
            await client.wake.wait()
            client.wake.clear()
            notes, client.notes = client.notes, []
            for note in notes:
                await socket.send_text(note)
            if client.frame:
                frame, client.frame = client.frame, ""
                tick = session.Tick(client.frame_ns)
                client.held, _ = session.turn(client.held, 0, (tick,))
                await socket.send_text(frame)
