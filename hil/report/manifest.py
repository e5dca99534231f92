"""manifest.json: what was run, with which code and files, so that it can be run again and checked.

Role: sha256 of every file written and every file read, versions, revision, plane, jitter, and each
run's seed, parameters and timeline hash. Must never: hold a path outside the folder except as it
was given on the command line.
"""

from __future__ import annotations

import hashlib
import json
import platform
import subprocess
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from hil.timeline import Result
from liftctl import __version__

NAME = "manifest.json"
FORMAT = 1
LIBRARIES = ("python-can", "canopen", "msgspec", "pyyaml", "transitions")
ROOT = Path(__file__).parents[2]
TREE = ("safety", "config", "drivers", "liftctl", "hil")
RUN_FIELDS = ("id", "verdict", "plane", "seed", "parameters", "timeline_hash", "source")


class ManifestError(Exception):
    """A manifest that cannot be used; the message names the file and the remedy."""


def sha256(path: Path) -> str:
    """Of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def about(jitter_ms: Mapping[str, float] | None) -> dict[str, Any]:
    """With what it was run: versions, revision, one hash of the code, the scheduler's jitter."""
    return {
        "versions": versions(),
        "revision": revision(),
        "code": tree_hash(),
        "jitter_ms": jitter_ms,
    }


def document(results: Iterable[Result], out: Path, told: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest of a folder whose other files are complete; `told` comes from `about`."""
    kept = tuple(results)
    written = sorted(path for path in out.rglob("*") if path.is_file() and path.name != NAME)
    sources = sorted({item.source for item in kept if item.source})
    return {
        "format": FORMAT,
        **told,
        "runs": [_run(item, out) for item in kept],
        "sources": {name: sha256(Path(name)) for name in sources if Path(name).is_file()},
        "files": {path.relative_to(out).as_posix(): sha256(path) for path in written},
    }


def _run(item: Result, out: Path) -> dict[str, Any]:
    told = {name: value for name, value in item.to_json().items() if name in RUN_FIELDS}
    where = Path(item.timeline_path) if item.timeline_path else None
    inside = where is not None and where.is_relative_to(out)
    return told | {"timeline": where.relative_to(out).as_posix() if where and inside else ""}


def versions() -> dict[str, str]:
    """Of the interpreter, of us, and of what a run goes through."""
    return {
        "python": platform.python_version(),
        "liftctl": __version__,
        **{name: version(name) for name in LIBRARIES},
    }


def revision() -> str:
    """The git revision, with `+` when files differ from it; empty outside a checkout."""
    found = _git("rev-parse", "HEAD")
    return found + ("+" if found and _git("status", "--porcelain", "--", *TREE) else "")


def _git(*words: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=False
        )
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def tree_hash() -> str:
    """One sha256 over every source file that can change what a run does."""
    digest = hashlib.sha256()
    kinds = {".py", ".toml", ".eds", ".json"}
    for folder in TREE:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in kinds and path.is_file():
                digest.update(f"{path.relative_to(ROOT)} {sha256(path)}\n".encode())
    return digest.hexdigest()


def read(path: Path) -> dict[str, Any]:
    """A manifest whose files are all there and unaltered; ManifestError names the first that is
    not.
    """
    where = path / NAME if path.is_dir() else path
    must = {"files": dict, "sources": dict, "runs": list, "code": str}
    found = parsed(where, must, f"name the {NAME} that `liftctl hil run --out` wrote")
    for name, digest in found["files"].items():
        unaltered(where.parent / name, digest, "run the scenarios again to make a new folder")
    for name, digest in found["sources"].items():
        unaltered(Path(name), digest, "check out the revision the manifest names")
    return found


def parsed(where: Path, must: Mapping[str, type], remedy: str) -> dict[str, Any]:
    """A JSON file of the bench's format that has these fields; ManifestError."""
    try:
        found: dict[str, Any] = json.loads(where.read_text("utf-8"))
        odd = [name for name, kind in must.items() if not isinstance(found[name], kind)]
        whole = found["format"] == FORMAT and not odd
    except OSError as error:
        raise ManifestError(f"{where}: {error.strerror}; {remedy}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ManifestError(f"{where}: not a file of the bench ({error}); {remedy}") from error
    if not whole:
        raise ManifestError(f"{where}: not a file of the bench, format {FORMAT}; {remedy}")
    return found


def unaltered(path: Path, digest: str, remedy: str) -> None:
    """ManifestError when the file is gone or other than it was."""
    if not path.is_file():
        raise ManifestError(f"{path}: missing; {remedy}")
    if sha256(path) != digest:
        raise ManifestError(f"{path}: altered since it was written; {remedy}")
