"""The gate's controller is thrown off the bus (H23): the drives' own deadmen stop, the panel says
why, and nothing moves when the bus comes back until somebody presses again.
"""

from __future__ import annotations

import pytest

from tests.process.room import Room
from tests.process.truth import wait

pytestmark = pytest.mark.process


def test_bus_off_stops_and_a_bus_that_comes_back_moves_nothing(room: Room) -> None:
    room.ready()
    t_ns = room.truth.last()["t_ns"]
    way = "RIGHT" if room.truth.last()["x_mm"] < 2000 else "LEFT"
    room.page.press(way)
    wait(lambda: room.travelled(t_ns, "x_mm") > 20, f"the trolley to move; {room.explain()}")
    with room.ward.bus("lift") as bus:
        gate = {"pid": room.pid("gate")}
        t_ns = room.truth.last()["t_ns"]
        bus.do("inject", kind="bit", count=32, **gate)
        room.page.until(
            lambda s: "bus_off" in s["motions"][way]["rows"], "the panel to say bus-off", 10.0
        )
        wait(lambda: room.truth.last()["x_speed_mm_s"] == 0, "the trolley to stand")
        assert room.travelled(t_ns, "x_mm") <= 200.0
        assert bus.state()["hits"] == [32]
        bus.do("restart", **gate)
    room.page.until(
        lambda s: "bus_off" not in s["motions"][way]["rows"], "the bus to be back", 10.0
    )
    room.stays(1.0, "the bus is back, the arrow is still held")
    room.page.release()
    room.ready()
    room.page.hold(way, lambda _: room.truth.last()["x_speed_mm_s"] != 0, "a fresh press")
