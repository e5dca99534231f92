"""What is planted: dangers chosen by hand, and a seeded draw of small changes.

Role: from the list (or the operators) to a module's changed source. Must never: plant something
that no longer fits the code; a stale entry is an error that names it.
"""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from hil.clock import random_of
from hil.selftest import mutants, operators

ROOT = Path(__file__).parents[2]
FILE = Path(__file__).parent / "seeded.toml"
GROUPS = ("controller", "drivers", "plant")
# What a draw takes its changes from: the code that decides, and the bench's own plant.
DRAWN = {
    "controller": ("liftctl/gate/turn.py", "liftctl/guard/invariants.py", "safety/step.py",
                   "safety/evaluate.py", "safety/command.py", "safety/stations.py"),
    "drivers": ("drivers/canopen/drive.py", "drivers/canopen/cia402.py", "drivers/canopen/boot.py",
                "drivers/reading.py"),
    "plant": ("hil/plants/axis.py", "hil/plants/chain.py", "hil/plants/lift.py",
              "hil/nodes/drive.py"),
}  # fmt: skip


class SeedError(Exception):
    """A seed that cannot be planted; the message names it and the remedy."""


@dataclass(frozen=True, slots=True)
class Seed:
    """One change. A drawn one has no `hazard` or `danger`; `survives`: why nobody sees it."""

    id: str
    group: str
    module: str
    source: str
    danger: str = ""
    hazard: str = ""
    survives: str = ""


def seeded(path: Path = FILE) -> tuple[Seed, ...]:
    """The list; SeedError when an entry does not fit the code."""
    return tuple(_seed(item) for item in tomllib.loads(path.read_text("utf-8"))["seed"])


def _seed(item: dict[str, str]) -> Seed:
    source = (ROOT / item["module"]).read_text("utf-8")
    times = source.count(item["before"])
    if times != 1:
        what = "no longer there" if times == 0 else f"there {times} times"
        raise SeedError(
            f"{item['id']}: its code is {what} in {item['module']}; mend hil/selftest/seeded.toml"
        )
    changed = source.replace(item["before"], item["after"])
    ast.parse(changed)
    fields = {name: item.get(name, "") for name in ("id", "group", "module", "danger", "hazard")}
    return Seed(source=changed, survives=item.get("survives", ""), **fields)


def drawn(number: int, seed: int) -> tuple[Seed, ...]:
    """So many changes of each group, the same for the same seed and code."""
    found: list[Seed] = []
    for group, modules in DRAWN.items():
        known = [found for path in modules for found in _of(path)]
        chosen = random_of(seed, "selftest", group).sample(known, min(number, len(known)))
        found += [_planted(group, mutant) for mutant in chosen]
    return tuple(found)


@cache
def _of(path: str) -> tuple[mutants.Mutant, ...]:
    source = (ROOT / path).read_text("utf-8")
    return tuple(mutants.of_module(path, source, _enums()))


@cache
def _enums() -> operators.Enums:
    files = [ROOT / path for path in ("safety/types.py", "safety/verdict.py")]
    return operators.enums_of([ast.parse(path.read_text("utf-8")) for path in files])


def _planted(group: str, mutant: mutants.Mutant) -> Seed:
    source = (ROOT / mutant.module).read_text("utf-8")
    return Seed(mutant.key, group, mutant.module, mutants.changed(mutant, source, _enums()))


def chosen(seeds: Iterable[Seed], only: Iterable[str]) -> tuple[Seed, ...]:
    """Those whose id or group is named, all without names; SeedError for a name that is none."""
    kept, names = tuple(seeds), tuple(only)
    known = {item.id for item in kept} | {item.group for item in kept}
    if odd := [name for name in names if name not in known]:
        groups = ", ".join(GROUPS)
        raise SeedError(f"no seed {odd[0]}; name one of `hil selftest --list`, or {groups}")
    return tuple(item for item in kept if not names or {item.id, item.group} & set(names))
