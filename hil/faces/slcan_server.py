"""A bus of the hub as a serial CAN adapter on a pseudo-terminal: it looks like hardware.

    python -m hil.faces.slcan_server --bus lift --bit-rate 500000 --link /run/.../adapter

Kernel slcan (slcand), python-can's `slcan`, can-utils and drivers/ports open the link as a tty.
It must never hold a frame back: what the bus does not take at once is refused with BEL.
"""

from __future__ import annotations

import argparse
import logging
import select
import signal
import sys
from pathlib import Path
from types import FrameType

from hil.faces.slcan import SlcanFirmware
from hil.realtime import real_time
from hil.serial_line import SerialLine
from hil.vbus.client import HubClient, HubGoneError
from hil.vbus.frame import Frame, Received
from hil.vbus.physics import ErrorKind
from hil.vbus.status import state_of

log = logging.getLogger("hil.faces.slcan")


class SlcanServer:
    """Hub on one side, terminal on the other; `turn` waits for either."""

    def __init__(self, bus: str, bit_rate: int, link: Path) -> None:
        self.firmware = SlcanFirmware()
        self.line = SerialLine(link)
        self._bus, self._bit_rate = bus, bit_rate
        self._client: HubClient | None = None

    def turn(self, timeout_s: float | None = None) -> None:
        """Carry what waits; raises HubGoneError."""
        readers = [r for r in (self.line, self._client) if r is not None]
        ready, _, _ = select.select(readers, [], [], timeout_s)
        if self.line in ready:
            self._from_host(self.line.read())
        while self._client is not None and (received := self._client.receive()):
            self.line.write(self._to_host(received))

    def _from_host(self, data: bytes) -> None:
        for piece in data.splitlines(keepends=True):
            self.line.write(self.firmware.on_bytes(piece, self._send))
            self._follow()

    def _follow(self) -> None:
        """Open and close are plug and unplug: a new connection has new error counters."""
        is_open = self.firmware.setting is not None
        if is_open and self._client is None:
            self._client = HubClient(self._bus)
        elif not is_open and self._client is not None:
            self._client.close()
            self._client = None

    @property
    def _mismatched(self) -> bool:
        setting = self.firmware.setting
        return setting is not None and setting.bit_rate != self._bit_rate

    def _send(self, frame: Frame) -> bool:
        if self._mismatched or self._client is None:
            return False
        return self._client.send(frame)

    def _to_host(self, received: Received) -> bytes:
        frame = received.frame
        if frame.is_error:
            state = state_of(frame)
            return b"e1o\r" if state is None else self.firmware.status(*state)
        if received.is_echo:
            return b""
        if self._mismatched:
            return self.firmware.error(ErrorKind.FORM)
        return self.firmware.heard(frame)

    def close(self) -> None:
        """Unplug."""
        if self._client is not None:
            self._client.close()
        self.line.close()


def _quit(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def main(argv: list[str] | None = None) -> int:
    """Run until SIGTERM, SIGINT or the end of the hub."""
    parser = argparse.ArgumentParser(prog="python -m hil.faces.slcan_server")
    parser.add_argument("--bus", default="lift")
    parser.add_argument("--bit-rate", type=int, default=500_000, help="what the bus runs at")
    parser.add_argument("--link", type=Path, required=True, help="where the adapter appears")
    given = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    signal.signal(signal.SIGTERM, _quit)
    signal.signal(signal.SIGINT, _quit)
    try:
        HubClient(given.bus).close()
        server = SlcanServer(given.bus, given.bit_rate, given.link)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"slcan: {error}\n")
        return 2
    log.info("adapter at %s", given.link)
    real_time()
    try:
        while True:
            server.turn()
    except HubGoneError as error:
        sys.stderr.write(f"slcan: {error}\n")
        return 2
    finally:
        server.close()


if __name__ == "__main__":
    sys.exit(main())
