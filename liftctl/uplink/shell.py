"""The uplink process: listens to the gate, keeps the chain of events, sends both chains.

Role: I/O around watcher and sender. Process: uplink. Must never: open the network (its carrier has
it, and nothing else), send anything to the gate but its hello, wait for the centre in the loop that
listens, or take part in a motion in any way.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import sqlite3
import threading
import time
from contextlib import closing

import msgspec

from config.schema import Site
from liftctl import ipc
from liftctl.entry import UNUSABLE, Ending, Unusable, say
from liftctl.places import Places
from liftctl.recorder.audit import upkept_in
from liftctl.recorder.ledger import Entry, Ledger
from liftctl.recorder.readonly import connect
from liftctl.recorder.store import LedgerError
from liftctl.remote.confine import LOCAL, Unconfined, confine
from liftctl.upkeep import due, newest
from liftctl.uplink.carrier import Carrier
from liftctl.uplink.outbox import Outbox
from liftctl.uplink.sender import Sender
from liftctl.uplink.state import Folder
from liftctl.uplink.watcher import Watcher

TICK_S = 0.5
RECONNECT_S = 1.0
UPKEEP_S = 10.0
WAITING = 2000
NICE = 10  # behind everything that has to do with a motion


def outboxes(site: str) -> tuple[Outbox, ...]:
    """The two chains of a gateway."""
    folder = Folder.of(site)
    return (Outbox(Places(site).ledger, "transfers"), Outbox(folder.events, "events"))


class Uplink:
    """`listen` turns until `ended`; the sender runs beside it."""

    def __init__(self, site: Site, carrier: Carrier) -> None:
        self._folder = Folder.of(site.name)
        enrolment = self._folder.enrolment()
        self.carrier = carrier
        self._gate_path = Places(site.name).sock("gate")
        self._gate: ipc.Channel | None = None
        self._tried_s = -RECONNECT_S
        self._events: Ledger | None = None
        self._waiting: list[Entry] = []
        cycles, commissioned = history(self._folder)
        self._watcher = Watcher(site.limits.swl_kg, cycles, commissioned)
        self._set_on_site, self._ledger = site.inspection_due, Places(site.name).ledger
        self._due_s = 0.0
        boxes = outboxes(site.name)
        key = self._folder.key()
        self.sender = Sender(
            self._folder, enrolment, key, boxes, time.time_ns, time.monotonic_ns, self.carrier
        )
        self.ended = threading.Event()
        self._selector = selectors.DefaultSelector()

    def send(self) -> None:
        """The thread that may wait for a network."""
        while not self.ended.is_set():
            if not self.sender.step():
                self.ended.wait(TICK_S)

    def listen(self) -> None:
        """Take what the gate says, append what is worth telling."""
        self._reach()
        self._upkeep()
        for _ in self._selector.select(TICK_S):
            self._hear()
        self._write()

    def _reach(self) -> None:
        now_s = time.monotonic()
        if self._gate is not None or now_s - self._tried_s < RECONNECT_S:
            return
        self._tried_s = now_s
        self._gate = ipc.connect(self._gate_path)
        if self._gate is not None:
            self._gate.send(ipc.Hello("uplink"))
            self._selector.register(self._gate, selectors.EVENT_READ)

    def _upkeep(self) -> None:
        """What the ledger says of inspection and service, for the next report."""
        now_s = time.monotonic()
        if now_s < self._due_s or (said := upkept_in(self._ledger)) is None:
            return  # what was read last counts on: an older date must not go out
        self._due_s = now_s + UPKEEP_S
        self._watcher.due = {"inspection_by": due(said, "inspection", self._set_on_site)}
        if service := newest(said, "service"):
            told = {"service_by": service.next_due, "service_cycles": service.cycles or None}
            self._watcher.due |= told

    def _hear(self) -> None:
        gate = self._gate
        if gate is None:
            return
        descriptor = gate.fileno()
        for message in gate.receive():
            if isinstance(message, ipc.GateState):
                self._waiting += self._watcher.see(message)
        if gate.closed:
            self._selector.unregister(descriptor)
            self._gate = None

    def _write(self) -> None:
        """A full disk keeps the newest in memory; the ledger of transfers is not ours to judge."""
        del self._waiting[:-WAITING]
        try:
            while self._waiting:
                if self._events is None:
                    self._events = Ledger(self._folder.events, time.time_ns)
                self._events.append(self._waiting[0])
                self._waiting.pop(0)
        except (sqlite3.Error, LedgerError, OSError) as error:
            say("uplink", f"events: {error}")
            self.close_events()

    def close_events(self) -> None:
        """Let go of the chain; the next write opens it again."""
        if self._events is not None:
            self._events.close()
            self._events = None


def history(folder: Folder) -> tuple[int, bool]:
    """Cycles so far, and whether a commissioning baseline was told."""
    if not folder.events.is_file():
        return 0, False
    last = (
        "SELECT body FROM entry JOIN payload USING (seq) WHERE kind = ? ORDER BY seq DESC LIMIT 1"
    )
    with contextlib.suppress(sqlite3.Error, LedgerError), closing(connect(folder.events)) as db:
        service = db.execute(last, ("service",)).fetchone()
        baseline = db.execute(last, ("commissioned",)).fetchone()
        told = msgspec.json.decode(service[0]) if service else {}
        return int(told.get("cycles", 0)), baseline is not None
    return 0, False


def bar(site: str) -> None:
    """No network, no writing but in the uplink's own folder; Unusable where that cannot be."""
    places = Places(site)
    try:
        confine(LOCAL, (places.data, places.run), (places.uplink,))
    except Unconfined as error:
        raise Unusable(str(error)) from error


def run(site: Site, fallback: bool = False) -> None:
    """The uplink until SIGTERM."""
    with contextlib.suppress(OSError):
        os.nice(NICE)
    ending, url = Ending(), Folder.of(site.name).enrolment().url
    uplink = Uplink(site, Carrier(url))
    bar(site.name)
    thread = threading.Thread(target=uplink.send, name="sender", daemon=True)
    thread.start()
    while not ending.asked:
        uplink.listen()
        if uplink.carrier.lost or uplink.carrier.ended() is not None:
            raise _without(uplink.carrier)
        if not thread.is_alive():
            say("uplink", "its sender has died; it begins anew")
            raise SystemExit(1)
    uplink.ended.set()
    uplink.close_events()
    uplink.carrier.close()


def _without(carrier: Carrier) -> Exception | SystemExit:
    """Both are started anew, or stay away where the carrier cannot work at all."""
    if carrier.ended() == UNUSABLE:
        return Unusable("the carrier cannot work here; see its line above")
    say("uplink", "its carrier has ended; both begin anew")
    return SystemExit(1)
