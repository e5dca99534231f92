"""AUTOSAR end-to-end protection, sending side, written as the specification tells it.

Profile 1 and 2 with table CRC routines whose calls are chained (PRS_E2EProtocol; SWS_CRCLibrary
8.3.1 and 8.3.2). Shares nothing with the receiver under test.
"""

from __future__ import annotations

from collections.abc import Sequence


def _table(polynomial: int) -> list[int]:
    """The CRC of each single byte, by doubling: entry 2n is entry n shifted once more."""
    table = [0, polynomial]
    for n in range(1, 128):
        double = table[n] << 1
        double ^= (double >> 8) * (0x100 | polynomial)
        table += [double, double ^ polynomial]
    return table


_J1850, _H2F = _table(0x1D), _table(0x2F)


def _calculate(table: Sequence[int], data: Sequence[int], start: int, is_first: bool) -> int:
    """Crc_CalculateCRC8 and Crc_CalculateCRC8H2F: inverted at the end, and again when continued."""
    crc = 0xFF if is_first else start ^ 0xFF
    for byte in data:
        crc = table[crc ^ byte]
    return crc ^ 0xFF


def protect_p01(
    data: bytes,
    counter: int,
    data_id: int,
    mode: str = "both",
    crc_byte: int = 0,
    counter_bit: int = 8,
    nibble_bit: int = 12,
) -> bytes:
    """`data` with counter, data id nibble (mode "nibble") and CRC written in."""
    out = bytearray(data)
    _put_nibble(out, counter_bit, counter)
    if mode == "nibble":
        _put_nibble(out, nibble_bit, data_id >> 8 & 0xF)
    ids = [data_id & 0xFF, data_id >> 8]
    if mode == "low":
        ids = ids[:1]
    elif mode == "alternating":
        ids = [ids[counter % 2]]
    elif mode == "nibble":
        ids[1] = 0
    crc = 0xFF
    for part in ([item] for item in ids):
        crc = _calculate(_J1850, part, crc, False)
    for area in (out[:crc_byte], out[crc_byte + 1 :]):
        if area:
            crc = _calculate(_J1850, area, crc, False)
    out[crc_byte] = crc ^ 0xFF
    return bytes(out)


def protect_p02(data: bytes, counter: int, data_ids: Sequence[int]) -> bytes:
    """`data` with the CRC in byte 0 and the counter in the low half of byte 1."""
    out = bytearray(data)
    _put_nibble(out, 8, counter)
    crc = _calculate(_H2F, out[1:], 0xFF, True)
    out[0] = _calculate(_H2F, [data_ids[counter]], crc, False)
    return bytes(out)


def _put_nibble(out: bytearray, bit: int, value: int) -> None:
    byte, shift = divmod(bit, 8)
    out[byte] = out[byte] & (0xF0 if shift == 0 else 0x0F) | value << shift
