"""The black box on disk: segments of everything, a freeze around every stop.

Role: follow the gate's ring and persist it. Process: the recorder (its black-box thread). Must
never: write into the ring, grow beyond its bounds, or delete a freeze to make room for a segment.

The last minutes stand in memory as chunks, each beginning with a SNAPSHOT; files are made of whole
chunks behind their SESSION, so that each can be replayed alone. Turn times and `now_ns` are the
same monotonic clock.
"""

from __future__ import annotations

import errno
import os
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from liftctl.blackbox import logfile
from liftctl.blackbox.ring import Kind, Record, RingError, RingFollower
from liftctl.blackbox.turnlog import decode_session, decode_turn
from liftctl.recorder.segments import Chunk, Limits, Segments, file_stamp, prune

BEFORE_NS = 60_000_000_000
AFTER_NS = 10_000_000_000
LONGEST_NS = 300_000_000_000
GATE_SILENT_NS = 5_000_000_000


@dataclass(frozen=True, slots=True)
class Freeze:
    """Keep what was around `t_ns`, because of `row`."""

    t_ns: int
    row: str


@dataclass(frozen=True, slots=True)
class NewSession:
    """The gate started again while we were there."""


@dataclass(slots=True)
class Window:
    """A freeze that is still open at its end."""

    start_ns: int
    end_ns: int
    row: str


@dataclass(slots=True)
class Keeper:
    """A worker task; jobs are Freeze requests."""

    ring: Path
    folder: Path
    wall_ns: Callable[[], int]
    mono_ns: Callable[[], int]
    limits: Limits = field(default_factory=Limits)
    lost_slots: int = 0
    _follower: RingFollower | None = None
    _segments: Segments | None = None
    _session: Record | None = None
    _chunks: deque[Chunk] = field(default_factory=deque)
    _open: Chunk | None = None
    _windows: deque[Window] = field(default_factory=deque)
    _frozen_ns: int = 0
    _since_ns: int = 0

    def __post_init__(self) -> None:
        self._since_ns = self.mono_ns()

    def run(self, jobs: deque[Any], done: Callable[[Any], None]) -> None:
        """One round: read the ring, write what is new, finish freezes."""
        while jobs:
            self._request(jobs.popleft())
        self._follow(done)
        try:
            self._check_space()
            self._write()
            self._finish_windows()
        finally:
            self._forget()

    def close(self) -> None:
        """Write what is there, also freezes that had not reached their end."""
        if self._follower is None:
            return
        self._write()
        while self._windows:
            self._freeze(self._windows.popleft())
        if self._segments is not None:
            self._segments.close()
        self._follower.close()
        self._follower = None

    def _follow(self, done: Callable[[Any], None]) -> None:
        if self._follower is not None:
            replaced = self._follower.replaced()
            for record in self._follower.poll():
                self._take(record, done)
            self.lost_slots = self._follower.lost_slots
            if replaced:
                self._write()
                self._follower.close()
                self._follower = None
        else:
            self._join()

    def _join(self) -> None:
        try:
            self._follower = RingFollower(self.ring)
        except RingError:
            return  # the gate has not made it yet; the gate says so, not we
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self._segments is not None:
            self._segments.close()
        self._segments = Segments(self.folder, self._follower.ring_id, self.wall_ns, self.limits)

    def _write(self) -> None:
        if self._segments is not None:
            for chunk in self._chunks:
                self._segments.write(chunk)

    def _take(self, record: Record, done: Callable[[Any], None]) -> None:
        if record.kind == Kind.SESSION and not self._same_session(record):
            if decode_session(record.payload).get("mono_ns", 0) > self._since_ns:
                done(NewSession())
            self._session, self._open = record, None
        elif record.kind == Kind.SNAPSHOT and self._session is not None:
            now_ns = self._open.last_ns if self._open else 0
            self._open = Chunk(self._session, [record], now_ns, now_ns)
            if self._segments is not None and record.seq < self._segments.resume_seq:
                self._open.written = None
            self._chunks.append(self._open)
        elif self._open is not None:
            self._open.records.append(record)
            if record.kind == Kind.TURN:
                self._open.last_ns = _turn_ns(record) or self._open.last_ns
                self._open.first_ns = self._open.first_ns or self._open.last_ns

    def _same_session(self, record: Record) -> bool:
        return self._session is not None and self._session.payload == record.payload

    def _check_space(self) -> None:
        if not self.folder.is_dir():
            return
        room = os.statvfs(self.folder)
        if room.f_bavail * room.f_frsize < self.limits.min_free_bytes:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.folder))

    def _request(self, freeze: Freeze) -> None:
        end_ns = freeze.t_ns + AFTER_NS
        if self._windows:
            last = self._windows[-1]
            if freeze.t_ns <= last.end_ns and end_ns - last.start_ns <= LONGEST_NS:
                last.end_ns = max(last.end_ns, end_ns)
                return
        earlier_ns = self._windows[-1].end_ns if self._windows else self._frozen_ns
        if end_ns > earlier_ns:
            start_ns = max(freeze.t_ns - BEFORE_NS, earlier_ns)
            self._windows.append(Window(start_ns, end_ns, freeze.row))

    def _finish_windows(self) -> None:
        """A window ends when its last turn was read, or when the gate has gone silent."""
        read_ns = self._chunks[-1].last_ns if self._chunks else 0
        while self._windows:
            window = self._windows[0]
            if read_ns < window.end_ns and self.mono_ns() < window.end_ns + GATE_SILENT_NS:
                return
            self._freeze(window)
            self._frozen_ns = window.end_ns
            self._windows.popleft()

    def _freeze(self, window: Window) -> None:
        chosen = [
            chunk
            for chunk in self._chunks
            if chunk.last_ns >= window.start_ns and chunk.first_ns <= window.end_ns
        ]
        if not chosen or self._follower is None:
            return
        records: list[Record] = []
        session = b""
        for chunk in chosen:
            if chunk.session.payload != session:
                records.append(chunk.session)
                session = chunk.session.payload
            records.extend(chunk.records)
        row = re.sub(r"[^A-Za-z0-9_.-]+", "_", window.row)[:40] or "stop"
        name = f"freeze-{file_stamp(self.wall_ns())}-{row}.lbb"
        logfile.write(self.folder / name, self._follower.ring_id, records)
        prune(self.folder, "freeze-*.lbb", self.limits.freezes)

    def _forget(self) -> None:
        """Drop chunks older than any window may still ask for."""
        if not self._chunks:
            return
        horizon_ns = self._chunks[-1].last_ns - BEFORE_NS
        if self._windows:
            longest_ns = self._chunks[-1].last_ns - BEFORE_NS - LONGEST_NS  # a disk full for hours
            horizon_ns = max(longest_ns, min(horizon_ns, self._windows[0].start_ns))
        while len(self._chunks) > 1 and self._chunks[1].first_ns <= horizon_ns:
            self._chunks.popleft()


def _turn_ns(record: Record) -> int:
    try:
        return decode_turn(record.payload).now_ns
    except ValueError:
        return 0  # kept as it is; replay will name it
