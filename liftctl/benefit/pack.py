"""The evidence pack: one file that another municipality checks with one command.

Role: writes and reads the zip. Process: library (`evidence` extra). Must never: pack a token, a
name or a clock time, nor differ between two runs over the same material.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from liftctl import packs
from liftctl.benefit.baseline import from_plain
from liftctl.benefit.case import Case, Context, assemble
from liftctl.benefit.figure import saved_rows
from liftctl.benefit.inputs import Inputs
from liftctl.benefit.parquet import from_parquet, to_parquet
from liftctl.benefit.rows import EvidenceError
from liftctl.benefit.units import FEWEST
from liftctl.packs import PackError, plain

FORMAT = "liftctl-evidence/1"
METHOD = Path(__file__).with_name("method.md")


def software() -> dict[str, str]:
    """Version, and a hash over the code that makes the figures."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(f"{path.name}\n".encode() + path.read_bytes())
    return {"liftctl": version("liftctl"), "benefit_sha256": digest.hexdigest()}


def about_persons(case: Case) -> bool:
    """Whether fewer than five residents are behind the rows that count, or behind all where none
    counts: such rows do not leave the house.
    """
    used = case.table.pick(case.table.used) if case.table.used.any() else case.table
    residents = set(used.resident.tolist()) - {-1}
    return 0 < len(residents) < FEWEST


def write_pack(
    case: Case,
    numbers: dict[str, Any],
    sources: dict[str, Any],
    pages: Mapping[str, bytes],
    key: Ed25519PrivateKey,
) -> bytes:
    """`sources`: ledger heads and file hashes. `pages`: finished files to carry along."""
    if about_persons(case):
        raise EvidenceError("fewer than 5 residents: a pack would be about persons; none is made")
    files = {
        "rows.parquet": to_parquet(case.table, saved_rows(case), case.context.version),
        "baseline.json": plain(asdict(case.baseline)),
        "inputs.json": plain({"numbers": case.inputs.numbers, "texts": case.inputs.texts}),
        "context.json": plain({**asdict(case.context), "residents": len(case.codes)}),
        "numbers.json": plain(numbers),
        "sources.json": plain(sources),
        "method.md": METHOD.read_bytes(),
        **pages,
    }
    return packs.seal(files, {"format": FORMAT, "software": software()}, key)


def read_pack(path: Path) -> dict[str, bytes]:
    """Every file of a pack; EvidenceError when it is none."""
    try:
        return packs.read(path, "evidence pack")
    except PackError as error:
        raise EvidenceError(str(error)) from error


def case_from(files: Mapping[str, bytes]) -> Case:
    """The case as packed; EvidenceError when a part cannot be read."""
    try:
        context = json.loads(files["context.json"])
        residents = int(context.pop("residents"))
        for name in ("remarks", "not_holding"):
            context[name] = tuple(context.get(name, ()))
        inputs = json.loads(files["inputs.json"])
        numbers = {name: (value, source) for name, (value, source) in inputs["numbers"].items()}
        return assemble(
            from_parquet(files["rows.parquet"]),
            from_plain(json.loads(files["baseline.json"])),
            Inputs(numbers, inputs["texts"]),
            Context(**context),
            residents,
        )
    except (KeyError, ValueError, TypeError) as error:
        raise EvidenceError(f"the pack's parts cannot be read: {error}") from error
