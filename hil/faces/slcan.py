"""The firmware of a serial CAN adapter ("slcan", LAWICEL ASCII): bytes here, frames there. Pure.

Answers as the kernel's slcan driver, python-can and drivers/ports expect: a carriage return for a
command that was done, BEL for one that was not, `e` lines for bus errors and `s` lines for states.
It must never say yes to a frame that it did not hand over.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hil.vbus.confinement import NodeState
from hil.vbus.frame import Frame
from hil.vbus.physics import ErrorKind

BIT_RATES = {
    "0": 10_000, "1": 20_000, "2": 50_000, "3": 100_000, "4": 125_000,
    "5": 250_000, "6": 500_000, "7": 800_000, "8": 1_000_000,
}  # fmt: skip
_OK, _NO = b"\r", b"\a"
_LONGEST = 30  # T, 8 digits, length, 16 digits, 4 of a time stamp
_ERROR_LETTERS = {
    ErrorKind.ACK: "a",
    ErrorKind.BIT: "b",
    ErrorKind.CRC: "c",
    ErrorKind.FORM: "f",
    ErrorKind.STUFF: "s",
}
_STATE_LETTERS = {
    NodeState.ACTIVE: "a",
    NodeState.WARNING: "w",
    NodeState.PASSIVE: "p",
    NodeState.BUS_OFF: "b",
}


@dataclass(frozen=True, slots=True)
class Setting:
    """How the adapter is on the bus."""

    bit_rate: int
    listen_only: bool


Send = Callable[[Frame], bool]


class SlcanFirmware:
    """Feed it bytes; `setting` is None while its channel is closed."""

    def __init__(self) -> None:
        self.setting: Setting | None = None
        self.refused = self.taken = 0
        self._rate: int | None = None
        self._line = ""

    def on_bytes(self, data: bytes, send: Send) -> bytes:
        """Obey; the answers. `send` hands a frame to the bus and says whether it was taken."""
        answers = b""
        for byte in data:
            if byte == 0x0D:
                answers += self._obey(self._line, send)
                self._line = ""
            elif byte != 0x0A:
                self._line = (self._line + chr(byte))[: _LONGEST + 1]
        return answers

    def _obey(self, line: str, send: Send) -> bytes:
        if not line:
            return _OK
        kind, rest = line[0], line[1:]
        match kind:
            case "S" if self.setting is None and rest in BIT_RATES:
                self._rate = BIT_RATES[rest]
            case "O" | "L" if self.setting is None and self._rate and not rest:
                self.setting = Setting(self._rate, kind == "L")
            case "C" if not rest:
                self.setting = None
            case "t" | "T" | "r" | "R":
                return self._transmit(line, send)
            case "V" if not rest:
                return b"V1013\r"
            case "N" if not rest:
                return b"NHIL1\r"
            case "F" if self.setting is not None and not rest:
                return b"F00\r"
            case "Z" if rest in ("0", "1"):
                return _OK if rest == "0" else _NO  # no time stamps: the host's clock is better
            case _:
                return _NO
        return _OK

    def _transmit(self, line: str, send: Send) -> bytes:
        frame = parse(line)
        able = self.setting is not None and not self.setting.listen_only
        if frame is None or not able or not send(frame):
            self.refused += 1
            return _NO
        self.taken += 1
        return b"Z\r" if frame.is_extended else b"z\r"

    def heard(self, frame: Frame) -> bytes:
        """A frame of somebody else, as the host reads it; nothing while the channel is closed."""
        return encode(frame) if self.setting is not None else b""

    def error(self, kind: ErrorKind) -> bytes:
        """An error line."""
        return f"e1{_ERROR_LETTERS[kind]}\r".encode("ascii") if self.setting else b""

    def status(self, state: NodeState, tec: int, rec: int) -> bytes:
        """A status line: state, receive and transmit error counter."""
        if self.setting is None:
            return b""
        return f"s{_STATE_LETTERS[state]}{rec:03d}{tec:03d}\r".encode("ascii")


def encode(frame: Frame) -> bytes:
    """The line of a frame."""
    kind = "r" if frame.is_remote else "t"
    head = f"{frame.can_id:03X}"
    if frame.is_extended:
        kind, head = kind.upper(), f"{frame.can_id:08X}"
    data = "" if frame.is_remote else frame.data.hex().upper()
    return f"{kind}{head}{frame.dlc}{data}\r".encode("ascii")


def parse(line: str) -> Frame | None:
    """The frame of a transmit command; None for anything that is not exactly one."""
    extended, remote = line[:1] in "TR", line[:1] in "rR"
    digits = 8 if extended else 3
    head, length, data = line[1 : 1 + digits], line[1 + digits : 2 + digits], line[2 + digits :]
    if len(head) != digits or not length.isascii() or not length.isdigit() or int(length) > 8:
        return None
    if len(data) != (0 if remote else 2 * int(length)):
        return None
    try:
        can_id, payload = int(head, 16), bytes.fromhex(data)
    except ValueError:
        return None
    limit = 0x1FFFFFFF if extended else 0x7FF
    if not 0 <= can_id <= limit or len(payload) * 2 != len(data) or not head.isalnum():
        return None
    return Frame(can_id, payload, extended, remote, remote_dlc=int(length) if remote else 0)
