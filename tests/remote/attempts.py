"""What a process that was taken over would try, from inside it, and how each attempt ends.

Role: material for tests of confined processes; run in the process itself, after its bars are up.
Must never: harm what it reaches: every attempt is harmless where it succeeds.
"""

from __future__ import annotations

import ctypes
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

_libc = ctypes.CDLL(None, use_errno=True)


def _called(what: str, *arguments: object) -> None:
    if getattr(_libc, what)(*arguments) < 0:
        raise OSError(ctypes.get_errno(), what)


_STREAM = (socket.AF_INET, socket.SOCK_STREAM)


def _connect(found: socket.socket, port: int) -> None:
    with found:
        found.connect(("127.0.0.1", port))


def _fast_open(port: int) -> None:
    """Connects past the hook where Landlock looks."""
    with socket.socket(*_STREAM) as found:
        found.sendto(b"hold", 0x20000000, ("127.0.0.1", port))


def _again(port: int) -> None:
    """Unconnect what we were given, and use it for another address."""
    found = socket.create_connection(("127.0.0.1", port), 2)
    nowhere = (ctypes.c_char * 16)()  # AF_UNSPEC
    _called("connect", found.fileno(), nowhere, 16)
    _connect(found, port)


def _speak(path: Path) -> None:
    from liftctl import ipc

    channel = ipc.connect(path)
    if channel is None or not channel.send(ipc.Hello("panel")):
        raise OSError("nobody there")


def _listen() -> None:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        found.listen()


def attempts(folder: Path, panel: int, other: int) -> dict[str, Callable[[], object]]:
    """`folder` has sockets and a data folder, `panel` is the panel's port, `other` a process."""
    return {
        "a Unix socket": lambda: socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET),
        "the gate": lambda: _speak(folder / "gate.sock"),
        "the guard": lambda: _speak(folder / "guard.sock"),
        "the controller": lambda: _speak(folder / "controller.sock"),
        "CAN": lambda: socket.socket(29, socket.SOCK_RAW, 1),
        "raw packets": lambda: socket.socket(17, socket.SOCK_RAW, 0),
        "the panel's port": lambda: _connect(socket.socket(*_STREAM), panel),
        "the panel by fast open": lambda: _fast_open(panel),
        "the panel by MPTCP": lambda: _connect(socket.socket(*_STREAM, 262), panel),
        "the panel by a socket that was connected": lambda: _again(panel),
        "listening": _listen,
        "io_uring": lambda: _called("syscall", 425, 8, ctypes.create_string_buffer(256)),
        "another process by descriptor": lambda: _called("syscall", 434, other, 0),
        "another process by ptrace": lambda: _called("ptrace", 16, other, 0, 0),
        "another process's memory": lambda: open(f"/proc/{other}/mem", "rb").close(),
        "another process's limits": lambda: _called(
            "prlimit", other, 4, None, ctypes.create_string_buffer(16)
        ),
        "another process's processor": lambda: os.sched_setaffinity(other, os.sched_getaffinity(0)),
        "another process's rank": lambda: os.setpriority(
            os.PRIO_PROCESS, other, os.getpriority(os.PRIO_PROCESS, other)
        ),
        "another process's schedule": lambda: os.sched_setscheduler(
            other, os.SCHED_OTHER, os.sched_param(0)
        ),
        "a signal": lambda: os.kill(other, 0),
        "a signal to a thread": lambda: _called("tgkill", other, other, 0),
        "a new program": lambda: os.execv("/bin/true", ["true"]),
        "a child program": lambda: subprocess.run(["/bin/true"], check=True),
        "the ledger's key": (folder / "data" / "ledger.key").read_bytes,
        "the ledger": (folder / "data" / "ledger.sqlite").read_bytes,
        "a key's permissions": lambda: (folder / "data" / "spare.key").chmod(0o600),
        "a key's length": lambda: os.truncate(folder / "data" / "spare.key", 6),
        "writing the configuration": lambda: (folder / "data" / "applied.json").write_text("{}"),
        "removing a key": (folder / "data" / "spare.key").unlink,
    }


def told(tries: dict[str, Callable[[], object]]) -> str:
    """JSON: name of each attempt -> "done", or what stood in its way."""
    found = {}
    for name, attempt in tries.items():
        try:
            attempt()
            found[name] = "done"
        except (Exception, SystemExit) as error:  # noqa: BLE001
            found[name] = type(error).__name__
    return json.dumps(found)


HOOK = """
import os, sys
words = sys.orig_argv
if "liftctl.uplink.carrier" in words or "liftctl.uplink" in words:
    sys.path.insert(0, os.environ["ATTEMPTS_CODE"])
    from tests.remote.attempts import taken_over
    taken_over("liftctl.uplink.carrier" in words)
"""


def taken_over(carrier: bool) -> None:
    """In the uplink's own processes (from a sitecustomize): the first thing they do after their
    bars are up is to try everything, and say so on standard error.
    """
    from pathlib import Path

    where = [os.environ[name] for name in ("ATTEMPTS_FOLDER", "ATTEMPTS_PANEL", "ATTEMPTS_OTHER")]
    tries = attempts(Path(where[0]), int(where[1]), int(where[2]))
    owner: type
    if carrier:
        import httpx

        owner, name = httpx.Client, "stream"
    else:
        from liftctl.uplink.sender import Sender

        owner, name = Sender, "step"
    plain = getattr(owner, name)

    def once(*arguments: object, **named: object) -> object:
        setattr(owner, name, plain)
        sys.stderr.write(f"ATTEMPTS {'carrier' if carrier else 'uplink'} {told(tries)}\n")
        return plain(*arguments, **named)

    setattr(owner, name, once)
