"""A third look at the panel: what it offers while something waits for a press of Reset."""

from __future__ import annotations

import json
from typing import Any

import pytest

from liftctl import ipc
from liftctl.gate.inputs import RxFrame
from liftctl.gate.view import state_message
from liftctl.panel.hub import MOST_NOTES, Client, Hub
from liftctl.panel.session import Session
from liftctl.panel.view import resettable, state_view
from tests.gate.room import Gate, booted
from tests.panel.house import gate_state, site


def shown(gate: Gate) -> dict[str, Any]:
    """What the page is told of this gate now."""
    assert gate.out is not None
    said = state_message(gate.config, gate.state, gate.out.verdict, gate.now, ())
    found: dict[str, Any] = json.loads(state_view(said, None))
    return found


def offered(gate: Gate) -> list[str]:
    found: list[str] = shown(gate)["resettable"]
    return found


def lowers_after_a_reset(gate: Gate, motion: str, row: str) -> None:
    """`motion` is held by `row`, the panel offers Reset, a press of it frees the motion."""
    gate.press(motion)
    assert not gate.run(500).verdict.moving
    assert row in gate.state.kernel.active
    assert offered(gate) == [row]
    gate.press("")
    gate.run(500)
    gate.extra.append(ipc.ResetPress("panel:1"))
    gate.run(1000)
    assert offered(gate) == []
    gate.press(motion)
    assert gate.run(1000).verdict.moving


def test_the_panel_offers_reset_when_a_drive_that_had_a_fault_waits_for_it() -> None:
    """H23, H15: after a dip of the supply the hoist drive stands in FAULT. DOWN is held, a Reset
    ends it; the person who hangs must not stay up because no button is shown."""
    gate = booted("lift")
    gate.room.hoist.machine.fault()
    gate.run(1000)
    lowers_after_a_reset(gate, "DOWN", "hoist_fault")


def test_the_panel_offers_reset_when_the_stander_waits_for_it() -> None:
    """H23: the actuator's emergency message keeps the person standing."""
    gate = booted("chair")
    gate.press("STAND")
    gate.run(6000)
    gate.press("")
    gate.run(400)
    emergency = bytes.fromhex("1023010000000000")
    gate.extra.append(RxFrame(gate.now, "chair", 0x80 + 0x13, emergency))
    gate.run(400)
    lowers_after_a_reset(gate, "SIT", "stand_fault")


ESTOPS = [(1.0, 1.0, True), (None, 1.0, True), (None, None, True), (1.0, 0.0, False)]


@pytest.mark.parametrize(("a", "b", "free"), ESTOPS)
@pytest.mark.parametrize("row", ["hoist_fault", "traverse_fault", "stand_fault", "drive_waits"])
def test_what_waits_is_resettable_unless_the_estop_is_known_to_be_pressed(
    row: str, a: float | None, b: float | None, free: bool
) -> None:
    """H23: an input module that died of the same dip must not hide the button as well."""
    values = {"estop_a_closed": a, "estop_b_closed": b}
    state = gate_state("lift", active=(row,), values=values)
    assert resettable(state) == ([row] if free else [])


def test_what_no_reset_ends_is_not_offered() -> None:
    """The hand control's and the chair's motor's faults end by themselves; unknown is no fault."""
    active = ("hand_fault", "drive_fault", "boot_faulted", "hoist_fault?", "hoist_lost")
    assert resettable(gate_state("lift", active=active, latched=("hoist_runaway",))) == []


def test_the_panel_offers_reset_when_the_joystick_waits_for_it() -> None:
    """H3: the row says "press Reset to drive"; since boot nobody could, because none was shown."""
    gate = booted("chair")
    gate.room.plant.brakes = False
    gate.run(2000)
    assert gate.room.roboteq.estopped
    assert offered(gate) == ["drive_waits"]
    gate.extra.append(ipc.ResetPress("panel:1"))
    gate.run(400)
    assert not gate.room.roboteq.estopped
    assert offered(gate) == []


def watched() -> tuple[Hub, Client]:
    """A hub with one page, whose frames nobody sends."""
    hub = Hub(site("lift"))
    client = hub._clients["panel:1"] = Client(Session("panel:1", "s", frozenset({"UP"})))
    return hub, client


def stops(client: Client) -> list[str]:
    found: list[str] = json.loads(client.frame)["stops"]
    return found


def test_a_page_that_skips_a_state_still_hears_why_its_press_was_refused() -> None:
    """ "Newest state only": two states of the gate in one wake-up, and the reason, told once by
    the gate, was gone. The arrow stays lit under the finger, nothing moves, nothing says why."""
    hub, client = watched()
    hub._take(gate_state("lift", events=(("refused", "marker"), ("press", "panel:1"))))
    hub._take(gate_state("lift"))
    hub._take(gate_state("lift", events=(("stop", "slack"), ("refused", "marker"))))
    assert stops(client) == ["marker", "slack"]
    client.frame = ""  # sent
    hub._take(gate_state("lift", events=(("stop", "estop"),)))
    assert stops(client) == ["estop"]
    client.frame = ""
    hub._take(gate_state("lift"))
    assert stops(client) == []


def test_each_page_hears_what_it_has_missed_itself_and_no_more() -> None:
    hub, quick = watched()
    slow = hub._clients["panel:2"] = Client(Session("panel:2", "s", frozenset({"UP"})))
    hub._take(gate_state("lift", events=(("refused", "marker"),)))
    quick.frame = ""
    hub._take(gate_state("lift"))
    assert (stops(quick), stops(slow)) == ([], ["marker"])


def test_what_a_sleeping_page_has_missed_does_not_grow_without_end() -> None:
    """The page shows the first reason: that is the one which is kept."""
    hub, client = watched()
    for n in range(1000):
        hub._take(gate_state("lift", events=(("refused", f"row{n}"),)))
    assert stops(client) == [f"row{n}" for n in range(MOST_NOTES)]
