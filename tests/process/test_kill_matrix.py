"""Who dies, how, and while what (design rule 10): every pair, judged on the truth log.

Three ways: killed (and restarted by the supervisor afterwards), frozen (SIGSTOP), starved (300 ms
stopped, 10 ms running, again and again: longer than every lease, so the outcome does not hang on
the phase; and each short thaw brings a burst of old messages). The simulated hardware is one
process for the whole room: "killed" takes the power of the one node that matters, by its control
socket; frozen and starved stop the process, which afterwards replays the bus at the hub's times.
LIFTCTL_NIGHTLY=1 runs all 90 cells; LIFTCTL_KILL_TABLE=file keeps the table.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
import time
from collections.abc import Iterator

import pytest

from safety.bounds import Params
from safety.stopping import LIMITS, distances
from tests.process.cells import (
    DOING,
    FULL,
    HOW,
    MOVING,
    WHO,
    Cell,
    Measured,
    Moving,
    pairs,
    pairwise,
    publish,
)
from tests.process.chair import ChairRoom, chair_room
from tests.process.room import ROW_MM, Room
from tests.process.truth import LATENESS, wait

NIGHTLY = os.environ.get("LIFTCTL_NIGHTLY") == "1"
CELLS = sorted(FULL if NIGHTLY else pairwise(), key=lambda cell: cell.doing == "standing")
STOPPED_S, RUNS_S = 0.3, 0.01
SAME_EVENT_S = 2.2
FAULT = {
    "panel": "panel or network freezes",
    "controller": "controller dies",
    "guard": "guard dies",
    "gate": "gate dies",
    "hardware": "feedback goes stale",
    "recorder": "gate stalls and thaws",  # nothing stops; what is measured is the release
}
# Whatever the set: the controller that dies in mid-transfer leaves a record that says so.
ORPHANS = next(c for c in CELLS if c.who == "controller" and c.how == "killed")
NODE = {"idle": 0x20, "raising": 0x10, "lowering": 0x10, "traversing": 0x11, "standing": 0x13}


def test_the_small_set_meets_every_pair() -> None:
    chosen = pairwise()
    met = set().union(*map(pairs, chosen))
    wanted = {(a, b) for a in WHO for b in (*HOW, *DOING)} | {(a, b) for a in HOW for b in DOING}
    assert met == wanted
    assert len(chosen) == len(WHO) * len(DOING), "the least that is possible"
    assert chosen == pairwise()
    assert len(FULL) == 90


# --- rooms ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def table() -> Iterator[list[Measured]]:
    """What was measured, shown at the end."""
    rows: list[Measured] = []
    yield rows
    publish(rows)


@pytest.fixture(scope="module")
def chair() -> Iterator[ChairRoom]:
    with chair_room() as room:
        yield room


@pytest.fixture
def place(request: pytest.FixtureRequest, cell: Cell) -> Iterator[Room]:
    """The room of the cell; the shared lift room is left without a finger."""
    room: Room = request.getfixturevalue("chair" if cell.doing == "standing" else "room")
    yield room
    room.page.release()
    room.hands.do("hand", keys=[])


# --- faults --------------------------------------------------------------------------------------


class Starved:
    """The process runs 10 of every 310 ms, whatever its scheduling class."""

    def __init__(self, pid: int) -> None:
        self._pid, self._end = pid, threading.Event()
        self._thread = threading.Thread(target=self._work, name="starver", daemon=True)
        os.kill(pid, signal.SIGSTOP)
        self._thread.start()

    def _work(self) -> None:
        while not self._end.wait(STOPPED_S):
            os.kill(self._pid, signal.SIGCONT)
            time.sleep(RUNS_S)
            os.kill(self._pid, signal.SIGSTOP)

    def feed(self) -> None:
        """As much as it likes again."""
        self._end.set()
        self._thread.join()
        os.kill(self._pid, signal.SIGCONT)


@contextlib.contextmanager
def fault(room: Room, cell: Cell) -> Iterator[int]:
    """The fault of a cell while the block runs; yields when it began."""
    if cell.who == "hardware" and cell.how == "killed":
        t_ns = room.truth.last()["t_ns"]
        room.hands.do("node", node=NODE[cell.doing], power=False)
        yield t_ns
        room.hands.do("node", node=NODE[cell.doing], power=True)
    elif cell.how == "starved":
        with room.nobody_restarts():
            t_ns, starved = time.monotonic_ns(), Starved(room.pid(cell.who))
            try:
                yield t_ns
            finally:
                starved.feed()
    else:
        how = signal.SIGKILL if cell.how == "killed" else signal.SIGSTOP
        with room.dead(cell.who, how) as t_ns:
            yield t_ns


# --- what the truth says -------------------------------------------------------------------------


def begin(room: Room, moving: Moving) -> str:
    """A fresh press that moves; the finger stays down. The motion."""
    x_mm = room.truth.last().get("x_mm", 0.0)
    motion = "LEFT" if moving.motion == "RIGHT" and x_mm > 2000 else moving.motion
    t_ns = room.truth.last()["t_ns"]
    room.page.reach(
        motion,
        lambda _: room.travelled(t_ns, moving.key) >= moving.run_up_mm,
        f"{moving.run_up_mm:g} mm",
    )
    return motion


def still(room: Room, moving: Moving) -> bool:
    """Does the axis rest?"""
    return bool(room.truth.last()[moving.speed_key] == 0)


def measure(room: Room, cell: Cell, moving: Moving, since_ns: int, remained: str) -> Measured:
    """How long and how far it went after `since_ns`; both within the bound of its path."""
    rows = [row for row in room.truth.since(since_ns) if row["t_ns"] >= since_ns]
    first_stop = next((n for n, row in enumerate(rows) if row[moving.speed_key] == 0), len(rows))
    before = room.truth.since(since_ns)[0][moving.key]
    gone = max((abs(row[moving.key] - before) for row in rows[: first_stop + 1]), default=0.0)
    stop_ms = (rows[min(first_stop, len(rows) - 1)]["t_ns"] - since_ns) / 1e6
    late_ms = LATENESS.since(since_ns)
    kind = "chair" if cell.doing == "standing" else "lift"
    path = next(
        item
        for item in distances(kind, Params())
        if item.axis is moving.axis and item.fault == FAULT[cell.who]
    )
    bound = path.distance_mm + moving.top_mm_s * late_ms / 1000 + ROW_MM
    found = Measured(cell, stop_ms, gone, bound, late_ms, remained)
    assert path.limit_mm == getattr(Params(), LIMITS[moving.axis])
    assert gone <= min(bound, path.limit_mm), f"it travelled too far: {found}"
    return found


# --- what remains --------------------------------------------------------------------------------


def lowers_by_press(room: Room, way: str, mm: float) -> None:
    """A fresh press from neutral lowers."""
    start = room.height
    room.page.release()
    room.page.seen_neutral()
    room.page.hold(way, lambda _: room.height <= start - mm, f"{way} by a fresh press")
    room.standstill(f"{way} by a fresh press")


def lowers_by_hand_control(room: Room, way: str, mm: float) -> None:
    room.hands.do("hand", keys=[])
    room.hands.do("hand", keys=[way.lower()])
    room.sinks(mm)
    room.hands.do("hand", keys=[])
    room.standstill("the hand control")


def is_half_alive(cell: Cell) -> bool:
    """Such a gate keeps its drive awake, and whoever sinks below a drive in order is a runaway
    (H1): the e-stop comes before the strap, as the panel says.
    """
    return cell.who == "gate" and cell.how == "starved"


def lowers_without_electricity(room: Room, mm: float) -> None:
    verb = "sit_lever" if isinstance(room, ChairRoom) else "strap"
    room.hands.do(verb, value=True)
    room.sinks(mm)
    room.hands.do(verb, value=False)
    room.standstill(verb)


def remains(room: Room, cell: Cell) -> str:
    """The way down that design rule 10 promises, tried; its name."""
    chair = isinstance(room, ChairRoom)
    way, mm = ("SIT", 3.0) if chair else ("DOWN", 10.0)
    if cell.who == "hardware" and cell.how != "killed":
        return "nothing to ask: all nodes stand still"
    if cell.who == "panel":
        lowers_by_hand_control(room, way, mm)
        return f"{way} by hand control"
    drive_is_gone = cell.who == "hardware" and NODE[cell.doing] in (0x10, 0x13)
    if cell.who == "gate" or drive_is_gone:
        if is_half_alive(cell):
            room.hands.do("estop", value=True)
            wait(lambda: room.truth.last()["torque_off"], "the torque to be off")
        lowers_without_electricity(room, mm)
        room.hands.do("estop", value=False)
        return "e-stop and " * is_half_alive(cell) + ("sit lever" if chair else "red strap")
    t_ns = room.truth.last()["t_ns"]
    lowers_by_press(room, way, mm)
    if cell.who in ("controller", "guard") and cell.how != "starved":
        room.sank_slowly(t_ns)
    return f"{way} by a fresh press"


def refused(room: Room, cell: Cell, motion: str) -> None:
    """An arrow that is refused now, held from here on: it must not wake up later."""
    other = "STAND" if cell.doing == "standing" else "UP"
    room.page.press(motion if motion in ("LEFT", "RIGHT") else other)
    if cell.how == "starved":  # while the process runs its 10 ms a press may begin, and is ended
        t_ns = room.truth.last()["t_ns"] + round(1.5 * STOPPED_S * 1e9)
        wait(lambda: room.truth.last()["t_ns"] > t_ns, "a whole cycle")
        room.standstill("a cycle of starvation")
    else:
        room.stays(0.2, "a refused arrow")


def goes_on(room: Room, moving: Moving, motion: str) -> int:
    """The recorder stops nothing (rule 10): the motion goes on until the finger lifts. What
    stopped because this machine was late is pressed again, as a carer would.
    """
    t_ns, stops = room.truth.last()["t_ns"], room.page.finger.stops
    before = len(stops)

    def gone() -> bool:
        return room.travelled(t_ns, moving.key) >= moving.run_up_mm / 2

    wait(lambda: gone() or len(stops) > before, f"it to go on; {room.explain()}")
    if not gone():
        assert "recorder_lost" not in stops[before:], f"stopped by {stops[before:]}"
        room.page.release()
        room.page.seen_neutral()
        room.page.reach(motion, lambda _: gone(), "it to go on")
    room.page.release()
    released_ns = time.monotonic_ns()
    wait(lambda: still(room, moving), f"standstill; {room.explain()}", 5.0)
    return released_ns


def is_interrupted(room: Room, transfer: str) -> None:
    """The orphan is in the ledger with its own outcome."""

    def found() -> dict[str, object]:
        site = room.ward.site_file(room.kind)
        _, text = room.ward.liftctl("transfers", "--json", "--site", site)
        return next((row for row in json.loads(text) if row["id"] == transfer), {})

    wait(lambda: found().get("outcome") == "interrupted", "the orphan to be closed `interrupted`")
    assert found()["reason"] == "the controller died"


def is_back(room: Room) -> bool:
    """Everybody is heard again by the page that was there all the time."""
    state = room.page.state
    fresh = time.monotonic_ns() - int(state["tick"]) < 200_000_000
    rows = {row for item in state["motions"].values() for row in item["rows"]}
    return fresh and bool(state["controller"]) and "guard_lost" not in rows


# --- the matrix ----------------------------------------------------------------------------------


@pytest.mark.process
@pytest.mark.parametrize("cell", CELLS, ids="-".join)
def test_cell(place: Room, cell: Cell, table: list[Measured]) -> None:
    """H1, H2, H23, H33: it stops in time, can be lowered, and nothing moves by itself later."""
    room = place
    room.in_the_air()
    if cell.doing == "lowering":  # a row that comes back sooner ends no descent again (decision 17)
        room.stays(SAME_EVENT_S, "the last cell is over")
    transfer, moving = room.page.transfer_id, MOVING.get(cell.doing)
    motion = begin(room, moving) if moving else ""
    with fault(room, cell) as began_ns:
        t_ns = began_ns
        if moving and cell.who == "recorder":
            t_ns = goes_on(room, moving, motion)
        elif cell.who == "hardware" and cell.how != "killed":
            wait(lambda: room.page.state["moving"] == "", "the gate to stop")
            time.sleep(3 * STOPPED_S)
        elif moving:
            wait(lambda: still(room, moving), f"standstill; {room.explain()}", 5.0)
        else:
            room.stays(0.4, "nobody pressed")
        remained = remains(room, cell)
        if cell.who in ("controller", "guard"):
            refused(room, cell, motion)
    if moving and cell.who == "hardware":
        wait(lambda: still(room, moving), "the plant to catch up", 5.0)
    if moving:
        table.append(measure(room, cell, moving, t_ns, remained))
    if cell.who != "panel":
        wait(lambda: is_back(room), f"everybody to be back; {room.explain()}")
    room.stays(0.6, "all is well again, and the finger never left its arrow")
    room.page.release()
    if is_half_alive(cell):
        room.page.until(lambda s: "estop" in s["resettable"], "the reset to be offered")
        room.page.reset()
        room.page.until(lambda s: not s["latched"], "the latch to be gone")
    if cell.who == "panel":
        room.new_page()
    if cell == ORPHANS:
        is_interrupted(room, transfer)
