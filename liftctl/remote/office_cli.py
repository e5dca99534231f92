"""`liftctl office ...`: a centre's transport for support and configuration, from a folder.

Role: command functions for liftctl.cli. Process: a person's shell; `serve` is a process of its own.
Must never: listen beyond loopback (TLS ends at a proxy in front of it).
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from liftctl.remote.office import Office, routes
from liftctl.remote.reasons import Refusal

office_app = typer.Typer(
    no_args_is_help=True, help="At the centre: orders lie ready here, reports are kept."
)
FolderOption = Annotated[Path, typer.Option("--folder", help="where orders and reports lie")]
NameOption = Annotated[str, typer.Option("--controller", help="the site's name here")]


def _office(folder: Path) -> Office:
    return Office(folder, lambda: time.time_ns() / 1e9)


@office_app.command("enrol")
def enrol_command(
    folder: FolderOption,
    controller: NameOption,
    public: Annotated[str, typer.Option(help="what 'liftctl enrol office' printed there")],
) -> None:
    """Know a site; prints its token, once."""
    if len(public) != 64 or not set(public) <= set("0123456789abcdef"):
        typer.echo("liftctl: the key is not 64 hex digits; copy what the site printed", err=True)
        raise typer.Exit(2)
    typer.echo(_office(folder).enrol(controller, public))


@office_app.command("put")
def put_command(
    folder: FolderOption, file: Annotated[Path, typer.Argument(help="a signed envelope")]
) -> None:
    """Lay an order ready for its site."""
    try:
        order = _office(folder).put(file.read_bytes())
    except (Refusal, OSError) as error:
        typer.echo(f"liftctl: {error}", err=True)
        raise typer.Exit(2) from error
    typer.echo(f"{order} lies ready")


@office_app.command("read")
def read_command(folder: FolderOption, controller: NameOption) -> None:
    """What a site reported, one JSON object per line, each verified again."""
    try:
        for report in _office(folder).reports(controller):
            told = msgspec.to_builtins(report)
            told.pop("data", None)
            typer.echo(json.dumps(told, ensure_ascii=False))
    except (Refusal, OSError) as error:
        typer.echo(f"liftctl: {error}", err=True)
        raise typer.Exit(2) from error


@office_app.command("serve")
def serve_command(folder: FolderOption, port: Annotated[int, typer.Option()] = 8210) -> None:
    """Serve sites on 127.0.0.1; put a proxy with TLS in front."""
    import uvicorn
    from starlette.applications import Starlette

    app = Starlette(routes=list(routes(_office(folder))))
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", server_header=False)
