"""report.html: one file a test lab can keep, print and sign; no script it depends on, no network.

Role: verdicts, hazards, heat maps, faults, and every run in words, figures and lanes. Must never:
hide a run that did not pass; those stand open and first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from hil.coverage.pack import Coverage
from hil.coverage.trace import ORDER, Line
from hil.report import heat
from hil.timeline import Result, Verdict

TEMPLATE = Path(__file__).parent / "page.html"
KINDS = {"lift": "Ceiling lift", "chair": "Standing chair"}
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


def page(
    results: Iterable[Result],
    pictures: Sequence[str],
    coverage: Coverage,
    manifest: Mapping[str, Any],
    prose: Mapping[str, str],
) -> str:
    """The whole page. `pictures`: the lanes of each result; `prose`: scenario id -> plain
    language.
    """
    kept = tuple(results)
    ordered = sorted(enumerate(kept, 1), key=lambda item: _rank(item[1].verdict))
    parts = {
        "TITLE": escape(_title(kept)),
        "TALLY": _tally(kept),
        "ABOUT": _about(kept, manifest),
        "FIGURES": _figures(coverage.figures()),
        "HAZARDS": _tiles(coverage.hazards),
        "CLAUSES": _clauses(coverage.clauses),
        "HEAT": _heat(coverage),
        "FAULTS": _faults(coverage),
        "INDEX": _index(kept),
        "RUNS": "".join(_run(n, item, pictures[n - 1], prose) for n, item in ordered),
    }
    text = TEMPLATE.read_text("utf-8")
    for name, part in parts.items():
        text = text.replace(f"<!--{name}-->", part)
    return text


def _rank(verdict: Verdict) -> int:
    return ORDER.index(verdict) if verdict in ORDER else len(ORDER)


def _title(kept: tuple[Result, ...]) -> str:
    counts = Counter(item.verdict for item in kept)
    if bad := [v for v in ORDER if v is not Verdict.PASS and counts[v]]:
        return ", ".join(f"{counts[verdict]} {WORDS[verdict]}" for verdict in bad)
    return f"all {counts[Verdict.PASS]} passed" if counts[Verdict.PASS] else "nothing was tried"


def _pill(verdict: Verdict | None) -> str:
    if verdict is None:
        return '<span class="pill none">not tried</span>'
    return f'<span class="pill {verdict.lower()}"><b>{MARKS[verdict]}</b>{WORDS[verdict]}</span>'


def _tally(kept: tuple[Result, ...]) -> str:
    counts = Counter(item.verdict for item in kept)
    bars = "".join(
        f'<i class="{verdict.lower()}" style="flex:{counts[verdict]}"></i>'
        for verdict in Verdict
        if counts[verdict]
    )
    words = "".join(f"<p>{escape(line)}</p>" for line in _told(item, prose))
    trace = " ".join((*item.hazards, *item.clauses))
    return (
        f'<details class="card run" id="run{n}"{shown}><summary>{_pill(item.verdict)}'
        f"<h3>{escape(item.id)} <span>{escape(item.title)}</span></h3>"
        f'<small class="soft">{escape(trace)}</small></summary>'
        f'<div class="body">{f"<ul class=reasons>{reasons}</ul>" if reasons else ""}'
        f'<div class="prose">{words}</div>{_measured(item)}<div class="wide">{picture}</div>'
        f'<p class="soft mono">{escape(_origin(item))}</p></div></details>'
    )


def _told(item: Result, prose: Mapping[str, str]) -> list[str]:
    """Without title and hazards: they stand above."""
    lines = prose.get(item.id, "").splitlines()
    return [line for line in lines if line and not line.startswith((f"{item.id}:", "Hazards:"))]


def _origin(item: Result) -> str:
    told = [f"plane {item.plane}", f"seed {item.seed}", item.source]
    told += [f"{name} {value}" for name, value in item.parameters.items()]
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
