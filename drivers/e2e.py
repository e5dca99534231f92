"""AUTOSAR end-to-end protection, receiving side: profile 1 (CRC-8 SAE J1850) and 2 (CRC-8H2F).

Role: says of each payload whether it may be believed. Source: AUTOSAR PRS_E2EProtocol, chapters
"Specification of E2E Profile 1" and "... Profile 2" (CRC, counter, data id, check states; examples
with data id 0x123). Process: gate and CLI. Must never: protect a payload (a sender of ours would
share this code with its receiver), widen the allowed step of the counter after an error or a pause,
or believe the first payload after a start or a jump.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from config.protection import E2ESpec


class Status(StrEnum):
    """What the newest payload was; only OK is believed."""

    OK = "ok"
    REPEATED = "repeated"  # the counter stood still: nothing new
    WRONG_SEQUENCE = "wrong sequence"  # the first one, a jump, or not yet in step again
    ERROR = "wrong CRC, counter or data id"
    NO_NEW_DATA = "nothing heard yet"


@dataclass(frozen=True, slots=True)
class State:
    """`last`: the newest genuine counter; `missing`: payloads in step until one is believed."""

    status: Status = Status.NO_NEW_DATA
    last: int | None = None
    missing: int = 0


def check(spec: E2ESpec, state: State, data: bytes) -> State:
    """Digest one payload of the length the profile was loaded with."""
    counter = _nibble(data, spec.counter)
    if not _genuine(spec, data, counter):
        return replace(state, status=Status.ERROR)
    # Without a predecessor every payload is a jump.
    step = None if state.last is None else (counter - state.last) % spec.modulus
    if step == 0:
        return replace(state, status=Status.REPEATED)
    if step is None or step > spec.max_delta:
        return State(Status.WRONG_SEQUENCE, counter, spec.sync)
    missing = max(0, state.missing - 1)
    return State(Status.WRONG_SEQUENCE if missing else Status.OK, counter, missing)


def weak_counter(spec: E2ESpec, length: int) -> int | None:
    """A counter that one flipped bit turns into another genuine one, or None.

    Where the data id changes with the counter it can cancel the flip; elsewhere no bit can flip
    unseen, whatever the layout.
    """
    for counter in range(spec.modulus):
        data = bytearray(length)
        data[spec.counter // 8] = counter << spec.counter % 8
        data[spec.crc] = _crc(spec, bytes(data), counter)
        for bit in range(4):
            other = counter ^ 1 << bit
            data[spec.counter // 8] = other << spec.counter % 8
            if _crc(spec, bytes(data), other) == data[spec.crc]:
                return counter
    return None


def crc8(poly: int, data: bytes, start: int) -> int:
    """A CRC of eight bits, most significant bit first, without a final inversion."""
    crc = start
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ poly if crc & 0x80 else crc << 1) & 0xFF
    return crc


def _genuine(spec: E2ESpec, data: bytes, counter: int) -> bool:
    alike = spec.mode != "nibble" or _nibble(data, spec.nibble) == spec.data_id >> 8
    return alike and counter < spec.modulus and data[spec.crc] == _crc(spec, data, counter)


def _crc(spec: E2ESpec, data: bytes, counter: int) -> int:
    rest = data[: spec.crc] + data[spec.crc + 1 :]
    if spec.profile == "P02":
        return crc8(0x2F, rest + bytes((spec.data_ids[counter],)), 0xFF) ^ 0xFF
    # The specification chains calls of a CRC routine so that the inversions of J1850 cancel out:
    # what is left starts at 0 and inverts nothing.
    low, high = spec.data_id & 0xFF, spec.data_id >> 8
    included = {
        "both": (low, high),
        "low": (low,),
        "alternating": (high if counter % 2 else low,),
        "nibble": (low, 0),
    }[spec.mode]
    return crc8(0x1D, bytes(included) + rest, 0x00)


def _nibble(data: bytes, bit: int) -> int:
    return data[bit // 8] >> bit % 8 & 0xF
