"""Where the hub's sockets live, and how to reach a path longer than a socket address allows."""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")


def run_dir() -> Path:
    """`$LIFTCTL_RUN`, else the user's runtime directory, else a private directory in /tmp."""
    if named := os.environ.get("LIFTCTL_RUN"):
        return Path(named)
    runtime = Path(f"/run/user/{os.getuid()}")
    if runtime.is_dir():
        return runtime / "liftctl"
    return Path(f"/tmp/liftctl-{os.getuid()}")  # noqa: S108 - ownership is checked in make_private


def make_private(directory: Path) -> None:
    """Create a directory of mode 0700; raises PermissionError if somebody else owns it."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = directory.stat()
    if status.st_uid != os.getuid():
        raise PermissionError(f"{directory} belongs to user {status.st_uid}")
    directory.chmod(0o700)


def bus_socket(channel: str) -> Path:
    """The socket of a bus name; a channel with a slash is a path already."""
    if "/" in channel:
        return Path(channel)
    if not _NAME.fullmatch(channel):
        raise ValueError(f"bus name {channel!r} is not letters, digits, '.', '_' or '-'")
    return run_dir() / "vbus" / f"{channel}.sock"


def connect(path: Path) -> socket.socket:
    """A SEQPACKET connection to `path`, of any length; raises OSError."""
    directory = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        connection.connect(f"/proc/self/fd/{directory}/{path.name}")
    except OSError:
        connection.close()
        raise
    finally:
        os.close(directory)
    return connection


def listen(path: Path) -> socket.socket:
    """A listening SEQPACKET socket that appears at `path` only once it accepts connections."""
    directory = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    # not hidden, not long: a name in the same directory, so that the rename is atomic
    temporary = f"{os.getpid()}.tmp"
    try:
        listener.bind(f"/proc/self/fd/{directory}/{temporary}")
        listener.listen(16)
        (path.parent / temporary).rename(path)
    except OSError:
        listener.close()
        raise
    finally:
        os.close(directory)
    listener.setblocking(False)
    return listener


def is_served(path: Path) -> bool:
    """Whether a process accepts connections at `path`."""
    try:
        connect(path).close()
    except OSError:
        return False
    return True
