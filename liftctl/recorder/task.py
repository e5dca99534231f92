"""The ledger's thread: appends jobs, answers requests, erases what is due.

Role: the task of one Worker. Process: the recorder (its writer thread). Must never: answer before
it is durable, or erase by a clock that is not synchronised.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.schema import LedgerSpec
from liftctl import ipc
from liftctl.places import Places
from liftctl.recorder import audit, erasure, unfinished
from liftctl.recorder.entries import Appended, Entry, Orphan
from liftctl.recorder.ledger import Ledger
from liftctl.recorder.requests import answer
from liftctl.recorder.wallclock import SYNCHRONISED, Clock
from liftctl.recorder.worker import FAILURES

TIDY_NS = 3_600_000_000_000
MOST_DUE = 500


@dataclass(frozen=True, slots=True)
class Job:
    """One entry for the ledger; `channel` wants to hear that it is durable, 0: nobody does."""

    entry: Entry
    channel: int = 0


@dataclass(frozen=True, slots=True)
class Asked:
    """A person's request, and who waits for the answer."""

    ask: ipc.LedgerAsk
    channel: int


@dataclass(frozen=True, slots=True)
class Opened:
    """The ledger is there for the first time, with what an earlier run left."""

    orphans: list[Orphan]
    unfollowed: str
    head: str
    notice: str


@dataclass(frozen=True, slots=True)
class Done:
    """A job is durable."""

    job: Job
    where: Appended


@dataclass(frozen=True, slots=True)
class Answered:
    """A request was done, or refused."""

    channel: int
    says: ipc.LedgerSays


@dataclass(frozen=True, slots=True)
class Standing:
    """How the ledger stands. `warning`: what does not keep it from writing."""

    epoch: int
    entries: int
    signed: int
    warning: str
    upkeep: tuple[ipc.Upkeep, ...] = ()


class LedgerTask:
    """Opens the ledger, appends jobs in order, and opens it afresh after any failure."""

    def __init__(self, places: Places, clock: Clock, keep: LedgerSpec | None = None) -> None:
        spec = keep or LedgerSpec()
        self._places = places
        self._clock = clock
        self._heads = Path(spec.heads) / places.site if spec.heads else places.heads
        self._keep = erasure.Retention(spec.payload_days, spec.incident_days)
        self._ledger: Ledger | None = None
        self._said = False
        self._standing: Standing | None = None
        self._due: deque[str] = deque()
        self._due_ns = 0
        self._late = ""
        self._upkept: tuple[ipc.Upkeep, ...] | None = None  # to be read

    def run(self, jobs: deque[Any], done: Callable[[Any], None]) -> None:
        try:
            ledger = self._ledger or self._open(done)
            while jobs:
                if isinstance(jobs[0], Asked):
                    done(self._answer(ledger, jobs.popleft()))
                else:
                    done(Done(jobs[0], ledger.append(jobs[0].entry)))
                    jobs.popleft()
        except FAILURES:
            self.close()
            raise
        self._housekeeping(ledger)
        self._tell(ledger, done)

    def _answer(self, ledger: Ledger, asked: Asked) -> Answered:
        """What fails is answered and not tried again: records wait behind it."""
        self._upkept = None
        try:
            says = answer(ledger, asked.ask, self._keep, self._clock.wall_ns())
        except FAILURES as error:
            says = ipc.LedgerSays(False, f"{asked.ask.verb} failed: {error}")
        return Answered(asked.channel, says)

    def _housekeeping(self, ledger: Ledger) -> None:
        """Retention that fails is said; it keeps no transfer from beginning."""
        try:
            self._tidy(ledger)
        except FAILURES as error:
            self._due.clear()
            self._late = f"retention failed: {error}"

    def _open(self, done: Callable[[Any], None]) -> Ledger:
        ledger = Ledger(self._places.ledger, self._clock.wall_ns, self._heads)
        self._ledger, self._upkept = ledger, None
        if not self._said or ledger.notice:
            found = unfinished.orphans(ledger.db), unfinished.unfollowed(ledger.db)
            done(Opened(*found, ledger.head, ledger.notice))
            self._said = True
        return ledger

    def _tidy(self, ledger: Ledger) -> None:
        """At most one transfer a round: a closing record must not wait behind retention."""
        now_ns = self._clock.mono_ns()
        if not self._due_ns or now_ns >= self._due_ns:
            self._due_ns = now_ns + TIDY_NS
            self._due = deque(self._found_due(ledger))
        if self._due:
            erasure.erase(ledger, self._due[0], "retention")
            self._due.popleft()
            if not self._due:
                erasure.scrub(ledger)

    def _found_due(self, ledger: Ledger) -> list[str]:
        """What may be erased unasked; what else is due is said."""
        wall_ns, trusted = self._clock.wall_ns(), self._clock.sync() == SYNCHRONISED
        found = erasure.due(ledger.db, self._keep, wall_ns, MOST_DUE)
        sure = erasure.due(ledger.db, self._keep, wall_ns, MOST_DUE, False) if trusted else []
        left = len(set(found).difference(sure))
        why = "was not synchronised when they were written" if trusted else "is not synchronised"
        late = f"{left} payloads are due, the clock {why}: `liftctl ledger erase --due`"
        self._late = late if left else ""
        return sure

    def _tell(self, ledger: Ledger, done: Callable[[Any], None]) -> None:
        said = (ledger.notice, ledger.heads_complaint, self._late)
        warning = "; ".join(text for text in said if text)
        now = Standing(ledger.epoch, ledger.seq, ledger.head_seq, warning, self._upkeep(ledger))
        if now != self._standing:
            self._standing = now
            done(now)

    def _upkeep(self, ledger: Ledger) -> tuple[ipc.Upkeep, ...]:
        """Read again when somebody asked for something that may be about it."""
        if self._upkept is None:
            self._upkept = audit.upkept(ledger.db)
        return self._upkept

    def close(self) -> None:
        if self._ledger is not None:
            self._ledger.close()
            self._ledger = None
