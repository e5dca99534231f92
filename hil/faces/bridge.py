"""A bus of the hub joined to a real CAN adapter: any interface that python-can knows.

    python -m hil.faces.bridge --bus lift --interface socketcan --channel can0 --bit-rate 500000

Simulated devices then stand on a real wire, or real ones on the simulated bus. Frames pass in both
directions once; errors of the adapter are counted, and its end is the end of the bridge. It must
never send a frame back to where it came from.
"""

from __future__ import annotations

import argparse
import json
import select
import signal
import sys
from collections import Counter
from threading import Event, Thread
from types import FrameType

import can

from hil.faces.python_can import FAILURES, Adapter, AdapterError, Where
from hil.realtime import real_time
from hil.vbus.client import HubClient, HubGoneError
from hil.vbus.frame import Frame
from hil.vbus.plugin import frame_of, message_of

_PATIENCE_S = 0.2


class Bridge:
    """`counted`: frames each way, refused ones, and error frames of the adapter."""

    def __init__(self, bus: str, adapter: Adapter) -> None:
        self.counted: Counter[str] = Counter()
        self.failure = ""
        self._client, self._adapter = HubClient(bus), adapter
        self._over = Event()
        self._thread = Thread(target=self._inwards, name="bridge", daemon=True)
        self._thread.start()

    def turn(self) -> None:
        """Carry what the hub has for the adapter; raises HubGoneError or CanError."""
        if self.failure:
            raise can.CanOperationError(self.failure)
        if not select.select([self._client], [], [], _PATIENCE_S)[0]:
            return
        while received := self._client.receive():
            if received.is_echo or received.frame.is_error:
                continue
            try:
                self._adapter.bus.send(message_of(received.frame), timeout=0)
                self.counted["out"] += 1
            except can.CanOperationError:
                self.counted["refused"] += 1

    def _inwards(self) -> None:
        while not self._over.is_set():
            try:
                message = self._adapter.bus.recv(_PATIENCE_S)
                if message is not None:
                    self._take(message)
            except (*FAILURES, HubGoneError) as error:
                self.failure = f"the adapter is gone: {error}"
                return

    def _take(self, message: can.Message) -> None:
        if message.is_error_frame:
            self.counted["errors"] += 1
        elif not message.is_fd:  # `is_rx` is no guide: SocketCAN clears it for this machine's own
            frame: Frame = frame_of(message)
            self.counted["in" if self._client.send(frame) else "lost"] += 1

    def close(self) -> None:
        """Part them."""
        self._over.set()
        self._thread.join(2.0)
        self._client.close()
        self._adapter.close()


def _quit(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def main(argv: list[str] | None = None) -> int:
    """Run until SIGTERM, SIGINT, the end of the hub or of the adapter."""
    parser = argparse.ArgumentParser(prog="python -m hil.faces.bridge")
    parser.add_argument("--bus", default="lift")
    parser.add_argument("--interface", required=True)
    parser.add_argument("--channel", required=True)
    parser.add_argument("--bit-rate", type=int, default=500_000)
    given = parser.parse_args(argv)
    signal.signal(signal.SIGTERM, _quit)
    signal.signal(signal.SIGINT, _quit)
    try:
        adapter = Adapter(Where(given.interface, given.channel, given.bit_rate))
        bridge = Bridge(given.bus, adapter)
    except (AdapterError, OSError, ValueError) as error:
        sys.stderr.write(f"bridge: {error}\n")
        return 2
    real_time()
    try:
        while True:
            bridge.turn()
    except (HubGoneError, can.CanError) as error:
        sys.stderr.write(f"bridge: {error}\n")
        return 2
    finally:
        sys.stdout.write(json.dumps(bridge.counted) + "\n")
        bridge.close()


if __name__ == "__main__":
    sys.exit(main())
