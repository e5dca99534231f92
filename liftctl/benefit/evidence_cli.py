"""`liftctl evidence verify` and `liftctl evidence rollup`.

Role: command function for liftctl.cli. Process: a person's shell. Must never: write.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from liftctl.benefit.cli import INSTALL
from liftctl.benefit.rows import EvidenceError


def verify_pack_command(
    pack: Annotated[Path, typer.Argument(help="evidence.zip")],
    public_key: Annotated[
        str, typer.Option(help="hex of the key it must be signed with, got from its makers")
    ] = "",
    json_out: Annotated[bool, typer.Option("--json", help="machine-readable result")] = False,
) -> None:
    """Check files and signature, and compute every figure again; exit 1 when one does not hold."""
    try:
        from liftctl.benefit.verify_pack import verify
        from liftctl.benefit.words import Words, statement
    except ImportError as error:
        typer.echo(f"{INSTALL} ({error.name} is missing)", err=True)
        raise typer.Exit(2) from error
    try:
        found = verify(pack, public_key)
    except EvidenceError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    if json_out:
        told = {"ok": found.ok, "signer": found.signer, "rows": found.n_rows,
                "figures": found.n_figures, "problems": found.problems,
                "remarks": found.remarks}  # fmt: skip
        typer.echo(json.dumps(told, indent=2))
    else:
        for line in (*found.problems, *found.remarks):
            typer.echo(line, err=True)
        word = "holds" if found.ok else "DOES NOT HOLD"
        typer.echo(f"evidence {word}: {found.n_rows} rows, {found.n_figures} figures recomputed")
        if found.ok:
            typer.echo(statement(found.numbers, Words("en")))
    raise typer.Exit(0 if found.ok else 1)


def roll_up_command(
    folder: Annotated[Path, typer.Argument(help="Parquet files of rows, one per month or home")],
    cube: Annotated[bool, typer.Option(help="write and use the ward x day cube")] = False,
    json_out: Annotated[bool, typer.Option("--json", help="municipality x month")] = False,
) -> None:
    """Add up a nation's year of rows: totals and the interval by resident."""
    try:
        from liftctl.benefit import nation
    except ImportError as error:
        typer.echo(f"{INSTALL} ({error.name} is missing)", err=True)
        raise typer.Exit(2) from error
    try:
        with Progress(transient=True) as bar:
            if cube:
                nation.cube(folder, stepper(bar, "cube"))
            found = (
                nation.roll_up_cube(folder)
                if cube
                else nation.roll_up(folder, stepper(bar, "rows"))
            )
            mean = nation.interval(folder, stepper(bar, "interval"))
    except EvidenceError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    if json_out:
        heads = ("municipality", "month", "n", "saved_hours")
        typer.echo(json.dumps([dict(zip(heads, row, strict=True)) for row in found.rows]))
        return
    typer.echo(
        f"{found.n:,} transfers, {found.saved_hours:,.0f} staff-hours saved; per transfer "
        f"{float(mean.mean):.2f} s (95 % interval {float(mean.low):.2f} to {float(mean.high):.2f},"
        " by resident; baselines taken as known)"
    )


def stepper(bar: Progress, name: str) -> Callable[[int, int], None]:
    """Moves a bar of its own."""
    task = bar.add_task(name, total=None)
    return lambda done, total: bar.update(task, completed=done, total=total)
