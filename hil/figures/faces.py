"""Frames per second through each face of the bus, beside a bare socket pair of the same run.

    python -m hil.figures.faces [--guest]

Role: measurement for `make bench`. Must never: assert a rate; the simulated bus runs here at a bit
rate that no wire has, so that only the face is measured.
"""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import can

from config.schema import BusSpec
from drivers.frames import Frame as PortFrame
from drivers.ports.base import LinkEvent
from drivers.ports.opening import open_bus
from hil.figures.table import Spread, row, say
from hil.kernel.smoke import available, smoke
from hil.kernel.uml import run
from hil.vbus.bus import BusCore
from hil.vbus.client import HubClient
from hil.vbus.frame import RECORD, Frame, pack
from hil.vbus.paths import is_served

FAST_BIT_S = 1_000_000_000
WINDOW = 32
TIMES, FRAMES = 5, 4000

Send = Callable[[int], object]
Take = Callable[[], int]


def rate(send: Send, take: Take, frames: int = FRAMES) -> float:
    """Frames per second with WINDOW of them under way; `take` says how many came."""
    sent = came = 0
    began = time.perf_counter()
    while came < frames:
        while sent < frames and sent - came < WINDOW:
            send(sent)
            sent += 1
        came += take()
    return frames / (time.perf_counter() - began)


def bare() -> float:
    """A SEQPACKET socket pair in one process, with the hub's records."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    record = pack(Frame(0x123, bytes(8)))
    found = rate(lambda _n: ours.send(record), lambda: bool(theirs.recv(RECORD.size)))
    ours.close()
    theirs.close()
    return found


def core() -> float:
    """The bus core alone: arbitration, bit times, counters."""
    bus, now = BusCore(500_000), [0]
    bus.attach(1)
    bus.attach(2)
    bus.observe(lambda _event: None)

    def take() -> int:
        now[0] = bus.next_ns(now[0]) or now[0]
        return len(bus.advance(now[0]))

    return rate(lambda n: bus.submit(1, Frame(n & 0x7FF, bytes(8)), now[0]), take)


def client(channel: str) -> float:
    """Two clients of the hub."""
    ours, theirs = HubClient(channel), HubClient(channel)

    def take() -> int:
        select.select([theirs], [], [], 1.0)
        while ours.receive():
            pass
        return sum(1 for _ in iter(theirs.receive, None))

    found = rate(lambda n: ours.send(Frame(n & 0x7FF, bytes(8))), take)
    ours.close()
    theirs.close()
    return found


def plugin(interface: str, channel: str) -> float:
    """Two python-can buses."""
    with (
        can.Bus(interface=interface, channel=channel, ignore_config=True) as ours,
        can.Bus(interface=interface, channel=channel, ignore_config=True) as theirs,
    ):

        def send(n: int) -> None:
            ours.send(can.Message(arbitration_id=n & 0x7FF, is_extended_id=False, data=bytes(8)))
            ours.recv(0)

        return rate(send, lambda: theirs.recv(1.0) is not None)


def adapter(channel: str, folder: Path) -> float:
    """The product's slcan port on our adapter's terminal, a hub client at the other end."""
    link = folder / "adapter"
    command = [sys.executable, "-m", "hil.faces.slcan_server", "--bus", channel]
    server = subprocess.Popen(
        [*command, "--link", str(link), "--bit-rate", "500000"], stderr=subprocess.DEVNULL
    )
    while not link.exists():
        time.sleep(0.01)
    port, peer = open_bus(BusSpec(name="lift", port=f"slcan:{link}")), HubClient(channel)

    def send(n: int) -> None:
        while not port.send(PortFrame("lift", n & 0x7FF, bytes(8))):
            port.receive()

    def take() -> int:
        select.select([peer.fileno(), port.fileno()], [], [], 1.0)
        port.receive()
        return sum(1 for _ in iter(peer.receive, None))

    found = rate(send, take)
    port.close()
    peer.close()
    server.terminate()
    server.wait()
    return found


def kernel_port() -> float:
    """Two of the product's ports on vcan0."""
    ours = open_bus(BusSpec(name="lift", port="socketcan:vcan0"))
    theirs = open_bus(BusSpec(name="other", port="socketcan:vcan0"))

    def take() -> int:
        select.select([theirs], [], [], 1.0)
        return sum(not isinstance(item, LinkEvent) for item in theirs.receive())

    found = rate(lambda n: ours.send(PortFrame("lift", n & 0x7FF, bytes(8))), take)
    ours.close()
    theirs.close()
    return found


@contextmanager
def fast_hub() -> Iterator[tuple[str, Path]]:
    """A hub whose bus is never the limit, in a place of its own."""
    with tempfile.TemporaryDirectory(prefix="liftctl-faces-") as folder:
        path, before = Path(folder) / "vbus" / "fast.sock", os.environ.get("LIFTCTL_RUN")
        os.environ["LIFTCTL_RUN"] = folder
        command = [sys.executable, "-m", "hil.vbus.hub", "--bus", f"fast:{FAST_BIT_S}"]
        hub = subprocess.Popen(command)
        try:
            while not path.parent.is_dir() or not is_served(path):
                time.sleep(0.01)
            yield str(path), Path(folder)
        finally:
            hub.terminate()
            hub.wait()
            if before is None:
                del os.environ["LIFTCTL_RUN"]
            else:
                os.environ["LIFTCTL_RUN"] = before


def many(one: Callable[[], float], times: int = TIMES) -> Spread:
    """Several runs."""
    return Spread.of([one() for _ in range(times)])


def faces() -> None:
    """Every face, one row each."""
    base, against = many(bare), "a bare socket pair in one process"
    row("bus core in virtual time", "frames/s", many(core), base, against)
    with fast_hub() as (path, folder):
        row("hub client", "frames/s", many(lambda: client(path)), base, against)
        row("python-can plugin", "frames/s", many(lambda: plugin("vbus", path)), base, against)
        slcan = many(lambda: adapter(path, folder), 3)
        row("slcan on a terminal (our port)", "frames/s", slcan, base, against)
    _kernel()


def _kernel() -> None:
    if why := available():
        say(f"SocketCAN plane not measured: {why}")
        return
    booted = smoke()
    say(f"SocketCAN plane: boot to first frame {booted.first_frame_ms} ms of the guest;"
        f" whole smoke check {booted.wall_s:.1f} s")  # fmt: skip
    done = run([sys.executable, "-m", "hil.figures.faces", "--guest"])
    told = json.loads(done.output.strip().splitlines()[-1])
    row("kernel vcan (our port, in the guest)", "frames/s", Spread.of(told["vcan"]),
        Spread.of(told["bare"]), "a bare socket pair in the guest")  # fmt: skip


def main() -> int:
    """In the guest one line of JSON, outside the rows."""
    if "--guest" in sys.argv:
        found = {"vcan": [kernel_port() for _ in range(3)], "bare": [bare() for _ in range(3)]}
        sys.stdout.write(json.dumps(found) + "\n")
        return 0
    faces()
    return 0


if __name__ == "__main__":
    sys.exit(main())
