"""What becomes of a transfer: opened, phases, closed, or closed as interrupted for those who died.

Role: turn messages and gate states into ledger entries. Process: the recorder; pure, time is an
argument. Must never: lose an opened transfer: whoever dies, a `closed` entry follows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from liftctl.ipc import GateState, TransferClosed, TransferOpened, TransferPhase
from liftctl.recorder.entries import OUTCOME_INTERRUPTED, Entry, Orphan
from liftctl.recorder.wallclock import Clock, step_s, utc_text

CLAIM_NS = 5_000_000_000
LOWERING = ("DOWN", "SIT")
HEADER_FIELDS = ("site", "config_hash", "version")


@dataclass(slots=True)
class Running:
    """A transfer without its end. `channel` None: nobody claims it, until `deadline_ns`."""

    id: str
    t_ns: int
    record: dict[str, Any]
    follows: str = ""
    offset_ns: int | None = None  # of the wall clock when it was opened; None: another run's
    phases: list[tuple[str, float, dict[str, Any]]] = field(default_factory=list)
    channel: int | None = None
    deadline_ns: int = 0
    lowerings: list[Entry] = field(default_factory=list)


class Transfers:
    """One transfer runs per site; `interrupted` is the one that the next movement follows."""

    def __init__(self, clock: Clock) -> None:
        """`clock` makes UTC of monotonic moments; the controller knows no wall clock."""
        self._clock = clock
        self._offset_ns = clock.offset_ns()
        self.running: Running | None = None
        self.interrupted = ""
        self._lowering = False

    def adopt(self, orphans: list[Orphan], unfollowed: str, now_ns: int) -> list[Entry]:
        """What the ledger holds at start-up: only the newest orphan may still be claimed."""
        entries: list[Entry] = []
        self.interrupted = unfollowed
        for orphan in orphans:
            entries += self._interrupt("nobody closed it", now_ns)
            self.running = Running(orphan.id, orphan.t_ns, orphan.record)
            self.running.phases = list(orphan.phases)
            self.running.deadline_ns = now_ns + CLAIM_NS
        return entries

    def opened(self, channel: int, message: TransferOpened, now_ns: int) -> list[Entry]:
        """A new transfer, or a claim of one we know."""
        if self._claim(channel, message.id) is not None:
            return [self._opening(message, "")]
        entries = self._interrupt("another transfer began", now_ns)
        follows, self.interrupted = self.interrupted, ""
        opening = self._opening(message, follows)
        self.running = Running(message.id, message.t_ns, opening.payload, follows, channel=channel)
        self.running.offset_ns = self._clock.offset_ns()
        return [*entries, opening]

    def _opening(self, message: TransferOpened, follows: str) -> Entry:
        record = {**message.record, "id": message.id, "started_utc": self._clock.utc(message.t_ns)}
        header = _header(record, follows)
        return Entry("opened", message.id, message.t_ns, record, header)

    def phase(self, channel: int, message: TransferPhase) -> list[Entry]:
        """A phase boundary, block, alarm, carer joining or leaving."""
        running = self._claim(channel, message.id)
        if running is not None:
            offset_s = (message.t_ns - running.t_ns) / 1e9
            running.phases.append((message.name, offset_s, message.data))
        payload = {"name": message.name, "data": message.data}
        return [Entry("phase", message.id, message.t_ns, payload)]

    def closed(self, channel: int, message: TransferClosed) -> list[Entry]:
        """The whole record; it outranks an interrupted close made for the same transfer."""
        running = self._claim(channel, message.id)
        follows = running.follows if running else ""
        outcome = str(message.record.get("outcome", ""))
        if running is not None:
            self.running = None
        if outcome == OUTCOME_INTERRUPTED:
            self.interrupted = message.id
        elif self.interrupted == message.id:
            self.interrupted = ""
        record = {**message.record, "id": message.id, **self._times(message, running)}
        header = _header(record, follows) | {"outcome": outcome}
        return [Entry("closed", message.id, message.t_ns, record, header)]

    def _times(self, message: TransferClosed, running: Running | None) -> dict[str, Any]:
        """UTC of begin, end and every phase, and whether the wall clock was set in between."""
        offset_ns, opened_ns = self._clock.offset_ns(), running.offset_ns if running else None
        phases, begun_ns = message.record.get("phases") or {}, message.record.get("started_mono_ns")
        shown = offset_ns if opened_ns is None else opened_ns
        moments = {
            name: utc_text(shown + begun_ns + int(at_s * 1e9))
            for name, at_s in phases.items()
            if isinstance(begun_ns, int)
        }
        step = 0.0 if opened_ns is None else step_s(opened_ns, offset_ns)
        return {
            "started_utc": self._started(message, running),
            "ended_utc": self._clock.utc(message.t_ns),
            "phases_utc": moments,
            "clock": {"sync": self._clock.sync(), "step_s": step},
        }

    def _started(self, message: TransferClosed, running: Running | None) -> str:
        if running is not None and running.record.get("started_utc"):
            return str(running.record["started_utc"])
        elapsed_s = message.record.get("elapsed_s")
        if not isinstance(elapsed_s, int | float):
            return ""
        return self._clock.utc(message.t_ns - int(elapsed_s * 1e9))

    def _claim(self, channel: int, transfer_id: str) -> Running | None:
        if self.running is None or self.running.id != transfer_id:
            return None
        self.running.channel, self.running.deadline_ns = channel, 0
        self.running.lowerings.clear()
        return self.running

    def channel_gone(self, channel: int, now_ns: int) -> None:
        """The controller died, or only its link: it has CLAIM_NS to come back."""
        if self.running is not None and self.running.channel == channel:
            self.running.channel = None
            self.running.deadline_ns = now_ns + CLAIM_NS

    def gate_restarted(self, now_ns: int) -> list[Entry]:
        """Nothing goes on after that."""
        return self._interrupt("the gate restarted", now_ns)

    def tick(self, now_ns: int) -> list[Entry]:
        """Close what nobody claimed in time; say that the wall clock was set."""
        entries, running = self._clock_set(now_ns), self.running
        if running is None or running.channel is not None or now_ns < running.deadline_ns:
            return entries
        return entries + self._interrupt("the controller died", now_ns)

    def _clock_set(self, now_ns: int) -> list[Entry]:
        before_ns, self._offset_ns = self._offset_ns, self._clock.offset_ns()
        step = step_s(before_ns, self._offset_ns)
        header = {"step_s": step, "sync": self._clock.sync()} if step else {}
        return [Entry("clock", "", now_ns, {}, header)] if step else []

    def gate_state(self, state: GateState) -> list[Entry]:
        """A lowering that nobody's transfer accounts for is linked to the interrupted one."""
        began = state.moving in LOWERING and not self._lowering
        self._lowering = state.moving in LOWERING
        orphan = self.running if self.running and self.running.channel is None else None
        linked = orphan.id if orphan else self.interrupted
        if not began or not linked or (self.running and not orphan):
            return []
        entry = Entry("lowering_after_interruption", linked, state.tick_ns, _lowering(state))
        if orphan is None:
            return [entry]
        orphan.lowerings.append(entry)  # its owner may yet claim the transfer
        return []

    def _interrupt(self, reason: str, now_ns: int) -> list[Entry]:
        running, self.running = self.running, None
        if running is None:
            return []
        self.interrupted = running.id
        record = _so_far(running, reason)
        header = _header(record, running.follows) | {"outcome": OUTCOME_INTERRUPTED}
        closing = Entry("closed", running.id, now_ns, record, header)
        return [closing, *running.lowerings]


def _header(record: dict[str, Any], follows: str) -> dict[str, Any]:
    header = {name: record[name] for name in HEADER_FIELDS if name in record}
    follows = follows or str(record.get("follows") or "")
    return header | ({"follows": follows} if follows else {})


def _so_far(running: Running, reason: str) -> dict[str, Any]:
    """The opening fields and what the phases told; it has no end."""
    seconds: dict[str, float] = {}
    for name, offset_s, _ in running.phases:
        seconds.setdefault(name, offset_s)
    events = [{"name": name, "t_s": at, "data": data} for name, at, data in running.phases]
    end = {"outcome": OUTCOME_INTERRUPTED, "reason": reason, "ended_utc": None, "elapsed_s": None}
    last_s = max(seconds.values(), default=0.0)
    told = {"id": running.id, "phases": seconds, "events": events, "last_seen_s": last_s}
    return {**running.record, **told, **end}


def _lowering(state: GateState) -> dict[str, Any]:
    return {
        "motion": state.moving,
        "t_ns": state.tick_ns,
        "owner": state.owner,
        "load_kg": state.values.get("load_kg"),
        "aloft": state.aloft,
        "standing": state.standing,
    }
