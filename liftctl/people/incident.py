"""A serious incident as one sealed file: report fields, ledger entries with proof, black box.

Role: gather it, and check one. Process: the CLI; read-only. Must never: decide whether an incident
is serious, fill a field that only people know, or keep quiet about what was missing.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from config.schema import Site
from liftctl import packs
from liftctl.people import boxes, proof, report
from liftctl.people.page import html, markdown
from liftctl.people.words import Words
from liftctl.places import Places
from liftctl.recorder import reader
from liftctl.recorder.audit import upkept_in
from liftctl.recorder.store import LedgerError
from liftctl.upkeep import due

FORMAT = "liftctl-incident/1"
LEDGER = "ledger.json"
LATER = ("erased", "correction")  # may be years after what happened


@dataclass(frozen=True, slots=True)
class Asked:
    """One transfer, or a `span`: everything from its first up to its last moment (UTC)."""

    transfer: str = ""
    span: tuple[datetime, datetime] | None = None


@dataclass(slots=True)
class Incident:
    """What was found. `ledger`: the proof, None without a ledger."""

    asked: Asked
    site: Site
    since: datetime
    until: datetime
    records: list[dict[str, Any]] = field(default_factory=list)
    ledger: dict[str, Any] | None = None
    box: boxes.Box = field(default_factory=boxes.Box)
    missing: list[str] = field(default_factory=list)
    inspection: str = ""  # due by, as the ledger or the site file says


def moment(text: str) -> datetime:
    """An ISO date or time; UTC where it names no zone. ValueError."""
    found = datetime.fromisoformat(text)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)


def gather(site: Site, asked: Asked) -> Incident:
    """LedgerError or sqlite3.Error when the ledger cannot be read, or knows no such transfer."""
    places = Places(site.name)
    found = _from_ledger(site, places, asked)
    found.box = boxes.gather(places, found.since, found.until)
    found.missing += found.box.missing
    found.missing += _gaps(found)
    found.inspection = due(upkept_in(places.ledger) or (), "inspection", site.inspection_due)
    return found


def _from_ledger(site: Site, places: Places, asked: Asked) -> Incident:
    if asked.span and not places.ledger.is_file():
        return Incident(asked, site, *asked.span, missing=["this site has no ledger"])
    with closing(reader.connect(places.ledger)) as db:
        db.execute("BEGIN")  # one snapshot
        if asked.span:
            seqs = proof.of_window(db, *map(_text, asked.span))
        else:
            seqs = proof.of_transfer(db, asked.transfer)
        if not seqs and not asked.span:
            raise LedgerError(f"no transfer '{asked.transfer}' here; see `liftctl transfers`")
        told = proof.proof(db, seqs) if seqs else None
        entries = told["entries"] if told else []
        names = dict.fromkeys(item["transfer_id"] for item in entries if item["transfer_id"])
        records = [item for name in names if (item := reader.transfer_of(db, name))]
    times = [moment(item["t_utc"]) for item in entries if item["kind"] not in LATER]
    times += [moment(item["started_utc"]) for item in records if item.get("started_utc")]
    return Incident(asked, site, *(asked.span or (min(times), max(times))), records, told)


def _text(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")


def _gaps(found: Incident) -> list[str]:
    """What somebody who reads the pack must not take as being there."""
    said = []
    if not found.records:
        said.append("no closed transfer in this time")
    if found.ledger and found.ledger["after"]["note"] is None:
        said.append("no signed head covers the last entries yet; seal the ledger and export again")
    said += [f"transfer {item['id']}: erased" for item in found.records if item["erased"]]
    hashes = {item.get("config_hash") for item in found.records} - {found.site.hash, None}
    said += [
        f"a transfer ran with configuration {old}, the site file is now {found.site.hash}; the "
        "black box holds the old one"
        for old in sorted(map(str, hashes))
    ]
    if found.site.resident:
        said.append(
            "residents stand in the site file: config.json leaves them out, but the black box "
            "holds the whole file; read before sending"
        )
    return said


def pack(found: Incident, words: Words, key: Ed25519PrivateKey | None) -> bytes:
    """The sealed file; the same bytes whenever the same was found."""
    config = {name: item for name, item in asdict(found.site).items() if name != "resident"}
    what = (found.site, found.records, found.box.rows, found.inspection)
    told = report.page(*what, found.missing, words)
    files = {
        "report.json": packs.plain(report.told(*what, words)),
        "report.html": html(told).encode(),
        "report.md": markdown(told).encode(),
        "missing.json": packs.plain(found.missing),
        "config.json": packs.plain({"hash": found.site.hash, "without": ["resident"], **config}),
        **found.box.files,
    }
    if found.ledger is not None:
        files[LEDGER] = packs.plain(found.ledger)
    about = {
        "format": FORMAT,
        "site": found.site.name,
        "transfer": found.asked.transfer or None,
        "since": _text(found.since),
        "until": _text(found.until),
        "signed": key is not None,
        "missing": found.missing,
    }
    return packs.seal(files, about, key)


def problems(path: Path, public_key: str = "", ledger_keys: tuple[str, ...] = ()) -> list[str]:
    """What of a pack does not hold; PackError when it is none."""
    files = packs.read(path)
    said = list(packs.manifest_problems(files, FORMAT))
    if public_key or packs.told(files, packs.MANIFEST).get("signed"):
        said += packs.signature_problems(files, public_key)
    if LEDGER in files:
        said += proof.problems(packs.told(files, LEDGER), ledger_keys)
    return said
