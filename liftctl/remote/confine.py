"""The kernel's own bars around a process that talks to the world.

Role: after `confine` the process can open TCP connections to the named ports and UDP for names, and
that is all: no Unix socket (so no channel to gate, guard, controller or panel), no CAN, no other
port (so no panel over loopback), no new program, no file written, none read outside the listed
folders, no signal to, and no look into, another process. It cannot be undone. Process: remote,
uplink. Must never: be left out: what cannot be confined does not start.

Sources: seccomp(2), landlock(7); numbers from the kernel's syscall tables.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
ALLOW, REFUSE, KILL = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x80000000
LOAD, JUMP_EQUAL, JUMP_ABOVE, RETURN = 0x20, 0x15, 0x35, 0x06
FAMILIES = (2, 10)  # AF_INET, AF_INET6
# machine -> (audit architecture, socket, what is refused outright)
MACHINES = {
    "x86_64": (0xC000003E, 41, {"kill": 62, "tkill": 200, "execve": 59, "execveat": 322,
                                "ptrace": 101, "vm_readv": 310, "vm_writev": 311}),
    "aarch64": (0xC00000B7, 198, {"kill": 129, "tkill": 130, "execve": 221, "execveat": 281,
                                  "ptrace": 117, "vm_readv": 270, "vm_writev": 271}),
}  # fmt: skip
# The same numbers on both: io_uring opens sockets past this filter; pidfd_* reach other processes.
BOTH = {"io_uring_setup": 425, "pidfd_send_signal": 424, "pidfd_open": 434, "pidfd_getfd": 438}
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
RULE_PATH, RULE_PORT = 1, 2
FS_ALL, FS_READ = (1 << 16) - 1, (1 << 2) | (1 << 3)  # ioctl is ABI 5
NET_ALL, NET_CONNECT = 3, 2
SCOPE_ALL = 3  # abstract Unix sockets, signals
ABI_NET, ABI_SCOPE = 4, 6
_libc = ctypes.CDLL(None, use_errno=True)


class Unconfined(Exception):
    """This kernel cannot hold the process; the message has the remedy."""


class _Filter(ctypes.Structure):
    _fields_ = (("len", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def confine(ports: Iterable[int], readable: Iterable[Path] = ()) -> None:
    """From now on: TCP to `ports` only, reading below the interpreter, this code and `readable`."""
    machine = platform.machine()
    if machine not in MACHINES:
        raise Unconfined(f"no filter for {machine}; run the remote process on x86_64 or aarch64")
    if _libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise Unconfined("the kernel refuses no_new_privs; use a newer one")
    _landlock(tuple(ports), (*_own_folders(), *readable))
    _seccomp(machine)


def _call(number: int, *args: object) -> int:
    found = int(_libc.syscall(number, *args))
    if found < 0:
        raise Unconfined(
            f"landlock: {os.strerror(ctypes.get_errno())}; the remote process needs Linux 6.7 or "
            "newer with landlock enabled"
        )
    return found


def _landlock(ports: tuple[int, ...], folders: Iterable[Path]) -> None:
    abi = _call(CREATE_RULESET, None, ctypes.c_size_t(0), 1)
    if abi < ABI_NET:
        raise Unconfined(f"landlock {abi} cannot bar ports; use Linux 6.7 or newer")
    scope = SCOPE_ALL if abi >= ABI_SCOPE else 0
    rules = struct.pack("QQQ", FS_ALL & ~(1 << 15), NET_ALL, scope)
    size = len(rules) if abi >= ABI_SCOPE else 16
    ruleset = _call(CREATE_RULESET, rules, ctypes.c_size_t(size), 0)
    try:
        for folder in folders:
            _may_read(ruleset, folder)
        for port in ports:
            rule = struct.pack("QQ", NET_CONNECT, port)
            _call(ADD_RULE, ruleset, RULE_PORT, rule, 0)
        _call(RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _may_read(ruleset: int, folder: Path) -> None:
    if not folder.exists():
        return
    descriptor = os.open(folder, os.O_PATH | os.O_CLOEXEC)
    try:
        rights = FS_READ if folder.is_dir() else 1 << 2
        _call(ADD_RULE, ruleset, RULE_PATH, struct.pack("=Qi", rights, descriptor), 0)
    finally:
        os.close(descriptor)


def _own_folders() -> tuple[Path, ...]:
    """Interpreter, libraries, this code, and what name look-up and TLS read."""
    here = Path(__file__).resolve().parents[2]
    code = [here / name for name in ("liftctl", "config", "drivers", "safety")]
    python = [Path(sys.prefix), Path(sys.base_prefix), Path(sysconfig.get_path("stdlib"))]
    system = [Path(name) for name in ("/usr", "/lib", "/lib64", "/etc/ssl", "/etc/resolv.conf",
                                      "/etc/hosts", "/etc/nsswitch.conf", "/dev/urandom",
                                      "/dev/null")]  # fmt: skip
    return (*code, *python, *system)


def _seccomp(machine: str) -> None:
    program = _program(*MACHINES[machine])
    filters = _Filter(len(program) // 8, program)
    if _libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(filters), 0, 0):
        raise Unconfined(f"seccomp: {os.strerror(ctypes.get_errno())}; enable it in the kernel")


def _program(arch: int, socket_nr: int, refused: dict[str, int]) -> bytes:
    """Classic BPF over (number, architecture, arguments): allow, but for what is named."""
    line = struct.Struct("HBBI")
    lines = [
        line.pack(LOAD, 0, 0, 4),
        line.pack(JUMP_EQUAL, 1, 0, arch),
        line.pack(RETURN, 0, 0, KILL),
        line.pack(LOAD, 0, 0, 0),
        line.pack(JUMP_ABOVE, 0, 1, 0x40000000),  # the x32 numbers of x86_64
        line.pack(RETURN, 0, 0, REFUSE),
    ]
    for number in (*refused.values(), *BOTH.values()):
        lines += [line.pack(JUMP_EQUAL, 0, 1, number), line.pack(RETURN, 0, 0, REFUSE)]
    lines += [line.pack(JUMP_EQUAL, 1, 0, socket_nr), line.pack(RETURN, 0, 0, ALLOW)]
    lines.append(line.pack(LOAD, 0, 0, 16))  # the low half of the first argument
    for family in FAMILIES:
        lines += [line.pack(JUMP_EQUAL, 0, 1, family), line.pack(RETURN, 0, 0, ALLOW)]
    lines.append(line.pack(RETURN, 0, 0, REFUSE))
    return b"".join(lines)
