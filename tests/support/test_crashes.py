"""The support process killed anywhere between a question and its end: nothing unasked is in force.

What is on disk after each turn is all that the next life knows; the file of changes is written by
the shell between two turns, so the death may come before, between or after.
"""

from __future__ import annotations

import os
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from liftctl import ipc
from liftctl.setup.applied import Applied
from liftctl.support.values import Link, Write, Wrote
from tests.support.world import TWO, Room

EXAMPLES = 600 if os.environ.get("LIFTCTL_NIGHTLY") == "1" else 30
STEPS = st.sampled_from(
    ["propose", "yes", "no", "good", "bad", "gate goes", "gate busy", "later", "die", "die writing"]
)


class Story:
    """A room over several lives. `disk` is the file of changes; `said_yes` to which versions."""

    def __init__(self) -> None:
        self.room = Room()
        self.disk: Applied | None = None
        self.version = 0
        self.said_yes: set[int] = set()
        self.good: set[int] = {0}

    def step(self, name: str) -> None:
        room = self.room
        if name == "propose":
            self.version += 1
            speed = 40.0 + self.version % 15
            changes = {"limits.hoist_loaded_mm_s": speed}
            room.order(room.proposal(version=self.version, changes=changes), *TWO)
        elif name in ("yes", "no", "good", "bad"):
            self._press(name)
        elif name == "gate goes" and room.asked_gate():
            room.turn(ipc.StoodDown(""))
            room.turn(Link("gate", False))
        elif name == "gate busy":
            room.turn(ipc.StoodDown("somebody presses"))
        elif name == "later":
            room.after(40)
        self._written(name)
        if name.startswith("die"):
            self._reborn()

    def _press(self, name: str) -> None:
        offer, running = self.room.state.kept.offer, self.room.state.applied
        args: dict[str, Any] = {"name": "Nurse N."}
        if name == "yes" and offer:
            args["version"] = str(offer.proposal.version)
            self.said_yes.add(offer.proposal.version)
        if name == "good" and running and running.trial:
            self.good.add(running.version)
        self.room.press(f"setup_{name}", **args)

    def _written(self, name: str) -> None:
        """The shell writes what it is told; it may die right after the write."""
        while writes := [item for item in self.room.outputs if isinstance(item, Write)]:
            self.disk = writes[-1].applied
            self.room.outputs.clear()
            if name == "die writing":
                return
            self.room.turn(Wrote(""))
            self.room.turn(Link("gate", True))
            self.room.hear()

    def _reborn(self) -> None:
        again = self.room.restart()
        self.room = Room(kept=again.kept, applied=self.disk)
        self.room.now, self.room.now_ns = again.now, again.now_ns
        self.room.hear()

    def check(self) -> None:
        running = self.disk.version if self.disk else 0
        assert running in self.said_yes | {0}, "in force without a yes on site"
        if self.disk and self.disk.trial is None:
            assert running in self.good, "kept without anybody finding it good"


@settings(max_examples=EXAMPLES)
@given(st.lists(STEPS, max_size=14))
def test_nothing_is_in_force_that_nobody_said_yes_to_and_all_else_goes_back(
    steps: list[str],
) -> None:
    story = Story()
    for name in ("propose", "yes", *steps):
        story.step(name)
        story.check()
    for _ in range(4):  # nobody says anything any more
        story.room.after(3600)
        story.step("gate goes")
        story.check()
    assert story.disk is None or story.disk.trial is None, "a trial that never ended"
