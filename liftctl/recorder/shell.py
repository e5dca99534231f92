"""The recorder's loop: answer every tick, take transfers, leave the disk to two threads.

Role: sockets and wiring. Process: the recorder. Must never: touch the disk in the loop: the beat
keeps its rhythm while a commit is slow, and tells the gate when the disk fails.
"""

from __future__ import annotations

import contextlib
import logging
import selectors
import socket
import time

from config.schema import LedgerSpec, Site
from liftctl import ipc
from liftctl.entry import Ending
from liftctl.places import Places
from liftctl.recorder import audit
from liftctl.recorder.entries import OUTCOME_INTERRUPTED, Entry
from liftctl.recorder.keeper import Freeze, Keeper, NewSession
from liftctl.recorder.store import LedgerError
from liftctl.recorder.task import Answered, Asked, Done, Job, LedgerTask, Opened, Standing
from liftctl.recorder.transfers import Transfers
from liftctl.recorder.wallclock import Clock
from liftctl.recorder.worker import Task, Worker

TICK_S = 0.05
RECONNECT_NS = 200_000_000
STOP_S = 2.0
STATE_NS = 1_000_000_000
FREEZE_KINDS = frozenset({"stop", "latch"})
log = logging.getLogger(__name__)


class Recorder:
    """The process. `step` is one turn of the loop; `run` goes on until `stop`."""

    def __init__(
        self,
        places: Places,
        clock: Clock,
        ledger_task: Task | None = None,
        keeper: Task | None = None,
        keep: LedgerSpec | None = None,
    ) -> None:
        self._places = places
        self._clock = clock
        self._woken, self._waker = socket.socketpair()
        self._woken.setblocking(False)
        self._waker.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._woken, selectors.EVENT_READ)
        keeper = keeper or Keeper(places.ring, places.blackbox, clock.wall_ns, clock.mono_ns)
        self._keeper = Worker("black box", keeper, clock.mono_ns, self._wake)
        task = ledger_task or LedgerTask(places, clock, keep)
        self._ledger = Worker("ledger", task, clock.mono_ns, self._wake)
        self._transfers = Transfers(clock)
        self._server: ipc.Server | None = None
        self._gate: ipc.Channel | None = None
        self._gate_tried_ns = -RECONNECT_NS
        self._channels: dict[int, ipc.Channel] = {}
        self._last_channel = 0
        self._head = self._notice = ""
        self._standing = Standing(0, 0, 0, "")
        self._state_ns = 0
        self._stopped = False

    def run(self) -> None:
        self.start()
        while not self._stopped:
            self.step(TICK_S)
        self.close()

    def start(self) -> None:
        self._keeper.start()
        self._ledger.start()

    def stop(self) -> None:
        """Safe in a signal handler."""
        self._stopped = True

    def close(self) -> None:
        """Finish what was accepted, then go; an open transfer stays open for the next run."""
        for channel in [*self._channels.values(), self._gate]:
            if channel is not None:
                channel.close()
        if self._server is not None:
            self._server.close()
        self._ledger.stop(STOP_S)
        self._keeper.stop(STOP_S)
        self._selector.close()

    def step(self, timeout_s: float) -> None:
        """Wait for something to do, do it, look at the time."""
        self._reach_gate()
        for key, _ in self._selector.select(timeout_s):
            if key.fileobj is self._woken:
                with contextlib.suppress(BlockingIOError):
                    self._woken.recv(4096)
            elif isinstance(key.fileobj, ipc.Channel) and key.fileobj is self._gate:
                self._hear_gate(key.fileobj)
            elif isinstance(key.fileobj, ipc.Channel):
                self._hear(key.data, key.fileobj)
            elif self._server is not None:
                self._accept(self._server)
            self._sweep()
        self._collect()
        self._sweep()
        self._write(self._transfers.tick(self._clock.mono_ns()))
        self._tell()

    def _wake(self) -> None:
        with contextlib.suppress(OSError):
            self._waker.send(b"!")

    # --- the gate ---

    def _reach_gate(self) -> None:
        now_ns = self._clock.mono_ns()
        if self._gate is not None or now_ns - self._gate_tried_ns < RECONNECT_NS:
            return
        self._gate_tried_ns = now_ns
        gate = ipc.connect(self._places.sock("gate"))
        if gate is not None and gate.send(ipc.Hello("recorder")):  # it may die in between
            self._gate = gate
            self._selector.register(gate, selectors.EVENT_READ)

    def _hear_gate(self, gate: ipc.Channel) -> None:
        states = [item for item in gate.receive() if isinstance(item, ipc.GateState)]
        for state in states:
            gate.send(self._beat(state.tick_ns))
        for state in states:
            self._write(self._transfers.gate_state(state))
            for kind, detail in state.events:
                if kind in FREEZE_KINDS:
                    self._keeper.submit(Freeze(state.tick_ns, f"{kind}-{detail}"))

    def _complaint(self) -> str:
        now_ns = self._clock.mono_ns()
        why = self._ledger.complaint(now_ns) or self._keeper.complaint(now_ns)
        return why or ("ledger: not open yet" if self._server is None else "")

    def _beat(self, tick_ns: int) -> ipc.RecorderSays:
        why = self._complaint()
        return ipc.RecorderSays(tick_ns, not why, self._head, why or self._notice)

    def _tell(self) -> None:
        """Once a second: controller and desk hear how the ledger stands."""
        now_ns = self._clock.mono_ns()
        if now_ns < self._state_ns:
            return
        self._state_ns = now_ns + STATE_NS
        state = self._state()
        for channel in self._channels.values():
            channel.send(state)

    def _state(self) -> ipc.RecorderState:
        why, stands = self._complaint(), self._standing
        return ipc.RecorderState(
            tick_ns=self._clock.mono_ns(),
            healthy=not why,
            why=why,
            warning=stands.warning,
            epoch=stands.epoch,
            entries=stands.entries,
            signed=stands.signed,
            clock=self._clock.sync(),
            upkeep=stands.upkeep,
        )

    # --- controllers ---

    def _accept(self, server: ipc.Server) -> None:
        channel = server.accept()
        if channel is None:
            return
        server.channels.remove(channel)
        self._last_channel += 1
        self._channels[self._last_channel] = channel
        self._selector.register(channel, selectors.EVENT_READ, self._last_channel)
        channel.send(self._state())
        if self._transfers.interrupted:
            told = self._transfers.interrupted
            channel.send(ipc.Written(told, OUTCOME_INTERRUPTED, 0, self._head))

    def _hear(self, number: int, channel: ipc.Channel) -> None:
        for message in channel.receive():
            self._take(number, message)

    def _take(self, number: int, message: ipc.AnyMessage) -> None:
        if isinstance(message, ipc.TransferOpened):
            now_ns = self._clock.mono_ns()
            self._write(self._transfers.opened(number, message, now_ns), message.id, number)
        elif isinstance(message, ipc.TransferPhase):
            self._write(self._transfers.phase(number, message), message.id, number)
        elif isinstance(message, ipc.TransferClosed):
            self._write(self._transfers.closed(number, message), message.id, number)
        elif isinstance(message, ipc.LedgerAsk):
            self._ledger.submit(Asked(message, number))
        elif isinstance(message, ipc.Audit):
            self._audit(number, message)

    def _audit(self, number: int, said: ipc.Audit) -> None:
        """What cannot be an entry is not answered, and so not done."""
        try:
            entry = audit.entry(said.id, said.t_ns, said.event, said.detail)
        except LedgerError as error:
            log.error("%s", error)
            return
        self._ledger.submit(Job(entry, number))

    def _sweep(self) -> None:
        """Forget who hung up, before a new descriptor takes the number of an old one."""
        for key in list(self._selector.get_map().values()):
            if not isinstance(key.fileobj, ipc.Channel) or not key.fileobj.closed:
                continue
            self._selector.unregister(key.fd)
            now_ns = self._clock.mono_ns()
            if key.fileobj is self._gate:
                self._gate = None
                self._keeper.submit(Freeze(now_ns, "gate-lost"))
            else:
                del self._channels[key.data]
                self._transfers.channel_gone(key.data, now_ns)

    # --- the threads ---

    def _write(self, entries: list[Entry], answer_id: str = "", channel: int = 0) -> None:
        for entry in entries:
            self._ledger.submit(Job(entry, channel if entry.transfer_id == answer_id else 0))

    def _collect(self) -> None:
        while self._keeper.results:
            if isinstance(self._keeper.results.popleft(), NewSession):
                self._write(self._transfers.gate_restarted(self._clock.mono_ns()))
        while self._ledger.results:
            result = self._ledger.results.popleft()
            if isinstance(result, Opened):
                self._ledger_opened(result)
            elif isinstance(result, Done):
                self._durable(result)
            elif isinstance(result, Standing):
                self._standing = result
            elif isinstance(result, Answered) and result.channel in self._channels:
                self._channels[result.channel].send(result.says)

    def _ledger_opened(self, opened: Opened) -> None:
        self._head, self._notice = opened.head[:16], opened.notice
        if self._server is None:
            now_ns = self._clock.mono_ns()
            self._write(self._transfers.adopt(opened.orphans, opened.unfollowed, now_ns))
            self._server = ipc.serve(self._places.sock("recorder"))
            self._selector.register(self._server.sock, selectors.EVENT_READ)

    def _durable(self, done: Done) -> None:
        self._head = done.where.head[:16]
        entry, where = done.job.entry, done.where
        if not done.job.channel and entry.kind == "closed":
            for controller in self._channels.values():
                controller.send(
                    ipc.Written(entry.transfer_id, OUTCOME_INTERRUPTED, where.seq, where.head)
                )
        channel = self._channels.get(done.job.channel)
        if channel is not None:
            channel.send(ipc.Written(entry.transfer_id, entry.kind, where.seq, where.head))


def run(site: Site, fallback: bool = False) -> None:
    """The recorder process until SIGTERM; the one place that reads the wall clock."""
    logging.basicConfig(level=logging.INFO, format="liftctl recorder: %(message)s")
    clock = Clock(time.monotonic_ns, time.time_ns)
    recorder = Recorder(Places(site.name), clock, keep=site.ledger)
    ending = Ending()
    recorder.start()
    while not ending.asked:
        recorder.step(TICK_S)
    recorder.close()
