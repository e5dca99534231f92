"""What happened on the bus, with the medium's own time stamps; and a bare echo to compare with.

Role: a listener thread and an echo process on the virtual bus. Must never: send anything but the
echo's request.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

import can

REQUEST, REPLY = 0x7E0, 0x7E1


class Tap:
    """Keeps the newest frames of a bus as (ns, id, data)."""

    def __init__(self, socket: Path) -> None:
        self.bus = can.Bus(interface="vbus", channel=str(socket), ignore_config=True)
        self.frames: deque[tuple[float, int, bytes]] = deque(maxlen=20000)
        self._ended = False
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while not self._ended:
            message = self.bus.recv(0.2)
            if message is not None and not message.is_error_frame:
                found = (message.timestamp * 1000, message.arbitration_id, bytes(message.data))
                self.frames.append(found)

    def first(
        self, what: Callable[[int, bytes], bool], after_ms: float, patience_s: float = 2.0
    ) -> float | None:
        """The time in ms of the first frame after `after_ms` that fits."""
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            for at_ms, id_, data in list(self.frames):
                if at_ms > after_ms and what(id_, data):
                    return at_ms
            time.sleep(0.005)
        return None

    def close(self) -> None:
        """Leave the bus."""
        self._ended = True
        self._thread.join(1)
        self.bus.shutdown()


def echo_process(socket: Path) -> subprocess.Popen[bytes]:
    """A bare python-can process that answers REQUEST with REPLY, scheduled like the gate."""
    code = (
        "import can,sys\n"
        "from hil.realtime import real_time\n"
        "real_time()\n"
        "b=can.Bus(interface='vbus',channel=sys.argv[1],ignore_config=True)\n"
        f"m=can.Message(arbitration_id={REPLY},is_extended_id=False,data=b'')\n"
        "while True:\n"
        "    r=b.recv()\n"
        f"    if r is not None and r.arbitration_id=={REQUEST}: b.send(m)\n"
    )
    return subprocess.Popen([sys.executable, "-c", code, str(socket)])


def echo_ms(tap: Tap, times: int) -> list[float]:
    """Round trips of the bare echo, request frame to reply frame."""
    found = []
    for _ in range(times):
        now_ms = tap.frames[-1][0] if tap.frames else 0.0
        tap.bus.send(can.Message(arbitration_id=REQUEST, is_extended_id=False))
        reply = tap.first(lambda id_, _: id_ == REPLY, now_ms)
        asked = [at for at, id_, _ in list(tap.frames) if id_ == REQUEST]
        if reply is not None:
            found.append(reply - asked[-1] if asked else reply - now_ms)
    return found
