"""`liftctl report`.

Role: command function for liftctl.cli. Process: a person's shell. Must never: import what a lift's
own computer does not have before it is needed.
"""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Annotated, Any

import typer

from config import schema
from liftctl.benefit.flow import Rules
from liftctl.benefit.gather import Gathered, Sources, gather, ledger_files, to_case
from liftctl.benefit.moments import today, zone
from liftctl.benefit.quick import figure
from liftctl.benefit.rows import EvidenceError
from liftctl.places import Places
from liftctl.recorder.store import LedgerError

LANGUAGES = ("da", "sv", "en")
INSTALL = (
    "intervals and pages need more libraries: pip install --require-hashes -r "
    "requirements/evidence.txt"
)
FAULTS = (schema.ConfigError, LedgerError, EvidenceError, sqlite3.Error, OSError)
FileOption = Annotated[Path | None, typer.Option()]


def report_command(
    site: Annotated[Path | None, typer.Option(help="site file: its ledger, its baselines")] = None,
    ledger: Annotated[
        Path | None, typer.Option(help="this ledger, or every ledger below this folder")
    ] = None,
    transfers: Annotated[Path | None, typer.Option(help="transfers as CSV, no ledger")] = None,
    baseline: Annotated[
        Path | None, typer.Option(help="frozen baseline (JSON), observed transfers or means (CSV)")
    ] = None,
    audits: Annotated[
        Path | None, typer.Option(help="spot audits: transfer_id,carers_seen")
    ] = None,
    inputs: Annotated[Path | None, typer.Option(help="wages, prices, plan (TOML)")] = None,
    out: Annotated[Path | None, typer.Option(help="folder for pages, tables, pack")] = None,
    json_out: Annotated[bool, typer.Option("--json", help="machine-readable report")] = False,
    language: Annotated[str, typer.Option(help="da, sv or en; pages come in all three")] = "en",
    learning_days: Annotated[int, typer.Option(min=0, help="left out after go-live")] = 0,
    shortest_s: Annotated[float, typer.Option(min=0, help="shorter is implausible")] = 30.0,
    longest_s: Annotated[float, typer.Option(min=1, help="longer is implausible")] = 1800.0,
    timezone: Annotated[
        str, typer.Option(help="of the home: of days, and of times without an offset")
    ] = "Europe/Copenhagen",
    key: Annotated[Path | None, typer.Option(help="Ed25519 key (PEM) that signs the pack")] = None,
    unverified: Annotated[
        bool, typer.Option(help="report over a ledger that does not hold; no pack")
    ] = False,
) -> None:
    """Saved staff time with its interval and exclusions; exit 2 when something cannot be read."""
    try:
        if language not in LANGUAGES:
            raise EvidenceError(f"language {language!r} is none of {', '.join(LANGUAGES)}")
        rules = Rules(shortest_s=shortest_s, longest_s=longest_s, learning_days=learning_days,
                      today=today(zone(timezone)))  # fmt: skip
        known = schema.load(site) if site else None
        sources = Sources(
            site=known,
            ledgers=() if transfers else _ledgers(known, ledger),
            transfers=transfers,
            baseline=baseline,
            audits=audits,
            inputs=inputs,
            timezone=timezone,
            rules=rules,
            unverified=unverified,
        )
        gathered = gather(sources)
        found = _numbers(gathered, sources, language, out, key)
    except FAULTS as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    for line in gathered.odd:
        typer.echo(line, err=True)
    typer.echo(json.dumps(found, indent=2) if json_out else _as_text(found))


def _ledgers(site: schema.Site | None, ledger: Path | None) -> tuple[Path, ...]:
    if ledger:
        return ledger_files(ledger)
    if site:
        return (Places(site.name).ledger,)
    raise LedgerError("name a site with --site, a ledger with --ledger, or --transfers FILE.csv")


def _numbers(
    gathered: Gathered, sources: Sources, language: str, out: Path | None, key: Path | None
) -> dict[str, Any]:
    """With intervals where the libraries are there; the plain means else."""
    try:
        from liftctl.benefit.numbers import numbers
        from liftctl.benefit.words import Words, statement
    except ImportError as error:
        if out or sources.transfers or sources.baseline:
            raise EvidenceError(f"{INSTALL} ({error.name} is missing)") from error
        return figure(gathered.flow, gathered.baseline)
    case = to_case(gathered, sources)
    found = numbers(case, full=out is not None)
    if out is not None:
        from liftctl.benefit.publish import publish

        for name in publish(out, case, found, sources, gathered.checked, key):
            typer.echo(f"{out / name}", err=True)
    found["statement"] = statement(found, Words(language))
    return found


def _as_text(report: dict[str, Any]) -> str:
    left_out = ", ".join(f"{name} {count}" for name, count in report["excluded"].items())
    saved, hours = report["saved_s_per_transfer"], report["saved_hours_total"]
    alone = report["single_handed"]
    lines = [
        f"logged {report['n_logged']}, analysed {report['n_analysed']}, "
        f"single-handed {'hidden' if alone is None else alone}, residents {report['n_residents']}",
        f"excluded: {left_out or 'none'}",
        f"saved staff-seconds per transfer: {_span(saved)}",
        f"saved staff-hours in all: {_span(hours)}",
        report["statement"],
    ]
    for kind, item in report["kinds"].items():
        told = item["baseline"]
        lines.append(
            f"{kind}: {'hidden' if item['n'] is None else item['n']} transfers, "
            f"baseline {told['version']} ({told['note']}; {told['source']})"
        )
    return "\n".join(lines)


def _span(span: dict[str, Any]) -> str:
    if span["mean"] is None:
        return "-"
    if span["ci95"] is None:
        return f"{span['mean']:g} (no interval)"
    return f"{span['mean']:g} (95 % interval {span['ci95'][0]:g} to {span['ci95'][1]:g})"
