"""A CANopen SDO client as a pure state machine: expedited writes, each read back and compared.

Role: the boot dialogue with a node (CiA 301, 7.2.4). Process: the gate, inside `turn()`. Must
never: block, have more than one request outstanding, or call a value verified that was not read
back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

TIMEOUT_NS = 200_000_000
RETRIES = 3
REQUEST, REPLY = 0x600, 0x580  # plus the node
_ABORT, _WRITTEN = 0x80, 0x60


@dataclass(frozen=True, slots=True)
class Step:
    """Write `value` (`size` bytes) and read it back; without `write` only read and compare."""

    index: int
    sub: int
    size: int
    value: int
    write: bool = True
    mask: int = 0xFFFFFFFF

    @property
    def name(self) -> str:
        """The object as the manuals write it, 1016:01."""
        return f"{self.index:04X}:{self.sub:02X}"


@dataclass(frozen=True, slots=True)
class Dialogue:
    """Where a list of steps stands. `failure` names the first step that went wrong, and how."""

    at: int = 0
    reading: bool = False
    sent_ns: int | None = None
    tries: int = 0
    failure: str = ""
    abort: int = 0


def verified(steps: tuple[Step, ...], state: Dialogue) -> bool:
    """Every object was read back as wanted."""
    return not state.failure and state.at == len(steps)


def poll(steps: tuple[Step, ...], state: Dialogue, now_ns: int) -> tuple[Dialogue, bytes | None]:
    """The request that is due now, if any; gives up after RETRIES repetitions."""
    if state.failure or state.at == len(steps):
        return state, None
    if state.sent_ns is not None and now_ns - state.sent_ns < TIMEOUT_NS:
        return state, None
    step = steps[state.at]
    if state.tries > RETRIES:
        return replace(state, failure=f"{step.name}: no answer"), None
    reading = state.reading or not step.write
    state = replace(state, reading=reading, sent_ns=now_ns, tries=state.tries + 1)
    return state, _request(step, reading)


def reply(steps: tuple[Step, ...], state: Dialogue, data: bytes) -> Dialogue:
    """Digest a frame of the node's SDO server; what does not answer the open request is ignored."""
    if state.sent_ns is None or state.failure or len(data) != 8:
        return state
    step = steps[state.at]
    if data[1:4] != _address(step):
        return state
    if data[0] == _ABORT:
        code = int.from_bytes(data[4:], "little")
        return replace(state, failure=f"{step.name}: refused, abort code {code:08X}", abort=code)
    if not state.reading:
        return replace(state, reading=True, sent_ns=None, tries=0) if data[0] == _WRITTEN else state
    if data[0] & 0xF2 != 0x42:
        return state
    wrong = _disagreement(step, data)
    return replace(state, failure=f"{step.name}: {wrong}") if wrong else Dialogue(at=state.at + 1)


def _address(step: Step) -> bytes:
    return step.index.to_bytes(2, "little") + bytes((step.sub,))


def _request(step: Step, reading: bool) -> bytes:
    if reading:
        return b"\x40" + _address(step) + bytes(4)
    raw = step.value & ((1 << 8 * step.size) - 1)
    return bytes((0x23 | (4 - step.size) << 2,)) + _address(step) + raw.to_bytes(4, "little")


def _disagreement(step: Step, data: bytes) -> str:
    size = 4 - (data[0] >> 2 & 3) if data[0] & 1 else step.size
    if size != step.size:
        return f"has {size} bytes, not {step.size}"
    mask = step.mask & ((1 << 8 * size) - 1)
    found = int.from_bytes(data[4:], "little") & mask
    wanted = step.value & mask
    return "" if found == wanted else f"reads {found:X}, not {wanted:X}"
