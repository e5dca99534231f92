"""`liftctl uplink status|run`; the way in is `liftctl enrol site`.

Role: command functions. Process: a person's shell. Must never: send anything.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from config.schema import ConfigError, load
from liftctl.entry import begin

app = typer.Typer(no_args_is_help=True, help="The link to a knowledge centre.")
SiteOption = Annotated[Path, typer.Option("--site", help="the site's TOML file")]


def _fail(error: Exception) -> typer.Exit:
    typer.echo(f"liftctl: {error}", err=True)
    return typer.Exit(2)


@app.command("status")
def status_command(site: SiteOption) -> None:
    """The last durable row of each chain and its age, as JSON."""
    from liftctl.uplink.enrol import status

    try:
        name = load(site).name
    except ConfigError as error:
        raise _fail(error) from error
    typer.echo(json.dumps(status(name, datetime.now(UTC)), indent=2))


@app.command("run")
def run_command(site: SiteOption) -> None:
    """Run the uplink process of an enrolled site."""
    from liftctl.uplink.shell import run

    raise typer.Exit(begin("uplink", run, ["--site", str(site)]))
