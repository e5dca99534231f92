"""The part of the page about scenarios: an index, and a card for each with all its runs.

Role: words once, then every run with reasons, figures and lanes. Must never: leave a run that did
not pass closed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from hil.coverage.trace import ORDER, worst
from hil.timeline import Result, Verdict

MARKS = {
    Verdict.PASS: "\N{CHECK MARK}",
    Verdict.FAIL: "\N{MULTIPLICATION X}",
    Verdict.INCONCLUSIVE: "?",
    Verdict.ERROR: "!",
    Verdict.NOT_APPLICABLE: "\N{EN DASH}",
}
WORDS = {
    Verdict.PASS: "passed",
    Verdict.FAIL: "failed",
    Verdict.INCONCLUSIVE: "inconclusive",
    Verdict.ERROR: "not run",
    Verdict.NOT_APPLICABLE: "not applicable",
}
QUIET = (Verdict.PASS, Verdict.NOT_APPLICABLE)


@dataclass(frozen=True, slots=True)
class Family:
    """The runs of one scenario, each with its picture; `number` is its place in the pack."""

    number: int
    runs: tuple[tuple[Result, str], ...]

    @property
    def first(self) -> Result:
        return self.runs[0][0]

    @property
    def verdict(self) -> Verdict:
        return worst(run.verdict for run, _ in self.runs) or Verdict.NOT_APPLICABLE


def families(results: Sequence[Result], pictures: Sequence[str]) -> list[Family]:
    """In the order of the pack."""
    found: dict[str, list[tuple[Result, str]]] = {}
    for result, picture in zip(results, pictures, strict=True):
        found.setdefault(result.id, []).append((result, picture))
    return [Family(n, tuple(runs)) for n, runs in enumerate(found.values(), 1)]


def pill(verdict: Verdict | None) -> str:
    """A verdict as a coloured word with a mark."""
    if verdict is None:
        return '<span class="pill none">not tried</span>'
    return f'<span class="pill {verdict.lower()}"><b>{MARKS[verdict]}</b>{WORDS[verdict]}</span>'


def index(every: list[Family]) -> str:
    """Rows of the index."""
    return "".join(
        f'<tr><td><a href="#s{item.number}">{escape(item.first.id)}</a></td>'
        f"<td>{escape(item.first.title)} {_runs(item)}</td><td>{pill(item.verdict)}</td>"
        f"<td>{escape(' '.join(item.first.hazards))}</td></tr>"
        for item in every
    )


def _runs(item: Family) -> str:
    return f'<small class="soft">{len(item.runs)} runs</small>' if len(item.runs) > 1 else ""


def cards(every: list[Family], prose: Mapping[str, str]) -> str:
    """Every scenario, the worst first; `prose`: scenario id -> plain language."""
    ordered = sorted(every, key=lambda item: _rank(item.verdict))
    return "".join(_card(item, prose.get(item.first.id, "")) for item in ordered)


def _rank(verdict: Verdict) -> int:
    return ORDER.index(verdict) if verdict in ORDER else len(ORDER)


def _card(item: Family, prose: str) -> str:
    first, shown = item.first, "" if item.verdict in QUIET else " open"
    trace = " ".join((*first.hazards, *first.clauses))
    words = "".join(f"<p>{escape(line)}</p>" for line in _told(first, prose))
    return (
        f'<details class="card run" id="s{item.number}"{shown}><summary>{pill(item.verdict)}'
        f"<h3>{escape(first.id)} <span>{escape(first.title)}</span> {_runs(item)}</h3>"
        f'<small class="soft">{escape(trace)}</small></summary>'
        f'<div class="body"><div class="prose">{words}</div>'
        f"{''.join(_run(run, picture, n == 0) for n, (run, picture) in enumerate(item.runs))}"
        "</div></details>"
    )


def _told(item: Result, prose: str) -> list[str]:
    """Without title and hazards: they stand above."""
    lines = prose.splitlines()
    return [line for line in lines if line and not line.startswith((f"{item.id}:", "Hazards:"))]


def _run(item: Result, picture: str, first: bool) -> str:
    """One run; open when it is the first or did not pass."""
    shown = " open" if first or item.verdict not in QUIET else ""
    given = ", ".join(f"{name} {value}" for name, value in item.parameters.items()) or "one run"
    reasons = "".join(f"<li>{escape(reason)}</li>" for reason in item.reasons)
    return (
        f'<details class="one"{shown}><summary>{pill(item.verdict)}<b>{escape(given)}</b></summary>'
        f"{f'<ul class=reasons>{reasons}</ul>' if reasons else ''}{_measured(item)}"
        f'<div class="wide">{picture}</div>'
        f'<p class="soft mono">{escape(_origin(item))}</p></details>'
    )


def _origin(item: Result) -> str:
    told = [f"plane {item.plane}", f"seed {item.seed}", item.source]
    told += [f"timeline {item.timeline_hash}"] if item.timeline_hash else []
    return " \N{MIDDLE DOT} ".join(part for part in told if part)


def _measured(item: Result) -> str:
    if not item.measurements:
        return ""
    rows = "".join(_measurement(entry) for entry in item.measurements)
    head = "<tr><th>measured</th><th></th><th>value</th><th>limit</th></tr>"
    return f'<div class="wide"><table class="measured">{head}{rows}</table></div>'


def _measurement(entry: Mapping[str, Any]) -> str:
    value, unit = entry.get("value"), str(entry.get("unit") or "")
    most, least = entry.get("max"), entry.get("min")
    limit, good = most if most is not None else least, bool(entry.get("passed", True))
    bar = ""
    if isinstance(value, int | float) and isinstance(limit, int | float) and limit > 0:
        share = min(100.0, max(0.0, 100 * value / limit))
        bar = f'<i class="bar{"" if good else " over"}"><i style="width:{share:.0f}%"></i></i>'
    return (
        f"<tr><td>{escape(str(entry.get('name', '')))}</td><td>{bar}</td>"
        f"<td>{_number(value)} {escape(unit)}{_plus_minus(entry)}</td>"
        f"<td>{_limits(least, most)} {escape(unit)}</td></tr>"
    )


def _plus_minus(entry: Mapping[str, Any]) -> str:
    u = entry.get("uncertainty")
    return f" \N{PLUS-MINUS SIGN} {_number(u)}" if u else ""


def _limits(least: object, most: object) -> str:
    if least is not None and most is not None:
        return f"{_number(least)} to {_number(most)}"
    if least is not None:
        return f"at least {_number(least)}"
    return f"at most {_number(most)}" if most is not None else "-"


def _number(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return "-" if value is None else escape(str(value))
