"""Room 1 under test: real processes, hands, faults, and the truth about where the bar was.

Verdicts are distances from the truth log. Milliseconds here only ever widen a bound: how late this
machine woke somebody up is measured in the same run and added as speed x lateness.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hil.control import WardControl
from hil.judge.finger import Broken
from hil.judge.ward import WardUnderTest
from safety.bounds import Params
from safety.stopping import distances
from safety.types import Axis
from tests.process.page import Page, State
from tests.process.truth import LATENESS, Truth, wait

STANDSTILL_MM = 2.0
TOP_MM_S = 60.0
ROW_MM = 1.2  # two truth rows of 10 ms at 60 mm/s
LIFT = "demo-lift"
_base = 21080 + os.getpid() % 40 * 200  # beyond where the judge looks, apart from other runs


def fresh_port() -> int:
    """A base port with free neighbours; the judge of a demo that starts beside us cannot take
    it.
    """
    global _base
    while True:
        _base += 40
        with contextlib.suppress(OSError):
            for shift in (0, 1, 5, 6, 10, 11):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", _base + shift))
            return _base


@dataclass
class Room:
    """The lift room with its person, its page and its supervisor."""

    ward: WardUnderTest
    page: Page
    truth: Truth
    hands: WardControl
    kind: str = "lift"

    # --- processes -------------------------------------------------------------------------------

    def table(self) -> dict[str, tuple[int, int]]:
        """Process name -> (pid, restarts), as the supervisor keeps it."""
        path = self.ward.root / "run" / f"demo-{self.kind}" / "processes.json"
        found = json.loads(path.read_text(encoding="utf-8"))
        return {key.partition("/")[2]: (row[0], row[1]) for key, row in found.items()}

    def pid(self, process: str) -> int:
        """Of a process of the room, or of the simulated hardware."""
        if process == "hardware":
            return self.ward.popens[f"hardware-{self.kind}"].pid
        return self.table()[process][0]

    def send(self, process: str, number: signal.Signals) -> int:
        """Send a signal; the time just after it."""
        os.kill(self.pid(process), number)
        return time.monotonic_ns()

    @contextlib.contextmanager
    def nobody_restarts(self) -> Iterator[None]:
        """The supervisor looks away, so that a death lasts as long as the test needs it."""
        supervisor = self.ward.popens["up"]
        supervisor.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            supervisor.send_signal(signal.SIGCONT)

    @contextlib.contextmanager
    def dead(self, process: str, how: signal.Signals) -> Iterator[int]:
        """The process killed (and not restarted before the end) or frozen; yields when."""
        pid, restarts = self.table().get(process, (self.pid(process), 0))
        with self.nobody_restarts():
            t_ns = self.send(process, how)
            try:
                yield t_ns
            finally:
                if how is signal.SIGSTOP:
                    os.kill(pid, signal.SIGCONT)
        if how is signal.SIGKILL:
            wait(lambda: self.table()[process][1] > restarts, f"{process} to be restarted")

    def new_page(self) -> Page:
        """Reload the page, as a browser does when its panel is back."""
        self.page.close()
        self.page = Page(self.ward.panel_port(self.kind))
        return self.page

    # --- truth -----------------------------------------------------------------------------------

    @property
    def height(self) -> float:
        """Of the bar, mm."""
        return float(self.truth.last()["height_mm"])

    def speed(self) -> float:
        """Of the bar, mm/s."""
        return float(self.truth.last()["speed_mm_s"])

    def travelled(self, since_ns: int, key: str = "height_mm") -> float:
        """The largest distance from where it was at `since_ns`."""
        rows = self.truth.since(since_ns)
        return max(abs(row[key] - rows[0][key]) for row in rows)

    def standstill(self, name: str, patience_s: float = 5.0) -> int:
        """Wait until the truth shows no motion; when that was seen."""
        wait(lambda: self.speed() == 0, f"standstill after {name}; {self.explain()}", patience_s)
        return time.monotonic_ns()

    def rises(self, mm: float = 15.0) -> None:
        """Wait until the bar has risen."""
        start = self.height
        wait(lambda: self.height >= start + mm, f"the bar to rise {mm:g} mm; {self.explain()}")

    def sinks(self, mm: float = 15.0) -> int:
        """Wait until the bar has sunk; when it began."""
        start, t_ns = self.height, time.monotonic_ns()
        wait(lambda: self.height <= start - mm, f"the bar to sink {mm:g} mm; {self.explain()}")
        return t_ns

    def sank_slowly(self, since_ns: int) -> None:
        """Docking speed is 30 mm/s; nothing faster was seen."""
        slowest = min(row["speed_mm_s"] for row in self.truth.since(since_ns))
        assert -31 <= slowest < 0, f"lowered at {slowest} mm/s, docking is 30 mm/s"

    @property
    def keys(self) -> tuple[str, ...]:
        """Positions in the truth log."""
        return ("height_mm", "x_mm")

    def stays(self, seconds: float, name: str) -> None:
        """Nothing moves by itself: at most 2 mm on any axis for a while."""
        t_ns = time.monotonic_ns()
        wait(lambda: self.truth.last()["t_ns"] >= t_ns + seconds * 1e9, "time to pass", 15)
        for key in self.keys:
            moved = self.travelled(t_ns, key)
            assert moved <= STANDSTILL_MM, f"{name}: {key} moved by itself, {moved:.2f} mm"

    def stopped_within(self, fault: str, since_ns: int) -> None:
        """It stands, and got there within the computed distance + speed x measured lateness."""
        self.standstill(fault)
        late_ms = LATENESS.since(since_ns)
        computed = next(
            item.distance_mm
            for item in distances("lift", Params())
            if item.axis is Axis.HOIST and item.fault == fault
        )
        bound = computed + TOP_MM_S * late_ms / 1000 + ROW_MM
        gone = self.travelled(since_ns)
        assert gone <= bound, (
            f"when {fault} the bar travelled {gone:.1f} mm; computed {computed:.1f} mm, "
            f"this machine was {late_ms:.0f} ms late, bound {bound:.1f} mm"
        )

    def explain(self) -> str:
        """What everybody said last."""
        return f"{self.page.finger.why()}; {self.ward.tail()}"

    # --- the way to a place ----------------------------------------------------------------------

    def ready(self) -> None:
        """The gate is ready, the guard agrees, and both have seen our finger lifted."""
        self.page.seen_neutral()
        self.page.until(
            lambda s: (
                s.get("mode") == "ready"
                and s["owner"] != "hand"
                and bool(s["controller"])
                and not any(
                    "guard" in row or row == "recorder_lost"
                    for m in s["motions"].values()
                    for row in m["rows"]
                )
            ),
            "a gate that is ready",
        )

    def begin(self) -> None:
        """A transfer by one carer."""
        self.page.until(lambda s: self.page.step_name in ("", "idle"), "no transfer")
        self.page.step("begin", kind="bed-chair", resident="r-7f3a", badge="0006547886", carers="1")

    def in_the_air(self) -> None:
        """A person hangs, a transfer runs, UP may be pressed; from wherever we are."""
        self.ready()
        if not self.hands.state()["hooked"]:
            self._hook()
        elif self.page.step_name in ("", "idle"):
            self.begin()
        self._confirm()
        if self.height > 1700:
            self.page.hold("DOWN", lambda _: self.height < 1250, "room above")
        if self.height < 1120:
            self.page.hold("UP", lambda _: self.height >= 1150, "the air")
        self.standstill("lifting")

    def _hook(self) -> None:
        if self.page.step_name in ("", "idle"):
            self.begin()
        self.page.until(lambda s: self.page.step_name == "checking", "the record to be opened")
        self.page.step("checks_ok")
        self.page.step("consent_yes")
        self.page.hold("DOWN", lambda _: self.height <= 950, "the bar over the resident")
        self.hands.do("hook")
        self.page.step("hooked")
        self.page.hold(
            "UP", lambda s: "tension_pause" in s["motions"]["UP"]["rows"], "the tension pause"
        )

    def _confirm(self) -> None:
        def may(_: State) -> bool:
            return self.page.step_name == "tension_pause" or self._may_rise()

        self.page.until(may, "the tension pause or a free arrow")
        if self.page.step_name == "tension_pause":
            self.page.step("loops_ok")
        self.page.until(lambda s: self._may_rise(), "a free arrow up")

    def _may_rise(self) -> bool:
        return bool(self.page.state["motions"]["UP"]["allowed"])

    def set_down(self) -> None:
        """Back to the bed, unhooked; the record waits for its outcome."""
        self.page.hold("DOWN", lambda s: s["values"]["load_kg"] < 3, "the bed")
        self.page.until(
            lambda s: self.page.step_name in ("slack", "unhooking"), "the load to be gone"
        )
        self.hands.do("unhook")
        self.page.step("unhooked")
        self.page.until(lambda s: self.page.step_name == "outcome", "the outcome form")

    def finish(self) -> None:
        """Say that it is completed."""
        self.page.step("finish", outcome="completed", carers="1", reason="")


class Shared:
    """One lift room for every test that leaves it as it found it: usable.

    It ends before another ward begins: two of them are more than two slow cores carry.
    """

    def __init__(self) -> None:
        self._stack = contextlib.ExitStack()
        self._room: Room | None = None

    def room(self) -> Room:
        """The room that is there, or a new one."""
        if self._room is None:
            self._room = self._stack.enter_context(lift_room())
        return self._room

    def end(self) -> None:
        """Leave the cores to somebody else."""
        self._room = None
        self._stack.close()


SHARED = Shared()


def open_page(ward: WardUnderTest, port: int) -> Page:
    """The first page of a panel; when there is none, what the ward said."""
    try:
        return Page(port)
    except Broken as error:
        raise AssertionError(f"{error}; {ward.tail()}") from error


def open_ward(
    rooms: tuple[str, ...] = ("lift",), env: dict[str, str] | None = None, **more: Any
) -> WardUnderTest:
    """A ward on ports of our own, not started; `env` changes its environment."""
    SHARED.end()
    ward = WardUnderTest(rooms=rooms, **more)
    ward.port = fresh_port()
    ward.env |= env or {}
    return ward


@contextlib.contextmanager
def lift_room(**more: Any) -> Iterator[Room]:
    """Room 1, started."""
    with open_ward(**more) as ward, ward.control("lift") as hands:
        room = Room(ward, open_page(ward, ward.port), Truth(ward.truth["lift"]), hands)
        try:
            yield room
        finally:
            room.page.close()
