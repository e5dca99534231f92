"""Where a scenario can run: one file for each plane, and which faults each can do."""

from __future__ import annotations

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


def runner(plane: str, adapter: str = "", frames: bool = False) -> Runner:
    """The runner of a plane, on an adapter where it needs one; `frames`: keep them. Unavailable."""
    if plane == "virtual":
        from hil.run import Bench

        return Bench(frames=frames)
    if plane == "processes":
        from hil.planes.wards import Processes

        return Processes()
    if plane == "dut":
        return _foreign(adapter)
    raise Unavailable(f"there is no plane '{plane}' here; planes: virtual, processes, dut")


def _foreign(adapter: str) -> Runner:
    from hil.faces.python_can import AdapterError
    from hil.planes.foreign import ForeignBench

    try:
        return ForeignBench(adapter)
    except AdapterError as error:
        raise Unavailable(str(error)) from error
