"""From events to spans of time: presses, modes, rows, faults.

Role: what the lanes of a picture are made of. Must never: invent an end; what is still so at the
end of the timeline ends there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from hil.coverage.matrix import Event

NS = 1e9


class Span(NamedTuple):
    """`kind` is the class it is drawn with; `note` is told when it differs from `text`."""

    begin_s: float
    end_s: float
    text: str
    kind: str
    note: str = ""


def _end_s(events: list[Event]) -> float:
    return max((event["t_ns"] for event in events), default=0) / NS


def presses(events: list[Event]) -> Iterator[Span]:
    """Fingers on buttons, each from press to release."""
    held: dict[str, tuple[float, str]] = {}
    for event in (e for e in events if e["lane"] == "human"):
        t_s, station = event["t_ns"] / NS, str(event.get("station", ""))
        if station in held and event["kind"] in ("press", "release", "stop"):
            begin, text = held.pop(station)
            yield Span(begin, t_s, text, "press", f"{station} {text}".strip())
        if event["kind"] == "press":
            held[station] = (t_s, str(event.get("motion", "")))
        elif event["kind"] != "release":
            yield Span(t_s, t_s, event["kind"], "press stop", f"{station} {event['kind']}".strip())
    end = _end_s(events)
    for station, (begin, text) in held.items():
        yield Span(begin, end, text, "press", f"{station} {text}, never released".strip())


def _words(events: list[Event], name: str) -> Iterator[Span]:
    """Stretches in which one field of the gate says the same word."""
    last, begin = "", 0.0
    for event in (e for e in events if e["lane"] == "gate" and name in e):
        now, t_s = str(event[name] or ""), event["t_ns"] / NS
        if now != last:
            if last:
                yield Span(begin, t_s, last, f"{name} {last.lower()}")
            last, begin = now, t_s
    if last:
        yield Span(begin, _end_s(events), last, f"{name} {last.lower()}")


def modes(events: list[Event]) -> Iterator[Span]:
    """Ready, moving, faulted."""
    return _words(events, "mode")


def moving(events: list[Event]) -> Iterator[Span]:
    """What the gate lets move."""
    return _words(events, "moving")


def rows(events: list[Event]) -> list[Span]:
    """Each active row, the ones that came during the run first: what stood from the start to the
    end tells nothing.
    """
    since: dict[str, float] = {}
    found: list[Span] = []
    end = _end_s(events)
    for event in (e for e in events if e["lane"] == "gate" and "active" in e):
        t_s, now = event["t_ns"] / NS, set(event["active"])
        for name in sorted(since.keys() - now):
            found.append(Span(since.pop(name), t_s, name, "row"))
        for name in sorted(now - since.keys()):
            since[name] = t_s
    found += [Span(begin, end, name, "row") for name, begin in sorted(since.items())]
    told = [span for span in found if span.end_s - span.begin_s < 0.98 * end]
    return sorted(told, key=lambda span: (-(span.begin_s > 0.5), span.begin_s, span.text))


def faults(events: list[Event]) -> Iterator[Span]:
    """Each fault: asked for (pale), active with its proof (solid) until cleared."""
    asked: dict[str, float] = {}
    active: dict[str, tuple[float, str]] = {}
    for event in (e for e in events if e["lane"] == "fault"):
        name, t_s = str(event["id"]), event["t_ns"] / NS
        if event["kind"] in ("requested", "armed"):
            asked.setdefault(name, t_s)
        elif event["kind"] == "active":
            yield Span(asked.pop(name, t_s), t_s, name, "fault asked", f"{name} asked for")
            active[name] = (t_s, _told(event.get("proof")))
        elif event["kind"] == "cleared" and name in active:
            begin, proof = active.pop(name)
            yield Span(begin, t_s, name, "fault", f"{name} active, proof: {proof}")
    end = _end_s(events)
    for name, (begin, proof) in active.items():
        yield Span(begin, end, name, "fault", f"{name} active, proof: {proof}")
    for name, begin in asked.items():
        yield Span(begin, end, name, "fault asked", f"{name} asked for, never proved")


def _told(proof: object) -> str:
    if isinstance(proof, dict):
        return ", ".join(f"{name} {value}" for name, value in proof.items())
    return str(proof or "none")
