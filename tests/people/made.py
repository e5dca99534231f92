"""A small home: a register, a ledger and a black box on disk."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from config.schema import Site, load, to_json
from liftctl.blackbox import logfile
from liftctl.blackbox.ring import Kind, Record
from liftctl.blackbox.turnlog import encode_session, encode_turn
from liftctl.cli import app
from liftctl.places import Places
from liftctl.recorder.entries import Entry
from liftctl.recorder.ledger import Ledger
from liftctl.recorder.segments import file_stamp

NOW_NS = 1_800_000_000 * 10**9
S = 10**9
DEMO = Path("config/sites/demo-lift.toml")
OWN, OTHER = "r-7f3a", "r-21c9"


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [*map(str, words)])


def demo() -> tuple[Site, Places]:
    site = load(DEMO)
    return site, Places(site.name)


def fill(places: Places, *told: dict[str, Any]) -> None:
    """Each transfer opened and closed, one second apart."""
    ticks = iter(range(10_000))
    with closing(Ledger(places.ledger, lambda: NOW_NS + next(ticks) * S, places.heads)) as ledger:
        for record in told:
            name, outcome = record["id"], record.get("outcome", "completed")
            whole = {"schema": 2, "outcome": outcome, **record}
            opening = {"id": name, "resident": record.get("resident")}
            ledger.append(Entry("opened", name, 1, opening))
            ledger.append(Entry("phase", name, 2, {"name": "carer_joined", "data": {}}))
            ledger.append(Entry("closed", name, 3, whole, {"outcome": outcome}))


def segment(places: Places, site: Site, rows: tuple[str, ...] = ("estop",)) -> Path:
    """A black-box file of ten seconds from NOW; its turns decide nothing."""
    header = {"config": to_json(site), "wall_ns": NOW_NS, "mono_ns": 0}
    payloads = [(Kind.SESSION, encode_session(header)), (Kind.SNAPSHOT, b"state")]
    payloads += [(Kind.TURN, encode_turn(n * S, b"digest88", rows, (n,))) for n in range(10)]
    records = [Record(n, 1, kind, body) for n, (kind, body) in enumerate(payloads)]
    places.blackbox.mkdir(parents=True, exist_ok=True)
    path = places.blackbox / f"seg-{file_stamp(NOW_NS)}.lbb"
    logfile.write(path, 7, records)
    return path


def register(places: Places, *residents: dict[str, Any]) -> None:
    places.register.parent.mkdir(parents=True, exist_ok=True)
    places.register.write_text(json.dumps({"version": 1, "resident": residents, "sling": []}))
