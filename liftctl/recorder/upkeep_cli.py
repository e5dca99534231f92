"""`liftctl upkeep`: an inspection or a service was done, and when the next is due.

Role: command functions for liftctl.cli. Process: a person's shell. Must never: change the site's
file; the word stands in the ledger, signed.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from config.schema import ConfigError, Site
from liftctl import ipc
from liftctl.accept import load_or_fall_back
from liftctl.places import Places
from liftctl.recorder.asking import ask_ledger
from liftctl.recorder.audit import upkept_in
from liftctl.recorder.wallclock import site_day
from liftctl.upkeep import LONGEST_DAYS, shown

upkeep_app = typer.Typer(no_args_is_help=True, help="Inspection and service of the lift.")
SiteOption = Annotated[Path, typer.Option("--site", help="the site's TOML file")]
What = Annotated[str, typer.Argument(help=" or ".join(LONGEST_DAYS))]


def _fail(text: str) -> typer.Exit:
    typer.echo(f"liftctl: {text}", err=True)
    return typer.Exit(2)


def _site(path: Path) -> Site:
    try:
        return load_or_fall_back(path)[0]
    except ConfigError as error:
        raise _fail(str(error)) from error


@upkeep_app.command("done")
def done_command(
    what: What,
    site: SiteOption,
    on: Annotated[str, typer.Option(help="the day it was done, YYYY-MM-DD")],
    by: Annotated[str, typer.Option(help="who did it; recorded, and stays at home")],
    until: Annotated[str, typer.Option("--next", help="the day the next is due")] = "",
    cycles: Annotated[int, typer.Option(help="or after so many lifts in all (service)")] = 0,
    failed: Annotated[bool, typer.Option("--failed", help="not passed: no new transfer")] = False,
    note: Annotated[str, typer.Option(help="what was found; stays at home")] = "",
) -> None:
    """Record an inspection or a service. An overdue lift may be used again, a failed one not."""
    found = _site(site)
    set_on_site = found.inspection_due if what == "inspection" else ""
    word = ipc.Upkeep(what, on, until, not failed, set_on_site, cycles)
    ask = ipc.LedgerAsk("upkeep", {"by": by, "note": note}, msgspec.structs.asdict(word))
    says = ask_ledger(Places(found.name).ledger, ask)
    if not says.ok:
        raise _fail(says.text)
    typer.echo(says.text)


@upkeep_app.command("show")
def show_command(site: SiteOption) -> None:
    """When inspection and service were done and are due, as JSON."""
    found = _site(site)
    said, today = upkept_in(Places(found.name).ledger), str(site_day(time.time_ns()))
    if said is None:
        raise _fail(f"{Places(found.name).ledger} cannot be read; look at `liftctl ledger verify`")
    typer.echo(json.dumps(shown(said, found.inspection_due, today), indent=2))
