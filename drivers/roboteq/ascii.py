"""Roboteq's ASCII protocol: bytes to replies.

Role: parser (controllers user manual, serial commands). Process: gate and CLI. Must never: keep
more than MAX_LINE bytes, raise on any input, or take an echo for a reply.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_LINE = 64
ESTOP = 0x10  # fault flag bit 4
_REPLY = re.compile(r"([A-Z]{1,8})=(-?\d{1,10}(?::-?\d{1,10})*)")
_COMMAND = "!?^~%#"


@dataclass(frozen=True, slots=True)
class Reply:
    """NAME=v1:v2, or an echo ("echo"), "+" (done), "-" (refused), or garbage ("error")."""

    name: str
    values: tuple[int, ...] = ()
    text: str = ""


def feed(buffer: bytes, data: bytes) -> tuple[bytes, tuple[Reply, ...]]:
    """Append `data`; returns what is left of an unfinished line, and the replies."""
    *lines, rest = (buffer + data).split(b"\r")
    found = [reply for line in lines for reply in _parse(line)]
    if len(rest) > MAX_LINE:
        found.append(Reply("error", text="line too long"))
        # The tail of an overlong line must not pass for a line of its own.
        rest = b"\x00" * MAX_LINE
    return rest, tuple(found)


def _parse(line: bytes) -> list[Reply]:
    text = line.decode("latin-1").strip("\n ")
    if len(line) > MAX_LINE or "\x00" in text:
        return [Reply("error", text="line too long")]
    # The sign may stand on either side of the carriage return: "^RWD 200+\r" or "\r+FF=0\r".
    bare = text.strip("+-")
    signs = [Reply(sign) for sign in text.replace(bare, "")]
    if not bare:
        return signs
    if bare[0] in _COMMAND:
        return [*signs, Reply("echo", text=bare)]
    match = _REPLY.fullmatch(bare)
    if match is None:
        return [*signs, Reply("error", text=f"not a reply: {bare!r}")]
    return [*signs, Reply(match[1], tuple(int(item) for item in match[2].split(":")))]
