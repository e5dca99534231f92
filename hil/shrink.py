"""`liftctl hil shrink SCENARIO`: the smallest scenario that still fails in the same way.

Role: delta debugging over faults, then the other steps, the faults' own words and the expectations.
Must never: take another failure for the one it was asked about.
"""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from hil.run import Bench, Ran
from hil.scenario import vary
from hil.scenario.load import load
from hil.scenario.source import ScenarioError, read
from hil.timeline import Verdict

Raw = dict[str, Any]
Sign = tuple[str, str]
OPTIONAL = ("for", "after", "when", "prove_within")


class ShrinkError(Exception):
    """Nothing to shrink; the message is one line."""


@dataclass(frozen=True, slots=True)
class Shrunk:
    """`text`: the YAML that still fails; `sign`: how; `tried`: runs it took."""

    text: str
    sign: tuple[Sign, ...]
    tried: int
    faults: tuple[int, int]  # before, after
    steps: tuple[int, int]


def minimal(items: Sequence[int], fails: Callable[[list[int]], bool]) -> list[int]:
    """Zeller's ddmin: a list from which no single item can be left out. `fails(all)` is taken as
    so.
    """
    kept, parts = list(items), 2
    while len(kept) >= 1:
        size = max(1, len(kept) // parts)
        for start in range(0, len(kept), size):
            rest = kept[:start] + kept[start + size :]
            if fails(rest):
                kept, parts = rest, max(parts - 1, 2)
                break
        else:
            if size == 1:
                return kept
            parts = min(len(kept), 2 * parts)
    return kept


def shrink(path: Path, note: Callable[[str], None] = lambda text: None) -> Shrunk:
    """The first run of the file that fails, made small; ShrinkError, ScenarioError."""
    work = _Work(path, note)
    raw = work.failing()
    before = (len(_faults(raw)), len(raw["steps"]))
    for pass_name, smaller in PASSES:
        raw = smaller(work, raw)
        note(f"{pass_name}: {len(_faults(raw))} faults, {len(raw['steps'])} steps")
    text = yaml.safe_dump(raw, sort_keys=False, allow_unicode=True, width=100)
    after = (len(_faults(raw)), len(raw["steps"]))
    pairs = tuple(zip(before, after, strict=True))
    return Shrunk(text, tuple(sorted(work.sign)), work.tried, pairs[0], pairs[1])


@dataclass(slots=True)
class _Work:
    """The failure looked for, and the bench it is looked for on."""

    path: Path
    note: Callable[[str], None]
    sign: frozenset[Sign] = frozenset()
    tried: int = 0
    bench: Bench = field(default_factory=Bench)

    def failing(self) -> Raw:
        """The file with the parameters of its first failing run."""
        source = read(self.path).value
        for scenario in load(self.path):
            ran = self.bench(scenario)
            self.tried += 1
            if ran.result.verdict is Verdict.FAIL and (sign := _sign(ran)):
                self.sign = sign
                raw: Raw = vary.put(source, scenario.parameters)
                return {k: v for k, v in raw.items() if k not in ("parameters", "combine")}
        raise ShrinkError(f"{self.path}: no run of it fails; there is nothing to shrink")

    def fails(self, raw: Raw) -> bool:
        """Does this scenario fail in (at least one of) the same ways?"""
        self.tried += 1
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / self.path.name
            path.write_text(yaml.safe_dump(raw, sort_keys=False, allow_unicode=True), "utf-8")
            try:
                ran = self.bench(load(path)[0])
            except ScenarioError:
                return False
        return ran.result.verdict is Verdict.FAIL and bool(_sign(ran) & self.sign)


def _sign(ran: Ran) -> frozenset[Sign]:
    """How a run failed: rules and expectations, not figures. A moment that never came is none."""
    harmed = [
        reason.split(": ")[1] for reason in ran.result.reasons if reason.startswith("oracle: ")
    ]
    failed = (e for e in ran.timeline.lane("expect", "failed") if "never came" not in e["why"])
    found = {("oracle", rule) for rule in harmed}
    found |= {("expect", str(event["text"])) for event in failed}
    waited = [reason for reason in ran.result.reasons if reason.startswith("waited")]
    return frozenset(found | {("step", reason.partition(" (mode")[0]) for reason in waited})


def _faults(raw: Raw) -> list[int]:
    return [n for n, step in enumerate(raw["steps"]) if "fault" in step]


def _fewer_faults(work: _Work, raw: Raw) -> Raw:
    def with_only(kept: list[int]) -> Raw:
        names = {_name(raw["steps"][n]) for n in set(_faults(raw)) - set(kept)}
        steps = [
            step
            for n, step in enumerate(raw["steps"])
            if not ("fault" in step and n not in kept) and _cleared(step) not in names
        ]
        return {**raw, "steps": steps}

    return with_only(minimal(_faults(raw), lambda kept: work.fails(with_only(kept))))


def _name(step: Raw) -> str:
    told = step["fault"]
    return str(told.get("as", "fault")) if isinstance(told, dict) else "fault"


def _cleared(step: Raw) -> str:
    told = step.get("clear")
    return str(told.get("as") if isinstance(told, dict) else told) if told else ""


def _fewer_steps(work: _Work, raw: Raw) -> Raw:
    def with_only(kept: list[int]) -> Raw:
        return {**raw, "steps": [raw["steps"][n] for n in kept]}

    kept = minimal(
        range(len(raw["steps"])), lambda kept: bool(kept) and work.fails(with_only(kept))
    )
    return with_only(kept)


def _shorter_faults(work: _Work, raw: Raw) -> Raw:
    """Optional words of each fault go, where it fails without them too."""
    for n in _faults(raw):
        told = raw["steps"][n]["fault"]
        if not isinstance(told, dict):
            continue
        for path in [
            *((name,) for name in OPTIONAL),
            *(("with", name) for name in told.get("with", ())),
        ]:
            raw = _without(work, raw, n, path)
    return raw


def _without(work: _Work, raw: Raw, n: int, path: tuple[str, ...]) -> Raw:
    tried = copy.deepcopy(raw)
    place = tried["steps"][n]["fault"]
    for name in path[:-1]:
        place = place.get(name, {})
    if path[-1] not in place:
        return raw
    del place[path[-1]]
    return tried if work.fails(tried) else raw


def _fewer_expectations(work: _Work, raw: Raw) -> Raw:
    def with_only(kept: list[int]) -> Raw:
        return {**raw, "expect": [raw["expect"][n] for n in kept]}

    kept = minimal(range(len(raw["expect"])), lambda kept: work.fails(with_only(kept)))
    return with_only(kept)


PASSES: tuple[tuple[str, Callable[[_Work, Raw], Raw]], ...] = (
    ("faults", _fewer_faults),
    ("steps", _fewer_steps),
    ("what the faults say", _shorter_faults),
    ("expectations", _fewer_expectations),
)
