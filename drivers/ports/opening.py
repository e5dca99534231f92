"""From one word to an open port.

Role: the only place that knows which word is which port. Process: gate, guard, CLI. Must never:
open a bus that the site calls monitor-only for sending.
"""

from __future__ import annotations

from config.schema import BusSpec, SerialSpec
from drivers.ports.base import FramePort, LinePort, PortError
from drivers.ports.canbus import CanPort
from drivers.ports.line import SerialPort
from drivers.ports.slcan import SlcanPort

# "virtual" is python-can's bus inside one process, for tests.
_PYTHON_CAN = ("vbus", "socketcan", "virtual")


def open_bus(spec: BusSpec) -> FramePort:
    """Open `vbus:NAME`, `socketcan:can0` or `slcan:/dev/ttyACM0`; raises PortError."""
    interface, _, channel = spec.port.partition(":")
    if channel and interface == "slcan":
        return SlcanPort(spec.name, channel, spec.bitrate, listen_only=spec.monitor_only)
    if channel and interface in _PYTHON_CAN:
        return CanPort(spec.name, interface, channel, spec.bitrate, listen_only=spec.monitor_only)
    raise PortError(
        f"bus {spec.name}: port '{spec.port}' is unknown; "
        "use vbus:NAME, socketcan:can0 or slcan:/dev/tty..."
    )


def open_line(spec: SerialSpec) -> LinePort:
    """Open a tty or `vserial:NAME`; raises PortError."""
    return SerialPort(spec.name, spec.port, spec.baudrate)
