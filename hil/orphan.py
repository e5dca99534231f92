"""What the bench starts ends with the bench, also when that is killed.

Role: handed to `subprocess.Popen` as what a child does first. Must never: be what ends a child in
the ordinary way.
"""

from __future__ import annotations

import ctypes
import signal

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def ends_with_parent() -> None:
    """Ask the kernel for a SIGTERM when the thread that started us is no more."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
