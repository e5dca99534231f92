"""A centre of a few lines: hands out what lies ready, keeps what comes, on loopback.

Role: the other end for tests of the real remote process. Must never: be more than docs/remote.md
says of the transport.
"""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from liftctl.remote.documents import Up
from liftctl.remote.envelope import verify_report
from liftctl.uplink.protocol import PATH

TOKEN = "the-token-of-north-1"


class Centre:
    """`public` is the site's key, once it is known. `down`: answer nobody."""

    def __init__(self) -> None:
        self.ready: list[bytes] = []
        self.reports: list[Up] = []
        self.public = ""
        self.down = False
        self.strangers = 0
        self.taken: list[bytes] = []  # of an uplink
        self.answer: Callable[[bytes], bytes] = lambda _: b""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def take(self, path: str, body: bytes) -> None:
        self.reports.append(verify_report(body, path.rpartition("/")[2], self.public))

    def told(self, kind: type) -> list[Any]:
        return [item for item in list(self.reports) if isinstance(item, kind)]

    def until(self, what: Callable[[], bool], name: str, patience_s: float = 60.0) -> None:
        deadline = time.monotonic() + patience_s
        while not what():
            assert time.monotonic() < deadline, f"waited in vain for {name}; {self.reports[-8:]}"
            time.sleep(0.02)


def _handler(centre: Centre) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _known(self) -> bool:
            if centre.down:
                self.send_error(503)
                return False
            if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                centre.strangers += 1
                self.send_error(401)
                return False
            return True

        def do_GET(self) -> None:
            if self._known():
                body = json.dumps([base64.b64encode(item).decode() for item in centre.ready])
                self._answer(body.encode())

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == PATH:
                centre.taken.append(body)
                self._answer(centre.answer(body))
            elif self._known():
                centre.take(self.path, body)
                self._answer(b"")

        def _answer(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    return Handler
