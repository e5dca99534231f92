"""What the smoke check does inside the kernel: one JSON line per step, in guest milliseconds.

Process: the guest (or a machine whose own kernel has CAN, without the slcan part). Exit code 0 only
if every step held. It must never leave an interface behind that it made.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import struct
import subprocess
import sys
import termios
import time
import tty
from collections.abc import Callable
from pathlib import Path

from config.schema import BusSpec
from drivers.frames import Frame
from drivers.ports.base import FramePort, Link, LinkEvent
from drivers.ports.opening import open_bus
from hil.faces.adapter import AdapterOnBus
from hil.kernel.pair import TURN_NS, GateOnPort, RoomOnFrames, bus_frame, port_frame
from hil.vbus.bus import BusCore
from hil.vbus.frame import Frame as BusFrame
from hil.vbus.physics import ErrorKind, ErrorSpec

_N_SLCAN = 17
_PATIENCE_S = 20.0
_MOST_TURNS = 1000
_BYTES_NS = 300_000  # bus time between two looks at the terminal
_TRIES = 10


class SmokeError(Exception):
    """A step did not hold."""


def boot_ms() -> int:
    """Since the kernel began."""
    return round(float(Path("/proc/uptime").read_text(encoding="ascii").split()[0]) * 1000)


def say(step: str, **facts: object) -> None:
    """One line of the report."""
    sys.stdout.write(json.dumps({"step": step, "at_ms": boot_ms(), **facts}) + "\n")
    sys.stdout.flush()


class Pace:
    """Turns of 20 ms in bench time: how late this machine runs them is not what is tried here."""

    def __init__(self) -> None:
        self.now_ns = 1_000_000_000

    def turns(
        self, what: Callable[[int], bool], name: str, wait: Callable[[float], object] = time.sleep
    ) -> int:
        """Call it every turn until it is true; how many turns it took. `wait` fills wall time."""
        for count in range(1, _MOST_TURNS):
            until = time.monotonic() + TURN_NS / 1e9
            while (left_s := until - time.monotonic()) > 0.0:
                wait(left_s)
            self.now_ns += TURN_NS
            if what(self.now_ns):
                return count
        raise SmokeError(f"{name}: not within {_MOST_TURNS * TURN_NS / 1e9:g} s")


def port(channel: str, name: str = "lift") -> FramePort:
    """The product's own port on a kernel interface."""
    return open_bus(BusSpec(name=name, port=f"socketcan:{channel}"))


def first_frame(channel: str) -> None:
    """A frame of our port through the kernel's CAN socket to another of our ports."""
    ours, other = port(channel), port(channel, "other")
    sent = Frame("lift", 0x123, bytes(range(8)))
    if not ours.send(sent):
        raise SmokeError("the kernel did not take a frame")
    end = time.monotonic() + _PATIENCE_S
    while not (found := [i for i in other.receive() if not isinstance(i, LinkEvent)]):
        if time.monotonic() > end:
            raise SmokeError("a frame did not come out of the kernel's socket")
    if found[0].data != sent.data or found[0].id != sent.id:
        raise SmokeError(f"the kernel changed the frame: {found[0]}")
    ours.close()
    other.close()
    say("a frame through a kernel CAN socket", channel=channel)


def gate_and_room(channel: str) -> None:
    """The gate boots a simulated room through the kernel, and moves it."""
    pace = Pace()
    gate, far = GateOnPort(port(channel), pace.now_ns), port(channel, "room")
    room = RoomOnFrames(pace.now_ns)

    def turn(now_ns: int) -> None:
        heard = [bus_frame(i) for i in far.receive() if not isinstance(i, LinkEvent)]
        for frame in room.step(now_ns, heard):
            far.send(port_frame(frame, "room"))
        gate.step(now_ns)

    def ready(now_ns: int) -> bool:
        turn(now_ns)
        return gate.state.kernel.ready

    def moved(now_ns: int) -> bool:
        turn(now_ns)
        return room.room.plant.traverse.position_mm > before + 20.0

    count = pace.turns(ready, "the gate to be ready")
    say("the gate and a room meet through the kernel", turns=count, frames=gate.heard)
    before, gate.hold = room.room.plant.traverse.position_mm, (1, "RIGHT")
    pace.turns(moved, "the room to move")
    say("the gate moves the room through the kernel", x_mm=room.room.plant.traverse.position_mm)
    gate.port.close()
    far.close()


class FirmwareOnPty:
    """Our adapter firmware behind a terminal that the kernel's slcan owns; a room on its bus."""

    def __init__(self) -> None:
        self.core = BusCore(500_000, ideal=False)
        self.adapter = AdapterOnBus(self.core, 1)
        self.core.attach(2)
        self._ours, self._kernels = os.openpty()
        tty.setraw(self._kernels)
        self._heard: list[BusFrame] = []
        self.pace = Pace()
        self._bus_ns = self.pace.now_ns
        self.room = RoomOnFrames(self.pace.now_ns)

    def attach(self) -> None:
        """Give the terminal to the kernel: a network device appears."""
        fcntl.ioctl(self._kernels, termios.TIOCSETD, struct.pack("i", _N_SLCAN))

    def turns(self, what: Callable[[int], bool], name: str) -> int:
        """As `turns`, with bytes carried as soon as the kernel writes them."""
        return self.pace.turns(what, name, self._carry)

    def _carry(self, patience_s: float) -> None:
        if select.select([self._ours], [], [], patience_s)[0]:
            self._bus_ns = min(self._bus_ns + _BYTES_NS, self.pace.now_ns + TURN_NS)
            self._write(self.adapter.on_bytes(os.read(self._ours, 65536), self._bus_ns))
            self._move_bits(self._bus_ns)

    def _move_bits(self, now_ns: int) -> None:
        deliveries = self.core.advance(now_ns)
        self._heard += [d.frame for d in deliveries if d.sender == self.adapter.number]
        out = b"".join(self.adapter.on_delivery(d) for d in deliveries)
        self._write(out + b"".join(self.adapter.on_event(e) for e in self.core.events()))

    def _write(self, data: bytes) -> None:
        if data:
            os.write(self._ours, data)

    def turn(self, now_ns: int) -> None:
        """The room takes what it heard and sends."""
        self._bus_ns = now_ns
        heard, self._heard = self._heard, []
        for frame in self.room.step(now_ns, heard):
            self.core.submit(2, frame, now_ns)
        self._move_bits(now_ns)

    def close(self) -> None:
        """Hang up: the network device goes."""
        os.close(self._ours)
        os.close(self._kernels)


def ip(firmware: FirmwareOnPty, *words: str) -> None:
    """Configure an interface while the firmware answers; raises SmokeError with what ip said.

    Kernel slcan waits one second for the firmware, and a busy machine may not run us so soon.
    """
    for _ in range(_TRIES):
        said = _ip(firmware, words)
        if not said:
            return
    raise SmokeError(f"ip {' '.join(words)}: {said}")


def _ip(firmware: FirmwareOnPty, words: tuple[str, ...]) -> str:
    command = subprocess.Popen(["ip", *words], stderr=subprocess.PIPE, text=True)

    def ended(now_ns: int) -> bool:
        firmware.turn(now_ns)
        return command.poll() is not None

    firmware.turns(ended, "ip")
    said = command.stderr.read().strip() if command.stderr else ""
    return said or "refused" if command.returncode else ""


def bus_off(channel: str) -> None:
    """Kernel slcan on our firmware: 32 errors, bus-off in the gate's port and rows, recovery."""
    firmware = FirmwareOnPty()
    firmware.attach()
    ip(firmware, "link", "set", channel, "type", "can", "bitrate", "500000")
    ip(firmware, "link", "set", channel, "up")
    gate = GateOnPort(port(channel), firmware.pace.now_ns)

    def turn(now_ns: int) -> None:
        firmware.turn(now_ns)
        gate.step(now_ns)

    def seen(now_ns: int) -> bool:
        turn(now_ns)
        return Link.BUS_OFF in gate.links and "bus_off" in gate.state.kernel.active

    def ready(now_ns: int) -> bool:
        turn(now_ns)
        return gate.state.kernel.ready

    def whole(now_ns: int) -> bool:
        turn(now_ns)
        if gate.port.fileno() < 0:
            gate.reopened()
        return gate.heard > heard + 10 and "bus_off" not in gate.state.kernel.active

    firmware.turns(ready, "the gate to be ready through kernel slcan")
    say("the gate and a room meet through kernel slcan", frames=gate.heard)
    injection = firmware.core.inject(ErrorSpec(ErrorKind.BIT, sender=1, count=32))
    count = firmware.turns(seen, "bus-off in the port and in the gate's rows")
    told = [str(kind) for kind in gate.links if kind is not Link.ERROR]
    say("bus-off", errors=injection.hits, turns=count, port_said=told)
    ip(firmware, "link", "set", channel, "down")
    ip(firmware, "link", "set", channel, "up")
    heard = gate.heard
    count = firmware.turns(whole, "recovery")
    say("recovery", turns=count, counters=str(firmware.core.counters(1).state))
    gate.port.close()
    firmware.close()


def main() -> int:
    """Every step; 0 only if all of them held."""
    channel = sys.argv[1] if len(sys.argv) > 1 else "vcan0"
    try:
        first_frame(channel)
        gate_and_room(channel)
        if "--no-slcan" not in sys.argv:
            bus_off("can0")
    except (SmokeError, OSError) as error:
        say("FAILED", why=str(error))
        return 1
    say("done")
    return 0


if __name__ == "__main__":
    sys.exit(main())
