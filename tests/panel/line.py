"""The line between tablet and panel: it can be slow, die without a word, or lead elsewhere."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator


class Line:
    """`rate`: bytes a second towards the page, 0: at once. `panel`: the port it leads to."""

    def __init__(self, panel: int) -> None:
        self.panel, self.rate = panel, 0
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._dead: set[socket.socket] = set()
        self._sock = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._sock.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def die(self) -> None:
        """What is connected carries nothing any more and does not end; a new connection works."""
        self._dead.update(one for pair in self._pairs for one in pair)

    def cut(self) -> None:
        for one in (one for pair in self._pairs for one in pair):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._sock.close()
        self.cut()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                page, _ = self._sock.accept()
                panel = socket.create_connection(("127.0.0.1", self.panel))
                self._pairs.append((page, panel))
                for ends in ((page, panel, False), (panel, page, True)):
                    threading.Thread(target=self._carry, args=ends, daemon=True).start()

    def _carry(self, one: socket.socket, other: socket.socket, down: bool) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(1024):
                if one in self._dead:
                    continue
                other.sendall(data)
                if down and self.rate:
                    time.sleep(len(data) / self.rate)
        if one not in self._dead:
            with contextlib.suppress(OSError):
                other.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def line(panel: int) -> Iterator[Line]:
    made = Line(panel)
    yield made
    made.close()
