"""`liftctl evidence verify`.

Role: command function for liftctl.cli. Process: a person's shell. Must never: write.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

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
