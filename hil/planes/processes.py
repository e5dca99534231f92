"""The planes of real processes: those of `liftctl up`, in real time, on the virtual bus or another.

Role: starts a ward of its own, listens to its sockets as any reader may, and lends it a finger at
the panel's web page. Must never: change a process, or hide how late this machine was.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import time
from collections.abc import Callable
from typing import Any

from websockets.exceptions import WebSocketException

from hil.control import ControlError, WardControl
from hil.faces.python_can import AdapterError
from hil.judge.finger import Broken, Finger
from hil.judge.ward import SITES, WardUnderTest
from hil.planes.disk import entries
from hil.planes.jitter import Jitter
from hil.planes.log import Log
from hil.rooms.room import RequestError
from hil.timeline import Timeline
from liftctl import ipc

SLICE_S = 0.01
PERIOD_NS = 20_000_000
SERVING = ("gate", "guard", "controller", "recorder")  # each listens on a socket of its name


class _Now:
    """The clock of a log: the moment a message tells, or that of asking."""

    told_ns = 0

    @property
    def now_ns(self) -> int:
        return self.told_ns or time.monotonic_ns()


class ProcessesPlane:
    """`run` lets real time pass, and writes down what the ward says meanwhile. `unknown`: fields of
    the truth that no simulation knows.
    """

    def __init__(
        self, ward: WardUnderTest, kind: str, seed: int, name: str = "processes",
        unknown: frozenset[str] = frozenset(),
    ) -> None:  # fmt: skip
        self.ward, self.kind, self.seed, self.name = ward, kind, seed, name
        self.start_ns = time.monotonic_ns()
        self.timeline, self.jitter = Timeline(), Jitter()
        self._now = _Now()
        self.log = Log(self.timeline, self._now, self.start_ns, unknown=unknown)
        self.watchers: list[Callable[[int], None]] = []
        self.refused: list[tuple[str, str]] = []
        self._later: list[tuple[int, Callable[[], None]]] = []
        self._loop = asyncio.new_event_loop()
        self._fingers: dict[str, Finger] = {}
        self._channels: dict[str, ipc.Channel] = {}
        self._read = 0
        self._pids: dict[str, int] = {}
        self._hands: WardControl | None = None

    # --- time -------------------------------------------------------------------------------------

    @property
    def t_ns(self) -> int:
        """Since the scenario began."""
        return time.monotonic_ns() - self.start_ns

    @property
    def now(self) -> dict[str, dict[str, Any]]:
        """The newest fields of each lane."""
        return self.log.now

    def run(self, ns: int) -> None:
        """Let real time pass."""
        self._loop.run_until_complete(self._pump(self.t_ns + ns))

    async def _pump(self, end_ns: int) -> None:
        while True:
            due_ns = time.monotonic_ns() + int(SLICE_S * 1e9)
            await asyncio.sleep(SLICE_S)
            self.jitter.add(due_ns, time.monotonic_ns())
            self._listen()
            if lost := self.ward.lost():
                raise AdapterError(lost)
            now_ns = self.t_ns
            ready = [item for item in self._later if item[0] <= now_ns]
            self._later = [item for item in self._later if item[0] > now_ns]
            for _, action in ready:
                action()
            for watch in tuple(self.watchers):
                watch(now_ns)
            if now_ns >= end_ns:
                return

    def at(self, after_ns: int, action: Callable[[], None]) -> None:
        """Do it later."""
        self._later.append((self.t_ns + after_ns, action))

    # --- what the ward says -----------------------------------------------------------------------

    def _listen(self) -> None:
        rows, self._read = self.ward.truth[self.kind].rows_after(self._read)
        for row in rows:
            if row["t_ns"] >= self.start_ns:
                self.log.plant(row, row["t_ns"])
        for name in SERVING[:3]:
            for message in self._channel(name):
                self._take(message)
        for finger in self._fingers.values():
            while finger.refused:
                action, _, code = finger.refused.pop(0).partition(": ")
                self.refused.append((action, code))
                self.log.add("controller", "refused", action=action, code=code)

    def _channel(self, name: str) -> list[ipc.AnyMessage]:
        channel = self._channels.get(name)
        if channel is None or channel.closed:
            channel = ipc.connect(self.ward.root / "run" / SITES[self.kind] / f"{name}.sock")
            if channel is None:
                return []
            self._channels[name] = channel
            channel.send(ipc.Hello("bench"))
        return channel.receive()

    def _take(self, message: ipc.AnyMessage) -> None:
        if isinstance(message, ipc.GateState):
            self._now.told_ns = message.tick_ns
            self.log.gate((message, None))
            self._now.told_ns = 0
        elif isinstance(message, ipc.ControllerState):
            self.log.controller(message)
        elif isinstance(message, ipc.GuardState):
            self.log.guard_said(message.cut, message.enable)

    # --- people -----------------------------------------------------------------------------------

    def _finger(self, station: str) -> Finger:
        if station not in self._fingers:
            finger = Finger(self.ward.panel_port(self.kind))
            self._loop.run_until_complete(finger.open(60.0))
            self._fingers[station] = finger
        return self._fingers[station]

    def human(self, kind: str, **fields: Any) -> None:
        """What a person did, into the timeline."""
        self.log.add("human", kind, **fields)

    def press(self, station: str, motion: str) -> None:
        """A finger comes down."""
        if station != "hand":
            finger = self._finger(station)
        self.human("press", station=station, motion=motion)
        if station == "hand":
            self.command({"do": "hand", "keys": [key.lower() for key in motion.split("+")]})
        else:
            self._loop.run_until_complete(_pressed(finger, motion))

    def release(self, station: str) -> None:
        """The finger lifts."""
        self.human("release", station=station)
        if station == "hand":
            self.command({"do": "hand", "keys": []})
        else:
            self._say(self._finger(station).release())

    def stop(self, station: str) -> None:
        """The STOP button."""
        self.human("stop", station=station)
        self._say(self._finger(station).stop())

    def reset(self, station: str) -> None:
        """The reset button."""
        self.human("reset", station=station)
        self._say(self._finger(station).reset())

    def workflow(self, station: str, action: str, args: dict[str, str]) -> None:
        """A button of the transfer."""
        self.human("step", station=station, action=action)
        self._say(self._finger(station).say_step(action, args))

    def _say(self, saying: Any) -> None:
        """A page whose panel died has nobody to say it to: that is what happens then."""
        self._loop.run_until_complete(_swallow(saying))

    def technician(self, row: str, by: str) -> None:
        """`liftctl release`."""
        self.human("technician", row=row, by=by)
        words = ("release", "--site", self.ward.site_file(self.kind), "--row", row, "--by", by)
        # meanwhile fingers go on beating, and sockets are read
        self._loop.run_until_complete(asyncio.to_thread(self.ward.liftctl, *words))

    def command(self, request: dict[str, Any]) -> None:
        """A hand in the room; RequestError."""
        self._hands = self._hands or self.ward.control(self.kind)
        try:
            self._hands.do(str(request["do"]), **{k: v for k, v in request.items() if k != "do"})
        except ControlError as error:
            raise RequestError(str(error)) from error

    def know(self) -> None:
        """Who is who: the table that the supervisor keeps for `liftctl status`."""
        site = SITES[self.kind]
        table = json.loads((self.ward.root / "run" / site / "processes.json").read_text("utf-8"))
        self._pids = {name: int(table[f"{site}/{name}"][0]) for name in (*SERVING, "panel")}

    # --- processes --------------------------------------------------------------------------------

    def kill(self, name: str, restart: bool = True) -> None:
        """`kill -9`; the supervisor starts it again, always."""
        os.kill(self._pids[name], signal.SIGKILL)

    def restart(self, name: str) -> None:
        """The supervisor does that."""

    def dead(self, name: str) -> dict[str, Any] | None:
        """What shows that the process of before is no more."""
        pid = self._pids.get(name, 0)
        return {"pid_gone": pid} if pid and _state(pid) in ("", "Z") else None

    def freeze(self, name: str) -> None:
        """SIGSTOP."""
        os.kill(self._pids[name], signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        """SIGCONT."""
        os.kill(self._pids[name], signal.SIGCONT)

    def silent(self, name: str, _ns: int) -> dict[str, Any] | None:
        """What shows that it is stopped."""
        return {"state": "T"} if _state(self._pids.get(name, 0)) == "T" else None

    # --- end --------------------------------------------------------------------------------------

    def finish(self) -> None:
        """The ledger's entries, everything in the order of time, and the fingers away."""
        for t_ns, kind, fields in entries(self.ward.root / "data" / SITES[self.kind]):
            self.timeline.add(max(0, t_ns - self.start_ns), "ledger", kind, **fields)
        self.timeline.events.sort(key=lambda event: int(event["t_ns"]))
        for finger in self._fingers.values():
            self._say(finger.close())
        for channel in self._channels.values():
            channel.close()
        if self._hands is not None:
            self._hands.close()
        self._loop.close()


async def _pressed(finger: Finger, motion: str) -> None:
    """Broken, where the page has lost its panel."""
    try:
        await finger.press(motion)
    except WebSocketException as error:
        raise Broken(f"the panel closed the page before {motion} could be pressed") from error


async def _swallow(saying: Any) -> None:
    with contextlib.suppress(Broken, OSError, RuntimeError, WebSocketException):
        await saying


def _state(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[0]
    except OSError:
        return ""
