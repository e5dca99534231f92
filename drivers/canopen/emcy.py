"""CANopen emergency messages (CiA 301, 7.2.7).

Role: codec. Process: gate and CLI. Must never: guess at a frame that is not exactly 8 bytes.
"""

from __future__ import annotations

from dataclasses import dataclass

from config.profiles import FieldSpec, FrameSpec

EMERGENCY = 0x080  # plus the node
FRAME = FrameSpec(
    name="emcy",
    id=EMERGENCY,
    length=8,
    field=(
        FieldSpec(name="error_code", start=0, bits=16),
        FieldSpec(name="error_register", start=16, bits=8),
        FieldSpec(name="maker_code", start=24, bits=40),
    ),
)


@dataclass(frozen=True, slots=True)
class Emergency:
    """Error code (0 = all errors gone), error register 1001, and five bytes of the maker's own."""

    code: int
    register: int
    detail: bytes


def decode(data: bytes) -> Emergency | None:
    """The emergency, or None when the length is wrong."""
    if len(data) != 8:
        return None
    return Emergency(int.from_bytes(data[:2], "little"), data[2], data[3:])
