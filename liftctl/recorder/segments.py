"""Segment files: the black box of the last hours, bounded, oldest deleted first.

Role: append chunks to the newest `seg-*.lbb`. Process: the recorder (its black-box thread). Must
never: leave half a record in front of a whole one (a failed write is cut off again), or touch a
freeze.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from liftctl.blackbox import logfile
from liftctl.blackbox.ring import Kind, Record


@dataclass(frozen=True, slots=True)
class Limits:
    """How much disk the black box may use beside the ring."""

    segment_bytes: int = 8 << 20
    segments: int = 64
    freezes: int = 50
    min_free_bytes: int = 16 << 20


@dataclass(slots=True)
class Chunk:
    """A SNAPSHOT and what followed, with the SESSION it belongs to.

    `written`: how many records are in a segment; None: an earlier run of the recorder wrote them.
    """

    session: Record
    records: list[Record]
    first_ns: int = 0
    last_ns: int = 0
    written: int | None = 0


class Segments:
    """Writes each record once; `resume_seq` is the last SNAPSHOT on disk, where to go on."""

    def __init__(
        self, folder: Path, ring_id: int, wall_ns: Callable[[], int], limits: Limits
    ) -> None:
        self._folder = folder
        self._ring_id = ring_id
        self._wall_ns = wall_ns
        self._limits = limits
        self._file = -1
        self._size = 0
        self._session = b""
        self.resume_seq = _last_snapshot(folder, ring_id)

    def write(self, chunk: Chunk) -> None:
        """Append what is new in it; OSError leaves the file as it was."""
        if chunk.written is None or chunk.written == len(chunk.records):
            return
        if chunk.written == 0:
            self._rotate()
        fresh = chunk.records[chunk.written :]
        self._append(chunk.session, fresh)
        chunk.written += len(fresh)

    def _rotate(self) -> None:
        if self._file >= 0 and self._size < self._limits.segment_bytes:
            return
        self.close()
        name = self._folder / f"seg-{file_stamp(self._wall_ns())}.lbb"
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_TRUNC | os.O_CLOEXEC
        self._file = os.open(name, flags, 0o600)
        self._size, self._session = 0, b""
        prune(self._folder, "seg-*.lbb", self._limits.segments)

    def _append(self, session: Record, records: list[Record]) -> None:
        start = logfile.preamble(self._ring_id) if self._size == 0 else b""
        if session.payload != self._session:
            start += logfile.pack(session)
        data = start + b"".join(map(logfile.pack, records))
        try:
            if os.write(self._file, data) != len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._folder))
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self._size)
            raise
        self._size += len(data)
        self._session = session.payload

    def close(self) -> None:
        if self._file >= 0:
            os.fdatasync(self._file)
            os.close(self._file)
            self._file = -1


def _last_snapshot(folder: Path, ring_id: int) -> int:
    """Its sequence number in the newest segment of this ring, or 0."""
    found = 0
    for path in sorted(folder.glob("seg-*.lbb"))[-1:]:
        with contextlib.suppress(logfile.LogError, OSError):
            if logfile.ring_id_of(path) == ring_id:
                for record in logfile.read(path):
                    found = record.seq if record.kind == Kind.SNAPSHOT else found
    return found


def prune(folder: Path, pattern: str, keep: int) -> None:
    """Delete the oldest files beyond `keep`; names sort by time."""
    for path in sorted(folder.glob(pattern))[:-keep]:
        path.unlink(missing_ok=True)


def file_stamp(wall_ns: int) -> str:
    """UTC with microseconds, fit for a file name."""
    return datetime.fromtimestamp(wall_ns / 1e9, UTC).strftime("%Y%m%dT%H%M%S.%fZ")
