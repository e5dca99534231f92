"""One run as a picture: lanes over one time axis, as inline SVG.

Role: plant, presses, commands, states, rows, frames, faults, verdict markers. Must never: judge, or
leave out a failed expectation or a violated invariant.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from html import escape

from hil.coverage.matrix import Event
from hil.report.spans import Span, faults, modes, moving, presses, rows
from hil.report.traces import Trace, traces

WIDTH, LEFT, RIGHT = 1000.0, 128.0, 12.0
TRACE_H, BAR_H, GAP, AXIS_H = 54.0, 15.0, 5.0, 22.0
MOST_ROWS, MOST_FRAMES = 9, 400
NS, LEAD_NS = 1e9, 500_000_000


@dataclass(slots=True)
class _Sheet:
    """Where the next lane goes, and the parts so far."""

    begin_s: float
    end_s: float
    y: float = 4.0
    parts: list[str] = field(default_factory=list)

    def x(self, t_s: float) -> float:
        share = (t_s - self.begin_s) / max(self.end_s - self.begin_s, 1e-9)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def label(self, text: str, height: float, unit: str = "") -> None:
        y = self.y + height / 2 + 4
        tail = f' <tspan class="u">{escape(unit)}</tspan>' if unit else ""
        self.parts.append(f'<text class="l" x="0" y="{y:.0f}">{escape(text)}{tail}</text>')
        self.parts.append(
            f'<rect class="bg" x="{LEFT}" y="{self.y:.0f}" width="{WIDTH - LEFT - RIGHT}" '
            f'height="{height:.0f}"/>'
        )

    def down(self, height: float) -> None:
        self.y += height + GAP


def svg(events: Iterable[Event], title: str) -> str:
    """The picture of a timeline; an empty one is a sentence."""
    every = list(events)
    kept = [event for event in every if event["lane"] != "meta"]
    if not kept:
        return "<p>This run left no timeline.</p>"
    begin_ns = _begin(every)
    sheet = _Sheet(begin_ns / NS, max(event["t_ns"] for event in kept) / NS)
    for trace in traces(kept, begin_ns):
        _trace(sheet, trace)
    _bars(sheet, "button", presses(kept))
    _bars(sheet, "moves", moving(kept))
    _bars(sheet, "gate", modes(kept))
    for spans in _by_name(rows(kept), sheet, MOST_ROWS):
        _bars(sheet, spans[0].text, spans, bare=True)
    for spans in _by_name(faults(kept), sheet, MOST_ROWS):
        _bars(sheet, f"fault {spans[0].text}", spans, bare=True)
    _ticks(sheet, "frames told", kept, lambda e: e["lane"] == "bus")
    _ticks(sheet, "alarm, ledger", kept, lambda e: e["lane"] in ("alarm", "ledger"))
    _markers(sheet, kept)
    _axis(sheet)
    body = "".join(sheet.parts)
    return (
        f'<svg class="lanes" viewBox="0 0 {WIDTH:.0f} {sheet.y:.0f}" role="img" '
        f'aria-label="{escape(title, quote=True)}">{body}</svg>'
    )


def _begin(events: list[Event]) -> int:
    """Shortly before the scenario's own first step: the way there is the same for all."""
    marks = (e["t_ns"] for e in events if (e["lane"], e.get("name")) == ("meta", "start"))
    return max(0, next(marks, 0) - LEAD_NS)


def _trace(sheet: _Sheet, trace: Trace) -> None:
    sheet.label(trace.label, TRACE_H, trace.unit)
    low, high = trace.low, trace.high
    scale = (TRACE_H - 8) / max(high - low, 1e-9)

    def y(value: float) -> float:
        return sheet.y + TRACE_H - 4 - (value - low) * scale

    if low < 0 < high:
        sheet.parts.append(f'<path class="zero" d="M{LEFT} {y(0):.1f}H{WIDTH - RIGHT}"/>')
    for kind, points in (("co", trace.command), ("tr", trace.points)):
        told = " ".join(f"{sheet.x(t):.1f},{y(value):.1f}" for t, value in points)
        sheet.parts.append(f'<polyline class="{kind}" points="{told}"/>' if points else "")
    for value, at in ((high, sheet.y + 11), (low, sheet.y + TRACE_H - 3)):
        sheet.parts.append(
            f'<text class="n" x="{LEFT - 5}" y="{at:.0f}" text-anchor="end">{value:.4g}</text>'
        )
    sheet.down(TRACE_H)


def _by_name(spans: Iterable[Span], sheet: _Sheet, most: int) -> list[list[Span]]:
    """Spans of one name together, in order of first appearance; the rest is counted in words."""
    found: dict[str, list[Span]] = {}
    for span in (item for item in spans if item.end_s > sheet.begin_s):
        found.setdefault(span.text, []).append(span)
    kept = list(found.values())
    if len(kept) > most:
        more = [span for spans in kept[most - 1 :] for span in spans]
        names = len(kept) - most + 1
        other = [Span(s.begin_s, s.end_s, f"{names} more", s.kind, s.text) for s in more]
        kept = [*kept[: most - 1], other]
    return kept


def _bars(sheet: _Sheet, label: str, spans: Iterable[Span], bare: bool = False) -> None:
    """Spans on one line; with `bare` the lane's label says it all."""
    kept = [span for span in spans if span.end_s >= sheet.begin_s]
    if not kept:
        return
    sheet.label(label, BAR_H)
    for span in kept:
        x, end = sheet.x(max(span.begin_s, sheet.begin_s)), sheet.x(span.end_s)
        width = max(end - x, 1.5)
        told = f"{span.note or span.text}: {span.begin_s:.3f} s to {span.end_s:.3f} s"
        sheet.parts.append(
            f'<rect class="b {span.kind}" x="{x:.1f}" y="{sheet.y:.1f}" width="{width:.1f}" '
            f'height="{BAR_H}"><title>{escape(told)}</title></rect>'
        )
        if not bare and width > 8 * len(span.text):
            sheet.parts.append(
                f'<text class="t {span.kind}" x="{x + 4:.1f}" y="{sheet.y + 11.5:.1f}">'
                f"{escape(span.text)}</text>"
            )
    sheet.down(BAR_H)


def _ticks(sheet: _Sheet, label: str, events: list[Event], wanted: Callable[[Event], bool]) -> None:
    found = [event for event in events if wanted(event) and event["t_ns"] / NS >= sheet.begin_s]
    if not found:
        return
    shown = found[:: max(1, len(found) // MOST_FRAMES)]
    sheet.label(label, BAR_H, f"({len(found)})")
    for event in shown:
        x, told = sheet.x(event["t_ns"] / NS), escape(_words(event))
        sheet.parts.append(
            f'<path class="k {event["lane"]}" d="M{x:.1f} {sheet.y + 1:.1f}v{BAR_H - 2}">'
            f"<title>{told}</title></path>"
        )
    sheet.down(BAR_H)


def _words(event: Event) -> str:
    """An event as one line: time, kind, and what it says."""
    rest = ", ".join(
        f"{name} {value}" for name, value in event.items() if name not in ("t_ns", "lane", "kind")
    )
    return f"{event['t_ns'] / NS:.3f} s {event['kind']}{': ' if rest else ''}{rest[:160]}"


def _markers(sheet: _Sheet, events: list[Event]) -> None:
    """Expectations on a line of their own; what failed is drawn through every lane."""
    found = [event for event in events if event["lane"] in ("expect", "oracle")]
    if not found:
        return
    sheet.label("verdict", BAR_H)
    for event in found:
        x, good = sheet.x(event["t_ns"] / NS), event["kind"] == "passed"
        told = escape(_words(event))
        if not good:
            sheet.parts.append(f'<path class="fail" d="M{x:.1f} 4V{sheet.y + BAR_H:.1f}"/>')
        mark = "M-4 0l3 4 6-8" if good else "M-4-4l8 8m0-8l-8 8"
        sheet.parts.append(
            f'<path class="m {"ok" if good else "no"}" d="{mark}" '
            f'transform="translate({x:.1f} {sheet.y + BAR_H / 2:.1f})"><title>{told}</title></path>'
        )
    sheet.down(BAR_H)


def _axis(sheet: _Sheet) -> None:
    for t_s in _round_times(sheet.begin_s, sheet.end_s):
        x = sheet.x(t_s)
        sheet.parts.insert(0, f'<path class="g" d="M{x:.1f} 4V{sheet.y:.1f}"/>')
        sheet.parts.append(
            f'<text class="n" x="{x:.1f}" y="{sheet.y + 13:.0f}" text-anchor="middle">'
            f"{t_s:g} s</text>"
        )
    sheet.down(AXIS_H - GAP)


def _round_times(begin_s: float, end_s: float) -> Iterator[float]:
    span = max(end_s - begin_s, 1e-3)
    step = next(
        size * power
        for power in (0.001, 0.01, 0.1, 1.0, 10.0, 100.0, 1000.0)
        for size in (1, 2, 5)
        if span / (size * power) <= 10 or power == 1000.0
    )
    n = math.ceil(begin_s / step)
    while n * step <= end_s:
        yield round(n * step, 6)
        n += 1
