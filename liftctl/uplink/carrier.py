"""The uplink's one way out: carries sealed messages to the centre, and understands none.

Role: two ends of one pipe. `Carrier` is held by the uplink, which has ledger, key and gate and no
network; `main` is a process of its own with the network and nothing else. Process: uplink and its
carrier. Must never: hold a key, a row or a file, start unconfined, or read an answer without end.

Towards the carrier: signature (hex), a line feed, the body as signed. Back: "=" and the answer, or
"!" and why there is none.
"""

from __future__ import annotations

import logging
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from multiprocessing.connection import Connection
from types import SimpleNamespace
from typing import Any

from liftctl.entry import UNUSABLE, Unusable, say
from liftctl.orphan import end_with_parent
from liftctl.remote.answer import AS_IT_IS, bounded
from liftctl.remote.confine import Unconfined, confine
from liftctl.remote.opener import Opener, address_of
from liftctl.uplink.protocol import MAX_BODY_BYTES, MEDIA_TYPE, PATH, SIGNATURE

MOST_ANSWER_BYTES = 64 << 10
MOST_SENT_BYTES = MAX_BODY_BYTES + 1024


class Away(OSError):
    """The centre gave no answer; the text says which way."""


class Carrier:
    """Looks like an HTTP client; the process behind it reaches one centre and nothing else."""

    def __init__(self, url: str) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            command = (sys.executable, "-m", "liftctl.uplink.carrier", str(theirs.fileno()), url)
            self._child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, pass_fds=(theirs.fileno(),)
            )
        self._pipe = Connection(ours.detach())
        self.lost = False

    def post(self, url: str, content: bytes, headers: Mapping[str, str]) -> Any:
        """One message, one answer (`.content`); Away. `url` is the one it was started for."""
        try:
            self._pipe.send_bytes(headers[SIGNATURE].encode() + b"\n" + content)
            answer = self._pipe.recv_bytes(MOST_ANSWER_BYTES + 1)
        except (EOFError, OSError) as error:
            self.lost = True
            raise Away("the carrier has ended") from error
        if answer[:1] != b"=":
            raise Away(f"the centre does not answer ({answer[1:200].decode('ascii', 'replace')})")
        return SimpleNamespace(content=answer[1:])

    def ended(self) -> int | None:
        """Its status, once it has ended; whoever watches over the uplink starts both anew."""
        return self._child.poll()

    def close(self) -> None:
        """The other end sees it and goes."""
        self._pipe.close()


# --- the carrier's own process --------------------------------------------------------------------


def serve(pipe: Connection, url: str) -> None:
    """Until the uplink is gone, or nobody opens connections any more."""
    opener = Opener(address_of(url, proxies=True))
    import httpx

    from liftctl.uplink.sender import client

    http = client()  # reads certificates and the house's proxy while it may
    opener.install()
    confine()
    while not opener.lost:
        signature, _, body = pipe.recv_bytes(MOST_SENT_BYTES).partition(b"\n")
        headers = {"content-type": MEDIA_TYPE, SIGNATURE: signature.decode("ascii", "replace"),
                   **AS_IT_IS}  # fmt: skip
        try:
            with http.stream("POST", url + PATH, content=body, headers=headers) as answer:
                pipe.send_bytes(b"=" + bounded(answer, MOST_ANSWER_BYTES))
        except httpx.HTTPError as error:
            pipe.send_bytes(b"!" + type(error).__name__.encode())


def main(descriptor: int, url: str) -> int:
    """The exit status."""
    end_with_parent()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)  # the uplink ends it
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        serve(Connection(descriptor), url)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return 0
    except (Unconfined, Unusable) as error:
        say("uplink", str(error))
        return UNUSABLE
    return 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2]))
