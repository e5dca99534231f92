"""Where a scenario can run: one file for each plane, and which faults each can do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from hil.run import Ran
    from hil.scenario.model import Scenario

PLANES = ("virtual", "processes", "socketcan", "hardware", "dut")


class Unavailable(Exception):
    """This plane cannot work here; the message names the remedy."""


class Runner(Protocol):
    """Runs scenarios on one plane."""

    def __call__(self, scenario: Scenario) -> Ran: ...

    def refuse(self, scenario: Scenario, reason: str) -> Ran:
        """NOT_APPLICABLE, and why."""

    def close(self) -> None:
        """Leave nothing behind."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line says of a plane. `adapter`: interface:channel@bitrate; `present`: names
    of nodes that really are there; `frames`: keep them.
    """

    adapter: str = ""
    present: str = ""
    nobody_in_the_sling: bool = False
    frames: bool = False


def runner(plane: str, asked: Asked = Asked()) -> Runner:
    """The runner of a plane; Unavailable names the remedy."""
    from hil.faces.python_can import AdapterError
    from hil.kernel.uml import KernelError

    if plane not in PLANES:
        raise Unavailable(f"there is no plane '{plane}'; planes: {', '.join(PLANES)}")
    try:
        return MADE[plane](asked)
    except (AdapterError, KernelError) as error:
        raise Unavailable(str(error)) from error


def _virtual(asked: Asked) -> Runner:
    from hil.run import Bench

    return Bench(frames=asked.frames)


def _processes(_asked: Asked) -> Runner:
    from hil.planes.wards import Processes

    return Processes()


def _socketcan(asked: Asked) -> Runner:
    from hil.planes.socketcan import runner as of_kernel

    return of_kernel(asked.adapter, asked.frames)


def _hardware(asked: Asked) -> Runner:
    from hil.planes.hardware import Hardware

    return Hardware(asked.adapter, asked.present, asked.nobody_in_the_sling)


def _dut(asked: Asked) -> Runner:
    from hil.planes.foreign import ForeignBench

    return ForeignBench(asked.adapter)


MADE: dict[str, Callable[[Asked], Runner]] = {
    "virtual": _virtual,
    "processes": _processes,
    "socketcan": _socketcan,
    "hardware": _hardware,
    "dut": _dut,
}
