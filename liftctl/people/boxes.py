"""Which black-box files belong to a span of time, and what they say of it.

Role: segments, freezes, or the ring where nothing else is left. Process: the CLI; read-only. Must
never: leave a damaged file out (it is evidence), or take a quiet gap for a covered one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from liftctl.blackbox import logfile, ring
from liftctl.blackbox.logfile import LogError
from liftctl.blackbox.ring import Kind, RingError
from liftctl.blackbox.turnlog import decode_session, decode_turn
from liftctl.places import Places
from liftctl.recorder.keeper import AFTER_NS, LONGEST_NS

STAMP = "%Y%m%dT%H%M%S.%fZ"
MARGIN = timedelta(seconds=60)
FREEZE_SPAN = timedelta(microseconds=(LONGEST_NS + AFTER_NS) / 1000) + MARGIN


@dataclass(slots=True)
class Box:
    """Files by their name in the pack; `rows`: what stood in the way, with first and last UTC."""

    files: dict[str, bytes] = field(default_factory=dict)
    rows: dict[str, list[str]] = field(default_factory=dict)
    turns: int = 0  # of the span itself
    missing: list[str] = field(default_factory=list)


def gather(places: Places, since: datetime, until: datetime) -> Box:
    """Everything that may hold a turn of the span, a minute more on both sides."""
    found = Box()
    early, late = since - MARGIN, until + MARGIN
    for path in (*_segments(places.blackbox, early, late), *_freezes(places.blackbox, early, late)):
        _take(found, path, since, until)
    if not found.turns and places.ring.is_file():
        _take_ring(found, places.ring, since, until)
    if not found.turns:
        found.missing.append("the black box holds no turn of this time (overwritten, or never on)")
    return found


def _stamp(path: Path) -> datetime | None:
    """When a file was begun (segment) or written (freeze), from its name."""
    try:
        return datetime.strptime(path.stem.split("-")[1], STAMP).replace(tzinfo=UTC)
    except (ValueError, IndexError):
        return None


def _segments(folder: Path, early: datetime, late: datetime) -> Iterator[Path]:
    begun = [(at, path) for path in sorted(folder.glob("seg-*.lbb")) if (at := _stamp(path))]
    ends = [*(at for at, _ in begun[1:]), None]  # one more than needed where there is none
    for (at, path), end in zip(begun, ends, strict=False):
        if at <= late and (end is None or end >= early):
            yield path


def _freezes(folder: Path, early: datetime, late: datetime) -> Iterator[Path]:
    for path in sorted(folder.glob("freeze-*.lbb")):
        at = _stamp(path)
        if at is not None and early <= at <= late + FREEZE_SPAN:
            yield path


def _take(found: Box, path: Path, since: datetime, until: datetime) -> None:
    try:
        found.files[f"blackbox/{path.name}"] = path.read_bytes()
        _rows(found, path, since, until)
    except (LogError, ValueError) as error:
        found.missing.append(f"blackbox/{path.name} is attached but damaged: {error}")
    except OSError as error:
        found.missing.append(f"blackbox/{path.name} cannot be read: {error.strerror}")


def _take_ring(found: Box, path: Path, since: datetime, until: datetime) -> None:
    """The gate may write meanwhile: whole records are copied, as a file of their own."""
    try:
        follower = ring.RingFollower(path)
        ring_id = follower.ring_id
        follower.close()
        body = logfile.preamble(ring_id) + b"".join(map(logfile.pack, ring.read(path)))
        _rows(found, path, since, until)
    except (LogError, RingError, OSError, ValueError) as error:
        found.missing.append(f"the gate's ring cannot be read: {error}")
        return
    if found.turns:
        found.files["blackbox/ring.lbb"] = body


def _rows(found: Box, path: Path, since: datetime, until: datetime) -> None:
    """Turns of the span; a time without a session's wall clock cannot be placed."""
    offset_ns: int | None = None
    first, last = since.timestamp() * 1e9, until.timestamp() * 1e9
    for record in logfile.read(path):
        if record.kind == Kind.SESSION:
            told = decode_session(record.payload)
            wall_ns = told.get("wall_ns")
            offset_ns = wall_ns - told.get("mono_ns", 0) if wall_ns else None
        elif record.kind == Kind.TURN and offset_ns is not None:
            turn = decode_turn(record.payload)
            at_ns = turn.now_ns + offset_ns
            if first <= at_ns <= last:
                found.turns += 1
                at = datetime.fromtimestamp(at_ns / 1e9, UTC).isoformat(timespec="milliseconds")
                for row in turn.rows:
                    seen = found.rows.setdefault(row, [at, at])
                    seen[0], seen[1] = min(seen[0], at), max(seen[1], at)
