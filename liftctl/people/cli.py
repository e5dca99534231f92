"""`liftctl people` and `liftctl incident`.

Role: command functions for liftctl.cli. Process: a person's shell. Must never: write over a file
that is there, or leave half of what was asked for.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from config.schema import ConfigError, Site, load
from liftctl import packs
from liftctl.files import replace_file
from liftctl.people import dpia, incident, notice, resident
from liftctl.people.page import Page, html, markdown
from liftctl.people.setting import Setting
from liftctl.people.words import LANGUAGES, Words
from liftctl.places import Places
from liftctl.recorder.asking import note
from liftctl.recorder.store import LedgerError

people = typer.Typer(no_args_is_help=True, help="For the people the recordings are about.")
incidents = typer.Typer(no_args_is_help=True, help="A serious incident as one sealed file.")
UNUSABLE = (ConfigError, LedgerError, packs.PackError, sqlite3.Error, OSError, resident.Unknown)
SiteOption = Annotated[Path, typer.Option("--site", help="the site's TOML file")]
Language = Annotated[str, typer.Option("--lang", help=", ".join(LANGUAGES))]
Folder = Annotated[Path, typer.Option("--out", help="folder to write into")]


def fail(text: str) -> Any:
    """One line, exit 2."""
    typer.echo(f"liftctl: {text}", err=True)
    raise typer.Exit(2)


def site_of(path: Path) -> Site:
    """The site, or exit 2."""
    try:
        return load(path)
    except ConfigError as error:
        fail(str(error))
        raise


def words_of(language: str) -> Words:
    """The language, or exit 2."""
    if language not in LANGUAGES:
        fail(f"--lang '{language}' is unknown; use one of {', '.join(LANGUAGES)}")
    return Words(language)


def write(files: Mapping[Path, bytes]) -> None:
    """All of them, 0600, none over another; exit 2 before the first when one is there."""
    for path in files:
        if path.exists() or path.is_symlink():
            fail(f"{path} is there already; move it away or choose another --out")
    try:
        for path, body in files.items():
            replace_file(path, body)
            typer.echo(f"written: {path}")
    except OSError as error:
        fail(f"{error}; choose a folder that can be written")


def both(folder: Path, name: str, page: Page) -> dict[Path, bytes]:
    """The page as HTML and as text."""
    stem = f"{name}-{page.language}"
    return {
        folder / f"{stem}.html": html(page).encode(),
        folder / f"{stem}.md": markdown(page).encode(),
    }


@people.command("notice")
def notice_command(
    site: SiteOption,
    out: Folder,
    lang: Language = "da",
    begins: Annotated[str, typer.Option(help="first day of recording, YYYY-MM-DD")] = "",
    weeks: Annotated[int, typer.Option(min=0, help="how long before staff must be told")] = 6,
) -> None:
    """The notice to staff: what is recorded about them, why, how long, who sees it."""
    words = words_of(lang)
    try:
        first = date.fromisoformat(begins) if begins else None
        dates = notice.Dates(datetime.now().astimezone().date(), first, weeks)
        late = dates.late
    except (ValueError, OverflowError):
        fail(f"--begins '{begins}' with --weeks {weeks} is no date; write YYYY-MM-DD")
        raise
    write(both(out, "notice", notice.page(Setting.of(site_of(site)), dates, words)))
    if late:
        typer.echo(f"liftctl: the notice was due on {dates.due}; the page says so", err=True)


@people.command("dpia")
def dpia_command(site: SiteOption, out: Folder, lang: Language = "da") -> None:
    """The data-protection impact assessment as far as settings fill it; the rest stands open."""
    words = words_of(lang)
    write(both(out, "dpia", dpia.page(Setting.of(site_of(site)), words)))


@people.command("file")
def file_command(
    site: SiteOption,
    token: Annotated[str, typer.Option("--resident", help="the resident's token")],
    out: Folder,
    lang: Language = "da",
) -> None:
    """A resident's own file: all that register and ledger hold on a token, in plain words."""
    words = words_of(lang)
    found = site_of(site)
    try:
        own = resident.gather(found, token)
    except UNUSABLE as error:
        fail(str(error))
        raise
    files = both(out, "file", resident.page(own, words))
    files[out / "file.json"] = packs.plain(resident.told(own))
    write(files)
    digest = hashlib.sha256(files[out / "file.json"]).hexdigest()
    _noted(found, "file_exported", resident=token, sha256=digest, lang=lang)
    typer.echo("read free text before you hand it over; the page says where", err=True)


@incidents.command("export")
def export_command(
    site: SiteOption,
    out: Annotated[Path, typer.Option(help="FILE.zip")],
    transfer: Annotated[str, typer.Option(help="one transfer, with the time it took")] = "",
    since: Annotated[str, typer.Option(help="ISO date or time; UTC if it names no zone")] = "",
    until: Annotated[str, typer.Option(help="the same; not included")] = "",
    lang: Language = "da",
    key: Annotated[Path | None, typer.Option(help="Ed25519 key (PEM) that signs the pack")] = None,
) -> None:
    """Report fields (MDR Art. 87), ledger entries with proof, black box, hashes."""
    words, asked = words_of(lang), _asked(transfer, since, until)
    try:
        signing = packs.key_in(key) if key else None
        place = site_of(site)
        found = incident.gather(place, asked)
        body = incident.pack(found, words, signing)
    except UNUSABLE as error:
        fail(str(error))
        raise
    write({out: body})
    for line in found.missing:
        typer.echo(f"missing: {line}", err=True)
    digest = hashlib.sha256(body).hexdigest()
    typer.echo(f"sha256 {digest}{'' if signing else ', not signed'}")
    what = {"transfer": transfer} if transfer else {"since": since, "until": until}
    _noted(place, "incident_exported", sha256=digest, **what)


def _noted(site: Site, event: str, **detail: str) -> None:
    """Evidence gets out also where the ledger cannot be written; that it is not noted is said."""
    if why := note(Places(site.name).ledger, event, **detail):
        typer.echo(f"NOT in the ledger ({why}): keep the hash with the case", err=True)


def _asked(transfer: str, since: str, until: str) -> incident.Asked:
    """Exit 2 unless it is a transfer or a span."""
    if bool(since) != bool(until) or bool(transfer) == bool(since):
        fail("name --transfer, or --since and --until")
    try:
        span = (incident.moment(since), incident.moment(until)) if since else None
    except ValueError as error:
        fail(f"{error}; write YYYY-MM-DD or YYYY-MM-DDTHH:MM")
        raise
    if span and not span[0] < span[1]:
        fail(f"--since {since} is not before --until {until}")
    return incident.Asked(transfer, span)


@incidents.command("verify")
def verify_command(
    file: Annotated[Path, typer.Argument(help="FILE.zip")],
    public_key: Annotated[str, typer.Option(help="hex of the key it must be signed with")] = "",
    ledger_key: Annotated[
        list[str] | None, typer.Option(help="hex of the ledger's key, kept elsewhere; repeatable")
    ] = None,
) -> None:
    """Check hashes, signature and the ledger's proof; exit 1 when anything does not hold."""
    try:
        said = incident.problems(file, public_key, tuple(ledger_key or ()))
    except packs.PackError as error:
        fail(str(error))
        raise
    for line in said:
        typer.echo(line, err=True)
    typer.echo(f"incident pack {'DOES NOT HOLD' if said else 'holds'}")
    if said:
        raise typer.Exit(1)
