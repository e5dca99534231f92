"""Controller, recorder and a panel's page in virtual time, and the carer in front of it.

Role: the shells of `liftctl/controller`, `liftctl/recorder` and `liftctl/panel` with a queue in
place of sockets; the recorder's disk is a list. Must never: decide anything.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from config.schema import Site
from hil.clock import NS_PER_MS, Clock
from hil.planes.peers import Listener, Peer
from hil.planes.post import Post
from liftctl import ipc
from liftctl.controller import rows
from liftctl.controller.turn import turn as controller_turn
from liftctl.controller.values import Asked, Config, Input, Link, State, Today
from liftctl.panel import session
from liftctl.recorder import wallclock
from liftctl.recorder.entries import OUTCOME_INTERRUPTED, Entry, Orphan
from liftctl.recorder.transfers import Transfers
from liftctl.recorder.worker import RETRY_NS

WAKE_NS = 100 * NS_PER_MS
COMMIT_NS = 6 * NS_PER_MS  # a durable commit of the ledger on an ordinary disk
BEAT_NS = 50 * NS_PER_MS
PAGE_NS = 3 * NS_PER_MS  # panel process to page, over a socket of this machine
FREEZES = frozenset({"stop", "latch"})


@dataclass
class ControllerPeer(Peer):
    """The controller: it wakes with every message, and at the latest after 100 ms."""

    site: Site = field(kw_only=True)
    today: str = field(kw_only=True)
    post: Post = field(kw_only=True)
    heard: Listener = field(kw_only=True)
    answered: Callable[[ipc.Refused], None] = field(kw_only=True)
    ids: int = 0
    says: Callable[[ipc.Message], ipc.Message] = lambda told: told  # a liar's mouth may stand here

    def begin(self) -> None:
        """A fresh process knows nothing."""
        self.config = Config(self.site, rows.priority_of, rows.SERVICE_ROWS)
        self.state = State(locks=frozenset({"relocated"} if self.site.relocatable else ()))
        self.waiting: list[Input] = []

    def take(self, sender: str, message: ipc.Message | Link) -> None:
        """A message, or what became of a channel."""
        self.reads(partial(self._read, message))

    def _read(self, message: ipc.Message | Link) -> None:
        if isinstance(message, ipc.Workflow):
            self.ids += 1
            self.waiting.append(Asked(1, message, f"t{self.ids:04d}"))
        elif isinstance(message, ipc.GateState | ipc.Written | Link):
            self.waiting.append(message)
        self.clock.at(self.clock.now_ns, partial(self._soon, self.life), 1)

    def _soon(self, life: int) -> None:
        if life == self.life and self.running and not self.frozen and self.waiting:
            self.turn(self.clock.now_ns)

    def _wake(self, life: int, due_ns: int) -> None:
        """Only so that time passes for it when nobody speaks."""
        now_ns = self.clock.now_ns
        if life != self.life or not self.running:
            return
        if not self.frozen and now_ns - self.last_ns >= WAKE_NS:
            self.turn(now_ns)
        self.clock.at(now_ns + WAKE_NS, partial(self._wake, life, due_ns), 1)

    def turn(self, now_ns: int) -> None:
        """One turn and what it sends."""
        super().turn(now_ns)
        given, self.waiting = [Today(self.today), *self.waiting], []
        self.state, out = controller_turn(self.config, self.state, now_ns, given)
        for lease in out.gate:
            self.post.send("controller", "gate", self.says(lease))
        for said in out.recorder:
            self.post.send("controller", "recorder", said)
        for _, refusal in out.replies:
            self.answered(refusal)
        for view in out.panels:
            self.heard(view)


@dataclass
class RecorderPeer(Peer):
    """The recorder: it answers every tick and keeps the entries of the ledger."""

    post: Post = field(kw_only=True)
    heard: Listener = field(kw_only=True)
    wall_ns: int = field(kw_only=True)
    healthy: bool = True
    told: bool = True  # what the newest beat said of it
    disk: list[Entry] = field(default_factory=list)
    seq: int = 0

    def begin(self) -> None:
        """Adopt what an earlier life left open."""
        wall = wallclock.Clock(self._mono_ns, self._wall_ns, lambda: wallclock.SYNCHRONISED)
        self.transfers = Transfers(wall)
        self._write(self.transfers.adopt(self._orphans(), self._unfollowed(), self.clock.now_ns))

    def _mono_ns(self) -> int:
        return self.clock.now_ns

    def _wall_ns(self) -> int:
        return self.wall_ns + self.clock.now_ns

    def _orphans(self) -> list[Orphan]:
        closed = {entry.transfer_id for entry in self.disk if entry.kind == "closed"}
        left = [e for e in self.disk if e.kind == "opened" and e.transfer_id not in closed]
        return [Orphan(e.transfer_id, e.t_mono_ns, e.payload, ()) for e in left]

    def _unfollowed(self) -> str:
        ends = [entry for entry in self.disk if entry.kind in ("opened", "closed")]
        interrupted = ends and ends[-1].header.get("outcome") == OUTCOME_INTERRUPTED
        return ends[-1].transfer_id if interrupted else ""

    def take(self, sender: str, message: ipc.Message) -> None:
        """A state of the gate, or what the controller has to say."""
        self.reads(partial(self._read, message))

    def _read(self, message: ipc.Message) -> None:
        now_ns, transfers = self.clock.now_ns, self.transfers
        match message:
            case ipc.GateState():
                self.told = self.healthy
                self.post.send("recorder", "gate", ipc.RecorderSays(message.tick_ns, self.healthy))
                self._write(transfers.gate_state(message))
                for kind, detail in message.events:
                    if kind in FREEZES:
                        self.heard(("freeze", {"row": detail, "why": kind}))
            case ipc.TransferOpened():
                self._write(transfers.opened(1, message, now_ns), message.id)
            case ipc.TransferPhase():
                self._write(transfers.phase(1, message), message.id)
            case ipc.TransferClosed():
                self._write(transfers.closed(1, message), message.id)

    def turn(self, now_ns: int) -> None:
        """Close what nobody claimed."""
        super().turn(now_ns)
        self._write(self.transfers.tick(now_ns))

    def controller_came(self) -> None:
        """Its channel is new: it hears what was interrupted."""
        if self.running and self.transfers.interrupted:
            told = ipc.Written(self.transfers.interrupted, OUTCOME_INTERRUPTED, 0, "")
            self.post.send("recorder", "controller", told)

    def controller_gone(self) -> None:
        """Its channel closed."""
        if self.running:
            self.transfers.channel_gone(1, self.clock.now_ns)

    def gate_restarted(self) -> None:
        """The black box tells of a new session."""
        if self.running:
            self._write(self.transfers.gate_restarted(self.clock.now_ns))

    def _write(self, entries: list[Entry], answer_id: str = "") -> None:
        for entry in entries:
            asked = entry.transfer_id == answer_id
            self._commit_after(COMMIT_NS, entry, asked)

    def _commit_after(self, ns: int, entry: Entry, asked: bool) -> None:
        commit = partial(self._commit, self.life, entry, asked)
        self.clock.at(self.clock.now_ns + ns, commit)

    def _commit(self, life: int, entry: Entry, asked: bool) -> None:
        if life != self.life or not self.running:
            return
        if self.frozen or not self.healthy:
            self._commit_after(RETRY_NS, entry, asked)
            return
        self.seq += 1
        self.disk.append(entry)
        self.heard((entry.kind, {"id": entry.transfer_id, "payload": entry.payload}))
        kind = entry.kind if asked else OUTCOME_INTERRUPTED
        if asked or entry.kind == "closed":
            told = ipc.Written(entry.transfer_id, kind, self.seq, "")
            self.post.send("recorder", "controller", told)


@dataclass
class Page:
    """A browser at a panel: the finger, what the page sees, and the panel's own hold session."""

    station: str
    kind: str
    clock: Clock
    post: Post
    alive: bool = True  # its link to the panel process
    frozen: bool = False  # the page hangs: it neither sees nor says anything
    press: int = 0
    motion: str = ""
    echo_ns: int = 0
    closed: bool = False
    unsaid: int = 0  # what a page that hangs did not say
    lives: int = 0

    def __post_init__(self) -> None:
        motions = session.MOTIONS[self.kind]
        self.held = session.Session(self.station, f"s-{self.station}", motions)
        self._beat_again()

    def _beat_again(self) -> None:
        self.clock.at(self.clock.now_ns + BEAT_NS, self._on_time)

    def _on_time(self) -> None:
        self.beat()
        self._beat_again()

    def see(self, tick_ns: int) -> None:
        """A state of the gate reaches the panel process, and then the page."""
        if self.alive:
            self._turn(session.Tick(tick_ns))
            self.clock.at(self.clock.now_ns + PAGE_NS, partial(self._seen, tick_ns))

    def _seen(self, tick_ns: int) -> None:
        if self.alive and not self.frozen:
            self.echo_ns = max(self.echo_ns, tick_ns)

    def beat(self) -> None:
        """What the page says every 50 ms, and at each edge."""
        self.say(session.Beat(self.press if self.motion else 0, self.motion, str(self.echo_ns)))

    def say(self, said: session.Input) -> None:
        """From the page to the panel process."""
        if self.frozen:
            self.unsaid += 1
        elif self.alive:
            self.clock.at(self.clock.now_ns + PAGE_NS, partial(self._turn, said))

    def down(self, motion: str) -> None:
        """The finger comes down: a neutral beat, then the press."""
        self.beat()
        self.press, self.motion = self.press + 1, motion
        self.beat()

    def up(self) -> None:
        """The finger lifts."""
        if self.motion:
            self.motion = ""
            self.beat()

    def leave(self) -> None:
        """The link dies, and the panel process sees it."""
        self._turn(session.Gone())
        self.alive = False

    def come_back(self) -> None:
        """The page is loaded again: a new session, nothing pressed."""
        self.lives += 1
        self.alive, self.closed, self.press, self.motion = True, False, 0, ""
        self.held = session.Session(
            self.station, f"s{self.lives}-{self.station}", session.MOTIONS[self.kind]
        )

    def _turn(self, said: session.Input) -> None:
        if not self.alive or self.closed:
            return
        self.held, outputs = session.turn(self.held, self.clock.now_ns, (said,))
        for output in outputs:
            if isinstance(output, session.Close):
                self.closed = True
                return
            for receiver in TO[output.to]:
                self.post.send(self.station, receiver, output.message)


TO = {
    session.To.EVIDENCE: ("gate", "guard"),
    session.To.GATE: ("gate",),
    session.To.CONTROLLER: ("controller",),
}
