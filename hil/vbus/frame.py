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


def crc15(value: int, bits: int) -> int:
    """CAN CRC-15 over `bits` bits of `value`, most significant first."""
    crc = 0
    for shift in range(bits - 1, -1, -1):
        feedback = ((value >> shift) ^ (crc >> 14)) & 1
        crc = (crc << 1) & 0x7FFF
        if feedback:
            crc ^= _CRC15
    return crc


def stuff_bits(value: int, bits: int) -> int:
    """How many stuff bits a transmitter inserts into this sequence."""
    count, run, previous = 0, 0, -1
    for shift in range(bits - 1, -1, -1):
        bit = (value >> shift) & 1
        run = run + 1 if bit == previous else 1
        previous = bit
        if run == 5:
            count, run, previous = count + 1, 1, 1 - bit
    return count


@lru_cache(maxsize=8192)
def stuffed_length(frame: Frame) -> int:
    """Bits on the wire from the start of frame to the end of the CRC, stuff bits included."""
    value, bits = _header(frame)
    value = (value << (8 * len(frame.data))) | int.from_bytes(frame.data, "big")
    bits += 8 * len(frame.data)
    value = (value << 15) | crc15(value, bits)
    bits += 15
    return bits + stuff_bits(value, bits)


def bit_length(frame: Frame) -> int:
    """Bits on the wire including stuffing, end of frame and interframe space."""
    return stuffed_length(frame) + _TAIL_BITS
