"""The ward's control socket: JSON requests of tests and tools, one per packet, and its client.

A request is what a human in the room could do, or a wire a test cuts. Never a way to drive.
"""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from hil.vbus.paths import connect, listen

_PACKET = 1 << 16

Execute = Callable[[Mapping[str, Any]], dict[str, Any]]


class ControlError(Exception):
    """The ward refused a request; the message says why."""


def answer(execute: Execute, text: str | bytes) -> dict[str, Any]:
    """Decode and execute one request: {"ok": true, "plant": ...} or {"ok": false, "error": ...}."""
    try:
        request = json.loads(text)
        if not isinstance(request, dict):
            raise ValueError("a request is a JSON object")
        return {"ok": True, "plant": execute(request)}
    except ValueError as error:
        return {"ok": False, "error": str(error)}


class ControlServer:
    """Non-blocking; the ward's loop selects on `readers` and calls `serve`."""

    def __init__(self, path: Path, execute: Execute) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path, self._execute = path, execute
        self._listener = listen(path)
        self._clients: list[socket.socket] = []

    @property
    def readers(self) -> list[socket.socket]:
        """Sockets to wait for."""
        return [self._listener, *self._clients]

    def serve(self) -> None:
        """Accept, then answer every waiting request."""
        with contextlib.suppress(BlockingIOError):
            connection, _ = self._listener.accept()
            connection.setblocking(False)
            self._clients.append(connection)
        for client in list(self._clients):
            self._serve_client(client)

    def _serve_client(self, client: socket.socket) -> None:
        try:
            while text := client.recv(_PACKET):
                client.send(json.dumps(answer(self._execute, text)).encode())
        except BlockingIOError:
            return
        except OSError:
            text = b""
        client.close()
        self._clients.remove(client)

    def close(self) -> None:
        """Disconnect and remove the socket."""
        for connection in self.readers:
            connection.close()
        self._path.unlink(missing_ok=True)


class WardControl:
    """Client: `WardControl(path).do("hand", keys=["up"])` returns the plant's truth."""

    def __init__(self, path: Path, timeout_s: float = 5.0) -> None:
        self._socket = connect(path)
        self._socket.settimeout(timeout_s)

    def do(self, verb: str, **fields: Any) -> dict[str, Any]:
        """Execute one request; raises ControlError when refused, OSError when the ward is gone."""
        self._socket.send(json.dumps({"do": verb, **fields}).encode())
        reply = json.loads(self._socket.recv(_PACKET) or b'{"ok": false, "error": "ward gone"}')
        if not reply["ok"]:
            raise ControlError(reply["error"])
        plant: dict[str, Any] = reply["plant"]
        return plant

    def state(self) -> dict[str, Any]:
        """The plant's truth."""
        return self.do("state")

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
