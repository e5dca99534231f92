"""A TCP balancer that behaves badly on purpose.

Role: stands before several ingest processes as HAProxy or nginx would, so that a home meets another
process at each connection. With `life_s` it cuts connections in mid-conversation, request or answer
under way or not. Process: a thread of a test or a bench. Must never: look into what it carries.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

HOST = "127.0.0.1"
CHUNK = 64 << 10


@dataclass(slots=True)
class Balancer:
    """`served`: connections each port got; `cut`: those that were cut while they lived.

    `life_s`: the longest life of a connection (its own is drawn); None: as long as both ends want.
    """

    ports: tuple[int, ...]
    life_s: float | None = None
    port: int = 0
    served: Counter[int] = field(default_factory=Counter)
    cut: int = 0
    _next: int = 0
    _ends: set[asyncio.StreamWriter] = field(default_factory=set)

    async def open(self) -> asyncio.Server:
        server = await asyncio.start_server(self._carry, HOST, 0)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def _carry(self, home: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        found = await self._reach()
        ends = {back} if found is None else {back, found[1]}
        self._ends |= ends
        if found is not None:
            life_s = None if self.life_s is None else random.uniform(0, self.life_s)
            both = asyncio.gather(_pump(home, found[1]), _pump(found[0], back))
            try:
                await asyncio.wait_for(both, life_s)
            except TimeoutError:
                self.cut += 1
            except OSError:
                pass  # an end died; the other hears it now
        _abort(ends)
        self._ends -= ends

    async def close(self, server: asyncio.Server) -> None:
        server.close()
        _abort(self._ends)
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*rest, return_exceptions=True)

    async def _reach(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        """The next process that listens."""
        for _ in self.ports:
            port = self.ports[self._next % len(self.ports)]
            self._next += 1
            with contextlib.suppress(OSError):
                found = await asyncio.open_connection(HOST, port)
                self.served[port] += 1
                return found
        return None


def _abort(ends: set[asyncio.StreamWriter]) -> None:
    for end in ends:
        end.transport.abort()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while data := await source.read(CHUNK):
        sink.write(data)
        await sink.drain()
    if sink.can_write_eof():
        sink.write_eof()


@contextmanager
def balancing(ports: tuple[int, ...], life_s: float | None = None) -> Iterator[Balancer]:
    """One that listens already, until the block ends."""
    loop, found = asyncio.new_event_loop(), Balancer(ports, life_s)
    server = loop.run_until_complete(found.open())
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        asyncio.run_coroutine_threadsafe(found.close(server), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
