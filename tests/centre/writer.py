"""A recorder that only writes: closed transfers into a ledger, each acknowledged in a file.

Run as `python -m tests.centre.writer LEDGER ACKNOWLEDGED`, killed at any point.
"""

from __future__ import annotations

import os
import sys
import time
import uuid
from pathlib import Path

from liftctl.recorder.ledger import Entry, Ledger

PACE_S = 0.01


def main(path: Path, told: Path) -> None:
    ledger = Ledger(path, time.time_ns, path.parent / "heads")
    out = os.open(told, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    while True:
        name = uuid.uuid4().hex
        record = {"id": name, "kind": "bed-chair", "outcome": "completed", "carers_actual": 1,
                  "elapsed_s": 200.0, "staff_s": 200.0, "resident": "r-secret"}  # fmt: skip
        ledger.append(Entry("closed", name, 1, record, {"outcome": "completed"}))
        os.write(out, f"{name}\n".encode())
        time.sleep(PACE_S)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
