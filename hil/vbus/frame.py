"""CAN frames as values: wire record, arbitration value, exact bit length. Pure: no I/O."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import lru_cache

RECORD = struct.Struct("<QIBB2x8s")  # t_ns (CLOCK_MONOTONIC), id, flags, dlc, data
EXTENDED, REMOTE, ERROR, ECHO = 1, 2, 4, 8

CAN_ERR_CRTL, CAN_ERR_BUSOFF, CAN_ERR_RESTARTED = 0x004, 0x040, 0x100
CAN_ERR_CRTL_RX_OVERFLOW = 0x01
CAN_ERR_CRTL_RX_WARNING, CAN_ERR_CRTL_TX_WARNING = 0x04, 0x08
CAN_ERR_CRTL_RX_PASSIVE, CAN_ERR_CRTL_TX_PASSIVE = 0x10, 0x20
CAN_ERR_CRTL_ACTIVE = 0x40

_CRC15 = 0x4599
_TAIL_BITS = 13  # CRC delimiter, ACK slot and delimiter, end of frame 7, interframe space 3


class MalformedRecordError(ValueError):
    """A record that no CAN controller could have put on a bus."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One classic CAN frame; `dlc` counts only for a remote frame (None = length of data)."""

    can_id: int
    data: bytes = b""
    is_extended: bool = False
    is_remote: bool = False
    is_error: bool = False
    remote_dlc: int = 0

    @property
    def dlc(self) -> int:
        """Data length code as on the wire."""
        return self.remote_dlc if self.is_remote else len(self.data)


@dataclass(frozen=True, slots=True)
class Received:
    """A frame as the hub delivered it; `is_echo` marks the receiver's own transmission."""

    t_ns: int
    frame: Frame
    is_echo: bool


RX_OVERFLOW = Frame(
    CAN_ERR_CRTL, bytes([0, CAN_ERR_CRTL_RX_OVERFLOW, 0, 0, 0, 0, 0, 0]), is_error=True
)


def pack(frame: Frame, t_ns: int = 0, *, is_echo: bool = False) -> bytes:
    """The fixed-size record of a frame."""
    flags = (
        frame.is_extended * EXTENDED
        | frame.is_remote * REMOTE
        | frame.is_error * ERROR
        | is_echo * ECHO
    )
    return RECORD.pack(t_ns, frame.can_id, flags, frame.dlc, frame.data)


def unpack(record: bytes) -> Received:
    """Read a record; raises MalformedRecordError for anything a controller would refuse."""
    if len(record) != RECORD.size:
        raise MalformedRecordError(f"record of {len(record)} bytes instead of {RECORD.size}")
    t_ns, can_id, flags, dlc, data = RECORD.unpack(record)
    is_extended, is_remote = bool(flags & EXTENDED), bool(flags & REMOTE)
    limit = 0x1FFFFFFF if is_extended or flags & ERROR else 0x7FF
    if flags & ~0x0F or dlc > 8 or can_id > limit:
        raise MalformedRecordError(f"id {can_id:X}, flags {flags:X}, dlc {dlc}")
    frame = Frame(
        can_id,
        b"" if is_remote else data[:dlc],
        is_extended,
        is_remote,
        bool(flags & ERROR),
        dlc if is_remote else 0,
    )
    return Received(t_ns, frame, bool(flags & ECHO))


def arbitration_value(frame: Frame) -> int:
    """The arbitration field as sent, most significant bit first: the lower value wins the bus."""
    if not frame.is_extended:
        return (frame.can_id << 21) | (frame.is_remote << 20)
    base, extension = frame.can_id >> 18, frame.can_id & 0x3FFFF
    recessive_srr_ide = 0b11
    return (base << 21) | (recessive_srr_ide << 19) | (extension << 1) | frame.is_remote


def _header(frame: Frame) -> tuple[int, int]:
    """(value, bits) from start of frame to the data length code."""
    if not frame.is_extended:
        return (frame.can_id << 7) | (frame.is_remote << 6) | frame.dlc, 19
    base, extension = frame.can_id >> 18, frame.can_id & 0x3FFFF
    value = (((base << 2) | 0b11) << 18 | extension) << 7
    return value | (frame.is_remote << 6) | frame.dlc, 39


def _crc_row(byte: int) -> int:
    crc = byte << 7
    for _ in range(8):
        crc = (crc << 1) ^ (_CRC15 if crc & 0x4000 else 0)
    return crc & 0x7FFF


_CRC_TABLE = tuple(_crc_row(byte) for byte in range(256))


def crc15(value: int, bits: int) -> int:
    """CAN CRC-15 over `bits` bits of `value`, most significant first."""
    crc = 0
    # it starts at zero, so that zeros in front change nothing
    for byte in value.to_bytes((bits + 7) // 8, "big"):
        crc = ((crc << 8) & 0x7FFF) ^ _CRC_TABLE[(crc >> 7) ^ byte]
    return crc


_START = (
    0  # no bit yet; then 2 * run + bit for runs of 1 to 4 (a fifth is followed by its stuff bit)
)


def _stuff_step(state: int, bit: int) -> tuple[int, int]:
    """(stuff bits inserted, state after) for one more bit."""
    run, last = state >> 1, state & 1
    run = run + 1 if run and bit == last else 1
    return (1, 2 | (1 - bit)) if run == 5 else (0, run << 1 | bit)


def _stuff_row(state: int) -> tuple[tuple[int, int], ...]:
    row = []
    for byte in range(256):
        total, after = 0, state
        for shift in range(7, -1, -1):
            count, after = _stuff_step(after, (byte >> shift) & 1)
            total += count
        row.append((total, after))
    return tuple(row)


_STUFF_TABLE = tuple(_stuff_row(state) for state in range(10))


def stuff_bits(value: int, bits: int) -> int:
    """How many stuff bits a transmitter inserts into this sequence."""
    total, state = 0, _START
    for shift in range(bits - 1, bits - bits % 8 - 1, -1):
        count, state = _stuff_step(state, (value >> shift) & 1)
        total += count
    whole = bits // 8
    for byte in (value & ((1 << 8 * whole) - 1)).to_bytes(whole, "big"):
        count, state = _STUFF_TABLE[state][byte]
        total += count
    return total


def stuffed_length(frame: Frame) -> int:
    """Bits on the wire from the start of frame to the end of the CRC, stuff bits included."""
    if frame.is_extended or frame.is_remote:
        return _stuffed_length(frame)
    return _data_length(frame.can_id, frame.data)


@lru_cache(maxsize=8192)
def _data_length(can_id: int, data: bytes) -> int:
    return _stuffed_length(Frame(can_id, data))


def _stuffed_length(frame: Frame) -> int:
    value, bits = _header(frame)
    value = (value << (8 * len(frame.data))) | int.from_bytes(frame.data, "big")
    bits += 8 * len(frame.data)
    value = (value << 15) | crc15(value, bits)
    bits += 15
    return bits + stuff_bits(value, bits)


def bit_length(frame: Frame) -> int:
    """Bits on the wire including stuffing, end of frame and interframe space."""
    return stuffed_length(frame) + _TAIL_BITS
