"""`liftctl ledger verify`.

Role: command function for liftctl.cli. Process: a person's shell. Must never: write.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from liftctl.recorder.verify import verify


def verify_command(
    file: Annotated[Path, typer.Argument(help="ledger.sqlite")],
    public_key: Annotated[str, typer.Option(help="hex; default: the .pub beside it")] = "",
    json_out: Annotated[bool, typer.Option("--json", help="machine-readable result")] = False,
) -> None:
    """Check chain, commitments, erasures and signed heads; exit 1 when anything does not hold."""
    result = verify(file, [public_key] if public_key else ())
    if json_out:
        typer.echo(json.dumps({"ok": result.ok, **asdict(result)}, indent=2))
    else:
        for problem in result.problems:
            typer.echo(problem, err=True)
        word = "holds" if result.ok else "DOES NOT HOLD"
        typer.echo(
            f"ledger {word}: {result.entries} entries, {result.erased} erased, "
            f"{result.heads} signed heads, {result.unsigned_tail} after the last, "
            f"head {result.head[:16]}"
        )
    if not result.ok:
        raise typer.Exit(1)
