"""The marker file: what a restart must remember, made durable off the turn (design rule 9).

Role: two preallocated slots in a mapped file, written one after the other with the same marker, so
that one is always whole and a rotten one is noticed; a helper thread makes them durable. Process:
the gate. Must never: block a turn, or take an unreadable file for an empty one.
"""

from __future__ import annotations

import mmap
import os
import queue
import threading
import zlib
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from safety.memory import EMPTY
from safety.verdict import Marker

SLOT = 2048
_HEAD = 8  # crc32, length


def _pack(marker: Marker) -> bytes:
    body = msgspec.json.encode(marker)
    head = zlib.crc32(body).to_bytes(4, "little") + len(body).to_bytes(4, "little")
    if len(body) > SLOT - _HEAD:
        raise ValueError(f"marker of {len(body)} bytes does not fit")
    return head + body


def _unpack(raw: bytes) -> Marker | None:
    crc, length = int.from_bytes(raw[:4], "little"), int.from_bytes(raw[4:8], "little")
    body = raw[_HEAD : _HEAD + length]
    if length == 0 or len(body) != length or zlib.crc32(body) != crc:
        return None
    try:
        return msgspec.json.decode(body, type=Marker)
    except ValueError:
        return None


def init(path: Path) -> None:
    """Create the first marker (`liftctl init`): nobody aloft, no latch. OSError when that fails."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.posix_fallocate(descriptor, 0, 2 * SLOT)
        os.pwrite(descriptor, _pack(EMPTY), 0)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def load(path: Path) -> Marker | None:
    """The newest whole marker; None when there is none to be read: assume someone is aloft. So when
    the other slot cannot be read: it may have been the newer one, and have held any latch, so that
    a technician looks first (H37).
    """
    try:
        raw = path.read_bytes()
    except OSError:
        return None
    slots = [raw[n * SLOT : (n + 1) * SLOT] for n in (0, 1)]
    found = [marker for slot in slots if (marker := _unpack(slot))]
    newest = max(found, key=lambda item: item.seq, default=None)
    rotten = any(any(slot) and _unpack(slot) is None for slot in slots)
    if newest is None or not rotten:
        return newest
    latched = tuple(sorted({*newest.latched, "quarantine"}))
    return replace(newest, in_flight=True, latched=latched)


@dataclass(slots=True)
class MarkerFile:
    """The mapped file and its helper. `confirmed` receives (seq, ok)."""

    path: Path
    confirmed: queue.SimpleQueue[tuple[int, bool]] = field(default_factory=queue.SimpleQueue)
    _wanted: queue.SimpleQueue[Marker | None] = field(default_factory=queue.SimpleQueue)
    _map: mmap.mmap | None = None
    wake: int = -1

    def open(self, wake: int) -> None:
        """Map the file and start the helper; `wake` is a descriptor it writes to when done."""
        self.wake = wake
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(descriptor, 0, 2 * SLOT)
                self._map = mmap.mmap(descriptor, 2 * SLOT)
            finally:
                os.close(descriptor)
        except OSError:
            self._map = None  # every write is answered "not durable": UP and STAND stay refused
        threading.Thread(target=self._help, name="marker", daemon=True).start()

    def write(self, marker: Marker) -> None:
        """Ask for durability; the answer comes through `confirmed`."""
        self._wanted.put(marker)

    def close(self) -> None:
        self._wanted.put(None)

    def _help(self) -> None:
        while (marker := self._wanted.get()) is not None:
            ok = self._store(marker)
            self.confirmed.put((marker.seq, ok))
            os.write(self.wake, b"\0")

    def _store(self, marker: Marker) -> bool:
        if self._map is None:
            return False
        try:
            packed = _pack(marker)
            for start in (0, SLOT):
                self._map[start : start + len(packed)] = packed
                self._map.flush()
        except (OSError, ValueError):
            return False
        return True
