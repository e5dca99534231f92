"""End-to-end protection of a frame as its profile declares it, and what is refused.

Role: the limits of AUTOSAR E2E profiles 1 and 2 (PRS_E2EProtocol) on a classic CAN frame. Process:
all. Must never: accept a layout the codec would read differently, or a counter check that lets
most counters pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

PROFILES = ("P01", "P02")
MODES = ("both", "low", "alternating", "nibble")
# The high byte, or its high half, is never sent or checked in these modes.
_LARGEST_ID = {"low": 0xFF, "nibble": 0xFFF}
_LARGEST_DELTA = 7  # of half the counter and more nobody can say that it went forward


@dataclass(frozen=True, slots=True, kw_only=True)
class E2ESpec:
    """AUTOSAR end-to-end protection of a received frame; `counter` and `nibble` are bit positions
    of four bits each, `crc` is a byte.

    P01 has one `data_id` and a `mode`: how it goes into the CRC. P02 has sixteen `data_ids`.
    `max_delta`: the largest step of the counter. `sync`: payloads in step before one is believed.
    """

    profile: str
    data_id: int = -1
    data_ids: tuple[int, ...] = ()
    mode: str = "both"
    crc: int = 0
    counter: int = 8
    nibble: int = -1
    max_delta: int = 1
    sync: int = 1

    @property
    def modulus(self) -> int:
        """How many values the counter has; 15 is invalid in P01."""
        return 16 if self.profile == "P02" else 15

    @property
    def bits(self) -> tuple[tuple[str, int, int], ...]:
        """Name, first bit and number of bits of what is neither field nor padding."""
        own = (("crc", 8 * self.crc, 8), ("counter", self.counter, 4))
        return (*own, ("nibble", self.nibble, 4)) if self.mode == "nibble" else own


def faults(spec: E2ESpec, length: int, fields: Mapping[str, tuple[int, int]]) -> list[str]:
    """Sentences that name what is wrong, the limit and the remedy; `fields`: first bit and bits."""
    if spec.profile not in PROFILES:
        return [f"e2e.profile '{spec.profile}' is unknown; use one of {', '.join(PROFILES)}"]
    if not 3 <= length <= 8:
        return [f"e2e needs a frame of 3..8 bytes, not {length}; leave e2e out or send more"]
    return [*_id_faults(spec), *_place_faults(spec, length, fields), *_limit_faults(spec)]


def shared(frames: Mapping[str, E2ESpec]) -> list[str]:
    """Frames that could stand in for one another: they have the same data id."""
    seen: dict[object, str] = {}
    found = []
    for name, spec in frames.items():
        other = seen.setdefault((spec.profile, spec.data_id, spec.data_ids), name)
        if other != name:
            found.append(f"frame {name}: e2e data id is that of {other}; give each frame its own")
    return found


def _id_faults(spec: E2ESpec) -> list[str]:
    if spec.profile == "P02":
        return _id_list_faults(spec)
    if spec.mode not in MODES:
        return [f"e2e.mode '{spec.mode}' is unknown; use one of {', '.join(MODES)}"]
    if spec.data_ids:
        return ["e2e.data_ids is for P02; P01 needs one data_id"]
    top = _LARGEST_ID.get(spec.mode, 0xFFFF)
    if not 0 <= spec.data_id <= top:
        return [f"e2e.data_id {spec.data_id} is outside 0..{top} of mode '{spec.mode}'; set it"]
    return []


def _id_list_faults(spec: E2ESpec) -> list[str]:
    if spec.data_id != -1 or spec.mode != "both":
        return ["e2e.data_id and e2e.mode are for P01; P02 needs data_ids only"]
    if len(spec.data_ids) != 16 or not all(0 <= item <= 0xFF for item in spec.data_ids):
        return ["e2e.data_ids must be 16 numbers of 0..255, one for each counter; complete it"]
    if (spec.crc, spec.counter) != (0, 8):
        return ["e2e.crc must be 0 and e2e.counter 8 in P02; leave both out"]
    return []


def _place_faults(spec: E2ESpec, length: int, fields: Mapping[str, tuple[int, int]]) -> list[str]:
    if (spec.nibble != -1) != (spec.mode == "nibble"):
        return ["e2e.nibble goes with mode 'nibble'; set both or neither"]
    used = dict(fields)
    for name, start, bits in spec.bits:
        if start % 4 or not 0 <= start <= 8 * length - bits:
            limit = length - 1 if name == "crc" else 8 * length - 4
            return [f"e2e.{name} must be in 0..{limit}, bits by fours; move it into the frame"]
        for other, (first, count) in used.items():
            if first < start + bits and start < first + count:
                return [f"e2e.{name} overlaps {other}; give it bits of its own"]
        used[f"e2e.{name}"] = (start, bits)
    return []


def _limit_faults(spec: E2ESpec) -> list[str]:
    found = []
    if not 1 <= spec.max_delta <= _LARGEST_DELTA:
        found.append(f"e2e.max_delta {spec.max_delta} is outside 1..{_LARGEST_DELTA}; move it in")
    if not 1 <= spec.sync <= 14:
        found.append(f"e2e.sync {spec.sync} is outside 1..14; move it in")
    return found
