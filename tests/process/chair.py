"""Room 2 under test: the standing chair, with the words of room 1."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from tests.process.room import Room, open_page, open_ward
from tests.process.truth import Truth, wait


class ChairRoom(Room):
    """The chair room; its "height" is the stroke of the stand actuator."""

    @property
    def keys(self) -> tuple[str, ...]:
        return ("stroke_mm",)

    @property
    def height(self) -> float:
        return float(self.truth.last()["stroke_mm"])

    def speed(self) -> float:
        return float(self.truth.last()["stroke_speed_mm_s"])

    def sank_slowly(self, since_ns: int) -> None:
        slowest = min(row["stroke_speed_mm_s"] for row in self.truth.since(since_ns))
        assert -6.5 <= slowest < 0, f"sat down at {slowest} mm/s, docking is 6 mm/s"

    def in_the_air(self) -> None:
        """A transfer runs and STAND may be pressed; from wherever we are."""
        self.ready()
        if self.height > 200:
            self.page.hold("SIT", lambda _: self.height < 60, "room to stand")
        if self.page.step_name in ("", "idle"):
            self.page.step(
                "begin", kind="stand-sit", resident="r-7f3a", badge="0006547886", carers="1"
            )
            self.page.until(  # or whoever stands already may go on
                lambda s: self.page.step_name == "checking" or s["motions"]["STAND"]["allowed"],
                "an opened record",
            )
        if self.page.step_name == "checking":
            self.page.step("checks_ok")
            self.page.step("consent_yes")
        self.page.until(lambda s: s["motions"]["STAND"]["allowed"], "a free arrow to stand")
        self.standstill("standing ready")


@contextlib.contextmanager
def chair_room() -> Iterator[ChairRoom]:
    """Room 2, started."""
    with open_ward(rooms=("chair",)) as ward, ward.control("chair") as hands:
        page = open_page(ward, ward.panel_port("chair"))
        room = ChairRoom(ward, page, Truth(ward.truth["chair"]), hands, "chair")
        try:
            wait(room.truth.read, "a first truth row")
            yield room
        finally:
            room.page.close()
