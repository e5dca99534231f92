"""Sends what waits and believes only acknowledgements.

Role: one turn = one batch of one chain. Process: uplink. Must never: delete or change a row, move
on before an acknowledgement, or give up for good.
"""

from __future__ import annotations

import math
import random
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import httpx
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from liftctl.recorder.store import LedgerError
from liftctl.recorder.wallclock import utc_text
from liftctl.uplink import protocol
from liftctl.uplink.outbox import BATCH_ROWS, Outbox
from liftctl.uplink.protocol import Ack, Batch, Conflict, FromCentre, Need, Refused
from liftctl.uplink.state import Enrolment, Folder, Memory, Position

IDLE_S = 1.0
FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 300.0
LONGEST_ASKED_S = 3600.0  # a centre that asks for more is tried again then
REWINDS_AT_ONCE = 3
CONFLICT_WAIT_S = 600.0
TIMEOUT_S = 30.0
SHOWN_ASIDE = 50


class Http(Protocol):
    """An httpx.Client, or the uplink's carrier in its place."""

    def post(self, url: str, *, content: bytes, headers: dict[str, str]) -> Any: ...


def post(http: Http, url: str, key: Ed25519PrivateKey, message: protocol.Message) -> FromCentre:
    """One signed message, one answer; httpx.HTTPError, OSError or ProtocolError when there is
    none.
    """
    body = protocol.encode(message)
    headers = {
        "content-type": protocol.MEDIA_TYPE,
        protocol.SIGNATURE: protocol.sign(key, body),
    }
    answer = http.post(url + protocol.PATH, content=body, headers=headers)
    return protocol.from_centre(answer.content)


def client() -> httpx.Client:
    """Certificates are checked; a proxy of the house is taken from the environment."""
    return httpx.Client(timeout=TIMEOUT_S)


def _patience_s(answer: Refused) -> float:
    """How long the centre may make us wait, whatever number it names."""
    asked_s = answer.retry_after_s
    return min(max(asked_s, 0.0), LONGEST_ASKED_S) if math.isfinite(asked_s) else LONGEST_ASKED_S


@dataclass(slots=True)
class Lane:
    """How one chain is sent: not before `due_ns`, at most `most` rows, `seal` as its place only.

    `furthest`: the highest row ever acknowledged; `rewinds` since there was one beyond it.
    """

    box: Outbox
    due_ns: int = 0
    failures: int = 0
    furthest: int = 0
    rewinds: int = 0
    most: int = BATCH_ROWS
    seal: int = 0


@dataclass(slots=True)
class Sender:
    """Both chains of one gateway, each at its own pace."""

    folder: Folder
    enrolment: Enrolment
    key: Ed25519PrivateKey
    outboxes: tuple[Outbox, ...]
    wall_ns: Callable[[], int]
    mono_ns: Callable[[], int]
    http: Http = field(default_factory=client)
    memory: Memory = field(default_factory=Memory)
    _lanes: tuple[Lane, ...] = ()

    def __post_init__(self) -> None:
        self.memory = self.folder.memory()
        self._lanes = tuple(Lane(box) for box in self.outboxes)

    def step(self) -> bool:
        """Send at most one batch of each chain that is due; whether anything went forward."""
        now_ns, moved = self.mono_ns(), False
        for lane in self._lanes:
            if lane.due_ns <= now_ns:
                wait_s = self._send(lane)
                moved |= wait_s == 0.0
                lane.due_ns = self.mono_ns() + int(wait_s * 1e9)
        return moved

    def at(self, stream: str) -> Position:
        """How far the centre has come."""
        return self.memory.positions.get(stream, Position())

    def _send(self, lane: Lane) -> float:
        box, who = lane.box, (self.enrolment.municipality, self.enrolment.controller)
        try:
            at = self._place(box)
            sent_ms = self.wall_ns() // 1_000_000
            batch = box.batch(at.seq, who, sent_ms, lane.most, lane.seal)
            if batch is None:
                return IDLE_S
            answer = post(self.http, self.enrolment.url, self.key, batch)
            return self._heard(lane, at, batch, answer)
        except httpx.HTTPError as error:
            return self._failed(lane, f"the centre does not answer ({type(error).__name__})")
        except (protocol.ProtocolError, LedgerError, sqlite3.Error, OSError) as error:
            return self._failed(lane, str(error))

    def _place(self, box: Outbox) -> Position:
        """Where to go on; from the beginning when the file was replaced by another copy."""
        at = self.at(box.stream)
        if not box.holds(at.epoch, at.seq):
            at = msgspec.structs.replace(at, seq=0, epoch=0)
        return at

    def _heard(self, lane: Lane, at: Position, batch: Batch, answer: FromCentre) -> float:
        if isinstance(answer, Ack) and answer.epoch == batch.epoch:
            return self._acknowledged(lane, at, batch, answer)
        if isinstance(answer, Need):
            return self._rewind(lane, at, answer)
        if isinstance(answer, Conflict):
            why = f"the centre holds other rows: {answer.why}. Begin a new epoch or call the centre"
            return self._failed(lane, why, CONFLICT_WAIT_S)
        if isinstance(answer, Refused):
            if answer.code in ("unacceptable", "large"):
                return self._narrow(lane, batch, answer)
            return self._failed(lane, f"{answer.code}: {answer.why}", _patience_s(answer))
        return self._failed(lane, "the centre answered something else")

    def _rewind(self, lane: Lane, at: Position, answer: Need) -> float:
        place = lane.box.place_before(answer.epoch, answer.seq)
        if place is None or place == at.seq:
            why = f"the centre needs row {answer.seq}, which this ledger does not hold"
            return self._failed(lane, why, CONFLICT_WAIT_S)
        self._keep(lane, msgspec.structs.replace(at, seq=place, epoch=answer.epoch))
        return self._again(lane)

    def _again(self, lane: Lane) -> float:
        """A centre that was restored needs rows once; one that asks for ever is made to wait."""
        lane.rewinds += 1
        if lane.rewinds <= REWINDS_AT_ONCE:
            return 0.0
        return min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(lane.rewinds - REWINDS_AT_ONCE, 9))

    def _narrow(self, lane: Lane, batch: Batch, answer: Refused) -> float:
        """One bad row must not hold up the others: find it, send its place in the chain only."""
        if lane.seal == batch.first_seq:
            return self._failed(lane, f"{answer.code}: {answer.why}", CONFLICT_WAIT_S)
        if len(batch.records) == 1:
            lane.seal = batch.first_seq
        lane.most = max(1, len(batch.records) // 2)
        return 0.0

    def _acknowledged(self, lane: Lane, at: Position, batch: Batch, answer: Ack) -> float:
        """No further than this batch: what another copy of us sent is looked at again."""
        last = batch.first_seq + len(batch.records) - 1
        durable = min(last, answer.seq)
        if durable <= at.seq:
            return self._failed(lane, "the centre acknowledges nothing of what it was sent")
        lane.failures, lane.seal, lane.most = 0, 0, min(BATCH_ROWS, lane.most * 2)
        if durable > lane.furthest:
            lane.furthest, lane.rewinds = durable, 0
        aside = {
            seq: item.sealed
            for seq, item in enumerate(batch.records, batch.first_seq)
            if item.sealed
        }
        shown = tuple((dict(at.set_aside) | aside).items())[-SHOWN_ASIDE:]
        now_utc = utc_text(self.wall_ns())
        self._keep(lane, Position(batch.epoch, durable, now_utc, "", shown))
        return 0.0

    def _failed(self, lane: Lane, why: str, at_least_s: float = 0.0) -> float:
        lane.failures += 1
        at = self.at(lane.box.stream)
        if at.trouble != why:
            self._keep(lane, msgspec.structs.replace(at, trouble=why))
        wait_s = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(lane.failures, 9))
        return max(at_least_s, wait_s * random.uniform(0.5, 1.0))

    def _keep(self, lane: Lane, position: Position) -> None:
        positions = {**self.memory.positions, lane.box.stream: position}
        self.memory = msgspec.structs.replace(self.memory, positions=positions)
        self.folder.keep(self.memory)
