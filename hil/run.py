"""One run from beginning to verdict, and a whole pack of them.

Role: plane, player, oracle and judge put together; the verdict. Must never: let a fault that was
not proved, or cannot be done here, end as a pass.
"""

from __future__ import annotations

import copy
import copyreg
import struct
import traceback
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hil import oracle
from hil.faults import catalogue
from hil.faults.kind import FaultError
from hil.planes import sites
from hil.planes.virtual import VirtualPlane
from hil.scenario import situations
from hil.scenario.judge import Judged, judge
from hil.scenario.load import files, load
from hil.scenario.model import Scenario
from hil.scenario.play import Player
from hil.scenario.situations import NotReached
from hil.scenario.source import ScenarioError
from hil.timeline import Result, Timeline, Verdict
from hil.vbus.frame import Frame
from liftctl import __version__

copyreg.pickle(struct.Struct, lambda made: (struct.Struct, (made.format,)))
AS_PROCESSES = ("socketcan", "hardware")  # the same processes, on another wire
MOST_KEPT = 24  # planes kept at their situation


@dataclass(frozen=True, slots=True)
class Ran:
    """A run's result and its timeline."""

    result: Result
    timeline: Timeline
    frames: tuple[tuple[int, str, Frame], ...] = ()  # (ns, sender, frame), where they were kept


@dataclass(slots=True)
class Bench:
    """Runs scenarios in virtual time. Those that begin alike share the way there: a plane that has
    reached its situation is copied, which a test holds against running it all again.
    """

    share: bool = True
    frames: bool = False  # keep every frame of the bus, from the scenario's own start on
    plane: str = "virtual"  # as results call it
    _kept: dict[str, Player] = field(default_factory=dict)

    def refuse(self, scenario: Scenario, reason: str) -> Ran:
        """NOT_APPLICABLE, and why."""
        return refused(scenario, reason, self.plane)

    def close(self) -> None:
        """Nothing to leave."""

    def __call__(self, scenario: Scenario) -> Ran:
        """From boot to verdict; never raises for what a scenario does."""
        try:
            check(scenario)
            player = self._begun(scenario)
        except NotReached as error:
            why = [f"it never began: {error}"]
            return _ran(scenario, Timeline(), [], why, Verdict.FAIL, {}, self.plane)
        wire, start_ns = player.plane.wire, player.plane.clock.now_ns - player.plane.t_ns
        wire.heard = [] if self.frames else None
        ran = _played(scenario, player, self.plane)
        heard = ((t_ns - start_ns, sender, frame) for t_ns, sender, frame in wire.heard or ())
        return replace(ran, frames=tuple(heard))

    def _begun(self, scenario: Scenario) -> Player:
        given = (scenario.rig, scenario.site, scenario.fallback, scenario.mass_kg, scenario.seed)
        key = repr((*given, scenario.today, scenario.start))
        if key not in self._kept:
            player = Player(self._plane(scenario), scenario)
            player.begin()
            if not self.share:
                return player
            if len(self._kept) >= MOST_KEPT:
                self._kept.pop(next(iter(self._kept)))
            self._kept[key] = player
        return self._copy(self._kept[key], scenario)

    def _plane(self, scenario: Scenario) -> VirtualPlane:
        site = sites.site(scenario.rig, scenario.site)
        plane = VirtualPlane(
            site, scenario.mass_kg, scenario.seed, scenario.today, scenario.fallback
        )
        situations.prepare(plane.room, scenario.rig, scenario.start["situation"])
        return plane

    def _copy(self, kept: Player, scenario: Scenario) -> Player:
        plane = kept.plane
        frozen = (plane.site, plane.gate.config, plane.guard.config, plane.controller.config)
        memo = {id(item): item for item in frozen}
        return Player(copy.deepcopy(plane, memo), scenario)


def check(scenario: Scenario) -> None:
    """What a file alone cannot show: faults, arguments, rules; ScenarioError."""
    where = scenario.path
    for doing in scenario.steps:
        if doing.verb != "fault":
            continue
        try:
            kind = catalogue.kind_of(doing.args["id"])
            catalogue.arguments(kind, doing.args.get("with", {}))
        except FaultError as error:
            raise ScenarioError(f"{where}:{doing.line}: {error}") from error
        if scenario.rig not in kind.rigs:
            raise ScenarioError(
                f"{where}:{doing.line}: a {scenario.rig} has nothing {kind.id} breaks"
            )
    if odd := oracle.unknown(scenario.excused):
        known = ", ".join(oracle.NAMES)
        raise ScenarioError(f"{where}: oracle: there is no rule '{odd[0]}'; rules: {known}")


def cannot(scenario: Scenario, plane: str) -> str:
    """Why this plane cannot run it, or ""."""
    if plane == "dut":
        from hil.planes.foreign import cannot as cannot_abroad

        return cannot_abroad(scenario)
    wanted = {plane, "processes"} if plane in AS_PROCESSES else {plane}
    if not wanted & set(scenario.planes):
        return f"it is for the planes {', '.join(scenario.planes)}"
    for doing in scenario.steps:
        if doing.verb == "fault":
            kind = catalogue.kind_of(doing.args["id"])
            if plane not in kind.planes:
                return f"line {doing.line}: the plane {plane} cannot do {kind.id}"
    return ""


def _played(scenario: Scenario, player: Player, plane: str) -> Ran:
    failed: list[str] = []
    timeline = player.plane.timeline
    try:
        player.play()
    except NotReached as error:
        failed.append(str(error))
    except Exception as error:  # noqa: BLE001 - the service under test raised: that is a finding
        where = traceback.extract_tb(error.__traceback__)[-1]
        reason = f"{type(error).__name__}: {error} ({where.filename}:{where.lineno})"
        return _ran(scenario, timeline, [], [reason], Verdict.ERROR, {}, plane)
    failed += player.failed
    faults = {name: item.proven for name, item in player.faults.items()}
    return verdict(scenario, timeline, failed, faults, plane)


def refused(scenario: Scenario, reason: str, plane: str) -> Ran:
    """NOT_APPLICABLE, and why."""
    return ended(scenario, Timeline(), Verdict.NOT_APPLICABLE, reason, plane)


def ended(scenario: Scenario, line: Timeline, how: Verdict, reason: str, plane: str) -> Ran:
    """Without a judgement of what was expected; harm that was seen until then stays a FAIL."""
    harmed = oracle.told(oracle.record(line), scenario.excused)
    found, reasons = (Verdict.FAIL, [*harmed, reason]) if harmed else (how, [reason])
    return _ran(scenario, line, [], reasons, found, {}, plane)


def verdict(
    scenario: Scenario,
    timeline: Timeline,
    failed: list[str],
    faults: dict[str, bool],
    plane: str = "virtual",
) -> Ran:
    """Oracle and expectations over a finished timeline; `faults`: which were proved."""
    harmed = oracle.told(oracle.record(timeline), scenario.excused)
    judged = judge(scenario, timeline)
    failed = [*failed, *(f"{item.text}: {item.why}" for item in judged if not item.passed)]
    unproved = [f"fault '{name}' was never proved active" for name, ok in faults.items() if not ok]
    if harmed:
        found, reasons = Verdict.FAIL, harmed + failed
    elif unproved:
        found, reasons = Verdict.INCONCLUSIVE, unproved + failed
    else:
        found, reasons = Verdict.FAIL if failed else Verdict.PASS, failed
    return _ran(scenario, timeline, judged, reasons, found, faults, plane)


def _ran(
    scenario: Scenario,
    timeline: Timeline,
    judged: list[Judged],
    reasons: list[str],
    found: Verdict,
    faults: dict[str, bool],
    plane: str = "virtual",
) -> Ran:
    end_ns = max((event["t_ns"] for event in timeline.events), default=0)
    timeline.add(end_ns, "meta", "run", **about(scenario, plane), faults=faults)
    measurements = tuple(
        {
            "name": item.name,
            "value": item.value,
            "unit": item.unit,
            "min": item.low,
            "max": item.high,
            "passed": item.passed,
        }
        for item in judged
        if item.value is not None
    )
    result = Result(
        id=scenario.id,
        title=scenario.title,
        verdict=found,
        hazards=scenario.hazards,
        clauses=scenario.clauses,
        plane=plane,
        seed=scenario.seed,
        parameters=scenario.parameters,
        reasons=tuple(reasons),
        measurements=measurements,
        timeline_hash=timeline.hash(),
        source=str(scenario.path),
        simulated_s=end_ns / 1e9,
    )
    return Ran(result, timeline)


def about(scenario: Scenario, plane: str) -> dict[str, Any]:
    """What a timeline says of its own run."""
    return {
        "id": scenario.id,
        "title": scenario.title,
        "hazards": list(scenario.hazards),
        "clauses": list(scenario.clauses),
        "plane": plane,
        "rig": scenario.rig,
        "seed": scenario.seed,
        "parameters": scenario.parameters,
        "cover": scenario.cover,
        "version": __version__,
    }


def gather(paths: list[Path]) -> list[Scenario]:
    """Every run of these files and folders, checked; ScenarioError names the first that is broken,
    and two files with one id.
    """
    found: list[Scenario] = []
    seen: dict[str, Path] = {}
    for path in files(paths):
        runs = load(path)
        other = seen.setdefault(runs[0].id, path)
        if other != path:
            raise ScenarioError(f"{path}: the id {runs[0].id} is {other}'s; give it its own")
        for run in runs:
            check(run)
        found += runs
    return found
