"""Collects the runs of a pack one by one and writes what they leave behind.

Role: `Report.add` after each run, `Report.finish` once at the end; timelines are not kept in
memory. Must never: leave a manifest behind when one of the other files could not be written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from drivers import logfiles
from drivers.frames import Frame
from hil.coverage import pack
from hil.coverage.matrix import Event
from hil.report import html, junit, lanes, manifest, summary
from hil.timeline import Result, Timeline
from hil.vbus.frame import Frame as BusFrame

RUNS = "runs"
Heard = Sequence[tuple[int, str, BusFrame]]


@dataclass(slots=True)
class Report:
    """`out`: a folder for everything; `html`, `junit`: single files. `prose`: scenario id -> plain
    language; `jitter_ms`: of a plane in real time.
    """

    out: Path | None = None
    html: Path | None = None
    junit: Path | None = None
    prose: dict[str, str] = field(default_factory=dict)
    jitter_ms: dict[str, float] | None = None
    results: list[Result] = field(default_factory=list)
    _pictures: list[str] = field(default_factory=list)
    _seen: list[pack.Seen] = field(default_factory=list)

    def add(self, result: Result, line: Timeline, frames: Heard = ()) -> None:
        """One run, finished, with the frames that were kept. OSError when a file cannot be
        written.
        """
        if self.out is not None and line.events:
            result = self._kept(result, line, frames)
        self.results.append(result)
        self._seen.append(pack.seen(result.id, line.events))
        wanted = self.out is not None or self.html is not None
        title = f"{result.id}: {result.title}"
        self._pictures.append(lanes.svg(line.events, title) if wanted else "")

    def _kept(self, result: Result, line: Timeline, heard: Heard) -> Result:
        """The run's events, and its frames as BLF, in a folder of its own."""
        assert self.out is not None  # noqa: S101  the caller asked
        name = re.sub(r"[^\w.-]+", "_", result.id)
        home = self.out / RUNS / f"{len(self.results) + 1:03d}-{name}"
        line.write(home / "events.jsonl")
        frames = [(t_ns / 1e9, _plain(frame)) for t_ns, _, frame in heard]
        if frames := frames or list(_frames(line.events)):
            logfiles.export(frames, home / "trace.blf")
        return replace(result, timeline_path=str(home / "events.jsonl"))

    def finish(self) -> dict[str, Any]:
        """Write what is wanted; returns the document of result.json."""
        kept = tuple(self.results)
        coverage = pack.measure(kept, tuple(self._seen))
        document, about = summary.document(kept, coverage), manifest.about(self.jitter_ms)
        out = self.out
        for path in filter(None, (self.html, out and out / "report.html")):
            page = html.page(kept, self._pictures, coverage, about, self.prose)
            _put(path, page.encode())
        for path in filter(None, (self.junit, out and out / "junit.xml")):
            _put(path, junit.text(kept))
        if out is not None:
            _put(out / "result.json", _json(document))
            _put(out / manifest.NAME, _json(manifest.document(kept, out, about)))
        return document


def _plain(frame: BusFrame) -> Frame:
    """Of the simulated bus, as log files know it."""
    told = (frame.is_extended, frame.is_remote, frame.is_error)
    return Frame("bench", frame.can_id, frame.data, *told)


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
