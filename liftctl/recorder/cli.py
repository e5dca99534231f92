"""`liftctl ledger`: verify, audit, export, erase, seal, rotate, correct.

Role: command functions for liftctl.cli. Process: a person's shell. Must never: write beside a
recorder (what writes is asked of it, or done under its lock when none runs).
"""

from __future__ import annotations

import json
import sqlite3
import sys
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from config.schema import ConfigError, LedgerSpec, load
from liftctl import ipc
from liftctl.recorder.asking import FOREVER, ask_ledger
from liftctl.recorder.audit import trail
from liftctl.recorder.erasure import Retention
from liftctl.recorder.export import FORMATS, chosen, dated
from liftctl.recorder.reader import connect, read_transfers
from liftctl.recorder.store import LedgerError
from liftctl.recorder.verify import verify

File = Annotated[Path, typer.Argument(help="ledger.sqlite")]
Reason = Annotated[str, typer.Option(help="why; a code such as asked or mistake")]


def verify_command(
    file: File,
    public_key: Annotated[
        list[str] | None, typer.Option(help="hex, may be repeated; default: the .pub beside it")
    ] = None,
    against: Annotated[
        list[Path] | None,
        typer.Option(exists=True, help="a signed head kept elsewhere, or a folder of them"),
    ] = None,
    json_out: Annotated[bool, typer.Option("--json", help="machine-readable result")] = False,
) -> None:
    """Check chain, commitments, erasures and signed heads; exit 1 when anything does not hold."""
    result = verify(file, public_key or (), against or ())
    if json_out:
        typer.echo(json.dumps({"ok": result.ok, **asdict(result)}, indent=2))
    else:
        for problem in (*result.problems, *result.losses):
            typer.echo(problem, err=True)
        word = "holds" if result.ok else "DOES NOT HOLD"
        typer.echo(
            f"ledger {word}: {result.entries} entries, {result.erased} erased, "
            f"{result.heads} signed heads, {result.unsigned_tail} after the last, "
            f"{result.compared} compared with heads kept elsewhere, head {result.head[:16]}"
        )
    if not result.ok:
        raise typer.Exit(1)


def audit_command(
    file: File,
    limit: Annotated[int, typer.Option(help="the newest so many; -1: all")] = 50,
) -> None:
    """Support, configuration, inspections, exports: who did what, newest first, as JSON lines."""
    try:
        with closing(connect(file)) as db:
            for line in trail(db, limit):
                typer.echo(json.dumps(line, ensure_ascii=False))
    except (LedgerError, sqlite3.Error) as error:
        _fail(str(error))


def export_command(
    file: File,
    form: Annotated[str, typer.Option("--format", help=", ".join(FORMATS))] = "jsonl",
    out: Annotated[
        Path | None, typer.Option(help="file to write; default: standard output")
    ] = None,
    resident: Annotated[str, typer.Option(help="only this resident's token")] = "",
    since: Annotated[str, typer.Option(help="first day, YYYY-MM-DD")] = "",
    until: Annotated[str, typer.Option(help="day after the last, YYYY-MM-DD")] = "",
    notes: Annotated[bool, typer.Option("--with-notes", help="staff's own words too")] = False,
) -> None:
    """Transfers as JSON lines, CSV, or counts (cells of fewer than five residents left out)."""
    if form not in FORMATS:
        _fail(f"format '{form}' is unknown; use one of {', '.join(FORMATS)}")
    try:
        found = read_transfers(file)
        records = chosen(found, resident, since, until, notes)
        text = "".join(FORMATS[form](records))
        if out is None:
            sys.stdout.write(text)
        else:
            out.write_text(text, encoding="utf-8")
    except (LedgerError, sqlite3.Error, OSError) as error:
        _fail(str(error))
    left = sum(not dated(record) for record in found) if since or until else 0
    if left:
        typer.echo(f"{left} without a date (erased) are in no period: not exported", err=True)


def erase_command(
    file: File,
    transfer: Annotated[str, typer.Option(help="one transfer")] = "",
    resident: Annotated[str, typer.Option(help="all transfers of a resident's token")] = "",
    due: Annotated[bool, typer.Option("--due", help="what has been kept long enough")] = False,
    site: Annotated[Path | None, typer.Option(help="site file with the retention rules")] = None,
    reason: Reason = "asked",
    yes: Annotated[bool, typer.Option("--yes", help="do it; without, only say what")] = False,
) -> None:
    """Remove payloads for ever; headers stay and the chain still verifies."""
    if sum((bool(transfer), bool(resident), due)) != 1:
        _fail("name one of --transfer, --resident, --due")
    args = {"transfer": transfer, "resident": resident, "reason": "retention" if due else reason}
    if not yes:
        args["dry_run"] = "yes"
    says = _ask(file, ipc.LedgerAsk("erase", args), _retention(site))
    typer.echo(says.text if yes else f"{says.text}; add --yes to do it")


def seal_command(
    file: File,
    out: Annotated[Path | None, typer.Option(help="file for the signed head")] = None,
) -> None:
    """Sign the head of everything written so far, and print it: a checkpoint to keep elsewhere."""
    says = _ask(file, ipc.LedgerAsk("seal"))
    if out is None:
        sys.stdout.write(says.data["note"])
    else:
        out.write_text(says.data["note"], encoding="utf-8")
    typer.echo(f"{says.text}; verifier key {says.data['key']}", err=True)


def rotate_command(file: File) -> None:
    """A new signing key that the old one vouches for."""
    typer.echo(_ask(file, ipc.LedgerAsk("rotate")).text)


def correct_command(
    file: File,
    transfer: Annotated[str, typer.Option(help="the transfer")],
    field: Annotated[list[str], typer.Option(help="NAME=JSON, may be repeated")],
    reason: Annotated[str, typer.Option(help="why the record was wrong; no names")],
) -> None:
    """Append a correction to a closed record; the first word stays beside it."""
    fields: dict[str, Any] = {}
    for item in field:
        name, _, text = item.partition("=")
        try:
            fields[name] = json.loads(text)
        except ValueError:
            _fail(f"{item}: write NAME=JSON, such as outcome='\"aborted\"' or carers_actual=2")
    ask = ipc.LedgerAsk("correct", {"transfer": transfer, "reason": reason}, fields)
    typer.echo(_ask(file, ask).text)


def _retention(site: Path | None) -> Retention:
    try:
        spec = load(site).ledger if site else LedgerSpec()
    except ConfigError as error:
        _fail(str(error))
    return Retention(spec.payload_days, spec.incident_days)


def _ask(file: Path, ask: ipc.LedgerAsk, keep: Retention = FOREVER) -> ipc.LedgerSays:
    """Exit 2 when it was not done."""
    says = ask_ledger(file, ask, keep)
    if not says.ok:
        _fail(says.text)
    return says


def _fail(text: str) -> Any:
    typer.echo(f"liftctl: {text}", err=True)
    raise typer.Exit(2)
