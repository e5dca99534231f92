"""Scenarios in front of a foreign controller: which can be run there, and running them.

Role: the runner of the plane `dut`. A finger is on the hand control whatever station a scenario
names first; the way into a situation is what a carer does with hands and keys. Must never: judge
by anything but plant truth, or let a dead adapter end as anything but inconclusive.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from hil.faces.python_can import Adapter, AdapterError, Where
from hil.faults import catalogue, hardware
from hil.planes.dut import DutPlane, NotHere
from hil.planes.jitter import Jitter, refuse
from hil.run import Ran, check, ended, verdict
from hil.scenario import situations
from hil.scenario.conditions import condition
from hil.scenario.model import Doing, Scenario
from hil.scenario.play import MOVED_MM, PANEL, PLACE, Player
from hil.scenario.situations import NotReached
from hil.scenario.words import WORDS
from hil.timeline import Verdict

S = 1_000_000_000
BOOT_NS = 3 * S  # for nodes and controller to find each other
WAY_NS = 40 * S  # into a situation; whoever does not move at all is given up sooner
START_NS = 3 * S
STATIONS = (PANEL, "hand")
OURS = frozenset({"stop", "reset", "step", "technician"})
OUR_WORDS = frozenset({"allowed", "alarm", "ledger", "no_alarm"})
SITUATIONS = frozenset({"booting", "ready", "hooked", "hanging", "seated", "standing"})
FAULTS = frozenset(kind.id for kind in hardware.KINDS)
NAME = re.compile(r"[A-Za-z_]\w*")
NOT_PLANT = {name for name, word in WORDS.items() if word.lane != "plant"}


def cannot(scenario: Scenario) -> str:
    """Why a bench in front of a foreign controller cannot run this scenario, or ""."""
    if scenario.start["situation"] not in SITUATIONS:
        return f"situation {scenario.start['situation']} is our workflow's"
    for doing in (*scenario.steps, *scenario.expect):
        if reason := _cannot(doing):
            return f"line {doing.line}: {reason}"
    return ""


def _cannot(doing: Doing) -> str:
    if doing.verb in OURS | OUR_WORDS:
        return f"'{doing.verb}' asks for something only our service has"
    if (station := doing.args.get("station", PANEL)) not in STATIONS:
        return f"there is no station {station}"
    if doing.verb == "fault":
        return _fault(doing)
    asked = " ".join(str(getattr(value, "text", value)) for value in doing.args.values())
    if odd := sorted(set(NAME.findall(asked)) & NOT_PLANT) if doing.verb != "probe" else []:
        return f"'{odd[0]}' is said by our service, not by the plant"
    return ""


def _fault(doing: Doing) -> str:
    kind = catalogue.kind_of(doing.args["id"])
    here = kind.id in FAULTS and "processes" in kind.planes
    return "" if here else f"{kind.id} cannot be put in there"


class ForeignBench:
    """Runs scenarios on one adapter, one after the other."""

    def __init__(self, where: str) -> None:
        self.adapter = Adapter(Where.parse(where))
        self.jitter = Jitter()

    @property
    def jitter_ms(self) -> dict[str, float]:
        """Of all runs so far."""
        return self.jitter.figures()

    def refuse(self, scenario: Scenario, reason: str) -> Ran:
        """NOT_APPLICABLE, and why."""
        plane = DutPlane(scenario.rig, self.adapter, scenario.mass_kg, scenario.seed)
        return self._ended(scenario, plane, Verdict.NOT_APPLICABLE, reason)

    def close(self) -> None:
        """Leave the bus."""
        self.adapter.close()

    def __call__(self, scenario: Scenario) -> Ran:
        """From power-on of the simulated devices to a verdict that this machine can stand for."""
        check(scenario)
        plane = DutPlane(scenario.rig, self.adapter, scenario.mass_kg, scenario.seed)
        situations.prepare(plane.room, scenario.rig, scenario.start["situation"])
        player = Player(plane, scenario)
        try:
            reach(player)
        except (NotReached, NotHere, AdapterError) as error:
            return self._ended(scenario, plane, Verdict.INCONCLUSIVE, f"it never began: {error}")
        return self._played(scenario, player)

    def _played(self, scenario: Scenario, player: Player) -> Ran:
        failed: list[str] = []
        try:
            player.play()
        except NotReached as error:
            failed.append(str(error))
        except NotHere as error:
            return self._ended(scenario, player.plane, Verdict.NOT_APPLICABLE, str(error))
        except AdapterError as error:
            return self._ended(scenario, player.plane, Verdict.INCONCLUSIVE, str(error))
        faults = {name: item.proven for name, item in player.faults.items()}
        plane, told = player.plane, failed + player.failed
        ran = verdict(scenario, plane.timeline, told, faults, plane.name)
        self.jitter.late_ms += plane.jitter.late_ms
        return replace(ran, result=refuse(ran.result, ran.timeline, plane.jitter))

    def _ended(self, scenario: Scenario, plane: DutPlane, how: Verdict, reason: str) -> Ran:
        """Without a judgement: nothing can be concluded, or it is not for here."""
        self.jitter.late_ms += plane.jitter.late_ms
        return ended(scenario, plane.timeline, how, reason, plane.name)


def reach(player: Player) -> None:
    """Into the situation, by hands and keys; NotReached when the controller does not follow."""
    scenario, plane = player.scenario, player.plane
    wanted, start = scenario.start["situation"], scenario.start
    if wanted == "booting":
        return
    plane.run(BOOT_NS)
    if wanted in ("hooked", "hanging"):
        plane.human("act", do="hook")
        plane.command({"do": "hook"})
    if wanted == "hanging":
        _hold(player, "UP", f"height >= {start.get('height', situations.HANGING_MM):g} mm")
    elif wanted == "standing":
        _hold(player, "STAND", f"stroke >= {start.get('stroke', situations.STANDING_MM):g} mm")


def _hold(player: Player, motion: str, that: str) -> None:
    before = player.plane.now["plant"]
    player.plane.press(PANEL, motion)
    try:
        player.until(
            lambda now: _moved(before, now["plant"], motion), START_NS, f"{motion} to move"
        )
        player.until(condition(that), WAY_NS, that)
    finally:
        player.plane.release(PANEL)
    player.until(condition("still"), 3 * S, "standstill")


def _moved(before: dict[str, Any], now: dict[str, Any], motion: str) -> bool:
    return abs(float(now[PLACE[motion]]) - float(before[PLACE[motion]])) > MOVED_MM
