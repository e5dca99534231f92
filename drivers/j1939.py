"""SAE J1939 identifiers: 29 bits <-> priority, parameter group, addresses.

Role: the id codec of J1939 devices (SAE J1939-21, 5.2). Process: gate and CLI. Must never: drop the
data-page bits; page 1 of a proprietary group is feedback where page 0 of the same group is a
command.
"""

from __future__ import annotations

from dataclasses import dataclass

GLOBAL = 0xFF
_PDU2 = 240  # from this PDU format on, the next byte belongs to the group


@dataclass(frozen=True, slots=True)
class Header:
    """A J1939 identifier. `pgn` has 18 bits; `destination` is 255 for groups that have none."""

    priority: int
    pgn: int
    destination: int
    source: int


def parse(can_id: int) -> Header:
    """Split a 29-bit identifier."""
    group, specific = can_id >> 8 & 0x3FFFF, can_id >> 8 & 0xFF
    if group >> 8 & 0xFF < _PDU2:
        return Header(can_id >> 26 & 7, group & 0x3FF00, specific, can_id & 0xFF)
    return Header(can_id >> 26 & 7, group, GLOBAL, can_id & 0xFF)


def build(header: Header) -> int:
    """The 29-bit identifier; ValueError when a part does not fit."""
    wide = header.pgn >> 8 & 0xFF >= _PDU2
    parts = (header.priority >> 3, header.pgn >> 18, header.destination >> 8, header.source >> 8)
    if any(parts) or (not wide and header.pgn & 0xFF) or (wide and header.destination != GLOBAL):
        raise ValueError(f"{header} is no J1939 identifier")
    low = 0 if wide else header.destination
    return header.priority << 26 | (header.pgn | low) << 8 | header.source
