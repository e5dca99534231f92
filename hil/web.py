"""The simulator's page: a thread of the ward that only passes requests to the main loop.

Loopback only, no external resource; a POST from another site's page is refused.
"""

from __future__ import annotations

import json
import queue
import threading
from concurrent.futures import Future
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from hil.control import Execute, answer

_PAGE = Path(__file__).with_name("web.html")
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'"
)
_LONGEST_REQUEST = 4096
_WAIT_S = 2.0


class WebPage:
    """Start it with the port (0 = any); the main loop calls `serve` between steps."""

    def __init__(self, port: int, room: str, execute: Execute) -> None:
        self._execute = execute
        self._requests: queue.SimpleQueue[tuple[bytes, Future[dict[str, Any]]]] = (
            queue.SimpleQueue()
        )
        page = _PAGE.read_text(encoding="utf-8").replace("{{room}}", room).encode()
        handler = type("Handler", (_Handler,), {"web": self, "page": page})
        self._server = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self.hosts = {f"127.0.0.1:{self.port}", f"localhost:{self.port}"}
        threading.Thread(
            target=self._server.serve_forever, args=(0.1,), name="web", daemon=True
        ).start()

    def ask(self, text: bytes) -> dict[str, Any]:
        """From a page's thread: have the main loop execute a request."""
        future: Future[dict[str, Any]] = Future()
        self._requests.put((text, future))
        return future.result(_WAIT_S)

    def serve(self) -> None:
        """From the main loop: execute what waits."""
        while not self._requests.empty():
            text, future = self._requests.get()
            future.set_result(answer(self._execute, text))

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    web: WebPage
    page: bytes
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.headers.get("Host") not in self.web.hosts:
            self._reply(403, b"wrong host")
        elif self.path == "/":
            self._reply(200, self.page, "text/html; charset=utf-8")
        elif self.path == "/state":
            self._ask(b'{"do": "state"}')
        else:
            self._reply(404, b"not found")

    def do_POST(self) -> None:
        origin = self.headers.get("Origin")
        ours = {f"http://{host}" for host in self.web.hosts}
        length = self.headers.get("Content-Length", "")
        if self.headers.get("Host") not in self.web.hosts or origin not in {None, *ours}:
            self._refuse(403, b"wrong host or origin")
        elif self.path != "/do" or not length.isdecimal() or int(length) > _LONGEST_REQUEST:
            self._refuse(400, b"POST /do with one small JSON object")
        else:
            self._ask(self.rfile.read(int(length)))

    def _ask(self, text: bytes) -> None:
        try:
            reply = self.web.ask(text)
        except TimeoutError:
            self._reply(503, b"the simulator does not answer")
            return
        self._reply(200 if reply["ok"] else 409, json.dumps(reply).encode(), "application/json")

    def _refuse(self, status: int, text: bytes) -> None:
        self.close_connection = True  # the body was not read
        self._reply(status, text)

    def _reply(self, status: int, body: bytes, kind: str = "text/plain") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Security-Policy", _POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Ten polls a second are not news."""
