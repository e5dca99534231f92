"""What was started ends with whoever started it, also when that is killed.

Role: one word to the kernel. Process: all that are started by another, as the first they do. Must
never: be what ends a process in the ordinary way.
"""

from __future__ import annotations

import ctypes
import signal

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def end_with_parent(sign: int = signal.SIGKILL) -> None:
    """Ask the kernel for `sign` when the thread that started us is no more."""
    _libc.prctl(PR_SET_PDEATHSIG, sign)
