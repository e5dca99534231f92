"""What the guard reads off the wire, with its own few lines of decoding.

Role: commands, speeds, keys and e-stop contacts of the devices a site names. Process: the guard.
Must never: share a decoder with the gate; a bug in one must not blind the other.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

from config.schema import Site

COMMAND, FEEDBACK = 0x200, 0x180
STAND_FULL_MM_S = 20.0
# What is left of a motor's current without torque: of 1000 of the rated, of 0.1 A.
NO_CURRENT_PER_MILLE, NO_CURRENT_TENTHS = 20, 2


@dataclass(frozen=True, slots=True)
class Speed:
    """A commanded or measured speed; the sign is the direction. `limp`: its drive says that it is
    in fault, and its motor draws no current: the word alone may be frozen, or a lie.
    """

    axis: str
    mm_s: float
    limp: bool = False


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys of the hand control that are down, by motion name."""

    down: frozenset[str]


@dataclass(frozen=True, slots=True)
class Contacts:
    """The guard's own I/O node: relay state and both e-stop channels."""

    relay_on: bool
    estop_closed: bool


Told = Speed | Keys | Contacts
Read = Callable[[bytes], Told | None]


@dataclass(frozen=True, slots=True)
class Watched:
    """Which ids mean what: command frames apart from what devices report."""

    commands: dict[int, Read]
    feedback: dict[int, Read]
    nodes: tuple[int, ...]  # drives that a network-management stop reaches


def _drive_command(axis: str) -> Read:
    def read(data: bytes) -> Told | None:
        if len(data) != 6:
            return None
        word, speed = struct.unpack("<Hi", data)
        return Speed(axis, speed / 10 if word & 0x0F == 0x0F else 0.0)

    return read


def _drive_speed(axis: str) -> Read:
    def read(data: bytes) -> Told | None:
        if len(data) != 8:
            return None
        word, speed, current = struct.unpack("<Hih", data)
        # CiA 402: FAULT; FAULT REACTION ACTIVE still brakes under power
        limp = word & 0x4F == 0x08 and abs(current) <= NO_CURRENT_PER_MILLE
        return Speed(axis, speed / 10, limp)

    return read


def _stand_command(data: bytes) -> Told | None:
    if len(data) != 8:
        return None
    target, _, per_mille, _, control = struct.unpack("<HHHBB", data)
    way = 1 if target else -1
    return Speed("stander", way * per_mille / 1000 * STAND_FULL_MM_S if control & 1 else 0.0)


def _stand_speed(data: bytes) -> Told | None:
    if len(data) != 8:
        return None
    _, current, per_mille, motion, errors = struct.unpack("<HHHBB", data)
    way = (motion & 1) - (motion >> 1 & 1)
    limp = bool(errors) and current <= NO_CURRENT_TENTHS
    return Speed("stander", way * per_mille / 1000 * STAND_FULL_MM_S, limp)


def _keys(names: tuple[str, ...]) -> Read:
    def read(data: bytes) -> Told | None:
        if len(data) != 2:
            return None
        present = data[1] >> 7
        return Keys(frozenset(name for n, name in enumerate(names) if present and data[1] >> n & 1))

    return read


def _contacts(data: bytes) -> Told | None:
    return Contacts(bool(data[0] & 1), data[0] & 6 == 6) if len(data) == 1 else None


_BY_PROFILE: dict[str, tuple[Read | None, Read]] = {
    "cia402_hoist": (_drive_command("hoist"), _drive_speed("hoist")),
    "cia402_traverse": (_drive_command("traverse"), _drive_speed("traverse")),
    "thomson_electrak_hd_canopen": (_stand_command, _stand_speed),
    "cia401_lift_io": (None, _keys(("UP", "DOWN", "LEFT", "RIGHT"))),
    "cia401_seat_io": (None, _keys(("STAND", "SIT"))),
    "cia401_seat_io_castors": (None, _keys(("STAND", "SIT"))),
}


def watched(site: Site) -> Watched:
    """The ids of this site that matter to the guard."""
    commands: dict[int, Read] = {}
    feedback: dict[int, Read] = {FEEDBACK + site.guard.node: _contacts}
    nodes = []
    for device in site.device:
        pair = _BY_PROFILE.get(device.profile)
        if pair is None or device.on != site.guard.bus:
            continue
        feedback[FEEDBACK + device.node] = pair[1]
        if pair[0] is not None:
            commands[COMMAND + device.node] = pair[0]
            nodes.append(device.node)
    return Watched(commands, feedback, tuple(nodes))
