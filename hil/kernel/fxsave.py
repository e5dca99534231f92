"""Start a program that must believe this processor has no extended floating-point state.

    python -m hil.kernel.fxsave PROGRAM ARGUMENT...

User-Mode-Linux 6.1 keeps its guests' registers in a buffer that is too small for processors with
AMX ("ptrace set fp regs failed, errno = 14"). A seccomp filter refuses that one ptrace request,
and the kernel falls back to the older one, which such processors do as well. Guests must then not
use AVX across a switch: hil.kernel.uml tells their C library so. Needs no privilege.
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _MODE_FILTER = 38, 22, 2
_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06
_NR, _ARCH, _ARG_REQUEST, _ARG_SET = 0, 4, 16, 32  # offsets in struct seccomp_data
_X86_64, _PTRACE, _GETREGSET, _NT_X86_XSTATE = 0xC000003E, 101, 0x4204, 0x202
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_PROGRAM = (
    (_LOAD, 0, 0, _ARCH),
    (_EQUAL, 0, 7, _X86_64),
    (_LOAD, 0, 0, _NR),
    (_EQUAL, 0, 5, _PTRACE),
    (_LOAD, 0, 0, _ARG_REQUEST),
    (_EQUAL, 0, 3, _GETREGSET),
    (_LOAD, 0, 0, _ARG_SET),
    (_EQUAL, 0, 1, _NT_X86_XSTATE),
    (_RETURN, 0, 0, _ERRNO | errno.EIO),
    (_RETURN, 0, 0, _ALLOW),
)


class _Instruction(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_ushort),
        ("jt", ctypes.c_ubyte),
        ("jf", ctypes.c_ubyte),
        ("k", ctypes.c_uint),
    )


class _Filter(ctypes.Structure):
    _fields_ = (("len", ctypes.c_ushort), ("filter", ctypes.POINTER(_Instruction)))


def refuse_extended_state() -> None:
    """For this process and all it starts; raises OSError where seccomp is not allowed."""
    instructions = (_Instruction * len(_PROGRAM))(*(_Instruction(*row) for row in _PROGRAM))
    program = _Filter(len(_PROGRAM), instructions)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(
        _PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program), 0, 0
    ):
        raise OSError(ctypes.get_errno(), "seccomp is not allowed here")


if __name__ == "__main__":
    refuse_extended_state()
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606 - a program, not a shell
