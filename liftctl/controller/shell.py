"""The I/O round `turn`: sockets, clock, today's date and fresh ids.

Role: connects to gate and recorder, serves panel and desk. Process: controller. Must never: decide
anything, or hold a turn up (every socket is non-blocking; garbage is collected at standstill).
"""

from __future__ import annotations

import gc
import secrets
import select
import time
from datetime import datetime
from pathlib import Path

from config.schema import ConfigError, Site
from liftctl.controller import rows
from liftctl.controller.turn import turn
from liftctl.controller.values import Asked, Config, Input, Link, State, Today
from liftctl.entry import CONTROLLER, Ending, Turnover, real_time, say
from liftctl.files import replace_file
from liftctl.ipc import (
    Channel,
    GateState,
    Hello,
    Message,
    RecorderState,
    Workflow,
    Written,
    connect,
    serve,
)
from liftctl.places import Places
from liftctl.register import store

RETRY_NS = 200_000_000
COLLECT_NS = 1_000_000_000
REGISTER_NS = 1_000_000_000
WAKE_S = 0.1
HEARD = (GateState, RecorderState, Written)


def site_date() -> str:
    """Today at the site, ISO."""
    return datetime.now().astimezone().date().isoformat()


def _locks_at_start(site: Site, cleaning: Path) -> frozenset[str]:
    return frozenset(
        ({"relocated"} if site.relocatable else set())
        | ({"cleaning"} if cleaning.exists() else set())
    )


class Shell:
    """One site's controller process; `step` is one wake-up."""

    def __init__(self, site: Site) -> None:
        self.places = Places(site.name)
        self.config = Config(site, rows.priority_of, rows.SERVICE_ROWS)
        self.state = State(locks=_locks_at_start(site, self.places.cleaning))
        self.server = serve(self.places.sock("controller"))
        self.peers: dict[str, Channel] = {}
        self.turnover = Turnover(site.hash)
        self.retry_ns = 0
        self.collect_ns = 0
        self.register_ns = 0
        self.register_stamp: tuple[int, ...] = ()

    def step(self, wait_s: float = WAKE_S) -> None:
        """Wait for work, take one turn, send what it put out."""
        self._wait(wait_s)
        now_ns = time.monotonic_ns()
        inputs: list[Input] = [Today(site_date()), *self._register(now_ns)]
        self._hear_peers(inputs)
        self._connect(now_ns, inputs)
        asking = self._hear_panels(inputs)
        before = self.state.locks
        self.state, out = turn(self.config, self.state, now_ns, inputs)
        if self.state.locks != before:
            self._keep_locks()
        for lease in out.gate:
            self._send("gate", lease)
        for said in out.recorder:
            self._send("recorder", said)
        for number, refusal in out.replies:
            asking[number].send(refusal)
        for view in out.panels:
            self.server.broadcast(view)
        self._collect(now_ns)

    def _keep_locks(self) -> None:
        """Who wipes the screen is safe over a restart. Between transfers: it may take a while."""
        try:
            if "cleaning" in self.state.locks:
                replace_file(self.places.cleaning, b"")
            else:
                self.places.cleaning.unlink(missing_ok=True)
        except OSError as error:
            say("controller", f"{error}; a restart forgets the cleaning lock")

    def close(self) -> None:
        """Leave every socket."""
        for channel in self.peers.values():
            channel.close()
        self.server.close()

    def _wait(self, wait_s: float) -> None:
        channels = (*self.peers.values(), *self.server.channels)
        live = [channel.fileno() for channel in channels if not channel.closed]
        select.select([self.server.sock.fileno(), *live], [], [], wait_s)

    def _send(self, name: str, message: Message) -> None:
        if name in self.peers:
            self.peers[name].send(message)

    def _connect(self, now_ns: int, inputs: list[Input]) -> None:
        if now_ns < self.retry_ns:
            return
        self.retry_ns = now_ns + RETRY_NS
        for name in ("gate", "recorder"):
            if name in self.peers:
                continue
            channel = connect(self.places.sock(name))
            if channel is not None and channel.send(Hello("controller")):
                self.peers[name] = channel
                inputs.append(Link(name, up=True))

    def _hear_peers(self, inputs: list[Input]) -> None:
        for name, channel in tuple(self.peers.items()):
            heard = channel.receive()
            inputs += [item for item in heard if isinstance(item, HEARD)]
            for item in heard:
                if isinstance(item, GateState):
                    self.turnover.hear(item.config_hash)
            if channel.closed:
                del self.peers[name]
                inputs.append(Link(name, up=False))

    def _hear_panels(self, inputs: list[Input]) -> dict[int, Channel]:
        while self.server.accept() is not None:
            pass
        asking = {item.fileno(): item for item in self.server.channels if not item.closed}
        for number, channel in asking.items():
            for item in channel.receive():
                if isinstance(item, Workflow):
                    inputs.append(Asked(number, item, secrets.token_hex(8)))
        return asking

    def _register(self, now_ns: int) -> list[Input]:
        """Residents and slings, when their file has changed and nobody is being lifted.

        A file that cannot be read is said, and the last good one counts on.
        """
        gate = self.state.gate
        busy = self.state.transfer is not None or (gate and gate.moving)
        if busy or now_ns < self.register_ns:
            return []
        self.register_ns = now_ns + REGISTER_NS
        stamp = _stamp(self.places.register)
        if stamp == self.register_stamp:
            return []
        self.register_stamp = stamp
        try:
            return [store.load(self.places.register)]
        except ConfigError as error:
            say("controller", str(error))
            return []

    def _collect(self, now_ns: int) -> None:
        """The collector is off (design rule 12); it runs at standstill, often and so briefly.

        Once a minute took 117 ms: longer than the lease, and a nuisance stop each time.
        """
        gate = self.state.gate
        if now_ns >= self.collect_ns and not (gate and gate.moving):
            self.collect_ns = now_ns + COLLECT_NS
            gc.collect()


def _stamp(path: Path) -> tuple[int, ...]:
    """Changes whenever the file is replaced; () while there is none."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_ino, found.st_mtime_ns, found.st_size


def run(site: Site, fallback: bool = False) -> None:
    """Serve `site` until the process is ended."""
    shell = Shell(site)
    ending = Ending()
    real_time(CONTROLLER)
    while not ending.asked:
        shell.step()
    shell.close()
