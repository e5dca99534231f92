"""Writes everything a pack of runs leaves behind.

Role: `write`, which `liftctl hil run` calls once at its end. Must never: leave a manifest behind
when one of the other files could not be written.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from drivers import logfiles
from drivers.frames import Frame
from hil import timeline
from hil.coverage import pack
from hil.coverage.matrix import Event
from hil.report import html, junit, manifest, summary
from hil.timeline import Result


@dataclass(frozen=True, slots=True)
class Wanted:
    """Where to: a folder for everything, and single files on their own."""

    out: Path | None = None
    html: Path | None = None
    junit: Path | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What the runs do not know themselves. `prose`: scenario id -> plain language; `catalogue`:
    ids of all faults; `jitter_ms`: of a plane in real time.
    """

    prose: Mapping[str, str] = field(default_factory=dict)
    catalogue: tuple[str, ...] = ()
    jitter_ms: dict[str, float] | None = None


def write(results: Iterable[Result], wanted: Wanted, told: Told) -> dict[str, Any]:
    """Write what is wanted; returns the document of result.json. OSError when a file cannot be."""
    kept = tuple(results)
    events = {item.timeline_hash: _events(item) for item in kept if item.timeline_path}
    if wanted.out is not None:
        kept = tuple(_kept(item, wanted.out / "runs", n) for n, item in enumerate(kept, 1))
    runs = tuple((item.id, events[item.timeline_hash]) for item in kept if item.timeline_hash)
    coverage = pack.measure(kept, runs, told.catalogue)
    document = summary.document(kept, coverage)
    about = manifest.about(told.jitter_ms)

    def page() -> bytes:
        return html.page(kept, events, coverage, about, told.prose).encode()

    for path in filter(None, (wanted.html, wanted.out and wanted.out / "report.html")):
        _put(path, page())
    for path in filter(None, (wanted.junit, wanted.out and wanted.out / "junit.xml")):
        _put(path, junit.text(kept))
    if wanted.out is not None:
        _put(wanted.out / "result.json", _json(document))
        _put(wanted.out / manifest.NAME, _json(manifest.document(kept, wanted.out, about)))
    return document


def _events(item: Result) -> tuple[Event, ...]:
    return tuple(timeline.read(Path(item.timeline_path)).events)


def _kept(item: Result, folder: Path, number: int) -> Result:
    """The run's events, and its frames as BLF, in a folder of its own."""
    if not item.timeline_path:
        return item
    home = folder / f"{number:03d}-{item.id}"
    found = timeline.read(Path(item.timeline_path))
    found.write(home / "events.jsonl")
    if frames := list(_frames(found.events)):
        logfiles.export(frames, home / "trace.blf")
    return replace(item, timeline_path=str(home / "events.jsonl"))


def _frames(events: Iterable[Event]) -> Iterable[tuple[float, Frame]]:
    """The frames a timeline told of, with seconds since the start of the scenario."""
    for event in events:
        if event["lane"] == "bus" and "id" in event and "data" in event:
            yield event["t_ns"] / 1e9, _frame(event)


def _frame(event: Event) -> Frame:
    bus, data = str(event.get("bus", "can")), bytes.fromhex(event["data"])
    flags = (bool(event.get(name)) for name in ("extended", "remote", "error"))
    return Frame(bus, int(event["id"]), data, *flags)


def _put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _json(document: Mapping[str, Any]) -> bytes:
    return (json.dumps(document, indent=2, sort_keys=True) + "\n").encode()
