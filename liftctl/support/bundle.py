"""The log bundle: a short list of parts, each cleaned of names, with a size that is known before.

Role: pure apart from reading the listed files. Process: support. Must never: take a file that is
not in PARTS, a resident, a free text, or raw motion data (it stays at home).
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from config.schema import Site, to_json
from liftctl.places import Places
from liftctl.recorder.reader import verify

MOST_PART_BYTES = 256 * 1024
MOST_BYTES = 1024 * 1024
REMOVED = "[removed]"
CONFIG_KEYS = ("name", "kind", "bus", "serial", "device", "guard", "limits", "emergency_lowering",
               "inspection_due", "relocatable")  # fmt: skip
GATE_KEYS = ("mode", "motions", "values", "quality", "active", "latched", "aloft", "standing",
             "in_flight", "limit_kg", "devices", "ages_ms", "counters", "config_hash",
             "config_fallback", "version")  # fmt: skip
TOKEN = re.compile(r"\b[rst]-[0-9a-f]{4,}\b")
FREEZE = re.compile(r"^freeze-[0-9TZ.+-]+-([A-Za-z0-9_.-]{1,40})\.lbb$")


@dataclass(frozen=True, slots=True)
class Packed:
    """An archive ready to be shown and, after a yes, sent."""

    contents: tuple[tuple[str, int], ...]
    sha256: str
    data: bytes


def _config(site: Site, _: Places, __: Mapping[str, Any]) -> Any:
    raw = json.loads(to_json(site))
    return {key: raw[key] for key in CONFIG_KEYS} | {"hash": site.hash}


def _gate(_: Site, __: Places, gate: Mapping[str, Any]) -> Any:
    return {key: gate[key] for key in GATE_KEYS if key in gate}


def _ledger(_: Site, places: Places, __: Mapping[str, Any]) -> Any:
    found = verify(places.ledger)
    return {"entries": found.entries, "heads": found.heads, "head": found.head, "holds": found.ok}


def _blackbox(_: Site, places: Places, __: Mapping[str, Any]) -> Any:
    """Which rows froze the black box, and how large each is; not what is in them."""
    if not places.blackbox.is_dir():
        return []
    found = []
    for path in sorted(places.blackbox.iterdir()):
        if FREEZE.match(path.name):
            found.append({"name": path.name, "bytes": path.stat().st_size})
    return found[-50:]


def _processes(_: Site, places: Places, __: Mapping[str, Any]) -> Any:
    try:
        table = json.loads((places.run / "processes.json").read_text(encoding="utf-8"))
        return {str(name): [int(row[0]), int(row[1])] for name, row in table.items()}
    except (OSError, ValueError, TypeError, IndexError):
        return {}


PARTS: Mapping[str, Callable[[Site, Places, Mapping[str, Any]], Any]] = {
    "configuration.json": _config,
    "gate.json": _gate,
    "ledger.json": _ledger,
    "blackbox.json": _blackbox,
    "processes.json": _processes,
}


def names_in(site: Site) -> tuple[str, ...]:
    """What must not leave: residents' labels and tokens, titles and remarks, longest first."""
    said = {site.title}
    for person in site.resident:
        said |= {person.token, person.label, str(getattr(person, "sling", ""))}
    said |= {item.source for item in site.baseline}
    return tuple(sorted((word for word in said if len(word) > 1), key=len, reverse=True))


def cleaned(value: Any, names: Iterable[str]) -> Any:
    """`value` with every name and token removed, wherever it stands, keys included."""
    if isinstance(value, dict):
        return {str(cleaned(str(key), names)): cleaned(item, names) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [cleaned(item, names) for item in value]
    if not isinstance(value, str):
        return value
    for name in names:
        value = re.sub(re.escape(name), REMOVED, value, flags=re.IGNORECASE)
    return TOKEN.sub(REMOVED, value)


def pack(site: Site, gate: Mapping[str, Any]) -> Packed:
    """The bundle as it would be sent; ValueError when it is too large."""
    places, names = Places(site.name), names_in(site)
    parts = {}
    for name, make in PARTS.items():
        text = json.dumps(cleaned(make(site, places, gate), names), indent=1, sort_keys=True)
        if len(text) > MOST_PART_BYTES:
            raise ValueError(f"{name} is larger than {MOST_PART_BYTES} bytes")
        parts[name] = text.encode()
    data = _archive(parts)
    if len(data) > MOST_BYTES:
        raise ValueError(f"the bundle is larger than {MOST_BYTES} bytes")
    contents = tuple((name, len(body)) for name, body in parts.items())
    return Packed(contents, hashlib.sha256(data).hexdigest(), data)


def _archive(parts: Mapping[str, bytes]) -> bytes:
    """The same parts give the same bytes: no times, no owners."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in parts.items():
            archive.writestr(zipfile.ZipInfo(name), body, zipfile.ZIP_DEFLATED)
    return out.getvalue()
