"""The kernel's own bars around a process that talks to the world, or answers one that does.

Role: after `confine` the process has the address families and folders that are named, and nothing
else: no other channel to gate, guard, controller or panel, no CAN, no new program, no signal to, no
look into and no limit for another process. It cannot be undone. Process: remote; the uplink and its
carrier; the opener. Must never: be left out: what cannot be confined does not start.

Sources: seccomp(2), landlock(7); numbers from the kernel's syscall tables. Three ways past a bar
were found by trying: a connection by TCP Fast Open and one by MPTCP pass Landlock's rule for ports,
and Landlock leaves chmod, truncate (before ABI 3) and another process's limits open.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path

from liftctl.remote.syscalls import ALIKE, MACHINES, Machine

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
ALLOW, REFUSE, KILL = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x80000000
LOAD, MASK, RETURN = 0x20, 0x54, 0x06
EQUAL, ABOVE, ANY_BIT = 0x15, 0x35, 0x45
LOCAL = (1,)  # AF_UNIX
INTERNET = (2, 10)  # AF_INET, AF_INET6
TYPES = {1: (1, 2, 5), 2: (1, 2), 10: (1, 2)}  # stream, datagram; sequenced only where it is local
PROTOCOLS = (0, 6, 17)  # the type's own, TCP, UDP: not MPTCP
MSG_FASTOPEN = 0x20000000
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
RULE_PATH, RULE_PORT = 1, 2
FS_BITS = {1: 13, 2: 14}  # rights an older ABI knows; from 3 on FS_MOST (ioctl is ABI 5)
FS_MOST = 15
FS_EXECUTE, FS_OF_FILES = 1 << 0, (1 << 1) | (1 << 2) | (1 << 14)  # write, read, truncate
FS_READ = (1 << 2) | (1 << 3)
NET_ALL, NET_CONNECT = 3, 2
SCOPE_ALL = 3  # abstract Unix sockets, signals
ABI_NET, ABI_SCOPE = 4, 6
_libc = ctypes.CDLL(None, use_errno=True)


class Unconfined(Exception):
    """This kernel cannot hold the process; the message has the remedy."""


class _Filter(ctypes.Structure):
    _fields_ = (("len", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def confine(
    families: Iterable[int] = (),
    readable: Iterable[Path] = (),
    writable: Iterable[Path] = (),
    ports: Iterable[int] = (),
) -> None:
    """From now on: new sockets of `families` only, reading below the interpreter, this code and
    `readable`, writing below `writable`; TCP to `ports` only, where the kernel knows ports (6.7).

    Unconfined where it cannot be. Call it before any thread starts.
    """
    machine = platform.machine()
    if machine not in MACHINES:
        raise Unconfined(f"no filter for {machine}; run this process on x86_64 or aarch64")
    abi = landlock_abi()
    if not abi:
        raise Unconfined("no landlock: files stay open; use Linux 5.13 or newer, with it enabled")
    if _libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise Unconfined("the kernel refuses no_new_privs; use a newer one")
    folders = tuple(writable)
    _landlock(abi, tuple(ports), (*_own_folders(), *readable), folders)
    _seccomp(_program(MACHINES[machine], tuple(families), bool(folders)))


def landlock_abi() -> int:
    """What this kernel's Landlock can do; 0: there is none."""
    return max(0, int(_libc.syscall(CREATE_RULESET, None, ctypes.c_size_t(0), 1)))


def _call(number: int, *args: object) -> int:
    found = int(_libc.syscall(number, *args))
    if found < 0:
        raise Unconfined(f"landlock: {os.strerror(ctypes.get_errno())}; look at the kernel's log")
    return found


def _landlock(
    abi: int, ports: tuple[int, ...], readable: Iterable[Path], writable: Iterable[Path]
) -> None:
    handled = (1 << FS_BITS.get(abi, FS_MOST)) - 1
    rules = struct.pack("QQQ", handled, NET_ALL, SCOPE_ALL)
    size = 24 if abi >= ABI_SCOPE else 16 if abi >= ABI_NET else 8
    ruleset = _call(CREATE_RULESET, rules, ctypes.c_size_t(size), 0)
    try:
        for folder in readable:
            _may(ruleset, folder, FS_READ)
        for folder in writable:
            _may(ruleset, folder, handled & ~FS_EXECUTE)
        for port in ports if abi >= ABI_NET else ():
            rule = struct.pack("QQ", NET_CONNECT, port)
            _call(ADD_RULE, ruleset, RULE_PORT, rule, 0)
        _call(RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _may(ruleset: int, folder: Path, rights: int) -> None:
    if not folder.exists():
        return
    descriptor = os.open(folder, os.O_PATH | os.O_CLOEXEC)
    try:
        known = rights if folder.is_dir() else rights & FS_OF_FILES
        _call(ADD_RULE, ruleset, RULE_PATH, struct.pack("=Qi", known, descriptor), 0)
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


def _seccomp(program: bytes) -> None:
    filters = _Filter(len(program) // 8, program)
    if _libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(filters), 0, 0):
        raise Unconfined(f"seccomp: {os.strerror(ctypes.get_errno())}; enable it in the kernel")


# --- the filter: classic BPF over (number, architecture, arguments) -------------------------------


def _line(code: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
    """One instruction; `then`, `otherwise`: how many to skip."""
    return struct.pack("HBBI", code, then, otherwise, value)


def _argument(number: int) -> bytes:
    """Load the low half of an argument."""
    return _line(LOAD, 16 + 8 * number)


def _program(machine: Machine, families: tuple[int, ...], writes: bool) -> bytes:
    """Allow, but for what is named."""
    refused = [*machine.others.values(), *ALIKE.values()]
    refused += () if writes else [*machine.files.values()]
    refused += () if families else [*machine.sockets.values()]
    lines = [
        _line(LOAD, 4),
        _line(EQUAL, machine.arch, 1),
        _line(RETURN, KILL),
        _line(LOAD, 0),
        _line(ABOVE, 0x40000000, 0, 1),  # the x32 numbers of x86_64
        _line(RETURN, REFUSE),
    ]
    for number in refused:
        lines += [_line(EQUAL, number, 0, 1), _line(RETURN, REFUSE)]
    for number in machine.own.values():
        lines += _if(number, [_argument(0), *_one_of((0, os.getpid()))])
    for number, flags in machine.sends.values():
        lines += _if(number, [_argument(flags), _line(ANY_BIT, MSG_FASTOPEN, 0, 1),
                              _line(RETURN, REFUSE), _line(RETURN, ALLOW)])  # fmt: skip
    lines += _if(machine.socket, list(_new_socket(families)))
    lines.append(_line(RETURN, ALLOW))
    return b"".join(lines)


def _if(number: int, then: list[bytes]) -> list[bytes]:
    """`then` decides this call, all others go on behind it."""
    return [_line(EQUAL, number, 0, len(then)), *then]


def _one_of(values: Iterable[int]) -> Iterator[bytes]:
    """Allow when what was loaded is one of these; else refuse."""
    for value in values:
        yield from (_line(EQUAL, value, 0, 1), _line(RETURN, ALLOW))
    yield _line(RETURN, REFUSE)


def _new_socket(families: tuple[int, ...]) -> Iterator[bytes]:
    """Family, then type without its flags, then protocol."""
    for family in families:
        kinds = TYPES[family]
        inner = [_argument(1), _line(MASK, 0xF)]
        for left, kind in zip(range(len(kinds) - 1, -1, -1), kinds, strict=True):
            inner.append(_line(EQUAL, kind, left + 1))
        inner += [_line(RETURN, REFUSE), _argument(2), *_one_of(PROTOCOLS)]
        yield _argument(0)
        yield from (_line(EQUAL, family, 0, len(inner)), *inner)
    yield _line(RETURN, REFUSE)
