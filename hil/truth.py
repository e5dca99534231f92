"""Truth lines: what the plant really does, to a descriptor the ward inherited.

No path is ever created for it: the controller under test must have no way to read it.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from typing import Any

PERIOD_NS = 10_000_000
_PIPE_BYTES = 1 << 20  # several seconds of lines for a reader that comes late


class TruthLines:
    """JSON lines; a reader that is too slow loses lines rather than slow the physics."""

    def __init__(self, descriptor: int) -> None:
        os.set_blocking(descriptor, False)
        with contextlib.suppress(OSError):  # a file, or the system allows no more
            fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        self._descriptor = descriptor
        self._rest = b""

    def write(self, truth: dict[str, Any]) -> None:
        """Write one line, unless the last one is still stuck."""
        if not self._rest:
            self._rest = json.dumps(truth, separators=(",", ":")).encode() + b"\n"
        with contextlib.suppress(BlockingIOError, BrokenPipeError):
            self._rest = self._rest[os.write(self._descriptor, self._rest) :]
