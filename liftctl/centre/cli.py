"""`liftctl centre ...`.

Role: names and help. Process: whoever types, and the centre's processes. Must never: import the
extra before it is asked for.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from liftctl.entry import Unusable

app = typer.Typer(no_args_is_help=True, help="The knowledge centre (extra `centre`).")
Database = Annotated[
    str, typer.Option(envvar="LIFTCTL_CENTRE_DATABASE", help="postgresql://... (15 or newer)")
]
Port = Annotated[int, typer.Option(help="TCP port on --host")]
Host = Annotated[str, typer.Option(help="address to listen on; others need sign-in and a proxy")]


@contextmanager
def _centre() -> Iterator[Any]:
    """The extra's own commands, or one line that says what is missing."""
    try:
        from liftctl.centre import commands
    except ImportError as error:
        text = (
            f"the centre needs its extra ({error.name} is missing): "
            "pip install --require-hashes -r requirements/centre.txt"
        )
        typer.echo(f"liftctl: {text}", err=True)
        raise typer.Exit(2) from error
    try:
        yield commands
    except (commands.CentreError, Unusable, OSError) as error:
        typer.echo(f"liftctl: {error}", err=True)
        raise typer.Exit(2) from error


@app.command("migrate")
def migrate_command(database: Database) -> None:
    """Make or renew the schema, and the partitions of the months around today."""
    with _centre() as centre:
        centre.migrate(database)


@app.command("ingest")
def ingest_command(database: Database, port: Port = 8201, host: Host = "127.0.0.1") -> None:
    """Run one ingest process: the door for homes. Any number may run behind a balancer."""
    with _centre() as centre:
        centre.ingest(database, host, port)


@app.command("console")
def console_command(
    database: Database,
    port: Port = 8200,
    host: Host = "127.0.0.1",
    public_url: Annotated[str, typer.Option(help="how browsers reach it, https://...")] = "",
    oidc_issuer: Annotated[str, typer.Option(envvar="LIFTCTL_OIDC_ISSUER")] = "",
    oidc_client: Annotated[str, typer.Option(envvar="LIFTCTL_OIDC_CLIENT")] = "liftctl",
) -> None:
    """Run one console process: pages and JSON for people.

    Secrets come from the environment: LIFTCTL_OIDC_SECRET, LIFTCTL_CENTRE_SECRET (cookies; the same
    for every process).
    """
    secrets = {name: os.environ.get(name, "") for name in ("LIFTCTL_OIDC_SECRET",
                                                           "LIFTCTL_CENTRE_SECRET")}  # fmt: skip
    with _centre() as centre:
        centre.console(
            database, host, port, public_url, oidc_issuer, oidc_client,
            secrets["LIFTCTL_OIDC_SECRET"], secrets["LIFTCTL_CENTRE_SECRET"],
        )  # fmt: skip


@app.command("home")
def home_command(
    database: Database, municipality: str, home: str,
    title: Annotated[str, typer.Option()] = "", municipality_title: str = "",
) -> None:  # fmt: skip
    """Add a municipality's home."""
    with _centre() as centre:
        centre.add_home(database, municipality, home, title, municipality_title)


@app.command("code")
def code_command(database: Database, municipality: str, home: str, controller: str) -> None:
    """A one-time enrolment code for one gateway of a home."""
    with _centre() as centre:
        typer.echo(centre.code(database, municipality, home, controller))


@app.command("mailbox")
def mailbox_command(
    database: Database, municipality: str, controller: str,
    site_key: Annotated[str, typer.Option(help="64 hex digits, printed by `liftctl enrol office`")],
) -> None:  # fmt: skip
    """A new token for a gateway's box (enrolment gave it one); the earlier no longer counts."""
    with _centre() as centre:
        typer.echo(centre.mailbox(database, municipality, controller, site_key))


@app.command("revoke")
def revoke_command(database: Database, municipality: str, controller: str) -> None:
    """A gateway's key is taken back; its rows stay. It may be enrolled anew."""
    with _centre() as centre:
        centre.revoke(database, municipality, controller)


@app.command("member")
def member_command(
    database: Database, issuer: str, subject: str, role: str,
    name: Annotated[str, typer.Option()] = "", municipality: Annotated[str, typer.Option()] = "",
    home: Annotated[str, typer.Option()] = "",
) -> None:  # fmt: skip
    """Give a person of an OpenID provider a role: centre, municipality, home or auditor."""
    with _centre() as centre:
        centre.member(database, issuer, subject, role, name, municipality, home)


@app.command("token")
def token_command(
    database: Database, name: str, role: str, days: float = 90.0,
    municipality: Annotated[str, typer.Option()] = "", home: Annotated[str, typer.Option()] = "",
) -> None:  # fmt: skip
    """A new API token, printed once."""
    with _centre() as centre:
        typer.echo(centre.token(database, name, role, days, municipality, home))


@app.command("verify")
def verify_command(database: Database) -> None:
    """Compute every stored chain anew; exit 1 when one does not hold."""
    with _centre() as centre:
        found = centre.verify(database)
    typer.echo(json.dumps(found, indent=2))
    raise typer.Exit(0 if all(item["ok"] for item in found) else 1)


@app.command("term")
def term_command(
    database: Database, municipality: str,
    what: Annotated[str, typer.Argument(help="transfers, events or audit")],
    days: int,
) -> None:  # fmt: skip
    """How many days a municipality keeps what; without a term it keeps everything."""
    with _centre() as centre:
        centre.term(database, municipality, what, days)


@app.command("prune")
def prune_command(database: Database) -> None:
    """Remove what every municipality's own terms have passed; monthly. Chains stay provable."""
    with _centre() as centre:
        typer.echo(json.dumps(centre.prune(database), indent=2))


@app.command("demo")
def demo_command(
    port: Port = 8200,
    data: Annotated[Path | None, typer.Option(help="keep the data here")] = None,
) -> None:
    """A whole centre with three demo homes of two municipalities on this machine."""
    with _centre() as centre:
        raise typer.Exit(centre.demo(port, data))
