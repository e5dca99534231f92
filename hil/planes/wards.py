"""The runner of the planes of real processes.

Role: one ward for each scenario, from boot to verdict. Must never: give a verdict that this machine
was too late for, or one about what nobody saw.
"""

from __future__ import annotations

from dataclasses import replace

from hil.faces.python_can import AdapterError
from hil.judge.finger import Broken
from hil.judge.ward import WardUnderTest
from hil.planes.disk import FREEZE, FROZEN_NS
from hil.planes.jitter import Jitter, refuse
from hil.planes.unseen import doubt
from hil.run import Ran, check, ended, refused, verdict
from hil.scenario.model import Scenario
from hil.scenario.play import Player
from hil.scenario.situations import NotReached
from hil.timeline import Verdict


def _waits_for_disk(scenario: Scenario) -> bool:
    return any(item.args.get("entry") == FREEZE for item in scenario.expect)


def _cannot(scenario: Scenario) -> str:
    if scenario.site or scenario.fallback:
        return "this plane runs the demo sites as they are"
    for doing in scenario.steps:
        given = doing.args.get("with", {})
        if (
            doing.verb == "fault"
            and doing.args["id"] == "L9.kill"
            and not given.get("restart", True)
        ):
            return f"line {doing.line}: the supervisor always starts it again"
    return ""


class Processes:
    """One ward for each scenario: fresh data, nothing left of the one before."""

    name = "processes"

    def __init__(self) -> None:
        self.jitter = Jitter()

    @property
    def jitter_ms(self) -> dict[str, float]:
        """Of all runs so far."""
        return self.jitter.figures()

    def cannot(self, scenario: Scenario) -> str:
        """Why it cannot be run here, or ""."""
        return _cannot(scenario)

    def ward(self, rig: str) -> WardUnderTest:
        """The ward that a scenario of this rig is to be run in."""
        return WardUnderTest(rooms=(rig,))

    def unknown(self, _rig: str) -> frozenset[str]:
        """Fields of the truth that no simulation knows."""
        return frozenset()

    def __call__(self, scenario: Scenario) -> Ran:
        """In real time."""
        check(scenario)
        if reason := self.cannot(scenario):
            return self.refuse(scenario, reason)
        with self.ward(scenario.rig) as ward:
            return self._in(ward, scenario)

    def _in(self, ward: WardUnderTest, scenario: Scenario) -> Ran:
        from hil.planes.processes import ProcessesPlane

        rig, unknown = scenario.rig, self.unknown(scenario.rig)
        plane = ProcessesPlane(ward, rig, scenario.seed, self.name, unknown)
        player, failed = Player(plane, scenario), list[str]()
        try:
            plane.command({"do": "mass", "kg": scenario.mass_kg})
            plane.run(200_000_000)
            player.begin()
            plane.know()
            player.play()
            plane.run(FROZEN_NS if _waits_for_disk(scenario) else 0)
        except (NotReached, Broken) as error:
            failed.append(f"{error}; {ward.tail()}")
        except AdapterError as error:
            return ended(scenario, plane.timeline, Verdict.INCONCLUSIVE, str(error), plane.name)
        finally:
            plane.finish()
            self.jitter.late_ms += plane.jitter.late_ms
        faults = {name: item.proven for name, item in player.faults.items()}
        ran = verdict(scenario, plane.timeline, failed + player.failed, faults, plane.name)
        ran = doubt(ran, scenario, unknown, told=not failed)
        return replace(ran, result=refuse(ran.result, ran.timeline, plane.jitter))

    def refuse(self, scenario: Scenario, reason: str) -> Ran:
        """NOT_APPLICABLE, and why."""
        return refused(scenario, reason, self.name)

    def close(self) -> None:
        """Every ward ended with its scenario."""
