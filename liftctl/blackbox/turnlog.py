"""Turns as records, and deciding them again.

Role: encode what the gate decided, and compare a replay with it. Process: the gate encodes; the
recorder peeks at the time; `liftctl replay` decodes. Must never: know what an input or a state is;
the machine that is handed in does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from config.schema import ConfigError
from drivers.frames import Frame
from liftctl.blackbox.logfile import LogError
from liftctl.blackbox.ring import Kind, Record

DIGEST_BYTES = 8
_encoder = msgspec.msgpack.Encoder()
_turns = msgspec.msgpack.Decoder(tuple[int, bytes, tuple[str, ...], msgspec.Raw])
_sessions = msgspec.json.Decoder(dict[str, Any])


@dataclass(frozen=True, slots=True)
class Turn:
    """A recorded turn: `inputs` still encoded, `rows` what stood in the way of a motion then."""

    now_ns: int
    digest: bytes
    rows: tuple[str, ...]
    inputs: bytes


@dataclass(frozen=True, slots=True)
class Stamped:
    """A frame of a turn and the turn's time."""

    t_ns: int
    frame: Frame


@dataclass(frozen=True, slots=True)
class Step:
    """What a machine decided: `verdict` is for people, `frames` received and sent in this turn."""

    digest: bytes
    rows: tuple[str, ...]
    verdict: str = ""
    frames: tuple[Stamped, ...] = ()


class ReplayMachine(Protocol):
    """Whatever decided the turns, able to do it again."""

    def from_session(self, header: dict[str, Any]) -> None:
        """Take the configuration of a SESSION; ValueError when it cannot be used."""

    def load_snapshot(self, payload: bytes) -> None:
        """Become the state that SNAPSHOT holds; ValueError when it cannot be decoded."""

    def step(self, now_ns: int, inputs: bytes) -> Step:
        """Decide one turn; ValueError when the inputs cannot be decoded."""


def digest_of(outputs: bytes) -> bytes:
    """Eight bytes that stand for encoded outputs."""
    return hashlib.blake2b(outputs, digest_size=DIGEST_BYTES).digest()


def encode_turn(now_ns: int, digest: bytes, rows: tuple[str, ...], inputs: Any) -> bytes:
    """Payload of a TURN; `inputs` is anything msgspec encodes."""
    return _encoder.encode((now_ns, digest, rows, inputs))


def decode_turn(payload: bytes) -> Turn:
    """ValueError when the payload is no turn."""
    now_ns, digest, rows, inputs = _turns.decode(payload)
    return Turn(now_ns, digest, rows, bytes(inputs))


def encode_session(header: dict[str, Any]) -> bytes:
    """Payload of a SESSION: config (text), config_hash, version, wall_ns, mono_ns, ..."""
    return msgspec.json.encode(header)


def decode_session(payload: bytes) -> dict[str, Any]:
    """ValueError when the payload is no session."""
    return _sessions.decode(payload)


@dataclass(frozen=True, slots=True)
class Difference:
    """The first turn that was decided otherwise."""

    seq: int
    now_ns: int
    recorded_rows: tuple[str, ...]
    recomputed_rows: tuple[str, ...]
    recomputed: str


@dataclass(slots=True)
class ReplayResult:
    """Counts of a replay.

    `skipped`: turns before a snapshot or after a gap, which nothing can re-decide.
    """

    turns: int = 0
    skipped: int = 0
    gaps: int = 0
    sessions: int = 0
    snapshots: int = 0
    first_ns: int = 0
    last_ns: int = 0
    difference: Difference | None = None
    header: dict[str, Any] = field(default_factory=dict)


class Replay:
    """Walks records with a machine; `result` fills as `steps` is consumed."""

    def __init__(self, machine: ReplayMachine, config: str | None = None) -> None:
        self.result = ReplayResult()
        self._machine = machine
        self._config = config
        self._session = b""
        self._ready = False
        self._next_seq = 0

    def steps(self, records: Iterable[Record]) -> Iterator[Step]:
        """One Step per re-decided turn; stops after the first different one.

        LogError when undecodable.
        """
        for record in records:
            self._continuity(record)
            try:
                step = self._one(record)
            except (ValueError, LookupError, ConfigError) as error:
                raise LogError(f"record {record.seq} cannot be decoded: {error}") from error
            if step is not None:
                yield step
            if self.result.difference is not None:
                return

    def _continuity(self, record: Record) -> None:
        if self._ready and record.seq != self._next_seq:
            self.result.gaps += 1
            self._ready = False
        self._next_seq = record.next_seq

    def _one(self, record: Record) -> Step | None:
        if record.kind == Kind.SESSION:
            self._begin(record.payload)
        elif record.kind == Kind.SNAPSHOT and self._session and not self._ready:
            self._machine.load_snapshot(record.payload)
            self._ready = True
        if record.kind == Kind.SNAPSHOT:
            self.result.snapshots += 1
        return self._decide(record) if record.kind == Kind.TURN else None

    def _begin(self, payload: bytes) -> None:
        if payload == self._session:
            return
        header = decode_session(payload)
        self.result.header = dict(header)
        if self._config is not None:
            header["config"] = self._config
        self._machine.from_session(header)
        self._session, self._ready = payload, False
        self.result.sessions += 1

    def _decide(self, record: Record) -> Step | None:
        if not self._ready:
            self.result.skipped += 1
            return None
        turn, result = decode_turn(record.payload), self.result
        step = self._machine.step(turn.now_ns, turn.inputs)
        result.turns += 1
        result.first_ns = result.first_ns or turn.now_ns
        result.last_ns = turn.now_ns
        if step.digest != turn.digest:
            result.difference = Difference(
                record.seq, turn.now_ns, turn.rows, step.rows, step.verdict
            )
        return step


def replay(
    records: Iterable[Record], machine: ReplayMachine, config: str | None = None
) -> ReplayResult:
    """Decide every turn again; `config` (JSON text) replaces the recorded configuration."""
    run = Replay(machine, config)
    for _ in run.steps(records):
        pass
    return run.result
