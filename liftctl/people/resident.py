"""A resident's own file: everything register and ledger hold on one token, in plain words.

Role: gather it, and make page and JSON of it. Process: the CLI; read-only. Must never: tell of
another resident or of a carer, or call something complete that was erased.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import Any

from config.plans import ResidentSpec
from config.schema import Site
from liftctl.people.fields import fields
from liftctl.people.page import Blank, Block, Grid, Heading, Items, Page, Para
from liftctl.people.words import Words
from liftctl.places import Places
from liftctl.recorder import audit, erasure, reader
from liftctl.register import store

FORMAT = "liftctl-own-file/1"
HELD_BACK = ("carers_present", "helper", "assessor")
"""About carers, not about the resident; how many there were and how long it took stays in."""
MASK = "[***]"
SHORTEST = 3


class Unknown(Exception):
    """Nobody here knows this token; the message is one line."""


@dataclass(frozen=True, slots=True)
class OwnFile:
    """`register`: the assessment or None. `transfers`: record and entries, oldest first.

    `nameless`: transfers of this ledger whose contents are erased; whose they were nobody can tell.
    `handed_out`: earlier files about this resident, as the ledger's audit entries tell of them.
    """

    token: str
    register: dict[str, Any] | None
    transfers: tuple[dict[str, Any], ...]
    nameless: int
    handed_out: tuple[dict[str, Any], ...] = ()


def gather(site: Site, token: str) -> OwnFile:
    """Unknown, ConfigError (register), LedgerError or sqlite3.Error when it cannot be made."""
    places = Places(site.name)
    people = (*store.load(places.register).resident, *site.resident)
    own = next((item for item in people if item.token == token), None)
    found: tuple[dict[str, Any], ...] = ()
    others, nameless, handed = set[str](), 0, tuple[dict[str, Any], ...]()
    if places.ledger.is_file():
        with closing(reader.connect(places.ledger)) as db:
            db.execute("BEGIN")  # one snapshot
            names = erasure.transfers_of(db, token) if token else []
            found = tuple(_transfer(db, name) for name in names if not audit.is_own_id(name))
            handed = tuple(item for item in audit.trail(db) if _about(item, token))
            others, nameless = _tokens(db) - {token}, _nameless(db)
    if own is None and not found:
        raise Unknown(
            f"resident token '{token}' is in neither register nor ledger of {site.name}; "
            "see `liftctl residents export --with-tokens`"
        )
    clean = _cleaner(others, (item for item in people if item.token != token))
    entry = clean(asdict(own)) if own else None
    return OwnFile(token, entry, clean(list(found)), nameless, clean(list(handed)))


def _about(item: dict[str, Any], token: str) -> bool:
    return bool(token) and (item["detail"] or {}).get("resident") == token


def _transfer(db: sqlite3.Connection, name: str) -> dict[str, Any]:
    rows = db.execute(
        "SELECT seq, kind, t_utc, body FROM entry LEFT JOIN payload USING (seq)"
        " WHERE transfer_id = ? ORDER BY seq",
        (name,),
    )
    entries = [
        {"seq": seq, "kind": kind, "t_utc": t_utc, "erased": body is None}
        | ({"payload": json.loads(body)} if body and kind != "closed" else {})  # closed: the record
        for seq, kind, t_utc, body in rows
    ]
    return {"record": reader.transfer_of(db, name) or _opened(db, name), "entries": entries}


def _opened(db: sqlite3.Connection, name: str) -> dict[str, Any]:
    """One that runs still."""
    found: dict[str, Any] = json.loads(
        db.execute(
            "SELECT body FROM entry JOIN payload USING (seq) WHERE transfer_id = ?"
            " AND kind = 'opened' ORDER BY seq DESC LIMIT 1",
            (name,),
        ).fetchone()[0]
    )
    return found


def _tokens(db: sqlite3.Connection) -> set[str]:
    rows = db.execute("SELECT DISTINCT json_extract(CAST(body AS TEXT), '$.resident') FROM payload")
    return {str(row[0]) for row in rows if row[0]}


def _nameless(db: sqlite3.Connection) -> int:
    row = db.execute(
        "SELECT count(DISTINCT transfer_id) FROM entry LEFT JOIN payload USING (seq)"
        " WHERE kind = 'closed' AND body IS NULL AND transfer_id NOT IN"
        " (SELECT transfer_id FROM entry JOIN payload USING (seq) WHERE kind = 'closed')"
    ).fetchone()
    return int(row[0])


def _cleaner(tokens: set[str], people: Iterable[ResidentSpec]) -> Any:
    """Takes out what is held back, and masks what names other residents."""
    names = {name for item in people for name in (item.token, item.identifier, item.label)}
    known = sorted({*tokens, *(name for name in names if len(name) >= SHORTEST)}, key=len)
    shape = "|".join(map(re.escape, reversed(known)))
    masked = re.compile(rf"(?<!\w)(?:{shape})(?!\w)", re.IGNORECASE) if shape else None

    def clean(value: Any) -> Any:
        if isinstance(value, dict):
            kept = ((n, v) for n, v in value.items() if n not in HELD_BACK and not _of_carer(v))
            return {name: clean(item) for name, item in kept}
        if isinstance(value, list):
            return [clean(item) for item in value if not _of_carer(item)]
        return masked.sub(MASK, value) if masked and isinstance(value, str) else value

    return clean


def _of_carer(item: Any) -> bool:
    """What a carer did, among the events before an interruption."""
    return isinstance(item, dict) and str(item.get("name", "")).startswith(("carer", "helper"))


def told(own: OwnFile) -> dict[str, Any]:
    """As a machine reads it."""
    return {"format": FORMAT, "held_back": HELD_BACK, **asdict(own)}


def page(own: OwnFile, words: Words) -> Page:
    """As people read it."""
    blocks: list[Block] = [Para(words("own.intro", token=own.token))]
    blocks += [Blank(words("own.read_first"), judge=True), Heading(words("own.register_title"))]
    blocks.append(_register(own.register, words) if own.register else Para(words("own.no_entry")))
    blocks.append(Heading(words("own.transfers_title", n=len(own.transfers))))
    for item in own.transfers:
        blocks += _told(item, words)
    if own.handed_out:
        blocks.append(
            Para(words("own.handed", times=", ".join(i["t_utc"] for i in own.handed_out)))
        )
    blocks += [Heading(words("own.not_here_title"))]
    blocks += [Items((words("own.erased", n=own.nameless), *words.group("own_not_here")))]
    blocks += [Heading(words("notice.rights_title")), Items(tuple(words.group("right")))]
    blocks += [Blank(words("blank.controller")), Blank(words("blank.dpo"))]
    return Page(words.language, words("own.title"), tuple(blocks))


def _register(entry: dict[str, Any], words: Words) -> Grid:
    rows = ((words(f"register.{name}"), words.shown(value)) for name, value in entry.items())
    return Grid((words("column.setting"), words("column.value")), tuple(rows))


def _told(item: dict[str, Any], words: Words) -> Iterator[Block]:
    record = item["record"]
    outcome = record.get("outcome")
    said = words(f"outcome.{outcome}") if outcome else words("own.running")
    yield Heading(f"{record.get('started_utc') or record.get('id')}: {said}")
    gone = [str(entry["seq"]) for entry in item["entries"] if entry["erased"]]
    if gone:
        yield Para(words("own.gone", seqs=", ".join(gone)))
    rows = (
        (words(field.key), said if field.name == "outcome" else words.shown(record[field.name]))
        for field in fields()
        if field.name in record and record[field.name] not in (None, "", [], {})
    )
    yield Grid((words("column.meaning"), words("column.value")), tuple(rows))
    kinds = ", ".join(f"{entry['seq']} {entry['kind']}" for entry in item["entries"])
    yield Para(words("own.entries", entries=kinds), soft=True)
