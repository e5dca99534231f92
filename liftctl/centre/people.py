"""Who is asking: roles, the transaction each may open, API tokens.

Role: authorisation. Process: console. Must never: trust a role from outside (it stands in our own
table), keep a token in clear, or answer differently for "not yours" and "not there".
"""

from __future__ import annotations

import hashlib
import secrets
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, text

from liftctl.centre.database import CentreError, door, everyone, tenant

ROLES = {
    "centre": "sees every device, clears alarms, proposes",
    "municipality": "sees the devices and evidence of its own homes",
    "home": "sees its own devices and evidence",
    "auditor": "sees what is shown and the audit trail, changes nothing",
}
PREFIX = "lct_"
LONGEST_DAYS = 400


@dataclass(frozen=True, slots=True)
class Person:
    """A member or the holder of a token. `municipality` "" is all of them."""

    name: str
    role: str
    municipality: str = ""
    home: str = ""
    by_token: bool = False

    @property
    def may_change(self) -> bool:
        return self.role == "centre" and not self.by_token


def checked(role: str, municipality: str, home: str) -> None:
    """CentreError when these do not belong together."""
    if role not in ROLES:
        raise CentreError(f"role '{role}' is unknown; use one of {', '.join(ROLES)}")
    if role in ("municipality", "home") and not municipality:
        raise CentreError(f"role {role} needs --municipality")
    if role == "home" and not home:
        raise CentreError("role home needs --home")
    if role == "centre" and (municipality or home):
        raise CentreError("role centre sees every municipality; leave --municipality out")


def view(engine: Engine, person: Person) -> AbstractContextManager[Connection]:
    """The transaction in which this person's queries run."""
    if person.municipality:
        return tenant(engine, person.municipality, person.home)
    if person.role in ("centre", "auditor"):
        return everyone(engine)
    raise CentreError(f"{person.name} belongs to no municipality")


def member(engine: Engine, issuer: str, subject: str, session: int) -> Person | None:
    """Who signed in, as our own table knows them, while `session` has not ended."""
    with door(engine) as db:
        row = db.execute(
            text(
                "SELECT name, role, municipality, home FROM member"
                " WHERE issuer = :issuer AND subject = :subject AND session = :session"
            ),
            {"issuer": issuer, "subject": subject, "session": session},
        ).one_or_none()
    return Person(*row) if row else None


def session(engine: Engine, issuer: str, subject: str) -> int | None:
    """The number of this member's sessions now; None when our table does not know them."""
    with door(engine) as db:
        found: int | None = db.execute(
            text("SELECT session FROM member WHERE issuer = :issuer AND subject = :subject"),
            {"issuer": issuer, "subject": subject},
        ).scalar_one_or_none()
    return found


def end_sessions(engine: Engine, issuer: str, subject: str, session: int) -> None:
    """Every cookie of this member with that number is worth nothing from now on."""
    with door(engine) as db:
        db.execute(
            text(
                "UPDATE member SET session = session + 1"
                " WHERE issuer = :issuer AND subject = :subject AND session = :session"
            ),
            {"issuer": issuer, "subject": subject, "session": session},
        )


def by_token(engine: Engine, token: str, now: datetime) -> Person | None:
    """Whose token this is, while it is valid."""
    with door(engine) as db:
        row = db.execute(
            text(
                "SELECT name, role, municipality, home FROM token WHERE token_hash = :hash"
                " AND expires_at > :now AND revoked_at IS NULL"
            ),
            {"hash": _hash(token), "now": now},
        ).one_or_none()
    return replace(Person(*row), by_token=True) if row else None


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def add_member(engine: Engine, issuer: str, subject: str, person: Person) -> None:
    """Give somebody a role, or another one."""
    checked(person.role, person.municipality, person.home)
    with engine.begin() as db:
        db.execute(
            text(
                "INSERT INTO member VALUES (:issuer, :subject, :name, :role, :m, :h)"
                " ON CONFLICT (issuer, subject) DO UPDATE SET name = excluded.name,"
                " role = excluded.role, municipality = excluded.municipality, home = excluded.home"
            ),
            {
                "issuer": issuer, "subject": subject, "name": person.name, "role": person.role,
                "m": person.municipality, "h": person.home,
            },
        )  # fmt: skip


def add_token(engine: Engine, person: Person, days: float, now: datetime) -> str:
    """A new token, shown once; the table holds its hash."""
    checked(person.role, person.municipality, person.home)
    if not 0 < days <= LONGEST_DAYS:
        raise CentreError(f"a token lives between 0 and {LONGEST_DAYS} days")
    token = PREFIX + secrets.token_urlsafe(32)
    with engine.begin() as db:
        db.execute(
            text(
                "INSERT INTO token VALUES (:hash, :name, :role, :m, :h, :now, :until)"
            ),
            {
                "hash": _hash(token), "name": person.name, "role": person.role, "now": now,
                "m": person.municipality, "h": person.home, "until": now + timedelta(days=days),
            },
        )  # fmt: skip
    return token
