"""Figures of the plane `virtual`: simulated seconds per second of processor, and of the whole pack.

Role: measurement for `make bench`, each beside a bare loop over the same plant in the same run.
Must never: judge.
"""

from __future__ import annotations

import time

from hil.figures.table import say
from hil.planes.sites import site
from hil.planes.virtual import VirtualPlane
from hil.plants.axis import AxisCommand
from hil.plants.lift import LiftPlant
from hil.run import Bench, gather
from hil.scenario.load import FOLDER
from hil.scenario.model import Scenario

S = 1_000_000_000
GO, REST = AxisCommand(True, 60.0, 150.0, 300.0), AxisCommand()


def house_s(simulated_s: int = 20) -> float:
    """Simulated seconds of the whole lift per second of processor, an arrow held half the time."""
    plane = VirtualPlane(site("lift", {}), 75.0, 1)
    plane.run(3 * S)
    began = time.process_time()
    for n in range(simulated_s // 2):
        plane.press("panel:1", "RIGHT" if n % 2 else "LEFT")
        plane.run(S)
        plane.release("panel:1")
        plane.run(S)
    return simulated_s / (time.process_time() - began)


def bare_s(simulated_s: int = 20) -> float:
    """The same of the plant alone, 1 kHz, commanded every 20 ms."""
    plant, began = LiftPlant(75.0), time.process_time()
    for n in range(simulated_s * 1000):
        if n % 20 == 0:
            plant.traverse_command = GO if n // 1000 % 2 else REST
        plant.step()
    return simulated_s / (time.process_time() - began)


def pack_s(scenarios: list[Scenario] | None = None) -> tuple[float, float, int]:
    """(seconds of processor, simulated seconds, runs) of the whole pack."""
    runs, bench = scenarios or gather([FOLDER]), Bench()
    began = time.process_time()
    simulated_s = sum(bench(scenario).result.simulated_s for scenario in runs)
    return time.process_time() - began, simulated_s, len(runs)


def virtual(pack: bool) -> None:
    """Print them."""
    house, bare = house_s(), bare_s()
    say("simulated seconds per second of processor, whole lift (gate, guard, controller, recorder)")
    say(f"  measured  {house:8.1f}")
    say(f"  baseline  {bare:8.1f}  the same plant in a bare loop at 1 kHz")
    say(f"  ratio     {house / bare:8.3f}")
    if pack:
        cpu_s, simulated_s, runs = pack_s()
        say(f"whole pack: {runs} runs, {simulated_s:.0f} s simulated in {cpu_s:.0f} s of processor")
