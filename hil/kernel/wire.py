"""The bus of the virtual plane on a kernel's CAN: each frame goes through real sockets on its way.

Process: the guest kernel, or any where a vcan interface is. Who sends and who listens has a socket
of its own, opened by the product's port. It must never go on without a frame the kernel swallowed:
what is compared is the way through the kernel.
"""

from __future__ import annotations

import select
from dataclasses import dataclass, field

from config.schema import BusSpec
from drivers.ports.base import FramePort, LinkEvent
from drivers.ports.opening import open_bus
from hil.kernel.pair import bus_frame, port_frame
from hil.planes.virtual import VirtualPlane
from hil.planes.wire import GATE, GUARD, ROOM, STRANGER, Wire
from hil.run import Bench, Ran
from hil.scenario.model import Scenario
from hil.vbus.frame import Frame

_PATIENCE_S = 5.0  # a kernel hands a frame on before `send` returns; a busy machine may not


class FrameLostError(Exception):
    """A frame went into the kernel and did not come out."""


@dataclass(slots=True)
class KernelWire(Wire):
    """A wire whose every delivery is a frame written to one socket and read from the others."""

    port: str = "socketcan:vcan0"
    ports: dict[str, FramePort] = field(default_factory=dict)
    _owed: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = (ROOM, GATE, GUARD, STRANGER)
        self.ports = {name: open_bus(BusSpec(name=name, port=self.port)) for name in names}
        self._owed = dict.fromkeys(self.ports, 0)

    def _deliver(self, sender: str, frame: Frame) -> None:
        self.count += 1
        if self.heard is not None:
            self.heard.append((self.clock.now_ns, sender, frame))
        if not self.ports[sender].send(port_frame(frame, sender)):
            raise FrameLostError(f"the kernel did not take {frame.can_id:03X} of the {sender}")
        for name in self.ports:
            self._owed[name] += name != sender
        for name in self.ports:
            for heard in self._read(name):
                if name in self.takers and name not in self.deaf:
                    self.takers[name](heard)

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
        self._wire: KernelWire | None = None

    def _plane(self, scenario: Scenario) -> VirtualPlane:
        plane = super()._plane(scenario)
        wire = KernelWire(plane.clock, takers=plane.wire.takers, port=self.port)
        plane.wire = plane.gate.wire = plane.guard.wire = self._wire = wire
        return plane

    def __call__(self, scenario: Scenario) -> Ran:
        """From boot to verdict."""
        try:
            return super().__call__(scenario)
        finally:
            self.close()

    def close(self) -> None:
        """Leave the bus."""
        if self._wire is not None:
            self._wire.close()
            self._wire = None
