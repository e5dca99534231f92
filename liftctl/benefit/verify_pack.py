"""Does an evidence pack hold: files, signature, and every figure computed again from its rows.

Role: `liftctl evidence verify`. Process: library (`evidence` extra). Must never: trust a number of
the pack, or the key inside it further than "whoever made this held it".
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from liftctl import packs
from liftctl.benefit.figure import saved_rows
from liftctl.benefit.numbers import numbers
from liftctl.benefit.pack import FORMAT, case_from, read_pack, software
from liftctl.benefit.parquet import saved_column
from liftctl.benefit.rows import EvidenceError

NEAR = 2e-4
MOST_TOLD = 20


@dataclass(frozen=True, slots=True)
class Verified:
    """`problems` empty: it holds. `signer`: hex. `remarks`: what does not fail it."""

    problems: tuple[str, ...]
    remarks: tuple[str, ...]
    signer: str
    n_rows: int
    n_figures: int
    numbers: dict[str, Any]

    @property
    def ok(self) -> bool:
        return not self.problems


def verify(path: Path, public_key: str = "") -> Verified:
    """`public_key`: hex of the key it must be signed with, got from elsewhere."""
    files = read_pack(path)
    problems = list(packs.manifest_problems(files, FORMAT))
    signer = packs.signer(files)
    problems += packs.signature_problems(files, public_key)
    problems += _ledger_problems(packs.told(files, "sources.json"))
    remarks = [] if public_key else [f"signed with {signer}: compare it with the key they publish"]
    told = packs.told(files, "numbers.json")
    try:
        case = case_from(files)
        found = numbers(case)
        rows = len(case.table)
        if not np.allclose(
            saved_column(files["rows.parquet"]), saved_rows(case), atol=1e-3, equal_nan=True
        ):
            problems.append("rows.parquet: what single rows saved is recomputed otherwise")
    except (EvidenceError, ValueError, IndexError, KeyError, TypeError) as error:
        return Verified(
            (*problems, f"the figures cannot be computed: {error}"),
            tuple(remarks),
            signer,
            0,
            0,
            told,
        )
    differences = list(compare(told, json.loads(json.dumps(found))))
    problems += [f"recomputed otherwise: {line}" for line in differences[:MOST_TOLD]]
    if packs.told(files, packs.MANIFEST).get("software") != software():
        remarks.append("made with another version of the software than the one that checks it")
    return Verified(tuple(problems), tuple(remarks), signer, rows, _count(told), told)


def _ledger_problems(sources: dict[str, Any]) -> list[str]:
    ledgers = sources.get("ledgers")
    return [
        f"sources.json: the ledger {item.get('ledger')} did not hold when the pack was made"
        for item in (ledgers if isinstance(ledgers, list) else ())
        if not item.get("holds")
    ]


def compare(told: Any, found: Any, where: str = "") -> Iterator[str]:
    """Every place where two nested values differ; numbers within rounding are the same."""
    if isinstance(told, dict) and isinstance(found, dict):
        for name in sorted(set(told) | set(found)):
            yield from compare(told.get(name), found.get(name), f"{where}.{name}".lstrip("."))
    elif isinstance(told, list) and isinstance(found, list) and len(told) == len(found):
        for at, (one, other) in enumerate(zip(told, found, strict=True)):
            yield from compare(one, other, f"{where}[{at}]")
    elif not _same(told, found):
        yield f"{where}: pack {told!r}, here {found!r}"


def _same(told: Any, found: Any) -> bool:
    both = (told, found)
    if all(isinstance(item, int | float) and not isinstance(item, bool) for item in both):
        return math.isclose(told, found, rel_tol=1e-7, abs_tol=NEAR)
    return bool(told == found)


def _count(value: Any) -> int:
    """How many numbers there are."""
    if isinstance(value, dict):
        return sum(_count(item) for item in value.values())
    if isinstance(value, list):
        return sum(_count(item) for item in value)
    return int(isinstance(value, int | float) and not isinstance(value, bool))
