"""`liftctl residents` and `liftctl slings`: import, export, list, forget.

Role: command functions for liftctl.cli. Process: a person's shell. Must never: import half a file,
or print what a dry run would change without saying that it did not.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from config.languages import texts
from config.plans import Register
from config.schema import ConfigError, load
from liftctl.controller import plans
from liftctl.places import Places
from liftctl.register import bundle, fhir, store, table
from liftctl.register.merge import Found, ImportFault, merge

FORMATS = ("csv", "fhir")
SUFFIXES = {".csv": "csv", ".json": "fhir", ".ndjson": "fhir"}
SiteOption = Annotated[Path, typer.Option("--site", help="the site's TOML file")]
Format = Annotated[str, typer.Option("--format", help=", ".join(FORMATS))]
residents = typer.Typer(no_args_is_help=True, help="Residents' assessments in the register.")
slings = typer.Typer(no_args_is_help=True, help="Slings and their inspections in the register.")


def _fail(text: str) -> Any:
    for line in text.splitlines():
        typer.echo(f"liftctl: {line}", err=True)
    raise typer.Exit(2)


def _register(site: Path) -> tuple[Path, Register]:
    try:
        path = Places(load(site).name).register
        return path, store.load(path)
    except ConfigError as error:
        _fail(str(error))
        raise


def _read(file: Path, form: str, what: str) -> tuple[list[Found], list[str]]:
    form = form or SUFFIXES.get(file.suffix.lower(), "")
    if form not in FORMATS:
        _fail(f"{file}: name the format with --format, one of {', '.join(FORMATS)}")
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        _fail(f"{file}: {error}; name a file in UTF-8")
    return fhir.read(text) if form == "fhir" else (table.read(text, what), [])


def _import(file: Path, site: Path, form: str, dry_run: bool, what: str) -> None:
    path, before = _register(site)
    try:
        found, left_out = _read(file, form, what)
        change = merge(before, found)
        if not dry_run:
            store.save(path, change.register)
    except ImportFault as error:
        _fail("\n".join((*error.problems, f"nothing of {file} was imported")))
    except (ConfigError, OSError) as error:
        _fail(str(error))
    for line in (*change.lines, *(f"left out: {text}" for text in left_out)):
        typer.echo(line)
    typer.echo("dry run: nothing was changed" if dry_run else f"written to {path}")


def _export(site: Path, form: str, out: Path | None, what: str, tokens: bool) -> None:
    _, register = _register(site)
    if form not in FORMATS:
        _fail(f"format '{form}' is unknown; use one of {', '.join(FORMATS)}")
    text = bundle.write(register) if form == "fhir" else table.write(register, what, tokens)
    if out is None:
        sys.stdout.write(text)
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        _fail(str(error))


def _commands(app: typer.Typer, what: str) -> None:
    """`import` and `export`, the same for residents and slings."""

    def take(
        file: Annotated[Path, typer.Argument(help="CSV, FHIR Bundle or NDJSON")],
        site: SiteOption,
        form: Format = "",
        dry_run: Annotated[bool, typer.Option("--dry-run", help="only say what would be")] = False,
    ) -> None:
        """Into the register: all of the file, or nothing. FHIR holds residents and slings."""
        _import(file, site, form, dry_run, what)

    def give(
        site: SiteOption,
        form: Format = "csv",
        out: Annotated[Path | None, typer.Option(help="default: standard output")] = None,
        tokens: Annotated[
            bool, typer.Option("--with-tokens", help="for another room: the ledger's names too")
        ] = False,
    ) -> None:
        """Out of the register; it reads back the same."""
        _export(site, form, out, what, tokens)

    app.command("import")(take)
    app.command("export")(give)


_commands(residents, "residents")
_commands(slings, "slings")


@residents.command("list")
def residents_list(site: SiteOption, language: str = "en") -> None:
    """Residents with what ran out, in plain words."""
    _, register = _register(site)
    words, today = texts(language), _today()
    for item in register.resident:
        said = [words[f"notice.{code}"] for code in plans.notices(register, item, today)]
        carers = plans.carers_needed(item, today)
        typer.echo(f"{item.identifier} {item.label}: {'; '.join([f'{carers} carers', *said])}")


@slings.command("list")
def slings_list(site: SiteOption, language: str = "en") -> None:
    """Slings with what is due, in plain words."""
    _, register = _register(site)
    words = texts(language)
    for item in register.sling:
        code = plans.sling_notice(item, _today())
        said = words[f"notice.{code}"] if code else f"next inspection {item.inspect_by or '?'}"
        typer.echo(f"{item.serial} {item.model} {item.size} {item.swl_kg:g} kg: {said}")


@residents.command("forget")
def residents_forget(
    site: SiteOption,
    resident: Annotated[str, typer.Option(help="the care record's own number")],
) -> None:
    """Take one resident out of the register; prints the token, for `ledger erase`."""
    path, register = _register(site)
    gone = [item for item in register.resident if item.identifier == resident]
    if not gone:
        _fail(f"no resident '{resident}' in the register; see `liftctl residents list`")
    rest = tuple(item for item in register.resident if item.identifier != resident)
    try:
        store.save(path, replace(register, resident=rest), keep=False)
    except OSError as error:
        _fail(str(error))
    typer.echo(f"forgotten; the ledger calls this resident {gone[0].token}")


def _today() -> str:
    return datetime.now().astimezone().date().isoformat()
