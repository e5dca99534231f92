"""A controller that only reports: transfers to the site's real recorder, each noted as soon as the
recorder says that it is durable.

Run as `python -m tests.centre.writer SOCKET ACKNOWLEDGED`, killed at any point; so is the recorder.
What it has not heard back about it says again, as the controller does.
"""

from __future__ import annotations

import os
import select
import sys
import time
import uuid
from pathlib import Path

from liftctl import ipc

PACE_S, PATIENCE_S = 0.01, 1.0
RECORD = {"kind": "bed-chair", "outcome": "completed", "carers_actual": 1, "elapsed_s": 200.0,
          "staff_s": 200.0, "resident": "r-secret"}  # fmt: skip


def reached(path: Path) -> ipc.Channel:
    while (channel := ipc.connect(path)) is None:
        time.sleep(0.05)
    return channel


def durable(channel: ipc.Channel, name: str) -> bool:
    """Told to the recorder and answered; False when it died first."""
    now_ns = time.monotonic_ns()
    channel.send(ipc.TransferOpened(name, now_ns, dict(RECORD)))
    channel.send(ipc.TransferPhase(name, now_ns, "raise"))
    channel.send(ipc.TransferClosed(name, now_ns, RECORD | {"id": name}))
    until_s = time.monotonic() + PATIENCE_S
    while not channel.closed and time.monotonic() < until_s:
        select.select([channel], [], [], 0.1)
        for said in channel.receive():
            if isinstance(said, ipc.Written) and (said.id, said.kind) == (name, "closed"):
                return True
    return False


def main(path: Path, told: Path) -> None:
    out = os.open(told, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    channel = reached(path)
    while True:
        name = uuid.uuid4().hex
        while not durable(channel, name):
            channel.close()
            channel = reached(path)
        os.write(out, f"{name}\n".encode())
        time.sleep(PACE_S)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
