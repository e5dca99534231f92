"""The ward process: one simulated room on the virtual bus, in real time.

    python -m hil.ward --room lift --bus lift --control /run/.../lift.control --web 8801

It must never read the controller's mind: bus, serial line and wires are all it knows. Frozen and
thawed, it replays what the bus did meanwhile at the times the hub stamped, so that the drives'
own deadmen decide how far things travelled.
"""

from __future__ import annotations

import argparse
import logging
import select
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any

from hil.control import ControlServer
from hil.realtime import real_time
from hil.rooms.chair import ChairRoom
from hil.rooms.lift import LiftRoom
from hil.rooms.request import Request
from hil.rooms.room import Room
from hil.serial_line import SerialLine
from hil.truth import PERIOD_NS, TruthLines
from hil.vbus.client import HubClient, HubGoneError, HubMissingError
from hil.vbus.frame import Frame
from hil.vbus.paths import is_served
from hil.web import WebPage

log = logging.getLogger("hil.ward")

_CATCH_UP_NS = 10_000_000_000  # longer freezes are cut short: by then every deadman has spoken
_STALE_NS = 50_000_000  # process data older than this is not sent after a freeze
_RECONNECT_NS = 200_000_000


class Ward:
    """The shell around a room: all I/O, no physics."""

    def __init__(self, room: Room, client: HubClient) -> None:
        self.room = room
        self.serial: SerialLine | None = None
        self.control: ControlServer | None = None
        self.web: WebPage | None = None
        self.truth: TruthLines | None = None
        self._channel = str(client.path)
        self._client: HubClient | None = client
        self._truth_ns = room.t_ns
        self._retry_ns = 0

    def execute(self, request: Request) -> dict[str, Any]:
        """One request of a human or a test; the serial line's faults are the shell's own."""
        if self.serial and request.get("do") == "serial":
            self.serial.command(request)
        else:
            self.room.command(request)
        counted = {"serial": self.serial.counted()} if self.serial else {}
        return self.room.truth() | counted

    def turn(self) -> None:
        """Wait for bus, serial line, request or the next step; then catch up with the clock."""
        readers = [r for r in (self._client, self.serial) if r is not None]
        control = self.control.readers if self.control else []
        due_ns = self.serial.next_ns if self.serial else None
        next_ns = self.room.next_ns if due_ns is None else min(due_ns, self.room.next_ns)
        timeout_s = max(0, next_ns - time.monotonic_ns()) / 1e9
        ready, _, _ = select.select([*readers, *control], [], [], timeout_s)
        now_ns = time.monotonic_ns()
        self._take_frames(now_ns)
        if now_ns - self.room.t_ns > _CATCH_UP_NS:
            self._advance(self.room.t_ns + _CATCH_UP_NS, now_ns)
            self.room.skip_to(now_ns)
        self._advance(now_ns, now_ns)
        if self.serial and (self.serial in ready or due_ns is not None):
            self._serve_serial(now_ns)
        if self.control and any(c in ready for c in control):
            self.control.serve()
        if self.web:
            self.web.serve()

    def _take_frames(self, now_ns: int) -> None:
        try:
            if self._client is None:
                self._reconnect(now_ns)
            while self._client and (received := self._client.receive()):
                if received.is_echo:
                    continue
                t_ns = min(max(received.t_ns, self.room.t_ns), now_ns)
                if t_ns - self.room.t_ns > _CATCH_UP_NS:
                    self.room.skip_to(t_ns)
                self._advance(t_ns, now_ns)
                self._send(self.room.on_frame(received.frame, t_ns), now_ns)
        except HubGoneError as error:
            self._lose_bus(error)

    def _advance(self, until_ns: int, now_ns: int) -> None:
        while self._truth_ns + PERIOD_NS <= until_ns:
            self._truth_ns = max(self._truth_ns + PERIOD_NS, self.room.t_ns)
            self._send(self.room.advance(self._truth_ns), now_ns)
            if self.truth:
                self.truth.write(self.room.truth())
        self._send(self.room.advance(until_ns), now_ns)

    def _send(self, frames: list[tuple[int, Frame]], now_ns: int) -> None:
        try:
            for t_ns, frame in frames:
                stale = now_ns - t_ns > _STALE_NS and _is_cyclic(frame)
                if self._client and not stale and not self._client.send(frame):
                    log.warning("transmit queue full, frame %03X lost", frame.can_id)
        except HubGoneError as error:
            self._lose_bus(error)

    def _lose_bus(self, error: HubGoneError) -> None:
        """As if the cable were cut: the room goes on, its deadmen decide."""
        log.warning("%s; waiting for it", error)
        if self._client:
            self._client.close()
        self._client = None

    def _reconnect(self, now_ns: int) -> None:
        if now_ns < self._retry_ns:
            return
        self._retry_ns = now_ns + _RECONNECT_NS
        try:
            self._client = HubClient(self._channel)
            log.warning("the bus is back")
        except HubMissingError:
            return

    def _serve_serial(self, now_ns: int) -> None:
        if self.serial and isinstance(self.room, ChairRoom):
            data = self.serial.read()
            self.serial.write(self.room.roboteq.on_bytes(data, now_ns) if data else b"")

    def close(self) -> None:
        """Remove everything that has a path."""
        for part in (self._client, self.serial, self.control, self.web):
            if part is not None:
                part.close()


def _is_cyclic(frame: Frame) -> bool:
    """Process data and heartbeats; answers, emergencies and boot-ups are sent however late."""
    function = frame.can_id & 0x780
    boot_up = function == 0x700 and frame.data == b"\0"
    return function not in (0x080, 0x580) and not boot_up


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m hil.ward", description="one simulated room")
    parser.add_argument("--room", choices=("lift", "chair"), required=True)
    parser.add_argument("--bus", help="bus name or socket path (default: the room's name)")
    parser.add_argument("--serial-link", type=Path, help="where the Roboteq's line appears (chair)")
    parser.add_argument("--truth-fd", type=int, help="inherited descriptor for truth lines")
    parser.add_argument("--control", type=Path, help="path of the control socket")
    parser.add_argument("--web", type=int, metavar="PORT", help="page on 127.0.0.1 (0 = any port)")
    parser.add_argument("--seed", type=int, default=0, help="of the load cell's noise")
    parser.add_argument("--present", default="", help="ids of nodes that are real: not sent for")
    parser.add_argument("--mass", type=float, default=75.0, metavar="KG", help="of the person")
    return parser


def build(arguments: argparse.Namespace) -> Ward:
    """Connect and open everything; raises OSError or ValueError with a sentence for the user."""
    client = HubClient(arguments.bus or arguments.room)
    start_ns = time.monotonic_ns()
    kind = LiftRoom if arguments.room == "lift" else ChairRoom
    room = kind(arguments.mass, arguments.seed, start_ns)
    room.present = _ids(arguments.present)
    ward = Ward(room, client)
    if arguments.truth_fd is not None:
        ward.truth = TruthLines(arguments.truth_fd)
    if arguments.serial_link:
        if arguments.room != "chair":
            raise ValueError("--serial-link belongs to --room chair")
        ward.serial = SerialLine(arguments.serial_link)
    if arguments.control:
        if is_served(arguments.control):
            raise FileExistsError(f"another ward serves {arguments.control}; stop it first")
        ward.control = ControlServer(arguments.control, ward.execute)
    if arguments.web is not None:
        ward.web = WebPage(arguments.web, arguments.room, ward.execute)
        log.info("page at http://127.0.0.1:%d/", ward.web.port)
    return ward


def _ids(text: str) -> frozenset[int]:
    return frozenset(int(word, 0) for word in text.split(",") if word)


def _quit(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def main(argv: list[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT."""
    arguments = _parser().parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    signal.signal(signal.SIGTERM, _quit)
    signal.signal(signal.SIGINT, _quit)
    try:
        ward = build(arguments)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"ward: {error}\n")
        return 2
    real_time()
    try:
        while True:
            ward.turn()
    finally:
        ward.close()


if __name__ == "__main__":
    sys.exit(main())
