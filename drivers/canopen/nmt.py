"""CANopen network management: heartbeats in, commands out (CiA 301, 7.2.8).

Role: codec. Process: gate and CLI. Must never: assume that a command was obeyed.
"""

from __future__ import annotations

from enum import IntEnum

from config.profiles import FieldSpec, FrameSpec

HEARTBEAT = 0x700  # plus the node
COMMAND = 0x000
START = 0x01
FRAME = FrameSpec(
    name="heartbeat", id=HEARTBEAT, length=1, field=(FieldSpec(name="nmt_state", start=0, bits=8),)
)


class NmtState(IntEnum):
    """The state a heartbeat reports; BOOT_UP is sent once after a reset."""

    BOOT_UP = 0x00
    STOPPED = 0x04
    OPERATIONAL = 0x05
    PRE_OPERATIONAL = 0x7F


def heartbeat(data: bytes) -> NmtState | None:
    """The reported state, or None when this is no heartbeat."""
    if len(data) != 1 or data[0] not in list(NmtState):
        return None
    return NmtState(data[0])


def pre_operational(node: int) -> bytes:
    """Enter pre-operational: the only state a stopped node answers SDO from."""
    return bytes((0x80, node))


def start(node: int) -> bytes:
    """The payload that starts one node."""
    return bytes((START, node))
