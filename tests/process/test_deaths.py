"""The recorder freezes for a whole transfer: what it may still record, and what may not begin.

Every process, killed, frozen and starved while anything moves: `tests/process/test_kill_matrix.py`.
"""

from __future__ import annotations

import json
import signal

import pytest

from tests.process.room import Room

pytestmark = pytest.mark.process


def test_recorder_frozen_finishes_this_transfer_and_begins_no_other(flying: Room) -> None:
    room, transfer = flying, flying.page.transfer_id
    room.page.press("UP")
    room.rises(30)
    with room.dead("recorder", signal.SIGSTOP):
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
