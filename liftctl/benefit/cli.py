"""`liftctl report`.

Role: command function for liftctl.cli. Process: a person's shell. Must never: write.
"""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Annotated, Any

import typer

from config import schema
from liftctl.benefit.report import summarise
from liftctl.places import Places
from liftctl.recorder.reader import read_transfers
from liftctl.recorder.store import LedgerError


def report_command(
    site: Annotated[Path | None, typer.Option(help="site file: its ledger, its baselines")] = None,
    ledger: Annotated[Path | None, typer.Option(help="this ledger instead of the site's")] = None,
    json_out: Annotated[bool, typer.Option("--json", help="machine-readable report")] = False,
) -> None:
    """Saved staff time; exit 2 when ledger or site cannot be read."""
    try:
        known = schema.load(site) if site else None
        path = ledger or (Places(known.name).ledger if known else None)
        if path is None:
            raise LedgerError("name a site with --site or a ledger with --ledger")
        report = summarise(read_transfers(path), known.baseline if known else ())
    except (schema.ConfigError, LedgerError, sqlite3.Error) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    typer.echo(json.dumps(report, indent=2) if json_out else _as_text(report))


def _as_text(report: dict[str, Any]) -> str:
    left_out = ", ".join(f"{name} {count}" for name, count in report["excluded"].items())
    saved_s = report["saved_s_per_transfer"]["mean"]
    lines = [
        f"logged {report['n_logged']}, analysed {report['n_analysed']}, "
        f"single-handed {report['single_handed']}, residents {report['n_residents']}",
        f"excluded: {left_out or 'none'}",
        f"saved staff-seconds per transfer: {'-' if saved_s is None else saved_s}",
        f"saved staff-hours in all: {report['saved_hours_total']['mean']}",
        report["statement"],
    ]
    for kind, item in report["kinds"].items():
        told = item["baseline"]
        lines.append(
            f"{kind}: {item['n']} transfers, baseline {told['version']} "
            f"({told['note']}; {told['source']})"
        )
    return "\n".join(lines)
