"""Does an evidence pack hold: files, signature, and every figure computed again from its rows.

Role: `liftctl evidence verify`. Process: library (`evidence` extra). Must never: trust a number of
the pack, or the key inside it further than "whoever made this held it".
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from liftctl.benefit.figure import saved_rows
from liftctl.benefit.numbers import numbers
from liftctl.benefit.pack import FORMAT, MANIFEST, SIGNATURE, SIGNER, case_from, read_pack, software
from liftctl.benefit.parquet import saved_column
from liftctl.benefit.rows import EvidenceError

OUTSIDE = (MANIFEST, SIGNATURE, SIGNER)
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
    problems = list(_manifest(files))
    signer = files.get(SIGNER, b"").decode("ascii", "replace").strip()
    problems += _signature(files, signer, public_key)
    remarks = [] if public_key else [f"signed with {signer}: compare it with the key they publish"]
    told = _json(files, "numbers.json")
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
    if _json(files, MANIFEST).get("software") != software():
        remarks.append("made with another version of the software than the one that checks it")
    return Verified(tuple(problems), tuple(remarks), signer, rows, _count(told), told)


def _json(files: Mapping[str, bytes], name: str) -> dict[str, Any]:
    try:
        found = json.loads(files.get(name, b""))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _manifest(files: Mapping[str, bytes]) -> Iterator[str]:
    manifest = _json(files, MANIFEST)
    if manifest.get("format") != FORMAT:
        yield f"manifest.json: format {manifest.get('format')!r}, this software reads {FORMAT}"
    named: dict[str, str] = manifest.get("files") or {}
    for name in sorted(set(named) | set(files) - set(OUTSIDE)):
        if name not in files:
            yield f"{name}: named in the manifest, missing in the pack"
        elif name not in named:
            yield f"{name}: not named in the manifest"
        elif hashlib.sha256(files[name]).hexdigest() != named[name]:
            yield f"{name}: was changed after signing"


def _signature(files: Mapping[str, bytes], signer: str, expected: str) -> Iterator[str]:
    if expected and signer != expected.strip().lower():
        yield f"signed with {signer or 'no key'}, not with the key given"
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(signer))
        key.verify(bytes.fromhex(files[SIGNATURE].decode("ascii")), files.get(MANIFEST, b""))
    except (InvalidSignature, ValueError, KeyError):
        yield "manifest.json: its signature does not hold"


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
