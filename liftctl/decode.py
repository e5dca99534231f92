"""`liftctl decode` and `liftctl encode`: recorded frames <-> named values.

Role: command-line face of the codecs. Process: the CLI. Must never: open a port, stop at a bad
line, or pass over one in silence.
"""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer

from config.profiles import FrameSpec, Profile, load
from config.schema import ConfigError
from drivers.canopen import emcy, nmt
from drivers.frames import Frame, FrameError
from drivers.layout import LayoutError, Value, pack, unpack
from drivers.roboteq.ascii import Reply, feed
from drivers.roboteq.device import named_values
from drivers.thomson.electrak_j1939 import frame_name

_ERROR_FLAG = 0x20000000  # linux/can.h, as candump prints it
_LINE = re.compile(
    r"(?:\((?P<t>\d{1,12}\.\d{1,9})\) +(?P<bus>\S+) +)?"
    r"(?P<id>[0-9A-Fa-f]{8}|[0-9A-Fa-f]{3})#"
    r"(?:(?P<data>(?:[0-9A-Fa-f]{2}){0,8})|(?P<remote>R[0-8]?)|#[0-9A-Fa-f](?:[0-9A-Fa-f]{2}){0,64})"
    r"(?: [RT])?"
)
Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Logged:
    """One candump line; `frame` is None for CAN FD, which no profile speaks."""

    t_s: float | None
    id_text: str
    frame: Frame | None


def parse_line(text: str) -> Logged:
    """Read `(t) bus ID#DATA` or `ID#DATA`; FrameError when the line is not exactly that."""
    match = _LINE.fullmatch(text)
    if match is None:
        raise FrameError(f"not a candump line: {text[:80]!r}")
    t_s = float(match["t"]) if match["t"] else None
    extended, can_id = len(match["id"]) == 8, int(match["id"], 16)
    error = extended and bool(can_id & _ERROR_FLAG)
    can_id &= ~_ERROR_FLAG if error else -1
    data, remote = bytes.fromhex(match["data"] or ""), match["remote"] is not None
    frame = Frame(match["bus"] or "", can_id, data, extended, remote, error)
    is_fd = match["data"] is None and not remote
    return Logged(t_s, match["id"].upper(), None if is_fd else frame)


def spec_for(profile: Profile, node: int, frame: Frame) -> FrameSpec | None:
    """The layout of a data frame of this device, or None for a foreign frame."""
    if frame.remote or frame.error:
        return None
    if profile.family == "electrak_j1939":
        j1939_name = frame_name(node, frame.id) if frame.extended else None
        return profile.frame_named(j1939_name) if j1939_name else None
    known: list[FrameSpec] = [*profile.frame, nmt.FRAME, emcy.FRAME]
    for spec in known:
        if (spec.extended, spec.can_id(node)) == (frame.extended, frame.id):
            return spec
    return None


def decode_lines(
    profile: Profile, lines: Iterable[str], hex_mode: bool = False, node: int | None = None
) -> Iterator[Record]:
    """One object for each line (hex mode: each reply); `error` is set where it is not usable."""
    texts = (line.strip() for line in lines)
    wanted = (text for text in texts if text)
    if hex_mode:
        return _decode_hex(wanted)
    address = profile.node if node is None else node
    return (_decode_candump(profile, text, address) for text in wanted)


def _record(
    t_s: float | None = None, can_id: str | None = None, frame: str | None = None
) -> Record:
    return {
        "t": t_s,
        "id": can_id,
        "frame": frame,
        "values": {},
        "unavailable": [],
        "error": None,
    }


def _decode_candump(profile: Profile, text: str, node: int) -> Record:
    try:
        logged = parse_line(text)
    except FrameError as error:
        return {**_record(), "error": str(error)}
    spec = spec_for(profile, node, logged.frame) if logged.frame else None
    record = _record(logged.t_s, logged.id_text, spec.name if spec else None)
    if spec is None or logged.frame is None:
        return record
    try:
        fields = unpack(spec, logged.frame.data)
    except LayoutError as error:
        return {**record, "error": str(error)}
    return {**record, "values": dict(fields.values), "unavailable": list(fields.unavailable)}


def _decode_hex(texts: Iterable[str]) -> Iterator[Record]:
    rest = b""
    for text in texts:
        try:
            data = bytes.fromhex(text)
        except ValueError:
            yield {**_record(), "error": f"not hexadecimal bytes: {text[:80]!r}"}
            continue
        rest, replies = feed(rest, data)
        yield from (_reply_record(reply) for reply in replies)
    if rest:
        yield {**_record(), "error": f"ends in the middle of a line: {rest!r}"}


def _reply_record(reply: Reply) -> Record:
    if reply.name == "error":
        return {**_record(), "error": reply.text}
    plain = {"+": "done", "-": "refused"}
    record = _record(frame=plain.get(reply.name, reply.name))
    values: dict[str, object] = dict(named_values(reply))
    if not values and reply.values:
        values = {"raw": list(reply.values)}
    return {**record, "values": values or ({"text": reply.text} if reply.text else {})}


def encode(
    profile: Profile,
    name: str,
    values: Mapping[str, Value | None],
    node: int | None = None,
    can_id: int | None = None,
    t_s: float | None = None,
) -> str:
    """The candump line of a frame; LayoutError or ConfigError. `can_id` keeps a sender's id."""
    specs = [item for item in (nmt.FRAME, emcy.FRAME) if item.name == name and profile.frame]
    spec = specs[0] if specs else profile.frame_named(name)
    usual = spec.can_id(profile.node if node is None else node)
    text = f"{usual if can_id is None else can_id:0{8 if spec.extended else 3}X}"
    line = f"{text}#{pack(spec, values).hex().upper()}"
    return line if t_s is None else f"({t_s:.6f}) can0 {line}"


def encode_lines(
    profile: Profile, lines: Iterable[str], node: int | None = None
) -> Iterator[tuple[str, str]]:
    """The other way: (candump line, "") or ("", error) for each JSON line of `decode`."""
    return (_encode_json(profile, line, node) for line in lines if line.strip())


def _encode_json(profile: Profile, line: str, node: int | None) -> tuple[str, str]:
    try:
        item = json.loads(line)
        values = {**item["values"], **dict.fromkeys(item.get("unavailable", ()))}
        can_id = int(item["id"], 16) if item.get("id") else None
        return encode(profile, item["frame"], values, node, can_id, item.get("t")), ""
    except (LayoutError, ConfigError) as error:
        return "", str(error)
    except (ValueError, KeyError, TypeError, AttributeError):
        return "", f"not a line of `liftctl decode`: {line.strip()[:80]!r}"


Device = Annotated[str, typer.Option("--device", help="Device profile, e.g. thomson_electrak_hd.")]
Node = Annotated[
    int | None, typer.Option("--node", help="Node or address; default: the profile's.")
]
Source = Annotated[str, typer.Argument(metavar="[FILE|-]", help="A file, or - for standard input.")]


def decode_command(
    device: Device,
    file: Source = "-",
    hex_mode: Annotated[bool, typer.Option("--hex", help="Lines are hex bytes.")] = False,
    node: Node = None,
) -> None:
    """Print one JSON object for each recorded frame; exit 1 when a line was no frame."""
    profile = _profile(device)
    if hex_mode != (not profile.frame):
        need = "needs --hex" if not profile.frame else "has no serial line; leave --hex out"
        raise typer.BadParameter(f"profile {device} {need}")
    failed = False
    with _reader(file) as lines:
        for record in decode_lines(profile, lines, hex_mode, node):
            failed = failed or record["error"] is not None
            typer.echo(json.dumps(record))
    raise typer.Exit(1 if failed else 0)


def encode_command(
    device: Device,
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[FILE|- | FRAME NAME=VALUE...]")
    ] = None,
    node: Node = None,
) -> None:
    """Print candump lines from `decode`'s JSON lines, or one from FRAME NAME=VALUE..."""
    profile = _profile(device)
    first, *pairs = words or ["-"]
    if pairs or first in [spec.name for spec in profile.frame]:
        results = [_encode_words(profile, first, pairs, node)]
    else:
        with _reader(first) as source:
            results = list(encode_lines(profile, source, node))
    for line, error in results:
        typer.echo(error or line, err=bool(error))
    raise typer.Exit(1 if any(error for _, error in results) else 0)


def _encode_words(
    profile: Profile, name: str, pairs: list[str], node: int | None
) -> tuple[str, str]:
    try:
        values = {key: _typed(value) for key, _, value in (pair.partition("=") for pair in pairs)}
        return encode(profile, name, values, node), ""
    except (LayoutError, ConfigError) as error:
        return "", str(error)


def _typed(text: str) -> Value | None:
    words: dict[str, Value | None] = {"true": True, "false": False, "null": None}
    return words.get(text, text)


def _profile(name: str) -> Profile:
    try:
        return load(name)
    except ConfigError as error:
        raise typer.BadParameter(str(error)) from error


def _reader(name: str) -> TextIO:
    if name == "-":
        return io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8", errors="replace")
    try:
        return Path(name).open(encoding="utf-8", errors="replace")
    except OSError as error:
        raise typer.BadParameter(f"{name}: {error.strerror}; name a recording or -") from error
