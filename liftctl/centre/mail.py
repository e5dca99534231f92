"""Sealed orders for a gateway, and its sealed reports.

Role: the centre's half of help from afar. Process: console puts orders in, ingest hands them out
and takes reports. Must never: sign or change an order (a person's own key did, elsewhere), or
believe a report that the gateway's key did not sign.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import uuid
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, text

from liftctl.centre.database import CentreError, ingesting
from liftctl.centre.ingest.verify import plain
from liftctl.remote import documents as d
from liftctl.remote.envelope import open_envelope, verify_report
from liftctl.remote.reasons import Refusal

MOST = 32
Key = dict[str, Any]


def address(municipality: str, controller: str) -> str:
    """What a gateway is called in the mail; neither half holds a dot."""
    return f"{municipality}.{controller}"


def open_box(engine: Engine, municipality: str, controller: str, site_key: str) -> str:
    """Remember the key a gateway's reports are signed with; its token, shown once."""
    try:
        public = bytes.fromhex(site_key)
    except ValueError:
        public = b""
    if len(public) != 32:
        raise CentreError(f"'{site_key}' is no key; give the 64 hex digits the site printed")
    token = secrets.token_urlsafe(32)
    key = {"m": municipality, "c": controller, "key": public, "hash": _hash(token)}
    with ingesting(engine, municipality) as db:
        done = db.execute(
            text(
                "UPDATE controller SET site_key = :key, mail_hash = :hash WHERE municipality = :m"
                " AND controller = :c AND revoked_at IS NULL"
            ),
            key,
        )
    if not done.rowcount:
        raise CentreError(f"no enrolled controller '{controller}' in '{municipality}'")
    return token


def _tag(document: d.Document) -> str:
    return str(type(document).__struct_config__.tag)


def _hex(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def _box(db: Connection, name: str, token: str) -> Key | None:
    """Whose box this is, when the token opens it."""
    municipality, _, controller = name.partition(".")
    row = db.execute(
        text(
            "SELECT municipality, home, controller, site_key FROM controller WHERE"
            " municipality = :m AND controller = :c AND mail_hash = :hash AND revoked_at IS NULL"
        ),
        {"m": municipality, "c": controller, "hash": _hash(token)},
    ).mappings().one_or_none()  # fmt: skip
    return dict(row) if row else None


def waiting(engine: Engine, name: str, token: str, now: datetime) -> list[bytes] | None:
    """Orders that are in time and unanswered, oldest first; None: the token opens nothing."""
    with ingesting(engine, name.partition(".")[0]) as db:
        box = _box(db, name, token)
        if box is None:
            return None
        found = db.execute(
            text(
                "SELECT envelope FROM letter WHERE municipality = :municipality"
                " AND controller = :controller AND answered_at IS NULL AND expires_at > :now"
                " ORDER BY at LIMIT :most"
            ),
            {**box, "now": now, "most": MOST},
        )
        return [bytes(item) for item in found.scalars()]


def put(db: Connection, municipality: str, controller: str, envelope: bytes, who: str) -> str:
    """Put a signed order into a gateway's box; its id. CentreError says what is wrong with it.

    Signatures are judged on site, by keys that were trusted there; here is only the form.
    """
    try:
        order = d.read_down(open_envelope(envelope).body)
    except (Refusal, ValueError) as error:
        raise CentreError(f"this is no order: {error}") from error
    if order.controller != address(municipality, controller):
        raise CentreError(f"this order is for {order.controller}")
    if order.expires <= datetime.now(UTC).timestamp():
        raise CentreError("this order has expired; sign a new one")
    key = {"municipality": municipality, "controller": controller, "who": who, "id": order.id,
           "kind": _tag(order), "envelope": envelope,
           "expires": datetime.fromtimestamp(order.expires, UTC)}  # fmt: skip
    done = db.execute(text(PUT), key)
    if not done.rowcount:
        raise CentreError("no such device, or this order was put in before")
    if isinstance(order, d.Proposal):
        told = {"version": order.version, "base": order.base, "by": order.by, "id": order.id}
        wish = {**told, "reason": order.reason, "changes": dict(order.changes)}
        db.execute(text(WISH), {**key, "desired": json.dumps(wish)})
    _audit(db, key, who, f"order: {key['kind']}", {"controller": controller, "id": order.id})
    return order.id


PUT = """
INSERT INTO letter (municipality, home, controller, id, kind, at, expires_at, who, envelope)
SELECT municipality, home, controller, :id, :kind, now(), :expires, :who, :envelope FROM controller
WHERE municipality = :municipality AND controller = :controller AND mail_hash IS NOT NULL
ON CONFLICT DO NOTHING
"""
WISH = """
UPDATE controller SET desired = CAST(:desired AS jsonb) WHERE municipality = :municipality
  AND controller = :controller
"""


def take_report(engine: Engine, name: str, token: str, data: bytes, now: datetime) -> str:
    """ "" when it is kept, else why not."""
    with ingesting(engine, name.partition(".")[0]) as db:
        box = _box(db, name, token)
        if box is None or box["site_key"] is None:
            return "unknown"
        try:
            report = verify_report(data, name, bytes(box["site_key"]).hex())
        except Refusal as error:
            return error.code
        if isinstance(report, d.Bundle) and report.sha256 != _hex(report.data):
            return "LC-REM-FORM"  # the ledger of the site holds another hash
        _keep(db, box | {"now": now}, report)
    return ""


def _keep(db: Connection, key: Key, report: d.Up) -> None:
    told = plain(msgspec.json.encode(report))
    match report:
        case d.Answer():
            db.execute(text(ANSWER), {**key, "id": report.to, "code": report.code,
                                      "told": str(told.get("text", ""))})  # fmt: skip
        case d.Bundle():
            db.execute(text(BUNDLE), {**key, "sha": report.sha256, "data": report.data,
                                      "contents": json.dumps(told["contents"])})  # fmt: skip
        case d.Trail():
            detail = {"controller": key["controller"], **told.get("detail", {})}
            _audit(db, key, "the room", report.event, detail, f"{key['controller']} {report.seq}")
        case _:
            newest = {_tag(report): told}
            db.execute(text(AFAR), {**key, "afar": json.dumps(newest)})


ANSWER = """
UPDATE letter SET code = :code, told = :told, answered_at = :now WHERE municipality = :municipality
  AND controller = :controller AND id = :id
"""
BUNDLE = """
INSERT INTO bundle VALUES (:municipality, :home, :controller, :sha, :now, CAST(:contents AS jsonb),
  :data) ON CONFLICT DO NOTHING
"""
AFAR = """
UPDATE controller SET afar = afar || CAST(:afar AS jsonb) WHERE municipality = :municipality
  AND controller = :controller
"""


def _audit(db: Connection, key: Key, who: str, what: str, detail: Key, once: str = "") -> None:
    """`once`: what is told twice is written once."""
    number = (
        uuid.uuid5(uuid.NAMESPACE_OID, f"{key['municipality']} {once}") if once else uuid.uuid4()
    )
    db.execute(
        text(
            "INSERT INTO audit (municipality, id, who, what, detail) VALUES (:municipality, :id,"
            " :who, :what, CAST(:detail AS jsonb)) ON CONFLICT DO NOTHING"
        ),
        {"municipality": key["municipality"], "id": number, "who": who, "what": what,
         "detail": json.dumps(detail)},
    )  # fmt: skip


def letters(db: Connection, municipality: str, controller: str) -> list[dict[str, Any]]:
    """The newest orders and what became of them."""
    found = db.execute(
        text(
            "SELECT id, kind, at, expires_at, who, code, told, answered_at FROM letter WHERE"
            " municipality = :m AND controller = :c ORDER BY at DESC LIMIT 20"
        ),
        {"m": municipality, "c": controller},
    )
    return [dict(row) for row in found.mappings()]


def bundles(db: Connection, municipality: str, controller: str) -> list[dict[str, Any]]:
    """Bundles that came, without their bytes."""
    found = db.execute(
        text(
            "SELECT sha256, at, contents FROM bundle WHERE municipality = :m AND controller = :c"
            " ORDER BY at DESC LIMIT 20"
        ),
        {"m": municipality, "c": controller},
    )
    return [dict(row) for row in found.mappings()]


def bundle(db: Connection, municipality: str, controller: str, sha256: str) -> bytes | None:
    """The zip archive itself."""
    found = db.execute(
        text(
            "SELECT data FROM bundle WHERE municipality = :m AND controller = :c"
            " AND sha256 = :sha256"
        ),
        {"m": municipality, "c": controller, "sha256": sha256},
    ).scalar()
    return bytes(found) if found is not None else None
