"""A regression case: a folder with the recording, what was decided, and what it was decided with.

Role: `record` makes one, `replay` decides it again and compares. Must never: overwrite a case, or
compare with a recording that was altered.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config import schema
from hil import diff, timeline
from hil.record import decide
from hil.record.decide import Decided, RecordingError
from hil.report.manifest import FORMAT, ManifestError, parsed, sha256, unaltered
from liftctl import __version__

NAME, EVENTS = "case.json", "events.jsonl"
LOG = ".log"


@dataclass(frozen=True, slots=True)
class Compared:
    """`same`, and the report either way."""

    same: bool
    words: str


def record(source: Path, out: Path, site: Path | None, buses: dict[str, str]) -> str:
    """Make a case of a recording; returns what was made. RecordingError."""
    if out.exists():
        raise RecordingError(f"{out}: exists already; name a new folder with --out")
    if not source.is_file():
        raise RecordingError(f"{source}: no such file; name a black box or a candump .log")
    kind = "candump" if source.suffix == LOG else "blackbox"
    found = _decided(kind, source, site, buses)
    if found.difference is not None:
        raise RecordingError(_otherwise(source, found))
    out.mkdir(parents=True)
    shutil.copyfile(source, out / source.name)
    told: dict[str, Any] = {"format": FORMAT, "kind": kind, "source": source.name}
    if kind == "candump":
        told |= {"site": "site.toml", "buses": _buses(source, site, buses)}
        shutil.copyfile(_site(site), out / "site.toml")
    found.timeline.write(out / EVENTS)
    names = [name for name in (source.name, EVENTS, told.get("site")) if name]
    told |= {"hash": found.timeline.hash(), "liftctl": __version__, "recorded_by": found.version}
    told |= {"turns": found.turns, "files": {name: sha256(out / name) for name in names}}
    (out / NAME).write_text(json.dumps(told, indent=2) + "\n", "utf-8")
    changes = len(found.timeline.events) - 1
    return f"{out}: {found.turns} turns, {changes} changes, hash {told['hash'][:16]}"


def replay(folder: Path) -> Compared:
    """Decide a case again with today's code; RecordingError when the case is not whole."""
    case = _read(folder)
    site = folder / case["site"] if "site" in case else None
    found = _decided(case["kind"], folder / case["source"], site, case.get("buses", {}))
    before = timeline.read(folder / EVENTS)
    if found.difference is not None:
        return Compared(False, _otherwise(folder / case["source"], found))
    return Compared(
        before.hash() == found.timeline.hash(),
        diff.words(before, found.timeline, ("recorded", "today")),
    )


def _decided(kind: str, source: Path, site: Path | None, buses: dict[str, str]) -> Decided:
    if kind == "blackbox":
        return decide.blackbox(source)
    try:
        found = schema.load(_site(site))
    except schema.ConfigError as error:
        raise RecordingError(str(error)) from error
    return decide.candump(source, found, _buses(source, site, buses))


def _site(site: Path | None) -> Path:
    if site is None:
        raise RecordingError("a candump log does not say what is on the bus; name it with --site")
    return site


def _buses(source: Path, site: Path | None, given: dict[str, str]) -> dict[str, str]:
    """As given; one interface and one bus need no words."""
    if given:
        return given
    try:
        names = [bus.name for bus in schema.load(_site(site)).bus]
    except schema.ConfigError as error:
        raise RecordingError(str(error)) from error
    seen = decide.interfaces(source)
    if len(seen) == 1 and len(names) == 1:
        return {seen[0]: names[0]}
    return {name: name for name in seen if name in names}


def _otherwise(source: Path, found: Decided) -> str:
    there = found.difference
    assert there is not None  # noqa: S101  the callers asked
    by = f", made by liftctl {found.version}" if found.version else ""
    return (
        f"{source}: today's code decides record {there.seq}, {there.now_ns / 1e9:.6f} s, "
        f"otherwise{by}: recorded rows {' '.join(there.recorded_rows) or '(none)'}; "
        f"today {' '.join(there.recomputed_rows) or '(none)'}"
    )


def _read(folder: Path) -> dict[str, Any]:
    must = {"kind": str, "source": str, "files": dict}
    try:
        case = parsed(folder / NAME, must, "name a folder that `liftctl hil record` made")
        for name in (case["source"], EVENTS, *case["files"]):
            unaltered(folder / name, case["files"].get(name, ""), "record it again")
    except ManifestError as error:
        raise RecordingError(str(error)) from error
    return case
