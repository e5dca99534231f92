"""The memory ring: the gate's last minutes, on a preallocated file mapped shared.

Role: append inside the gate's turn; read and follow from any other process. Process: the gate
writes, the recorder and `liftctl replay` read. Must never: grow the file, block, allocate on disk,
or hand out a record that was not written whole.

File: one 4096-byte page (magic, slot count, random ring id, JSON header), then slots of 128 bytes.
Slot `seq` lives at index `seq % slots`; a record is a run of slots with consecutive numbers. Slot:
seq u64, crc32 u32, kind u8, length u8, part u16, parts u16, payload 110 bytes. The number is stored
after the rest of the slot and the CRC covers both.
"""

from __future__ import annotations

import json
import mmap
import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

MAGIC = b"LIFTRNG1"
PAGE = 4096
SLOT = 128
HEAD = struct.Struct("<QIBBHH")
PAYLOAD = SLOT - HEAD.size
MAX_PARTS = 0xFFFF
_PAGE = struct.Struct("<8sIQQ")
_AFTER_CRC = struct.Struct("<BBHH")
_SEQ = struct.Struct("<Q")
_CRC = struct.Struct("<I")
_BODY = 12  # first byte after seq and crc


class Kind(IntEnum):
    """What a record is."""

    SESSION = 1
    SNAPSHOT = 2
    TURN = 3
    NOTE = 4


class RingError(Exception):
    """A file that is not a usable ring; the message is one line."""


@dataclass(frozen=True, slots=True)
class Record:
    """One logical record; `seq` numbers its first of `parts` slots."""

    seq: int
    parts: int
    kind: int
    payload: bytes

    @property
    def next_seq(self) -> int:
        return self.seq + self.parts


def create(path: Path, size_bytes: int, header: dict[str, Any] | None = None) -> None:
    """Make a ring of about `size_bytes`, every block allocated; replaces `path` atomically."""
    slots = (size_bytes - PAGE) // SLOT
    text = json.dumps(header or {}, sort_keys=True).encode()
    if slots < 4 or len(text) > PAGE - _PAGE.size:
        raise RingError(f"{path}: ring too small, or header too long for one page")
    page = _PAGE.pack(MAGIC, len(text), slots, int.from_bytes(os.urandom(8), "little")) + text
    fresh = path.with_name(path.name + ".new")
    descriptor = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.posix_fallocate(descriptor, 0, PAGE + slots * SLOT)
        os.pwrite(descriptor, page, 0)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    fresh.rename(path)


def _checksum(slot: bytes | bytearray, seq: int) -> int:
    return zlib.crc32(memoryview(slot)[_BODY:], zlib.crc32(_SEQ.pack(seq)))


class _Mapped:
    """The file, its geometry and the validation that writer and reader share."""

    def __init__(self, path: Path, writable: bool) -> None:
        try:
            descriptor = os.open(path, (os.O_RDWR if writable else os.O_RDONLY) | os.O_CLOEXEC)
        except OSError as error:
            raise RingError(f"{path}: {error.strerror}") from error
        try:
            self.inode = os.fstat(descriptor).st_ino
            access = mmap.ACCESS_WRITE if writable else mmap.ACCESS_READ
            self.map = mmap.mmap(descriptor, 0, access=access)
        except (OSError, ValueError) as error:
            raise RingError(f"{path}: cannot be mapped: {error}") from error
        finally:
            os.close(descriptor)
        self.slots, self.ring_id, self.header = self._geometry(path)

    def _geometry(self, path: Path) -> tuple[int, int, dict[str, Any]]:
        try:
            magic, length, slots, ring_id = _PAGE.unpack_from(self.map, 0)
            fits = magic == MAGIC and slots > 0 and PAGE + slots * SLOT == len(self.map)
            if not fits:
                raise RingError(f"{path}: not a black-box ring")
            header = json.loads(self.map[_PAGE.size : _PAGE.size + length])
        except (struct.error, ValueError) as error:
            raise RingError(f"{path}: not a black-box ring: {error}") from error
        return slots, ring_id, header

    def offset(self, seq: int) -> int:
        return PAGE + (seq % self.slots) * SLOT

    def slot(self, seq: int) -> bytes | None:
        """The slot if it is whole and really number `seq`."""
        start = self.offset(seq)
        raw = self.map[start : start + SLOT]
        found, crc = struct.unpack_from("<QI", raw)
        whole = found == seq and raw[_BODY + 1] <= PAYLOAD and _checksum(raw, seq) == crc
        return raw if whole else None

    def newest(self) -> int:
        """Number of the newest whole slot, 0 when there is none."""
        with memoryview(self.map) as view, view[PAGE:].cast("Q") as words:
            numbers = words[:: SLOT // 8].tolist()
        limit = 1 << 63
        plausible = (n for i, n in enumerate(numbers) if 0 < n < limit and n % self.slots == i)
        for seq in sorted(plausible, reverse=True):
            if self.slot(seq) is not None:
                return seq
        return 0

    def close(self) -> None:
        self.map.close()


class RingWriter:
    """The one writer. Opening continues after the newest whole slot, whoever wrote it.

    A SESSION is repeated every quarter of the ring, so that a wrapped ring still says what it is
    about.
    """

    def __init__(self, path: Path) -> None:
        self._ring = _Mapped(path, writable=True)
        self._map = self._ring.map
        self._slots = self._ring.slots
        self._next = self._ring.newest() + 1
        self._slot = bytearray(SLOT)
        self._session = b""
        self._session_seq = 0

    @property
    def next_seq(self) -> int:
        return self._next

    def append(self, kind: int, payload: bytes) -> int:
        """Write one record; returns the number of its first slot. ValueError when it cannot fit."""
        length = len(payload)
        if length <= PAYLOAD:
            seq = self._next
            self._put(kind, payload, length, 0, 1)
        else:
            seq = self._append_parts(kind, payload)
        if kind == Kind.SESSION:
            self._session, self._session_seq = payload, seq
        elif self._session and self._next - self._session_seq > self._slots // 4:
            self.append(Kind.SESSION, self._session)
        return seq

    def _append_parts(self, kind: int, payload: bytes) -> int:
        seq = self._next
        parts = -(-len(payload) // PAYLOAD)
        if parts > min(MAX_PARTS, self._slots // 2):
            raise ValueError(f"a record of {len(payload)} bytes does not fit this ring")
        for part in range(parts):
            piece = payload[part * PAYLOAD : (part + 1) * PAYLOAD]
            self._put(kind, piece, len(piece), part, parts)
        return seq

    def _put(self, kind: int, piece: bytes, length: int, part: int, parts: int) -> None:
        seq, slot = self._next, self._slot
        _AFTER_CRC.pack_into(slot, _BODY, kind, length, part, parts)
        slot[HEAD.size :] = piece if length == PAYLOAD else piece.ljust(PAYLOAD, b"\0")
        _CRC.pack_into(slot, 8, _checksum(slot, seq))
        start = PAGE + (seq % self._slots) * SLOT
        self._map[start + 8 : start + SLOT] = slot[8:]
        _SEQ.pack_into(self._map, start, seq)
        self._next = seq + 1

    def close(self) -> None:
        self._ring.close()


class RingFollower:
    """Reads what is new. `lost_slots` counts what was overwritten or damaged before it was read."""

    def __init__(self, path: Path) -> None:
        self._ring = _Mapped(path, writable=False)
        self._path = path
        self.lost_slots = 0
        newest = self._ring.newest()
        self._next = max(1, newest - self._ring.slots + 1)
        self._partial: list[bytes] = []
        self._synced = False  # the oldest slots may be the rest of a record: that is no loss

    @property
    def ring_id(self) -> int:
        return self._ring.ring_id

    @property
    def header(self) -> dict[str, Any]:
        return self._ring.header

    def replaced(self) -> bool:
        """Another file stands at the path now."""
        try:
            return self._path.stat().st_ino != self._ring.inode
        except OSError:
            return True

    def poll(self, limit_slots: int = 4096) -> list[Record]:
        """Whole records since the last poll, oldest first, from at most `limit_slots` slots."""
        found: list[Record] = []
        for _ in range(limit_slots):
            raw = self._ring.slot(self._next)
            if raw is None:
                if not self._skip():
                    break
                continue
            record = self._take(raw)
            if record is not None:
                found.append(record)
            self._next += 1
        return found

    def _take(self, raw: bytes) -> Record | None:
        _, _, kind, length, part, parts = HEAD.unpack_from(raw)
        if part != len(self._partial):
            if self._synced:
                self.lost_slots += len(self._partial) + (part != 0)
            self._partial = []
            if part != 0:
                return None
        self._synced = True
        self._partial.append(raw[HEAD.size : HEAD.size + length])
        if part + 1 != parts:
            return None
        payload = b"".join(self._partial)
        self._partial = []
        return Record(self._next - parts + 1, parts, kind, payload)

    def _skip(self) -> bool:
        """Step over a lost slot; False when there is nothing newer (the usual end of a poll)."""
        start = self._ring.offset(self._next)
        (seen,) = _SEQ.unpack_from(self._ring.map, start)
        if seen == max(0, self._next - self._ring.slots):
            return False  # last lap's slot, or never written: the writer has not been here
        newest = self._ring.newest()
        if newest <= self._next:
            return False
        oldest = newest - self._ring.slots + 1
        target = max(self._next + 1, oldest)
        self.lost_slots += target - self._next + len(self._partial)
        self._next, self._partial = target, []
        return True

    def close(self) -> None:
        self._ring.close()


def read(path: Path) -> Iterator[Record]:
    """Every whole record from the oldest to what is newest now; the writer may be at work."""
    follower = RingFollower(path)
    try:
        yield from follower.poll(follower._ring.slots)
    finally:
        follower.close()
