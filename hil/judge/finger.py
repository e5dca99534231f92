"""A finger on a wall panel: the panel's own WebSocket, beats every 50 ms, as a browser sends them.

Role: hold, release, step and STOP, and the newest state. Must never: know anything a browser does
not.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

BEAT_S = 0.05
TRIES = 8
START_S = 2.0  # a press that has not begun to move by then was not taken


class Broken(Exception):
    """Something did not go as it must; the message is the verdict."""


@dataclass
class Finger:
    """One panel page. `holds`: (motion, pressed_ns, released_ns) on the monotonic clock."""

    port: int
    state: dict[str, Any] = field(default_factory=dict)
    holds: list[tuple[str, int, int]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    stops: list[str] = field(default_factory=list)
    nuisance: list[str] = field(default_factory=list)
    fatal: str = ""  # a row that ends the run at once
    _press: int = 0
    _motion: str = ""
    _since_ns: int = 0
    _socket: ClientConnection | None = None
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def open(self, patience_s: float = 90.0) -> None:
        """Connect, and wait for the first state."""
        origin = f"http://127.0.0.1:{self.port}"
        deadline = time.monotonic() + patience_s
        while self._socket is None:
            try:
                self._socket = await connect(f"ws://127.0.0.1:{self.port}/ws", origin=origin)  # type: ignore[arg-type]
            except (OSError, WebSocketException):
                if time.monotonic() > deadline:
                    raise Broken(f"no panel answers on port {self.port}") from None
                await asyncio.sleep(0.1)
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._beat())]
        await self.until(bool, "a first state from the gate")

    async def close(self) -> None:
        """Leave the page."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._socket is not None:
            await self._socket.close()

    async def _listen(self) -> None:
        assert self._socket is not None  # noqa: S101
        with contextlib.suppress(WebSocketException):
            async for text in self._socket:
                message = json.loads(text)
                if message.get("type") == "state":
                    self.state = message
                    self.stops += message["stops"]
                elif message.get("type") == "refused":
                    self.refused.append(f"{message['action']}: {message['code']}")

    async def _beat(self) -> None:
        with contextlib.suppress(WebSocketException):
            while True:
                await self._send_beat()
                await asyncio.sleep(BEAT_S)

    async def _send_beat(self) -> None:
        held = bool(self._motion)
        await self._send(
            type="beat",
            press=self._press if held else 0,
            motion=self._motion,
            echo=self.state.get("tick", "0"),
        )

    async def _send(self, **message: Any) -> None:
        assert self._socket is not None  # noqa: S101
        await self._socket.send(json.dumps(message))

    async def press(self, motion: str) -> None:
        """Finger down."""
        await self._send_beat()
        self._press, self._motion, self._since_ns = self._press + 1, motion, time.monotonic_ns()
        await self._send_beat()

    async def release(self) -> None:
        """Finger up: the neutral beat leaves at once."""
        if self._motion:
            self.holds.append((self._motion, self._since_ns, time.monotonic_ns()))
            self._motion = ""
            await self._send_beat()

    async def stop(self) -> None:
        """The STOP button."""
        await self._send(type="stop")

    async def reset(self) -> None:
        """The reset button, after the cause of an e-stop is gone."""
        await self._send(type="reset")

    @staticmethod
    def _transfer(state: dict[str, Any]) -> Any:
        return (state.get("controller") or {}).get("transfer")

    async def say_step(self, action: str, args: dict[str, str]) -> None:
        """A workflow button; whatever comes of it."""
        await self._send(type="step", action=action, args=args)

    async def step(self, action: str, **args: str) -> None:
        """A workflow button; waits until the controller took it."""
        before = self._transfer(self.state)  # alarms may change meanwhile: they are no answer
        count = len(self.refused)
        await self.say_step(action, args)
        await self.until(
            lambda s: self._transfer(s) != before or len(self.refused) > count, f"step {action}"
        )
        if len(self.refused) > count:
            raise Broken(f"the step was refused: {self.refused[-1]}")

    async def until(
        self, what: Callable[[dict[str, Any]], bool], name: str, patience_s: float = 60.0
    ) -> None:
        """Wait for a state; Broken names what did not come, and what the panel showed instead."""
        deadline = time.monotonic() + patience_s
        while not what(self.state):
            rows = [row for item in self.state.get("motions", {}).values() for row in item["rows"]]
            if self.fatal and self.fatal in rows:
                raise Broken(f"{self.fatal} on the way to {name}")
            if time.monotonic() > deadline:
                raise Broken(f"waited {patience_s:g} s in vain for {name}; {self.why()}")
            await asyncio.sleep(0.01)

    async def hold(
        self,
        motion: str,
        what: Callable[[dict[str, Any]], bool],
        name: str,
        patience_s: float = 60.0,
    ) -> None:
        """Hold an arrow until something is reached, then let go."""
        try:
            await self.reach(motion, what, name, patience_s)
        finally:
            await self.release()

    async def reach(
        self,
        motion: str,
        what: Callable[[dict[str, Any]], bool],
        name: str,
        patience_s: float = 60.0,
    ) -> None:
        """Hold an arrow until something is reached; the finger stays down.

        A press that the machine stopped is dead: like a carer, let go and press again.
        """
        deadline = time.monotonic() + patience_s
        for _ in range(TRIES):
            count = len(self.stops)
            await self.press(motion)
            await self._until_over(what, count, f"{name} while holding {motion}", deadline)
            if what(self.state):
                return
            await self.release()
            self.nuisance.append(self.stops[-1] if len(self.stops) > count else "not started")
            await asyncio.sleep(0.3)
        raise Broken(f"stopped {TRIES} times on the way to {name}; {self.why()}")

    async def _until_over(
        self, what: Callable[[dict[str, Any]], bool], count: int, name: str, deadline: float
    ) -> None:
        """Until it is reached, the machine stopped the press, or it never began to move."""
        began = time.monotonic()

        def over(state: dict[str, Any]) -> bool:
            idle = state["moving"] == "" and time.monotonic() - began > START_S
            return what(state) or len(self.stops) > count or idle

        await self.until(over, name, max(0.1, deadline - began))

    def why(self) -> str:
        """What the panel shows about blocked arrows."""
        rows = {name: item["rows"] for name, item in self.state.get("motions", {}).items()}
        return f"mode {self.state.get('mode')}, arrows {rows}, stops {self.stops[-3:]}"

    def value(self, name: str) -> float:
        """A displayed value; -1 when it is not known."""
        found = self.state.get("values", {}).get(name)
        return -1.0 if found is None else float(found)
