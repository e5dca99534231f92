"""Who dies, what happens (design rule 10): killed and frozen in mid-lift, judged on the truth."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.process.room import Room
from tests.process.truth import wait

pytestmark = pytest.mark.process
KILL, FREEZE = signal.SIGKILL, signal.SIGSTOP
both = pytest.mark.parametrize("how", [KILL, FREEZE], ids=["killed", "frozen"])
HOIST = 0x10


@contextmanager
def dies_while_rising(room: Room, process: str, how: signal.Signals) -> Iterator[int]:
    """The finger holds UP, the process dies; the finger stays down until the test lifts it."""
    room.page.press("UP")
    room.rises(30)
    with room.dead(process, how) as t_ns:
        yield t_ns


def lowers_slowly(room: Room) -> None:
    """A fresh press of DOWN works, at docking speed."""
    start = room.height
    t_ns = room.truth.last()["t_ns"]
    room.page.hold("DOWN", lambda _: room.height <= start - 15, "docking DOWN")
    room.sank_slowly(t_ns)
    room.standstill("docking DOWN")


def up_is_refused(room: Room, row: str) -> None:
    """With a reason; the finger stays on the arrow."""
    room.page.refuses("UP", row)
    room.stays(0.4, f"UP refused by {row}")


def rises_again(room: Room) -> None:
    """All is well: a fresh press of UP moves."""
    room.in_the_air()
    start = room.height
    room.page.hold("UP", lambda _: room.height >= start + 20, "a fresh press")
    room.standstill("a fresh press")


@both
def test_panel(flying: Room, how: signal.Signals) -> None:
    room = flying
    with dies_while_rising(room, "panel", how) as t_ns:
        room.stopped_within("panel or network freezes", t_ns)
        for key, moves in (("down", room.sinks), ("up", room.rises)):
            room.hands.do("hand", keys=[key])
            moves(15)
            room.hands.do("hand", keys=[])
            room.standstill(f"the hand control's {key}")
    room.stays(1.0, "the panel is back, the finger never left its screen")
    room.new_page()
    rises_again(room)


@both
@pytest.mark.parametrize(
    ("process", "fault", "row"),
    [
        ("controller", "controller dies", "permission_lost"),
        ("guard", "guard dies", "guard_lost"),
    ],
)
def test_a_permission_is_gone(
    flying: Room, how: signal.Signals, process: str, fault: str, row: str
) -> None:
    room, transfer = flying, flying.page.transfer_id
    with dies_while_rising(room, process, how) as t_ns:
        room.stopped_within(fault, t_ns)
        room.page.release()
        up_is_refused(room, row)
        room.page.release()
        lowers_slowly(room)
        up_is_refused(room, row)
    room.stays(1.0, f"the {process} is back, a refused press is still held")
    room.page.release()
    if (process, how) == ("controller", KILL):
        is_interrupted(room, transfer)
    rises_again(room)


def is_interrupted(room: Room, transfer: str) -> None:
    """The orphan is in the ledger with its own outcome, and the next transfer links to it."""

    def found() -> dict[str, object]:
        _, text = room.ward.liftctl("transfers", "--json", "--site", room.ward.site_file("lift"))
        return next((row for row in json.loads(text) if row["id"] == transfer), {})

    wait(lambda: found().get("outcome") == "interrupted", "the orphan to be closed `interrupted`")
    assert found()["reason"] == "the controller died"


def test_recorder_killed(flying: Room) -> None:
    room, transfer = flying, flying.page.transfer_id
    with dies_while_rising(room, "recorder", KILL):
        room.rises(60)
        room.page.release()
        room.standstill("letting go")
        room.page.press("UP")
        room.rises(15)
        room.page.release()
    room.stays(0.5, "the recorder is back")
    assert room.page.transfer_id == transfer
    rises_again(room)


@both
def test_gate(flying: Room, how: signal.Signals) -> None:
    room = flying
    with dies_while_rising(room, "gate", how) as t_ns:
        room.stopped_within("gate dies", t_ns)
        wait(lambda: room.truth.last()["hoist_brake"], "the brake to close")
        room.hands.do("strap", value=True)
        room.sinks(10)
        room.hands.do("strap", value=False)
        room.standstill("the red strap")
    room.stays(2.0, "the gate is back, the finger never left UP")
    room.page.release()
    room.page.until(lambda s: s["motions"]["DOWN"]["allowed"], "a free arrow down", 30)
    room.page.seen_neutral()
    start = room.height
    room.page.hold("DOWN", lambda _: room.height <= start - 15, "DOWN on a fresh press")
    rises_again(room)


def test_hardware_frozen(flying: Room) -> None:
    room = flying
    with dies_while_rising(room, "hardware", FREEZE) as t_ns:
        room.page.until(lambda s: not s["motions"]["UP"]["allowed"], "UP to be blocked")
        wait(lambda: room.page.state["moving"] == "", "the gate to stop")
        still_ns = int(room.page.state["tick"]) + 1_000_000_000
        wait(lambda: int(room.page.state["tick"]) > still_ns, "every ramp to be over")
    room.stays(1.0, "the hardware thawed, the finger never left UP")
    room.stopped_within("feedback goes stale", t_ns)
    room.page.release()
    rises_again(room)


def test_drive_loses_power_and_returns(flying: Room) -> None:
    room = flying
    room.page.press("UP")
    room.rises(30)
    t_ns = room.truth.last()["t_ns"]
    room.hands.do("node", node=HOIST, power=False)
    room.stopped_within("feedback goes stale", t_ns)
    room.page.until(lambda s: not s["motions"]["DOWN"]["allowed"], "no electric way down")
    room.hands.do("strap", value=True)
    room.sinks(15)
    room.hands.do("strap", value=False)
    room.standstill("the red strap")
    room.hands.do("node", node=HOIST, power=True)
    room.stays(2.0, "the drive is back with its unsafe defaults, the finger never left UP")
    room.page.release()
    rises_again(room)


def test_recorder_frozen_finishes_this_transfer_and_begins_no_other(flying: Room) -> None:
    room, transfer = flying, flying.page.transfer_id
    with dies_while_rising(room, "recorder", FREEZE):
        room.rises(60)
        room.page.release()
        room.set_down()
        room.finish()
        room.page.until(lambda s: "recorder_lost" in s["motions"]["UP"]["rows"], "UP to be blocked")
        with pytest.raises(Exception, match=r"LC-FLOW-STEP|LC-RECORDER-LOST"):
            room.page.step("begin", kind="bed-chair", resident="r-7f3a", badge="1", carers="1")
    room.page.until(lambda s: room.page.step_name in ("", "idle"), "the record to be closed")
    _, text = room.ward.liftctl("transfers", "--json", "--site", room.ward.site_file("lift"))
    ended = {row["id"]: row["outcome"] for row in json.loads(text)}
    assert ended[transfer] == "completed"
    assert "open" not in ended.values()
