"""A CAN adapter on a serial line that speaks the LAWICEL ASCII protocol ("slcan").

Role: port with a strict reader and with every answer of the adapter accounted for. Process: gate,
guard, CLI. Must never: call a frame sent that the adapter refused (BEL), raise on any input, or
wait for an answer.
"""

from __future__ import annotations

import re
from collections import deque
from time import monotonic

from drivers.frames import Frame, FrameError
from drivers.ports.base import Link, LinkEvent, PortError
from drivers.ports.line import RawLine

BITRATES = {
    10_000: "S0",
    20_000: "S1",
    50_000: "S2",
    100_000: "S3",
    125_000: "S4",
    250_000: "S5",
    500_000: "S6",
    800_000: "S7",
    1_000_000: "S8",
}
WINDOW = 64  # frames without an answer; a full window means a dead adapter
SET_UP_S = 2.0  # an adapter that has not said by then that it is open slept while it was set up
MAX_LINE = 32
_TTY_BAUD = 115_200
_RECORD = re.compile(
    rb"(?P<kind>[trTR])(?P<id>(?<=[tr])[0-9A-Fa-f]{3}|(?<=[TR])[0-9A-Fa-f]{8})(?P<n>[0-8])(?P<data>(?:[0-9A-Fa-f]{2}){0,8})"
)
_STATUS = re.compile(rb"s(?P<state>[awpbf])[0-9]{6}")  # the adapter's own controller
_STATES = {b"a": Link.RESTARTED, b"w": Link.WARNING, b"p": Link.PASSIVE, b"b": Link.BUS_OFF}
_ERRORS = re.compile(rb"e[0-9][a-zA-Z]+")
_ANSWER = re.compile(rb"[^\r\a]*[\r\a]")
_ACKS = (b"", b"z", b"Z")
_CLOSE = b"C\r"


def encode(frame: Frame) -> bytes:
    """The command that sends a frame."""
    kind = "r" if frame.remote else "t"
    can_id = f"{frame.id:03X}"
    if frame.extended:
        kind, can_id = kind.upper(), f"{frame.id:08X}"
    return f"{kind}{can_id}{len(frame.data)}{frame.data.hex().upper()}\r".encode("ascii")


def decode(bus: str, record: bytes) -> Frame:
    """A received record without its carriage return; FrameError unless it is exactly a frame."""
    match = _RECORD.fullmatch(record)
    if match is None:
        raise FrameError(f"not a frame: {record!r}")
    remote = match["kind"] in b"rR"
    data = bytes.fromhex(match["data"].decode("ascii"))
    if len(data) != (0 if remote else int(match["n"])):
        raise FrameError(f"length code {int(match['n'])} with {len(data)} data bytes")
    return Frame(bus, int(match["id"], 16), data, match["kind"] in b"TR", remote)


class SlcanPort:
    """One adapter. Frames are refused until it has acknowledged `O` (or `L`, listen only)."""

    def __init__(self, name: str, tty: str, bitrate: int, *, listen_only: bool = False) -> None:
        if bitrate not in BITRATES:
            known = ", ".join(str(item) for item in BITRATES)
            raise PortError(f"bus {name}: slcan cannot do {bitrate} bit/s; use one of {known}")
        self.name = name
        self.malformed = 0
        self.refused = 0
        self._tty = tty
        self._set_up = (f"{BITRATES[bitrate]}\r".encode("ascii"), b"L\r" if listen_only else b"O\r")
        self._listen_only = listen_only
        self._events: list[Frame | LinkEvent] = []
        self._line: RawLine | None = None
        self._open()

    def _open(self) -> None:
        self._buffer = b""
        self._unanswered: deque[bytes] = deque()
        self._opened_s = monotonic()
        self.is_open = False
        self._line = RawLine(self.name, self._tty, _TTY_BAUD)
        # A bare carriage return ends whatever the adapter had half received.
        self._write(b"\r" + _CLOSE, _CLOSE)
        for command in self._set_up:
            self._write(command, command)

    def _write(self, data: bytes, awaited: bytes) -> bool:
        if self._line is None:
            return False
        try:
            taken = self._line.write(data)
        except OSError as error:
            self._lost(self._events, str(error))
            return False
        if taken:
            self._unanswered.append(awaited)
        return taken

    def fileno(self) -> int:
        """For select; -1 when the link is down."""
        return -1 if self._line is None else self._line.fileno()

    def receive(self) -> list[Frame | LinkEvent]:
        """Everything that waits."""
        found, self._events = self._events, []
        if self._line is None:
            return found
        try:
            self._buffer += self._line.read()
        except OSError as error:
            self._lost(found, str(error))
            return found
        end = 0
        for match in _ANSWER.finditer(self._buffer):
            end = match.end()
            self._digest(match[0][:-1], match[0][-1:] == b"\r", found)
        self._buffer = self._buffer[end:]
        if len(self._buffer) > MAX_LINE:
            self._bad(found, f"no end of line in {len(self._buffer)} bytes")
            self._buffer = b""
        return found

    def _digest(self, record: bytes, ended_well: bool, found: list[Frame | LinkEvent]) -> None:
        if not ended_well:
            self._answered(found, record, good=False)
        elif record in _ACKS:
            self._answered(found, b"", good=True)
        elif (status := _STATUS.fullmatch(record)) is not None:
            kind = _STATES.get(status["state"], Link.BUS_OFF)
            found.append(LinkEvent(self.name, kind, record.decode("ascii")))
        elif _ERRORS.fullmatch(record):
            found.append(LinkEvent(self.name, Link.ERROR, record.decode("ascii")))
        else:
            try:
                found.append(decode(self.name, record))
            except FrameError as error:
                self._bad(found, str(error))

    def _answered(self, found: list[Frame | LinkEvent], record: bytes, *, good: bool) -> None:
        if record:
            self._bad(found, f"refusal in the middle of {record!r}")
        command = self._unanswered.popleft() if self._unanswered else _CLOSE
        if command == self._set_up[1] and good:
            self.is_open = True
        elif command in self._set_up and not good:
            self._lost(found, f"the adapter refused {command.decode('ascii').strip()}")
        elif command != _CLOSE and not good:
            self.refused += 1
            found.append(LinkEvent(self.name, Link.REFUSED, command.decode("ascii").strip()))

    def _bad(self, found: list[Frame | LinkEvent], detail: str) -> None:
        self.malformed += 1
        found.append(LinkEvent(self.name, Link.MALFORMED, detail))

    def send(self, frame: Frame) -> bool:
        """Hand a frame to the adapter; a later refusal comes as a LinkEvent."""
        self._give_up()
        usable = self.is_open and not self._listen_only and not frame.error
        data = encode(frame) if usable else b""
        taken = usable and self._write(data, data)
        self.refused += not taken
        return taken

    def _give_up(self) -> None:
        """A silent adapter is lost, so that whoever sends sets it up again."""
        slept = not self.is_open and monotonic() - self._opened_s > SET_UP_S
        if self._line is not None and (slept or len(self._unanswered) >= WINDOW):
            what = "the set-up" if slept else f"{WINDOW} frames"
            self._lost(self._events, f"no answer to {what}")

    def _lost(self, events: list[Frame | LinkEvent], detail: str) -> None:
        self._drop()
        events.append(LinkEvent(self.name, Link.DOWN, detail))

    def _drop(self) -> None:
        line, self._line, self.is_open = self._line, None, False
        if line is not None:
            line.close()

    def reopen(self) -> bool:
        """Try again after `down`; frames pass once the adapter has answered."""
        self.close()
        try:
            self._open()
        except PortError:
            return False
        return self._line is not None

    def close(self) -> None:
        """Close the channel and the line."""
        self._write(_CLOSE, _CLOSE)
        self._drop()
