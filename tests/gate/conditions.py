"""What a demo gate hears in a frame, and what may then not move: written by hand.

Role: the conditions and speeds the outsider of the random walk judges by; docs/wiring.md and the
hazards are their source. Must never: be taken from the table of the kernel or from a profile.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

BITS = {"UP": 1, "DOWN": 2, "LEFT": 4, "RIGHT": 8, "STAND": 16, "SIT": 32, "DRIVE": 64}
OWN = {"lift": ("UP", "DOWN", "LEFT", "RIGHT"), "chair": ("STAND", "SIT")}
KEYS = {"lift": {1: "UP", 2: "DOWN", 4: "LEFT", 8: "RIGHT"}, "chair": {1: "STAND", 2: "SIT"}}
KEYPAD = {"lift": 0x1A0, "chair": 0x1A2}
NEED_MORE = {"UP", "LEFT", "RIGHT", "STAND"}  # permission, guard
# configured speed, docking speed
SPEEDS = {"UP": (80, 30), "DOWN": (80, 30), "LEFT": (150, 50), "RIGHT": (150, 50),
          "STAND": (15, 6), "SIT": (15, 6)}  # fmt: skip
WITH_A_PERSON = {"UP": 60, "DOWN": 50}
ALL = frozenset(BITS)
RISE, HOIST = frozenset({"UP", "LEFT", "RIGHT"}), frozenset({"UP", "DOWN", "LEFT", "RIGHT"})
CHAIR, STAND, DRIVE = frozenset({"STAND", "DRIVE"}), frozenset({"STAND"}), frozenset({"DRIVE"})


def _bit(data: bytes, byte: int, *bits: int) -> bool:
    return any(not data[byte] >> bit & 1 for bit in bits)


def _i16(data: bytes, at: int) -> int:
    value: int = struct.unpack_from("<h", data, at)[0]
    return value


def load_kg(data: bytes) -> float:
    return float(struct.unpack_from("<i", data)[0]) / 100


def _unloaded(data: bytes) -> bool:
    return not data[4] & 3 and -50 <= load_kg(data) < 15


Condition = tuple[str, tuple[int, ...], Callable[..., bool], frozenset[str]]
ACROSS = frozenset({"LEFT", "RIGHT"})
# What a frame may say, and what may not move in the very turn it arrives.
CONDITIONS: dict[str, tuple[Condition, ...]] = {
    "lift": (
        ("e-stop open", (0x1A0,), lambda d: _bit(d, 0, 5, 6), ALL),
        ("upper limit", (0x1A0,), lambda d: _bit(d, 0, 0), frozenset({"UP"})),
        ("left rail end", (0x1A0,), lambda d: _bit(d, 0, 3), frozenset({"LEFT"})),
        ("right rail end", (0x1A0,), lambda d: _bit(d, 0, 4), frozenset({"RIGHT"})),
        (
            "lower limit, empty",
            (0x1A0, 0x1A1),
            lambda d, w: _bit(d, 0, 1) and _unloaded(w),
            frozenset({"DOWN"}),
        ),
        (
            "slack, empty",
            (0x1A0, 0x1A1),
            lambda d, w: _bit(d, 0, 2) and _unloaded(w),
            ACROSS | {"DOWN"},
        ),
        ("load not valid", (0x1A1,), lambda d: bool(d[4] & 3), RISE),
        ("far too heavy", (0x1A1,), lambda d: load_kg(d) > 250, RISE),
        ("battery nearly empty", (0x2A0,), lambda d: _i16(d, 0) < 100, RISE),
        ("hoist fault", (0x190,), lambda d: bool(d[0] & 8), HOIST),
        ("hoist emergency", (0x090,), lambda d: d[:2] != bytes(2), HOIST),
        ("hoist not operational", (0x710,), lambda d: d[0] in (0, 4, 0x7F), HOIST),
        ("traverse fault", (0x191,), lambda d: bool(d[0] & 8), ACROSS),
        ("traverse emergency", (0x091,), lambda d: d[:2] != bytes(2), ACROSS),
        ("traverse not operational", (0x711,), lambda d: d[0] in (0, 4, 0x7F), ACROSS),
    ),
    "chair": (
        ("e-stop open", (0x1A2,), lambda d: _bit(d, 0, 6, 7), ALL),
        ("knee block or belt open", (0x1A2,), lambda d: _bit(d, 0, 0, 1, 2, 3), STAND),
        ("brakes off", (0x1A2,), lambda d: _bit(d, 0, 4), STAND),
        ("charger", (0x1A2,), lambda d: _bit(d, 0, 5), CHAIR),
        ("feet not on the plate", (0x2A2,), lambda d: _i16(d, 0) < 50, STAND),
        ("slope", (0x2A2,), lambda d: max(abs(_i16(d, 2)), abs(_i16(d, 4))) > 300, STAND),
        ("battery nearly empty", (0x2A2,), lambda d: _i16(d, 6) < 100, CHAIR),
        ("partly stood", (0x193,), lambda d: d[0] | d[1] << 8 > 150, DRIVE),
        ("actuator error", (0x193,), lambda d: d[7] != 0, ALL),
        ("actuator emergency", (0x093,), lambda d: d[:2] != bytes(2), ALL),
        ("actuator not operational", (0x713,), lambda d: d[0] in (0, 4, 0x7F), ALL),
    ),
}
