"""Writes a report's folder: pages, workbook, tables, pack.

Role: the only writer of report files. Process: `liftctl report --out`. Must never: leave a folder
in which some files are of this report and some of an older one.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from liftctl.benefit.case import Case
from liftctl.benefit.figure import saved_rows
from liftctl.benefit.gather import Sources
from liftctl.benefit.html_page import html
from liftctl.benefit.pack import about_persons, write_pack
from liftctl.benefit.page import page
from liftctl.benefit.parquet import to_parquet
from liftctl.benefit.pdf_page import pdf
from liftctl.benefit.rows import EvidenceError
from liftctl.benefit.sheets import workbook
from liftctl.benefit.words import LOCALES
from liftctl.packs import PackError, key_in, plain
from liftctl.places import data_root
from liftctl.recorder.verify import VerifyResult

PACK = "evidence.zip"
ROWS = "rows.parquet"
KEY = "evidence.key"


def publish(
    out: Path,
    case: Case,
    found: dict[str, Any],
    sources: Sources,
    checked: Iterable[tuple[str, VerifyResult]],
    key: Path | None,
) -> list[str]:
    """Everything into `out`, whole or not at all; the names of the files. No pack where a ledger
    does not hold (`checked`); neither pack nor rows where they would be about persons.
    """
    _require_free(out)
    pages = _pages(case, found)
    files = {
        **pages,
        "numbers.json": plain(found),
    }
    if not about_persons(case):
        files[ROWS] = to_parquet(case.table, saved_rows(case), case.context.version)
    if ROWS in files and not case.context.not_holding:
        carried = {name: body for name, body in pages.items() if not name.endswith(".xlsx")}
        files[PACK] = write_pack(case, found, origin(sources, checked), carried, signing_key(key))
    _replace(out, files)
    return sorted(files)


def _pages(case: Case, found: dict[str, Any]) -> dict[str, bytes]:
    made: dict[str, bytes] = {}
    for language in LOCALES:
        told = page(found, language, case.inputs.texts.get("name", ""), version("liftctl"))
        made[f"report-{language}.html"] = html(told).encode()
        made[f"report-{language}.pdf"] = pdf(told)
        made[f"report-{language}.xlsx"] = workbook(told)
    return made


def origin(sources: Sources, checked: Iterable[tuple[str, VerifyResult]]) -> dict[str, Any]:
    """Where the rows are from: each ledger's head and check, or each file's hash."""
    ledgers = [{"ledger": name, "holds": told.ok, **asdict(told)} for name, told in checked]
    files = {
        name: hashlib.sha256(path.read_bytes()).hexdigest()
        for name in ("transfers", "baseline", "audits", "inputs")
        if (path := getattr(sources, name))
    }
    return {"ledgers": ledgers, "files_sha256": files}


def signing_key(path: Path | None) -> Ed25519PrivateKey:
    """The key in a PEM file; without one, our own, made once in the data folder (0600)."""
    if path is None:
        return _own_key(data_root() / KEY)
    try:
        return key_in(path)
    except PackError as error:
        raise EvidenceError(str(error)) from error


def _own_key(path: Path) -> Ed25519PrivateKey:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(Ed25519PrivateKey.generate().private_bytes_raw())
    try:
        return Ed25519PrivateKey.from_private_bytes(path.read_bytes())
    except ValueError as error:
        raise EvidenceError(f"{path}: not a signing key; restore it or move it away") from error


def _require_free(out: Path) -> None:
    """An older report may be replaced, and nothing else."""
    strangers = sorted(item.name for item in out.iterdir()) if out.is_dir() else []
    strangers = [name for name in strangers if name not in _ours()]
    if strangers or (out.exists() and not out.is_dir()):
        told = f" ({', '.join(strangers[:3])})" if strangers else ""
        raise EvidenceError(f"{out}: holds other things{told}; name a new folder")


def _replace(out: Path, files: dict[str, bytes]) -> None:
    """A finished folder takes the place of the older one; EvidenceError leaves that as it was."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(
            prefix=f".{out.name}.", dir=out.parent, ignore_cleanup_errors=True
        ) as beside:
            fresh, older = Path(beside, "fresh"), Path(beside, "older")
            fresh.mkdir(mode=0o755)
            for name, body in files.items():
                (fresh / name).write_bytes(body)
            if out.exists():
                out.rename(older)
            try:
                fresh.rename(out)
            except OSError:
                if older.exists():
                    older.rename(out)
                raise
    except OSError as error:
        raise EvidenceError(
            f"{out}: the report cannot be written ({error.strerror}); make room or name another "
            "folder; what was there is as it was"
        ) from error


def _ours() -> set[str]:
    pages = {f"report-{code}.{kind}" for code in LOCALES for kind in ("html", "pdf", "xlsx")}
    return pages | {PACK, ROWS, "numbers.json"}
