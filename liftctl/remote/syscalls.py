"""Numbers of the system calls that a confined process is refused, for each machine.

Role: one table. Process: whoever is confined. Must never: decide anything.

Source: the kernel's `syscall_64.tbl` and `asm-generic/unistd.h`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Machine:
    """`others`: reach another process, or become one. `own`: for itself only (first argument 0 or
    its id). `files`: what Landlock does not bar (or not before ABI 3). `sockets`: another address
    for a socket it was given. `sends`: number, and which argument holds the flags.
    """

    arch: int
    socket: int
    others: Mapping[str, int]
    own: Mapping[str, int]
    files: Mapping[str, int]
    sockets: Mapping[str, int]
    sends: Mapping[str, tuple[int, int]]


X86_64 = Machine(
    0xC000003E,
    41,
    {"kill": 62, "tkill": 200, "execve": 59, "execveat": 322, "ptrace": 101, "vm_readv": 310,
     "vm_writev": 311, "setpriority": 141, "ioprio_set": 251, "perf_event_open": 298, "kcmp": 312,
     "migrate_pages": 256, "move_pages": 279},
    {"tgkill": 234, "rt_sigqueueinfo": 129, "rt_tgsigqueueinfo": 297, "prlimit64": 302,
     "sched_setaffinity": 203, "sched_setscheduler": 144, "sched_setparam": 142,
     "sched_setattr": 314},
    {"truncate": 76, "chmod": 90, "fchmod": 91, "chown": 92, "fchown": 93, "lchown": 94,
     "utime": 132, "setxattr": 188, "lsetxattr": 189, "fsetxattr": 190, "removexattr": 197,
     "lremovexattr": 198, "fremovexattr": 199, "utimes": 235, "fchownat": 260, "futimesat": 261,
     "fchmodat": 268, "utimensat": 280},
    {"connect": 42, "bind": 49, "listen": 50},
    {"sendto": (44, 3), "sendmsg": (46, 2), "sendmmsg": (307, 3)},
)  # fmt: skip
AARCH64 = Machine(
    0xC00000B7,
    198,
    {"kill": 129, "tkill": 130, "execve": 221, "execveat": 281, "ptrace": 117, "vm_readv": 270,
     "vm_writev": 271, "setpriority": 140, "ioprio_set": 30, "perf_event_open": 241, "kcmp": 272,
     "migrate_pages": 238, "move_pages": 239},
    {"tgkill": 131, "rt_sigqueueinfo": 138, "rt_tgsigqueueinfo": 240, "prlimit64": 261,
     "sched_setaffinity": 122, "sched_setscheduler": 119, "sched_setparam": 118,
     "sched_setattr": 274},
    {"truncate": 45, "fchmod": 52, "fchmodat": 53, "fchownat": 54, "fchown": 55, "setxattr": 5,
     "lsetxattr": 6, "fsetxattr": 7, "removexattr": 14, "lremovexattr": 15, "fremovexattr": 16,
     "utimensat": 88},
    {"connect": 203, "bind": 200, "listen": 201},
    {"sendto": (206, 3), "sendmsg": (211, 2), "sendmmsg": (269, 3)},
)  # fmt: skip
MACHINES = {"x86_64": X86_64, "aarch64": AARCH64}
# The same numbers on both: io_uring opens sockets past the filter; others reach other processes, or
# do what `files` does. `fchmodat2` and `setxattrat` stand here because no process of ours needs
# them.
ALIKE = {"io_uring_setup": 425, "pidfd_send_signal": 424, "pidfd_open": 434, "pidfd_getfd": 438,
         "process_madvise": 440, "process_mrelease": 448, "fchmodat2": 452, "setxattrat": 463,
         "removexattrat": 466}  # fmt: skip
