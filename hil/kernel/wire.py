"""The bus of the virtual plane on a kernel's CAN: each frame goes through real sockets on its way.

Process: the guest kernel, or any where a vcan interface is. Who sends and who listens has a socket
of its own, opened by the product's port. It must never go on without a frame the kernel swallowed:
what is compared is the way through the kernel.
"""

from __future__ import annotations

import select

from config.schema import BusSpec
from drivers.ports.base import FramePort, LinkEvent
from drivers.ports.opening import open_bus
from hil.kernel.pair import bus_frame, port_frame
from hil.planes.virtual import VirtualPlane
from hil.planes.wire import GATE, GUARD, ROOM, STRANGER
from hil.run import Bench, Ran
from hil.scenario.model import Scenario
from hil.vbus.frame import Frame

_PATIENCE_S = 5.0  # a kernel hands a frame on before `send` returns; a busy machine may not


class FrameLostError(Exception):
    """A frame went into the kernel and did not come out."""


class KernelWay:
    """A way whose every frame is written to one socket and read from the others."""

    def __init__(self, port: str) -> None:
        names = (ROOM, GATE, GUARD, STRANGER)
        self.ports: dict[str, FramePort] = {
            name: open_bus(BusSpec(name=name, port=port)) for name in names
        }
        self._owed = dict.fromkeys(self.ports, 0)

    def __call__(self, sender: str, frame: Frame) -> list[tuple[str, Frame]]:
        """What each listener got of it; FrameLostError when the kernel kept it."""
        if not self.ports[sender].send(port_frame(frame, sender)):
            raise FrameLostError(f"the kernel did not take {frame.can_id:03X} of the {sender}")
        others = [name for name in self.ports if name != sender]
        for name in others:
            self._owed[name] += 1
        return [(n, heard) for n in others for heard in self._read(n) if n != STRANGER]

    def _read(self, name: str) -> list[Frame]:
        """Everything this socket is owed, in the kernel's order."""
        found: list[Frame] = []
        port = self.ports[name]
        while self._owed[name]:
            heard = [bus_frame(item) for item in port.receive() if not isinstance(item, LinkEvent)]
            self._owed[name] -= len(heard)
            found += heard
            if not heard and not _waits(port):
                raise FrameLostError(f"{self._owed[name]} frames for the {name} never came")
        return found

    def close(self) -> None:
        """Leave the bus."""
        for port in self.ports.values():
            port.close()


def _waits(port: FramePort) -> bool:
    return port.fileno() >= 0 and bool(select.select([port.fileno()], [], [], _PATIENCE_S)[0])


class KernelBench(Bench):
    """Runs scenarios in virtual time, with every frame through a port of this very kernel."""

    def __init__(self, port: str = "socketcan:vcan0", frames: bool = False) -> None:
        super().__init__(share=False, frames=frames, plane="socketcan")
        self.port = port
        self._way: KernelWay | None = None

    def _plane(self, scenario: Scenario) -> VirtualPlane:
        plane = super()._plane(scenario)
        plane.wire.way = self._way = KernelWay(self.port)
        return plane

    def __call__(self, scenario: Scenario) -> Ran:
        """From boot to verdict."""
        try:
            return super().__call__(scenario)
        finally:
            self.close()

    def close(self) -> None:
        """Leave the bus."""
        if self._way is not None:
            self._way.close()
            self._way = None
