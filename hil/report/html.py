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
    words = "".join(
        f'<li class="{verdict.lower()}"><b>{counts[verdict]}</b> {WORDS[verdict]}</li>'
        for verdict in Verdict
        if counts[verdict]
    )
    return f'<div class="tally" aria-hidden="true">{bars}</div><ul class="counts">{words}</ul>'


def _about(kept: tuple[Result, ...], manifest: Mapping[str, Any]) -> str:
    versions = manifest.get("versions", {})
    jitter = manifest.get("jitter_ms")
    told = {
        "planes": ", ".join(sorted({item.plane for item in kept})) or "-",
        "simulated": f"{sum(item.simulated_s for item in kept):.1f} s in {len(kept)} runs",
        "revision": str(manifest.get("revision", ""))[:12] or "not a checkout",
        "code sha256": str(manifest.get("code", ""))[:16],
        "versions": ", ".join(f"{name} {value}" for name, value in versions.items()),
        "scheduler jitter": _jitter(jitter),
    }
    return "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in told.items() if v)


def _jitter(jitter: Mapping[str, float] | None) -> str:
    if not jitter:
        return "none: virtual time"
    return ", ".join(f"{name} {value:.2f} ms" for name, value in jitter.items())


def _figures(figures: Mapping[str, Any]) -> str:
    flat = {**figures["matrix"], **{k: v for k, v in figures.items() if k != "matrix"}}
    return "".join(_meter(name, share["met"], share["of"]) for name, share in flat.items())


def _meter(name: str, met: int, of: int) -> str:
    share = 100 * met / of if of else 0.0
    return (
        f'<li><span>{escape(name)}</span><i class="bar"><i style="width:{share:.1f}%"></i></i>'
        f"<b>{met} of {of}</b></li>"
    )


def _tiles(lines: Iterable[Line]) -> str:
    return "".join(
        f'<li class="{line.worst.lower() if line.worst else "none"}" title="'
        f'{escape(", ".join(line.scenarios) or "no scenario", quote=True)}">'
        f"<b>{escape(line.name)}</b><span>{escape(line.text)}</span>"
        f"<small>{len(line.scenarios)} scenario{'' if len(line.scenarios) == 1 else 's'}"
        f"{', ' + WORDS[line.worst] if line.worst else ''}</small></li>"
        for line in lines
    )


def _clauses(lines: Iterable[Line]) -> str:
    rows = "".join(
        f"<tr><td>{escape(line.name)}</td><td>{_pill(line.worst)}</td>"
        f"<td>{escape(', '.join(line.scenarios))}</td></tr>"
        for line in lines
    )
    if not rows:
        return "<p>No run names a clause.</p>"
    head = "<tr><th>clause</th><th>worst verdict</th><th>scenarios</th></tr>"
    return f'<div class="wide"><table>{head}{rows}</table></div>'


def _heat(coverage: Coverage) -> str:
    found = []
    for kind, name in KINDS.items():
        if picture := heat.svg(coverage.matrix, kind):
            left = heat.missed(coverage.matrix, kind)
            words = f"Not met by any run: {', '.join(left)}." if left else "Every row was met."
            found.append(
                f'<h3>{name}</h3><div class="wide">{picture}</div><p class="soft">{words}</p>'
            )
    return "".join(found)


def _faults(coverage: Coverage) -> str:
    faults = coverage.faults
    counts: Counter[str] = Counter()
    for item, runs in faults.met.items():
        counts[item.fault] += len(runs)
    every = dict.fromkeys((*faults.known, *counts, *sorted(faults.requested)))
    chips = "".join(
        f'<li class="{_proved(name, counts, faults.requested)}">{escape(name)}'
        f"{f' <b>{counts[name]}</b>' if counts[name] else ''}</li>"
        for name in every
    )
    return f'<ul class="chips">{chips}</ul>' if chips else "<p>No run injects a fault.</p>"


def _proved(name: str, counts: Counter[str], requested: frozenset[str]) -> str:
    if counts[name]:
        return "pass"
    return "inconclusive" if name in requested else "none"


def _index(kept: tuple[Result, ...]) -> str:
    return "".join(
        f'<tr><td><a href="#run{n}">{escape(item.id)}</a></td><td>{escape(item.title)}'
        f"{_given(item)}</td><td>{_pill(item.verdict)}</td>"
        f"<td>{escape(' '.join(item.hazards))}</td></tr>"
        for n, item in enumerate(kept, 1)
    )


def _given(item: Result) -> str:
    if not item.parameters:
        return ""
    told = ", ".join(f"{name} {value}" for name, value in item.parameters.items())
    return f' <small class="soft">{escape(told)}</small>'


def _run(n: int, item: Result, picture: str, prose: Mapping[str, str]) -> str:
    shown = "" if item.verdict in (Verdict.PASS, Verdict.NOT_APPLICABLE) else " open"
    reasons = "".join(f"<li>{escape(reason)}</li>" for reason in item.reasons)
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
