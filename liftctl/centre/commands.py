"""What `liftctl centre ...` does.

Role: the centre's processes and its administration. Process: each command its own. Must never:
listen beyond this machine without sign-in.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from liftctl.centre import database as store
from liftctl.centre import people
from liftctl.centre.database import CentreError
from liftctl.centre.ingest.directory import invite, put_home
from liftctl.centre.mail import open_box
from liftctl.centre.people import Person
from liftctl.centre.prune import prune as pruned
from liftctl.centre.prune import put_term
from liftctl.centre.verify import chains

__all__ = ("CentreError",)

LOOPBACK = ("127.0.0.1", "::1", "localhost")


def _engine(url: str) -> Engine:
    try:
        engine = store.connect(url)
        engine.connect().close()
    except (SQLAlchemyError, ValueError) as error:
        why = str(getattr(error, "orig", error)).splitlines()[0]
        raise CentreError(f"the database does not answer: {why}; check --database") from error
    return engine


def migrate(url: str) -> None:
    """The newest schema."""
    store.migrate(_engine(url), datetime.now(UTC).date())


def ingest(url: str, host: str, port: int) -> None:
    """Serve homes until told to stop."""
    from liftctl.centre.ingest.app import create
    from liftctl.panel.edge import listen, server

    server(create(_engine(url))).run(sockets=[listen(host, port, "ingest")])


def console(
    url: str, host: str, port: int, public_url: str, issuer: str, client: str, client_secret: str,
    cookie_secret: str,
) -> None:  # fmt: skip
    """Serve people until told to stop; CentreError when it could be reached without sign-in."""
    from liftctl.centre.app import create
    from liftctl.centre.signin import Provider, SignIn
    from liftctl.panel.edge import listen, server

    reachable = host not in LOOPBACK
    if reachable and not (issuer and public_url.startswith("https://") and cookie_secret):
        raise CentreError(
            f"{host} is not loopback: give --oidc-issuer, --public-url https://... and"
            " LIFTCTL_CENTRE_SECRET, or listen on 127.0.0.1"
        )
    provider = Provider(issuer.rstrip("/"), client, client_secret) if issuer else None
    address = public_url.rstrip("/") or f"http://{host}:{port}"
    settings = SignIn(cookie_secret or secrets.token_hex(32), address, provider)
    server(create(_engine(url), settings, host)).run(sockets=[listen(host, port, "console")])


def _named(*names: str) -> None:
    """Names stand in addresses: CentreError when one cannot."""
    for name in names:
        if not name.replace("-", "").isalnum() or name != name.lower() or len(name) > 60:
            raise CentreError(f"'{name}': use lower case letters, digits and hyphens, up to 60")


def add_home(url: str, municipality: str, home: str, title: str, municipality_title: str) -> None:
    """A municipality (when it is new) and a home; names are lower case letters, digits, hyphens."""
    _named(municipality, home)
    with _engine(url).begin() as db:
        put_home(db, municipality, home, title or home, municipality_title or municipality)


def code(url: str, municipality: str, home: str, controller: str) -> str:
    """A one-time code."""
    _named(controller)
    return invite(_engine(url), municipality, home, controller, datetime.now(UTC))


def mailbox(url: str, municipality: str, controller: str, site_key: str) -> str:
    """The gateway's token, shown once."""
    return open_box(_engine(url), municipality, controller, site_key)


def revoke(url: str, municipality: str, controller: str) -> None:
    """CentreError when there is no such controller."""
    with _engine(url).begin() as db:
        done = db.execute(
            text(
                "UPDATE controller SET revoked_at = now() WHERE municipality = :m"
                " AND controller = :c AND revoked_at IS NULL"
            ),
            {"m": municipality, "c": controller},
        )
    if not done.rowcount:
        raise CentreError(f"no enrolled controller '{controller}' in '{municipality}'")


def member(
    url: str, issuer: str, subject: str, role: str, name: str, municipality: str, home: str
) -> None:
    """A person and their role."""
    person = Person(name or subject, role, municipality, home)
    people.add_member(_engine(url), issuer, subject, person)


def token(url: str, name: str, role: str, days: float, municipality: str, home: str) -> str:
    """A token, shown once."""
    person = Person(name, role, municipality, home)
    return people.add_token(_engine(url), person, days, datetime.now(UTC))


def verify(url: str) -> list[dict[str, Any]]:
    """Each chain's result."""
    return chains(_engine(url))


def term(url: str, municipality: str, what: str, days: int) -> None:
    """How long a municipality keeps it."""
    put_term(_engine(url), municipality, what, days)


def prune(url: str) -> list[dict[str, Any]]:
    """What went."""
    return pruned(_engine(url), datetime.now(UTC))


def demo(port: int, data: Path | None) -> int:
    """The demo centre until Ctrl-C."""
    from liftctl.centre.demo.run import run

    return run(port, data)
