"""The drawings of a report as SVG with a title and a description.

Role: matplotlib in one style. Process: library (`evidence` extra). Must never: draw a difference
without its interval where there is one, or cut an axis so that a saving looks larger.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from html import escape
from textwrap import fill
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, date2num, num2date
from matplotlib.figure import Figure as Canvas

from liftctl.benefit.words import Words

BEFORE, NOW, INK, SOFT, LINE = "#8a5a00", "#0b6468", "#12242b", "#46575f", "#d3dce0"
STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "svg.fonttype": "path",
    "svg.hashsalt": "liftctl",
    "text.color": INK,
    "axes.labelcolor": SOFT,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "axes.edgecolor": LINE,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
MINUTE_S = 60.0
WIDE = 5.8  # inches: at phone width the letters are still nine pixels high
LABEL = 26  # letters of a line beside an axis
AXIS = 40  # and below one


@contextmanager
def _canvas(width: float, height: float) -> Iterator[tuple[Canvas, Axes]]:
    with mpl.rc_context(STYLE):
        canvas = Canvas(figsize=(width, height), layout="constrained")
        axes = canvas.subplots()
        axes.set_axisbelow(True)
        yield canvas, axes


def _svg(canvas: Canvas, name: str, title: str, text: str) -> str:
    """The drawing with role, title and description, and nothing that differs between two runs."""
    out = io.StringIO()
    with mpl.rc_context(STYLE):
        canvas.savefig(
            out, format="svg", transparent=True, metadata={"Date": None, "Creator": None}
        )
    body = out.getvalue()
    body = body[body.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r'\bid="', f'id="{name}-', body)
    body = re.sub(r'(xlink:href="#|url\(#)', rf"\g<1>{name}-", body)
    told = f"<title>{escape(title)}</title><desc>{escape(text)}</desc>"
    return re.sub(r"<svg ([^>]*)>", rf'<svg role="img" \g<1>>{told}', body, count=1)


def weeks(found: dict[str, Any], words: Words, title: str, text: str) -> str:
    """Weekly means before and now, with the two means that the sentence compares; bars of the two
    where weeks are missing.
    """
    items = found["weeks"]
    pair = means(found)
    if pair is None or len({item["period"] for item in items}) < 2:
        return _two_bars(found, words, title, text)
    with _canvas(WIDE, 2.9) as (canvas, axes):
        for period, colour, mean_s in (("before", BEFORE, pair[0]), ("after", NOW, pair[1])):
            part = [item for item in items if item["period"] == period]
            days = [date2num(date.fromisoformat(item["week"])) for item in part]
            values = [item["staff_s"] / MINUTE_S for item in part]
            mean = mean_s / MINUTE_S
            axes.plot(days, values, color=colour, lw=1.6, marker="o", ms=3)
            axes.hlines(mean, days[0], days[-1], color=colour, lw=1, ls=(0, (4, 3)))
            label = words("plot.before" if period == "before" else "plot.now")
            at, side = (days[0], "left") if period == "before" else (days[-1], "right")
            axes.annotate(f"{label} {words.number(mean, 1)}", (at, mean), (0, 12), ha=side,
                          textcoords="offset points", color=colour, weight="bold")  # fmt: skip
        axes.set_ylim(0, max(*pair, *(item["staff_s"] for item in items)) / MINUTE_S * 1.18)
        axes.set_ylabel(words("plot.minutes"))
        axes.xaxis.set_major_locator(AutoDateLocator(maxticks=6))
        axes.xaxis.set_major_formatter(lambda at, _: words.month(num2date(at).date()))
        axes.grid(axis="y", color=LINE, lw=0.6)
        return _svg(canvas, "weeks", title, text)


def means(found: dict[str, Any]) -> tuple[float, float] | None:
    """Mean staff-seconds before (today's mix) and now."""
    saved, n = found["saved_s_per_transfer"]["mean"], found["n_analysed"]
    if saved is None:
        return None
    now = found["corrected_staff_s_per_transfer"]
    return (now + saved, now) if n else None


def _two_bars(found: dict[str, Any], words: Words, title: str, text: str) -> str:
    pair = means(found) or (0.0, 0.0)
    with _canvas(WIDE, 1.7) as (canvas, axes):
        labels = [words("plot.before"), words("plot.now")]
        axes.barh(labels, [value / MINUTE_S for value in pair], color=[BEFORE, NOW], height=0.55)
        axes.invert_yaxis()
        for at, value in enumerate(pair):
            axes.annotate(words.number(value / MINUTE_S, 1), (value / MINUTE_S, at), (6, 0),
                          textcoords="offset points", va="center", weight="bold")  # fmt: skip
        axes.set_xlabel(words("plot.minutes"))
        axes.set_xlim(0, max(pair) / MINUTE_S * 1.15 or 1)
        axes.tick_params(axis="y", length=0)
        return _svg(canvas, "weeks", title, text)


def flow(found: dict[str, Any], words: Words, title: str, text: str) -> str:
    """Logged, left out with reasons, analysed."""
    reasons = [f"{words(f'reason.{name}')}  {words.number(count)}"
               for name, count in found["excluded"].items()]  # fmt: skip
    height = 1.5 + 0.21 * max(len(reasons), 1)
    with _canvas(WIDE, height) as (canvas, axes):
        axes.axis("off")
        axes.set_xlim(0, 10)
        axes.set_ylim(0, 10)
        box: dict[str, Any] = {"boxstyle": "round,pad=0.6", "fc": "#fbfcfc", "ec": NOW, "lw": 1.3}
        left: dict[str, Any] = {"ha": "center", "va": "center", "bbox": box, "weight": "bold"}
        logged, analysed = (
            f"{words(name)}\n{words.number(found[key])}"
            for name, key in (("logged", "n_logged"), ("analysed", "n_analysed"))
        )
        axes.text(2, 8.2, logged, **left)
        axes.text(2, 1.8, analysed, **left)
        out = f"{words('excluded')}  {words.number(sum(found['excluded'].values()))}"
        listed = "\n".join([out, *(f"   {line}" for line in reasons)])
        axes.text(5, 5, listed, va="center", linespacing=1.45,
                  bbox={**box, "ec": BEFORE})  # fmt: skip
        arrow = {"arrowstyle": "-|>", "color": SOFT, "lw": 1.3, "shrinkA": 24, "shrinkB": 24}
        axes.annotate("", (2, 1.8), (2, 8.2), arrowprops=arrow)
        axes.annotate("", (4.8, 5), (2, 5), arrowprops={**arrow, "shrinkA": 0, "shrinkB": 4})
        return _svg(canvas, "flow", title, text)


def forest(entries: list[tuple[str, dict[str, Any]]], words: Words, title: str, text: str) -> str:
    """Savings with intervals, one line each, zero marked; the first is the main result."""
    names = [fill(name, LABEL) for name, _ in entries]
    height = sum(max(0.42, 0.21 + 0.17 * (1 + name.count("\n"))) for name in names)
    with _canvas(WIDE, 0.9 + height) as (canvas, axes):
        for at, (_, span) in enumerate(entries):
            colour, width = (NOW, 3.0) if at == 0 else (SOFT, 1.6)
            if span["ci95"]:
                axes.hlines(
                    at, *(limit / MINUTE_S for limit in span["ci95"]), color=colour, lw=width
                )
            axes.plot(span["mean"] / MINUTE_S, at, "o", color=colour, ms=8 if at == 0 else 5)
        axes.axvline(0, color=INK, lw=1)
        axes.set_yticks(range(len(entries)), names)
        axes.invert_yaxis()
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.set_xlabel(fill(words("plot.forest_axis"), AXIS))
        axes.grid(axis="x", color=LINE, lw=0.6)
        return _svg(canvas, "forest", title, text)


def factors(found: dict[str, Any], words: Words, title: str, text: str) -> str:
    """A waterfall from before to now over the three factors."""
    parts, total = found["decomposition"], found["decomposition"]["staff_s_per_resident_day"]
    names = ("carers_per_transfer", "seconds_per_transfer", "transfers_per_resident")
    steps = [(words(f"factor.{name}"), parts[name]["saved_s"] or 0.0) for name in names]
    with _canvas(WIDE, 2.7) as (canvas, axes):
        level = total["baseline"] / MINUTE_S
        bars = [(words("plot.before"), 0.0, level, BEFORE)]
        for name, saved_s in steps:
            change = -saved_s / MINUTE_S
            bars.append((name, min(level, level + change), abs(change), SOFT))
            level += change
        bars.append((words("plot.now"), 0.0, level, NOW))
        for at, (_, start, length, colour) in enumerate(bars):
            axes.barh(at, length, left=start, color=colour, height=0.6)
        signed = [level for _, _, level, _ in bars]
        for at, (_, saved_s) in enumerate(steps, 1):
            signed[at] = -saved_s / MINUTE_S
        for at, (_, start, length, _) in enumerate(bars):
            value = signed[at]
            told = words.number(value, 1)
            told = f"+{told}" if 0 < at < len(bars) - 1 and value > 0 else told
            axes.annotate(told, (start + length, at), (5, 0), textcoords="offset points",
                          va="center", weight="bold")  # fmt: skip
        axes.set_yticks(range(len(bars)), [fill(name, LABEL) for name, *_ in bars])
        axes.invert_yaxis()
        axes.tick_params(axis="y", length=0)
        axes.set_xlim(0, max(start + length for _, start, length, _ in bars) * 1.14)
        axes.set_xlabel(words("plot.per_day"))
        return _svg(canvas, "factors", title, text)
