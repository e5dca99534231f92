"""HTTP load on panel and desk: a bounded number of requests from a few threads, to this machine
only.

Role: the disturbance of the loaded figures. Must never: outlive its block.
"""

from __future__ import annotations

import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress

PATHS = ((0, "/"), (0, "/site.json"), (10, "/metrics"), (10, "/api/state"), (10, "/api/transfers"))


def _get(url: str) -> bool:
    with suppress(OSError), urllib.request.urlopen(url, timeout=5) as reply:  # noqa: S310
        reply.read()
        return True
    return False


@contextmanager
def http_load(port: int, threads: int = 4, most: int = 20000) -> Iterator[list[int]]:
    """Requests while the block runs; the list counts them."""
    ended, count = threading.Event(), [0]

    def work() -> None:
        while not ended.is_set() and count[0] < most:
            for shift, path in PATHS:
                count[0] += _get(f"http://127.0.0.1:{port + shift}{path}")

    running = [threading.Thread(target=work, daemon=True) for _ in range(threads)]
    for thread in running:
        thread.start()
    try:
        yield count
    finally:
        ended.set()
        for thread in running:
            thread.join(6)
