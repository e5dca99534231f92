"""Opens connections to one address and hands them over: the only hand with a way out.

Role: two ends of one pipe. A confined process may neither open a socket nor connect one; it asks
here, without a word about where, and gets a connection to the centre or none. Process: the opener
is a fork of its own; it reads no byte of any connection. Must never: take an address from whoever
asks.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from liftctl.orphan import end_with_parent
from liftctl.remote.confine import INTERNET, Unconfined, confine

DEFAULT_PORTS = {"https": 443, "http": 80}
PATIENCE_S = 15.0
# Where the name servers stand; the file itself is replaced when the network changes.
NAMES = (Path("/etc"), Path("/run/systemd/resolve"), Path("/run/NetworkManager"),
         Path("/run/resolvconf"))  # fmt: skip
Address = tuple[str, int]


def address_of(url: str, proxies: bool = False) -> Address:
    """Where to connect to for `url`; with `proxies`, the house's proxy where one is set for it."""
    parts, known = urlsplit(url), getproxies() if proxies else {}
    through = known.get(parts.scheme) or known.get("all", "")
    if through and not proxy_bypass(parts.hostname or ""):
        parts = urlsplit(through if "//" in through else f"http://{through}")
    return parts.hostname or "", parts.port or DEFAULT_PORTS.get(parts.scheme, 443)


class Opener:
    """Begin it before anything is open or any thread runs: the fork has what we have."""

    def __init__(self, address: Address) -> None:
        ours, theirs = socket.socketpair()
        self.child = os.fork()
        if not self.child:
            ours.close()
            _live(theirs, address)
        theirs.close()
        self._pipe = ours
        self.lost = False

    def install(self) -> None:
        """From now on whoever opens a TCP connection in this process gets one of ours."""
        socket.create_connection = self.connect  # type: ignore[assignment]

    def connect(
        self, _address: object, timeout: float | None = None, *_: Any, **__: Any
    ) -> socket.socket:
        """A connection to the one address, whatever was asked for; OSError."""
        try:
            self._pipe.sendall(b"?")
            said, descriptors, _flags, _from = socket.recv_fds(self._pipe, 200, 1)
        except OSError:
            said, descriptors = b"", []
        if not said:
            self.lost = True
            raise ConnectionError("the opener has ended")
        if not descriptors:
            raise ConnectionError(said.decode("utf-8", "replace"))
        found = socket.socket(fileno=descriptors[0])
        found.settimeout(timeout)
        return found


def _live(pipe: socket.socket, address: Address) -> NoReturn:
    """The fork: ends with whoever asks."""
    end_with_parent()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    try:
        with contextlib.suppress(Unconfined, OSError):
            confine(INTERNET, NAMES, ports=(address[1],))
            while pipe.recv(1):
                _open(pipe, address)
    finally:
        os._exit(0)  # nothing of what we were forked from goes on here


def _open(pipe: socket.socket, address: Address) -> None:
    try:
        with socket.create_connection(address, PATIENCE_S) as found:
            socket.send_fds(pipe, [b"="], [found.fileno()])
    except (OSError, UnicodeError) as error:
        pipe.sendall(f"{type(error).__name__}: {error}"[:200].encode())
