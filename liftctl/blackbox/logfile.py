"""`.lbb` files: ring records taken out of the ring, in segments and freezes.

Role: the framing of persisted records, and one `read` for rings and files alike. Process: the
recorder writes, `liftctl replay` reads. Must never: hand out a record whose checksum is wrong.

File: magic, ring id u64; then per record: seq u64, parts u16, kind u8, length u32, crc32 u32,
payload.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

from liftctl.blackbox import ring
from liftctl.blackbox.ring import Record

MAGIC = b"LIFTLBB1"
_FILE = struct.Struct("<8sQ")
_RECORD = struct.Struct("<QHBII")


class LogError(Exception):
    """A file that is no black box or is damaged; the message is one line."""


def preamble(ring_id: int) -> bytes:
    """How every file begins."""
    return _FILE.pack(MAGIC, ring_id)


def pack(record: Record) -> bytes:
    """The framed record."""
    head = (record.seq, record.parts, record.kind, len(record.payload))
    return _RECORD.pack(*head, _checksum(*head, record.payload)) + record.payload


def _checksum(seq: int, parts: int, kind: int, length: int, payload: bytes) -> int:
    return zlib.crc32(payload, zlib.crc32(_RECORD.pack(seq, parts, kind, length, 0)))


def write(path: Path, ring_id: int, records: list[Record]) -> None:
    """A whole file, durable and under its name only when complete; OSError on a full disk."""
    fresh = path.with_name(path.name + ".new")
    try:
        with fresh.open("wb") as file:
            os.fchmod(file.fileno(), 0o600)  # a session holds the whole site file
            file.write(preamble(ring_id) + b"".join(map(pack, records)))
            file.flush()
            os.fsync(file.fileno())
        fresh.rename(path)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise


def ring_id_of(path: Path) -> int:
    """The ring a file came from; LogError when it is no black-box file."""
    with path.open("rb") as file:
        return _ring_id(file.read(_FILE.size), path)


def _ring_id(start: bytes, path: Path) -> int:
    if len(start) < _FILE.size or not start.startswith(MAGIC):
        raise LogError(f"{path}: not a black-box file")
    found: int = _FILE.unpack(start)[1]
    return found


def read(path: Path) -> Iterator[Record]:
    """The records of a ring or an `.lbb` file.

    A cut-off last record ends it quietly; damage is a LogError.
    """
    try:
        with path.open("rb") as file:
            start = file.read(len(MAGIC))
        if start == ring.MAGIC:
            yield from ring.read(path)
            return
        yield from _framed(path)
    except OSError as error:
        raise LogError(f"{path}: {error.strerror}") from error
    except ring.RingError as error:
        raise LogError(str(error)) from error


def _framed(path: Path) -> Iterator[Record]:
    with path.open("rb") as file:
        _ring_id(file.read(_FILE.size), path)
        left = path.stat().st_size - _FILE.size
        while len(head := file.read(_RECORD.size)) == _RECORD.size:
            seq, parts, kind, length, crc = _RECORD.unpack(head)
            left -= _RECORD.size + length
            if left < 0:
                return
            payload = file.read(length)
            if _checksum(seq, parts, kind, length, payload) != crc:
                raise LogError(f"{path}: damaged at record {seq}, byte {file.tell() - length}")
            yield Record(seq, parts, kind, payload)
