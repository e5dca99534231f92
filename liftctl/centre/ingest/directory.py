"""Who may send: public keys of controllers, and the one-time codes that make one.

Role: enrolment and key look-up. Process: ingest. Must never: keep a code in clear, or take a key
for a controller that has one.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, text

from liftctl.centre.database import CentreError, ingesting
from liftctl.uplink.protocol import Enrol, Enrolled, FromCentre, Refused

CACHE_NS = 30_000_000_000
CODE_DAYS = 2
KINDS = ("lift", "chair")


def put_home(
    db: Connection, municipality: str, home: str, title: str, municipality_title: str
) -> None:
    """In the caller's transaction."""
    values = {"m": municipality, "h": home, "t": title, "mt": municipality_title}
    db.execute(text("INSERT INTO municipality VALUES (:m, :mt) ON CONFLICT DO NOTHING"), values)
    db.execute(
        text(
            "INSERT INTO home VALUES (:m, :h, :t) ON CONFLICT (municipality, home)"
            " DO UPDATE SET title = excluded.title"
        ),
        values,
    )


def invite(
    engine: Engine, municipality: str, home: str, controller: str, now: datetime
) -> str:  # fmt: skip
    """A one-time code for one controller, valid CODE_DAYS; CentreError when there is no home."""
    secret = secrets.token_urlsafe(18)
    with ingesting(engine, municipality) as db:
        where = {"municipality": municipality, "home": home}
        known = text("SELECT 1 FROM home WHERE municipality = :municipality AND home = :home")
        if not db.execute(known, where).scalar():
            raise CentreError(f"no home '{home}' in '{municipality}'; add it first")
        db.execute(
            text("INSERT INTO enrolment VALUES (:municipality, :hash, :home, :controller, :until)"),
            {
                **where,
                "hash": _hash(secret),
                "controller": controller,
                "until": now + timedelta(days=CODE_DAYS),
            },
        )
    return f"{municipality}.{secret}"


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


USE = """
UPDATE enrolment SET used_at = :now WHERE municipality = :municipality AND code_hash = :hash
  AND used_at IS NULL AND expires_at > :now RETURNING home, controller
"""
# a controller whose key was revoked may be enrolled anew; its chains go on
PUT = """
INSERT INTO controller (municipality, controller, home, kind, title, public_key, enrolled_at,
  site_key, mail_hash)
VALUES (:municipality, :controller, :home, :kind, :title, :key, :now, :site_key, :mail_hash)
ON CONFLICT (municipality, controller) DO UPDATE SET public_key = excluded.public_key,
  enrolled_at = excluded.enrolled_at, revoked_at = NULL, title = excluded.title,
  kind = excluded.kind, site_key = excluded.site_key, mail_hash = excluded.mail_hash
  WHERE controller.revoked_at IS NOT NULL AND controller.home = excluded.home
RETURNING controller
"""


def enrol(engine: Engine, asked: Enrol, now: datetime) -> FromCentre:
    """The code is used up in the transaction that stores the keys and opens the box for orders."""
    municipality, _, secret = asked.code.strip().partition(".")
    sizes = len(asked.public_key) == 32 and len(asked.site_key) in (0, 32)
    if asked.kind not in KINDS or not sizes or not municipality.isprintable():
        return Refused("unacceptable", "kind or public key is wrong")
    key = {"municipality": municipality, "now": now, "hash": _hash(secret)}
    with ingesting(engine, municipality) as db:
        found = db.execute(text(USE), key).one_or_none()
        if found is None:
            return Refused("code", "this code is unknown, used or expired; ask for a new one")
        home, controller = found
        new = {"home": home, "controller": controller, "kind": asked.kind}
        new |= {"key": asked.public_key, "title": asked.title[:200].replace("\0", "")}
        token = secrets.token_urlsafe(32) if asked.site_key else ""
        new |= {"site_key": asked.site_key or None, "mail_hash": _hash(token) if token else None}
        if not db.execute(text(PUT), {**key, **new}).scalar():
            db.rollback()
            return Refused(
                "taken", f"'{controller}' has a key already; revoke it at the centre first"
            )
    return Enrolled(municipality, home, controller, token)


@dataclass(slots=True)
class Directory:
    """Keys as last read; a revoked one is believed for CACHE_NS at most, and never by `take`."""

    engine: Engine
    mono_ns: Callable[[], int]
    _keys: dict[tuple[str, str], tuple[int, bytes | None, str]] = field(default_factory=dict)

    def key(self, municipality: str, controller: str) -> tuple[bytes | None, str]:
        """(public key, home), or (None, "")."""
        who = (municipality, controller)
        read_ns, key, home = self._keys.get(who, (-CACHE_NS, None, ""))
        if self.mono_ns() - read_ns < CACHE_NS:
            return key, home
        with ingesting(self.engine, municipality) as db:
            row = db.execute(
                text(
                    "SELECT public_key, home FROM controller WHERE municipality = :m"
                    " AND controller = :c AND revoked_at IS NULL"
                ),
                {"m": municipality, "c": controller},
            ).one_or_none()
        if row is None:
            return None, ""
        self._keys[who] = (self.mono_ns(), bytes(row[0]), row[1])
        return bytes(row[0]), row[1]
