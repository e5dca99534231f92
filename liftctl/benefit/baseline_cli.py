"""`liftctl baseline freeze|show` and `liftctl synth`.

Role: command functions for liftctl.cli. Process: a person's shell. Must never: overwrite a frozen
baseline.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from liftctl.benefit.baseline import Baseline, freeze, measure, read
from liftctl.benefit.cli import INSTALL
from liftctl.benefit.csv_rows import read_transfers_csv
from liftctl.benefit.evidence_cli import stepper
from liftctl.benefit.flow import Rules
from liftctl.benefit.gather import checked_ledgers, doubts, ledger_files
from liftctl.benefit.ledger_rows import rows_of
from liftctl.benefit.moments import today, zone
from liftctl.benefit.rows import EvidenceError, Row
from liftctl.recorder.reader import read_transfers
from liftctl.recorder.store import LedgerError

FAULTS = (EvidenceError, LedgerError, sqlite3.Error)
TimezoneOption = Annotated[
    str, typer.Option(help="of the home: of days, and of times without an offset")
]


def _fail(error: Exception) -> typer.Exit:
    typer.echo(str(error), err=True)
    return typer.Exit(2)


def freeze_command(
    out: Annotated[Path, typer.Option(help="the frozen baseline to write (JSON)")],
    ledger: Annotated[Path | None, typer.Option(help="our own two-carer period")] = None,
    transfers: Annotated[Path | None, typer.Option(help="observed time study (CSV)")] = None,
    title: Annotated[str, typer.Option(help="what it is called in reports")] = "",
    first: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"])] = None,
    last: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"])] = None,
    census: Annotated[
        bool, typer.Option(help="every transfer of the period is in it (a ledger: yes)")
    ] = False,
    timezone: TimezoneOption = "Europe/Copenhagen",
) -> None:
    """Measure a baseline from observed transfers and freeze it under its hash; a ledger that does
    not verify makes none.
    """
    try:
        if (ledger is None) == (transfers is None):
            raise EvidenceError("name either a ledger with --ledger or a table with --transfers")
        rows, odd = _rows(ledger, transfers, timezone)
        rows = _inside(rows, first, last) if first or last else rows
        method = "ledger" if ledger else "time_study"
        source = "own two-carer period" if ledger else "observed time study"
        rules = Rules(today=today(zone(timezone)))
        made = measure(rows, rules, title=title or out.stem, method=method, source=source,
                       census=census or ledger is not None)  # fmt: skip
        freeze(made, out)
    except FAULTS as error:
        raise _fail(error) from error
    for line in odd:
        typer.echo(line, err=True)
    typer.echo(_told(made))


def _rows(
    ledger: Path | None, transfers: Path | None, timezone: str
) -> tuple[list[Row], list[str]]:
    local = zone(timezone)
    if transfers:
        return read_transfers_csv(transfers, local)
    files = ledger_files(ledger) if ledger else ()
    doubts(checked_ledgers(files))
    return rows_of((record for path in files for record in read_transfers(path)), local), []


def _inside(rows: list[Row], first: datetime | None, last: datetime | None) -> list[Row]:
    """The rows of a period; one without a day may lie outside, so it stays only to be counted."""
    begin, end = first.date() if first else date.min, last.date() if last else date.max
    dated = [row for row in rows if row.day is None or begin <= row.day <= end]
    return [
        row if row.day or row.trouble else replace(row, trouble="unreadable_time") for row in dated
    ]


def show_command(
    file: Annotated[Path, typer.Argument(help="frozen (JSON) or as a table (CSV)")],
    json_out: Annotated[bool, typer.Option("--json")] = False,
    timezone: TimezoneOption = "Europe/Copenhagen",
) -> None:
    """What a baseline says, and whether it is still as it was frozen."""
    try:
        found, odd = read(file, zone(timezone))
    except FAULTS as error:
        raise _fail(error) from error
    for line in odd:
        typer.echo(line, err=True)
    kinds = {kind: _mean_s(found, kind) for kind in sorted(found.kinds)}
    told = {"version": found.version, "measured": found.measured, "staff_s_per_transfer": kinds}
    typer.echo(json.dumps(told, indent=2) if json_out else _told(found))


def _mean_s(baseline: Baseline, kind: str) -> float:
    items = [item for item in baseline.sums if item.kind == kind]
    if items:
        return round(sum(item.staff_s for item in items) / sum(item.n for item in items), 1)
    means = [item for item in baseline.published if item.kind == kind]
    weight = sum(item.n_transfers or 1 for item in means)
    return round(sum((item.n_transfers or 1) * item.staff_s for item in means) / weight, 1)


def _told(baseline: Baseline) -> str:
    measured = "measured" if baseline.measured else "not measured here"
    period = f", {baseline.first_day} to {baseline.last_day}" if baseline.first_day else ""
    lines = [f"baseline {baseline.version}: {baseline.title} ({measured}{period})"]
    for kind in sorted(baseline.kinds):
        n = sum(item.n for item in baseline.sums if item.kind == kind)
        lines.append(
            f"{kind}: {_mean_s(baseline, kind):g} staff-seconds" + (f", {n} transfers" if n else "")
        )
    for reason, count in (baseline.excluded or {}).items():
        lines.append(f"left out: {reason} {count}")
    return "\n".join(lines)


def synth_command(
    out: Annotated[Path, typer.Option(help="a new folder")],
    seed: Annotated[int, typer.Option(help="the same seed makes the same year")] = 1,
    residents: Annotated[int, typer.Option(min=1, max=500)] = 32,
    days: Annotated[int, typer.Option(min=1, max=3660)] = 365,
    before_days: Annotated[int, typer.Option(min=1, max=366, help="two-carer period")] = 84,
    nation: Annotated[int, typer.Option(min=0, help="instead: so many rows of Parquet")] = 0,
    start: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"])] = datetime(2025, 1, 6),  # noqa: DTZ001
) -> None:
    """A synthetic home: ledger, CSV, frozen baseline, audits, inputs. Nobody is behind it."""
    if nation:
        _nation(out, nation, seed)
        return
    from liftctl.benefit.synth_files import write_year

    try:
        with Progress(transient=True) as bar:
            task = bar.add_task("ledger", total=None)
            day: date = start.date()
            n = write_year(out, seed, residents, days, before_days, day,
                           lambda done: bar.update(task, completed=done))  # fmt: skip
    except (*FAULTS, OSError) as error:
        raise _fail(error) from error
    typer.echo(f"{n} transfers in {out}: ledger.sqlite, transfers.csv, before.csv, baseline.json, "
               "audits.csv, inputs.toml")  # fmt: skip


def _nation(out: Path, rows: int, seed: int) -> None:
    try:
        from liftctl.benefit.nation import synthetic
    except ImportError as error:
        raise _fail(EvidenceError(f"{INSTALL} ({error.name} is missing)")) from error
    try:
        with Progress(transient=True) as bar:
            synthetic(out, rows, seed, stepper(bar, "rows"))
    except OSError as error:
        raise _fail(error) from error
    typer.echo(f"{rows} rows in {out}")
