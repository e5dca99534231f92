"""What docs/wiring.md allows the demo gates to hear and to send, written by hand.

Role: the expectation of the id sweep and of the random walk. Must never: be taken from a device, a
profile or a grant.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from drivers.j1939 import GLOBAL, Header, build

NIGHTLY = os.environ.get("LIFTCTL_NIGHTLY") == "1"
LENGTHS = range(9)
# What the gate hears (id: bytes), and what it may send (id, bytes).
HEARD = {
    "lift": {
        0x710: 1, 0x711: 1, 0x720: 1, 0x721: 1, 0x590: 8, 0x591: 8, 0x090: 8, 0x091: 8,
        0x190: 8, 0x191: 8, 0x290: 8, 0x291: 8, 0x1A0: 2, 0x2A0: 4, 0x1A1: 5,
    },
    "chair": {0x713: 1, 0x722: 1, 0x593: 8, 0x093: 8, 0x193: 8, 0x1A2: 2, 0x2A2: 8},
}  # fmt: skip
SENT = {
    "lift": {(0x000, 2), (0x701, 1), (0x210, 6), (0x211, 6), (0x610, 8), (0x611, 8)},
    "chair": {(0x000, 2), (0x701, 1), (0x213, 8), (0x613, 8)},
}
NODES = {"lift": (0x10, 0x11, 0x20, 0x21), "chair": (0x13, 0x22)}
SERIAL = {b"!EX\r", b"!MG\r", b"?FF\r?FS\r?S\r?V\r", b"^ECHOF 1\r^RWD 200\r~RWD\r", b"~RWD\r"}
MONITORED = {"lift": set(), "chair": {0x19EFFF13, 0x18EF1300, 0x18EEFF13}}
USED_PGNS = (0x1EF00, 0x0EF00, 0x0EE00)


def used_29_bit() -> Iterator[int]:
    """Every priority, sender and addressee of the groups in use, and of their neighbours."""
    pgns = {*USED_PGNS, *(pgn ^ 1 << bit for pgn in USED_PGNS for bit in range(18))}
    for pgn in sorted(pgns):
        wide = pgn >> 8 & 0xFF >= 240
        if not wide and pgn & 0xFF:
            continue  # the low byte of a group with an addressee is the addressee
        for priority in range(8) if pgn in USED_PGNS or NIGHTLY else (3, 6):
            for dest in (GLOBAL,) if wide else (GLOBAL, 0x00, 0x12, 0x13, 0x14):
                for source in range(256):
                    yield build(Header(priority, pgn, dest, source))


def alike() -> Iterator[int]:
    """Extended ids that a careless mask would take for an 11-bit id."""
    for can_id in range(2048):
        yield from (can_id, can_id << 18, can_id | 1 << 28, can_id | 0x7FF << 11)


ALIKE = tuple(alike())
WIDE = tuple(used_29_bit())


# --- what a frame to a device asks for

AXES = {"lift": {0x210: "hoist", 0x211: "traverse"}, "chair": {0x213: "stander"}}
MOTIONS = {"hoist": ("UP", "DOWN"), "traverse": ("RIGHT", "LEFT"), "stander": ("STAND", "SIT")}
OBJECTS = {0x1000, 0x1016, 0x1017, 0x1400, 0x2005, 0x6007, 0x605A, 0x6060, 0x607F, 0x6083, 0x6084,
           0x6085}  # fmt: skip
QUICK_STOP, NO_VOLTAGE, FAULT_RESET = 0x02, 0x00, 0x80
INHIBIT, RELEASE = b"!EX\r", b"!MG\r"


@dataclass(frozen=True, slots=True)
class Order:
    """A command frame as its device reads it; `motion` is "" when it moves nothing. `brakes`: it
    asks for the quickest stop there is.
    """

    axis: str
    motion: str
    speed_mm_s: float
    brakes: bool


def order(can_id: int, data: bytes) -> Order:
    """The meaning of RPDO1 of a drive or of the stand actuator."""
    axis = {**AXES["lift"], **AXES["chair"]}[can_id]
    ahead, back = MOTIONS[axis]
    if axis == "stander":
        target, _, permille, _, control = struct.unpack("<HHHBB", data)
        if not control & 1:
            return Order(axis, "", 0.0, brakes=True)
        assert target in (0, 3000), "the actuator goes to one of its ends"
        return Order(axis, ahead if target else back, permille * 20 / 1000, brakes=False)
    word, tenths = struct.unpack("<Hi", data)
    brakes = word in (QUICK_STOP, NO_VOLTAGE, FAULT_RESET)
    motion = "" if tenths == 0 else ahead if tenths > 0 else back
    assert not motion or word == 0x0F, "a velocity goes to an enabled drive only"
    return Order(axis, motion, abs(tenths) / 10, brakes)
