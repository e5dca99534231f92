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
from hil.report import heat, scenarios
from hil.report.scenarios import WORDS, pill
from hil.timeline import Result, Verdict

TEMPLATE = Path(__file__).parent / "page.html"
KINDS = {"lift": "Ceiling lift", "chair": "Standing chair"}


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
    families = scenarios.families(kept, pictures)
    parts = {
        "TITLE": escape(_title(kept)),
        "TALLY": _tally(kept),
        "ABOUT": _about(kept, manifest),
        "FIGURES": _figures(coverage.figures()),
        "HAZARDS": _tiles(coverage.hazards),
        "CLAUSES": _clauses(coverage.clauses),
        "HEAT": _heat(coverage),
        "FAULTS": _faults(coverage),
        "INDEX": scenarios.index(families),
        "RUNS": scenarios.cards(families, prose),
    }
    text = TEMPLATE.read_text("utf-8")
    for name, part in parts.items():
        text = text.replace(f"<!--{name}-->", part)
    return text


def _title(kept: tuple[Result, ...]) -> str:
    counts = Counter(item.verdict for item in kept)
    if bad := [v for v in ORDER if v is not Verdict.PASS and counts[v]]:
        return ", ".join(f"{counts[verdict]} {WORDS[verdict]}" for verdict in bad)
    return f"all {counts[Verdict.PASS]} passed" if counts[Verdict.PASS] else "nothing was tried"


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
    told = ", ".join(f"{name} {value:.2f} ms" for name, value in jitter.items())
    return f"{told}; a moment is uncertain by its run's latest step and one sample of 10 ms"


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
        f"<tr><td>{escape(line.name)}</td><td>{pill(line.worst)}</td>"
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
