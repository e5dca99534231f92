"""Drive motor controller: the Roboteq ASCII dialogue. Bytes and time in, bytes out.

It only ever releases or inhibits a person's joystick; `!G` is refused, because nothing of the
project may send it. Any accepted line feeds the watchdog.
"""

from __future__ import annotations

NS_PER_MS = 1_000_000
_DEFAULT_WATCHDOG_MS = 1000
_FF_ESTOP = 1 << 4
_FS_SERIAL = 1 << 0
_LONGEST_LINE = 64


class Roboteq:
    """`released` tells the plant whether the joystick may turn the motors."""

    def __init__(self) -> None:
        self.speed_rpm = 0
        self.voltage_v = 24.0
        self.supplied = True
        self.power_lost()

    def power_lost(self) -> None:
        """Configuration is not saved (`%EESAV` is not used)."""
        self._echo = True
        self._watchdog_ms = _DEFAULT_WATCHDOG_MS
        self.estopped = False
        self._fed_ns: int | None = None
        self._now_ns = 0
        self._line = b""

    def tick(self, now_ns: int) -> None:
        """Advance time."""
        self._now_ns = now_ns

    @property
    def watchdog_expired(self) -> bool:
        """No accepted line within the watchdog time; 0 switches it off."""
        if not self._watchdog_ms:
            return False
        late_ns = self._watchdog_ms * NS_PER_MS
        return self._fed_ns is None or self._now_ns - self._fed_ns > late_ns

    @property
    def released(self) -> bool:
        """Neither e-stopped nor abandoned."""
        return self.supplied and not self.estopped and not self.watchdog_expired

    def on_bytes(self, data: bytes, now_ns: int) -> bytes:
        """Take bytes from the line; the bytes sent back."""
        self._now_ns = now_ns
        if not self.supplied:
            return b""
        answer = b""
        for byte in data:
            if byte in b"\r_":
                answer += self._on_line(self._line)
                self._line = b""
            elif byte != 0x0A:
                self._line = (self._line + bytes([byte]))[-_LONGEST_LINE:]
        return answer

    def _on_line(self, line: bytes) -> bytes:
        text = line.decode("ascii", "replace").strip()
        if not text:
            return b""
        echo = line + b"\r" if self._echo else b""
        answer = self._execute(text[0], text[1:].split())
        if answer != "-":
            self._fed_ns = self._now_ns
        return echo + answer.encode("ascii") + b"\r"

    def _execute(self, kind: str, words: list[str]) -> str:
        match kind, [word.upper() for word in words]:
            case "!", ["EX"]:
                self.estopped = True
            case "!", ["MG"]:
                self.estopped = False
            case "^", ["ECHOF", ("0" | "1") as off]:
                self._echo = off == "0"
            case "^", ["RWD", number] if number.isdecimal() and int(number) <= 65000:
                self._watchdog_ms = int(number)
            case "~", ["RWD"]:
                return f"RWD={self._watchdog_ms}"
            case "?", [name]:
                return self._query(name)
            case _:
                return "-"
        return "+"

    def _query(self, name: str) -> str:
        decivolts = round(self.voltage_v * 10)
        answers = {
            "FF": f"FF={_FF_ESTOP * self.estopped}",
            "FS": f"FS={_FS_SERIAL}",
            "S": f"S={self.speed_rpm}:{self.speed_rpm}",
            "V": f"V=120:{decivolts}:5000",
        }
        return answers.get(name, "-")
