"""From a file to its runs; whatever is wrong is said with file, line and remedy.

Role: schema, then units, conditions and names. Must never: accept what it does not understand.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema

from hil.planes import PLANES
from hil.scenario import vary
from hil.scenario.conditions import ConditionError, condition, quantity
from hil.scenario.grammar import (
    EXPECT,
    QUANTITIES,
    RIGS,
    SITUATIONS,
    START,
    STEPS,
    Arg,
    Verb,
    schema,
)
from hil.scenario.model import Doing, Scenario
from hil.scenario.source import ScenarioError, Source, Where, read
from hil.scenario.units import UnitError, parse

MASS = "75 kg"
SEED = 7
TODAY = "2026-11-24"
FOLDER = Path(__file__).parents[1] / "scenarios"


@cache
def _validator() -> Any:
    return jsonschema.Draft202012Validator(schema())


def files(paths: list[Path]) -> list[Path]:
    """The scenario files these name: files themselves, or everything below a folder."""
    found: list[Path] = []
    for path in paths:
        below = sorted(path.rglob("*.yaml")) if path.is_dir() else [path]
        if not below:
            raise ScenarioError(f"{path}: no *.yaml below it; name a file or another folder")
        found += below
    return found


def load(path: Path) -> list[Scenario]:
    """Every run of one file; ScenarioError."""
    source = read(path)
    _check(source)
    given = source.value
    seed = given.get("seed", SEED)
    seed = SEED if isinstance(seed, str) else int(seed)  # "$seed": the runs bring their own
    try:
        sets = vary.runs(given.get("parameters", {}), given.get("combine", "all"), seed)
    except UnitError as error:
        raise source.fail(("parameters",), str(error)) from error
    return [_Reader(source, values).scenario(seed) for values in sets]


def _check(source: Source) -> None:
    errors = sorted(
        _validator().iter_errors(source.value), key=lambda e: (len(e.path), str(e.path))
    )
    if not errors:
        return
    error = errors[-1] if errors[-1].validator == "additionalProperties" else errors[0]
    where = tuple(error.absolute_path)
    raise source.fail(where, _remedy(error, where, source))


def _remedy(error: Any, where: Where, source: Source) -> str:
    if error.validator == "additionalProperties":
        known = list(error.schema["properties"])
        unknown = next(key for key in error.instance if key not in known)
        near = difflib.get_close_matches(unknown, known, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(known)}"
        raise source.fail((*where, unknown), f"unknown field '{unknown}'; {hint}")
    if error.validator == "required":
        return f"{error.message}; add it"
    name = ".".join(map(str, where)) or "the file"
    wanted = error.schema.get("description", "")
    return f"{name}: {error.message[:160]}{'; it ' + wanted if wanted else ''}"


class _Reader:
    """One run of a file."""

    def __init__(self, source: Source, given: dict[str, Any]) -> None:
        self.source, self.given = source, given
        self.raw = vary.put({k: v for k, v in source.value.items() if k != "parameters"}, given)

    def scenario(self, seed: int) -> Scenario:
        raw = self.raw
        oracle = raw.get("oracle", {"except": [], "why": ""})
        return Scenario(
            id=str(raw["id"]),
            title=raw["title"],
            titel=raw.get("titel", ""),
            hazards=tuple(raw["hazards"]),
            clauses=tuple(raw.get("clauses", ())),
            rig=raw["rig"],
            planes=tuple(raw.get("planes", PLANES[:1])),
            site=raw.get("site", {}),
            fallback=raw.get("fallback", False),
            mass_kg=self._quantity(raw.get("mass", MASS), "mass", ("mass",)),
            seed=int(raw.get("seed", seed)),
            today=str(raw.get("today", TODAY)),
            start=self._start(),
            parameters={name: str(value) for name, value in self.given.items()},
            steps=tuple(self._doings("steps", STEPS)),
            expect=tuple(self._doings("expect", EXPECT)),
            excused=dict.fromkeys(oracle["except"], oracle["why"]),
            path=self.source.path,
            cover=raw.get("cover", {}),
        )

    def _start(self) -> dict[str, Any]:
        start = self._args(START, dict(self.raw.get("start", {"situation": "ready"})), ("start",))
        known = SITUATIONS[self.raw["rig"]]
        if start["situation"] not in known:
            raise self.source.fail(
                ("start", "situation"),
                f"a {self.raw['rig']} has no situation '{start['situation']}'; "
                f"one of: {', '.join(known)}",
            )
        return start

    def _doings(self, part: str, verbs: dict[str, Verb]) -> Iterator[Doing]:
        for n, item in enumerate(self.raw[part]):
            name, value = next(iter(item.items()))
            where: Where = (part, n, name)
            verb = verbs[name]
            given = (
                value
                if isinstance(value, dict)
                else {verb.main: value}
                if value is not None
                else {}
            )
            args = self._args(verb.args, given, where)
            text = f"{name}: {value}" if not isinstance(value, dict) else f"{name} {_told(value)}"
            yield Doing(name, args, self.source.lines.get(where, 1), text)

    def _args(self, args: dict[str, Arg], given: dict[str, Any], where: Where) -> dict[str, Any]:
        return {
            name: self._value(args[name].kind, value, (*where, name))
            for name, value in given.items()
        }

    def _value(self, kind: str, value: Any, where: Where) -> Any:
        if kind in QUANTITIES:
            found = self._quantity(value, kind, where)
            return round(found * 1_000_000) if kind == "time" else found
        try:
            return self._special(kind, value)
        except (ConditionError, UnitError, ValueError) as error:
            raise self.source.fail(where, str(error)) from error

    def _special(self, kind: str, value: Any) -> Any:
        if kind == "condition":
            return condition(str(value))
        if kind == "measured":
            quantity(str(value))
            return str(value)
        if kind == "quantity":
            return parse(value)
        if kind == "motion":
            return self._motion(str(value))
        if kind == "count":
            return int(value)
        return value

    def _motion(self, text: str) -> str:
        known = RIGS[self.raw["rig"]]
        if odd := [part for part in text.split("+") if part not in known]:
            raise ValueError(
                f"a {self.raw['rig']} has no motion {odd[0]}; one of: {', '.join(known)}"
            )
        return text

    def _quantity(self, value: Any, dimension: str, where: Where) -> float:
        try:
            return parse(value, dimension).value
        except UnitError as error:
            raise self.source.fail(where, str(error)) from error


def _told(value: dict[str, Any]) -> str:
    return ", ".join(f"{key} {item}" for key, item in value.items())
