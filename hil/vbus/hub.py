"""The hub process: carries virtual CAN buses between the processes of this machine.

    python -m hil.vbus.hub --bus lift:500000 --bus observed:250000

With `--control DIR` each bus takes requests for faults at DIR/NAME.bus (hil.vbus.requests). It
must never invent, repeat or reorder a frame, never wait for a slow client, and never let a
client's mistake reach another client: a malformed record closes the client that sent it.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import select
import signal
import socket
import struct
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import Any

from hil.control import ControlServer
from hil.realtime import real_time
from hil.vbus.bus import BusCore, Delivery
from hil.vbus.frame import RECORD, RX_OVERFLOW, MalformedRecordError, pack, unpack
from hil.vbus.paths import bus_socket, is_served, listen, make_private
from hil.vbus.physics import BusEvent
from hil.vbus.requests import BusFaults
from hil.vbus.status import status_frame

log = logging.getLogger("hil.vbus.hub")

_TX_QUEUE = 16  # frames read ahead of the wire per client; more wait in its socket
_BUFFER_BYTES = 4 << 20  # the default holds about 70 ms of a full bus


class Client:
    """A connected participant."""

    def __init__(self, connection: socket.socket, number: int) -> None:
        connection.setblocking(False)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER_BYTES)
        self.connection = connection
        self.number = number
        self.dropped = 0
        self.overflowed = False

    @property
    def pid(self) -> int:
        """The process at the other end."""
        size = struct.calcsize("3i")
        pid: int = struct.unpack(
            "3i", self.connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
        )[0]
        return pid

    def fileno(self) -> int:
        """For select."""
        return self.connection.fileno()

    def receive(self) -> bytes:
        """The next record, b"" at the end; raises BlockingIOError when none waits."""
        try:
            return self.connection.recv(RECORD.size + 1)
        except ConnectionResetError:
            # it left without reading everything; what it sent before is still there to be read
            return self.connection.recv(RECORD.size + 1)

    def deliver(self, record: bytes) -> None:
        """Send or count a drop; after a drop nothing passes until the error frame did."""
        if self.overflowed:
            self.dropped += 1
            return
        try:
            self.connection.send(record)
        except BlockingIOError:
            self.overflowed = True
            self.dropped += 1
            log.warning("client %d reads too slowly, frames are dropped", self.number)
        except OSError:
            log.debug("client %d left during a delivery", self.number)

    def report_overflow(self, now_ns: int) -> None:
        """There is room again: tell the client that frames are missing."""
        with contextlib.suppress(OSError):
            self.connection.send(pack(RX_OVERFLOW, now_ns))
            self.overflowed = False


class Bus:
    """One named bus: its listening socket, its clients and the core that paces them."""

    def __init__(
        self, name: str, bit_rate: int, path: Path, control: Path | None = None, *, ideal: bool
    ) -> None:
        self.name, self.path = name, path
        self.core = BusCore(bit_rate, ideal=ideal)
        self.core.observe(self._happened)
        self.faults = BusFaults(self.core)
        self.control = ControlServer(control, self.execute) if control is not None else None
        self.listener = listen(path)
        self.clients: dict[int, Client] = {}
        self._next_number = 1

    def readers(self) -> list[Client]:
        """Clients whose queue has room; the others feel back pressure in their socket."""
        return [c for c in self.clients.values() if self.core.waiting(c.number) < _TX_QUEUE]

    def accept(self) -> None:
        """Let a participant in."""
        with contextlib.suppress(BlockingIOError):
            connection, _ = self.listener.accept()
            client = self.clients[self._next_number] = Client(connection, self._next_number)
            self.core.attach(client.number)
            self.faults.pids[client.number] = client.pid
            self._next_number += 1

    def _happened(self, event: BusEvent) -> None:
        """A controller's new state comes to its owner as an error frame, as with SocketCAN."""
        client = self.clients.get(event.node)
        if client is None or event.state is None:
            return
        client.deliver(pack(status_frame(event.state, event.tec, event.rec), event.t_ns))

    def execute(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """One request of a test."""
        return self.faults.execute(request, time.monotonic_ns())

    def read(self, client: Client, now_ns: int) -> None:
        """Queue what the client sent; close it at its end or at a malformed record."""
        try:
            while self.core.waiting(client.number) < _TX_QUEUE:
                record = client.receive()
                if not record:
                    self.drop(client)
                    return
                frame = unpack(record).frame
                if frame.is_error:
                    raise MalformedRecordError("a client cannot send an error frame")
                self.core.submit(client.number, frame, now_ns)
        except BlockingIOError:
            return
        except (OSError, MalformedRecordError) as error:
            log.warning("bus %s: client %d closed: %s", self.name, client.number, error)
            self.drop(client)

    def drop(self, client: Client) -> None:
        """Forget a participant; what it queued is still sent, as by a real controller."""
        if client.dropped:
            log.warning("client %d lost %d frames in all", client.number, client.dropped)
        client.connection.close()
        self.clients.pop(client.number, None)
        self.faults.pids.pop(client.number, None)
        self.core.detach(client.number)

    def deliver(self, delivery: Delivery) -> None:
        """Every other client hears the frame; the sender gets its echo."""
        record = pack(delivery.frame, delivery.t_ns)
        echo = pack(delivery.frame, delivery.t_ns, is_echo=True)
        for client in self.clients.values():
            if client.number not in delivery.deaf:
                client.deliver(echo if client.number == delivery.sender else record)

    def close(self) -> None:
        """Disconnect everybody and remove the socket."""
        for client in list(self.clients.values()):
            self.drop(client)
        if self.control:
            self.control.close()
        self.listener.close()
        self.path.unlink(missing_ok=True)


class Hub:
    """All buses of one process in one loop."""

    def __init__(self, buses: list[Bus]) -> None:
        self.buses = buses

    def turn(self) -> None:
        """Wait for the next event, then read, pace and deliver."""
        now_ns = time.monotonic_ns()
        due = [t for bus in self.buses if (t := bus.core.next_ns(now_ns)) is not None]
        # select, because epoll rounds its timeout up to a whole millisecond
        timeout_s = max(0, min(due) - now_ns) / 1e9 if due else None
        readers: list[Client | socket.socket] = []
        for bus in self.buses:
            readers += [bus.listener, *bus.readers()]
            readers += bus.control.readers if bus.control else []
        writers = [c for bus in self.buses for c in bus.clients.values() if c.overflowed]
        readable, writable, _ = select.select(readers, writers, [], timeout_s)
        now_ns = time.monotonic_ns()
        for client in writable:
            client.report_overflow(now_ns)
        for bus in self.buses:
            self._serve(bus, readable, now_ns)

    @staticmethod
    def _serve(bus: Bus, readable: list[Client | socket.socket], now_ns: int) -> None:
        for delivery in bus.core.advance(now_ns):
            bus.deliver(delivery)
        for client in list(bus.clients.values()):
            if client in readable:
                bus.read(client, now_ns)
        if bus.listener in readable:
            bus.accept()
        if bus.control and any(item in readable for item in bus.control.readers):
            bus.control.serve()


def parse_bus(text: str) -> tuple[str, int]:
    """`NAME:BITRATE`."""
    name, _, rate = text.partition(":")
    if not rate.isdigit() or int(rate) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME:BITRATE, e.g. lift:500000")
    return name, int(rate)


def open_bus(name: str, bit_rate: int, control: Path | None, *, ideal: bool) -> Bus:
    """Bind a bus; raises OSError or ValueError with a sentence for the user."""
    path = bus_socket(name)
    make_private(path.parent)
    if is_served(path):
        raise FileExistsError(f"bus '{name}' already has a hub at {path}")
    served = None if control is None else control / f"{path.stem}.bus"
    return Bus(path.stem, bit_rate, path, served, ideal=ideal)


def _quit(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def main(argv: list[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m hil.vbus.hub", description="virtual CAN hub")
    parser.add_argument("--bus", action="append", type=parse_bus, metavar="NAME:BITRATE")
    parser.add_argument("--control", type=Path, metavar="DIR", help="take requests for faults")
    parser.add_argument(
        "--copper", action="store_true", help="no analyser: a lone client is not acknowledged"
    )
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    signal.signal(signal.SIGTERM, _quit)
    signal.signal(signal.SIGINT, _quit)
    with contextlib.suppress(OSError):
        Path("/proc/self/timerslack_ns").write_text("1000", encoding="ascii")
    buses: list[Bus] = []
    try:
        for name, bit_rate in arguments.bus or [("lift", 500_000)]:
            ideal = not arguments.copper
            buses.append(open_bus(name, bit_rate, arguments.control, ideal=ideal))
        hub = Hub(buses)
        real_time()
        while True:
            hub.turn()
    except (OSError, ValueError) as error:
        sys.stderr.write(f"hub: {error}\n")
        return 2
    finally:
        for bus in buses:
            bus.close()


if __name__ == "__main__":
    sys.exit(main())
