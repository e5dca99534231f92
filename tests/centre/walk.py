"""One walk past every statement of the centre: homes, gateways, people, administration."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text
from starlette.testclient import TestClient

from liftctl.centre import commands, people
from liftctl.centre.database import add_month
from liftctl.centre.ingest.directory import invite
from liftctl.centre.mail import open_box
from liftctl.centre.people import Person
from liftctl.centre.prune import FLOORS
from liftctl.recorder.ledger import Entry
from liftctl.remote import documents as d
from liftctl.uplink.protocol import Batch
from tests.centre.home import Home
from tests.centre.test_mail import NAME, ROOM, SHA256, order, put, report
from tests.centre.test_signin import CENTRE, NORDBY, URL, client

OWN, OTHER = "nordby", "sydvig"
OLD_MONTH = 2020 * 12
HERE = "/api/devices/nordby/lift-a"
PAGES = ("/api/me", "/api/fleet", "/api/fleet?home=skovly&search=room", "/api/evidence",
         "/metrics", "/api/audit", HERE, f"{HERE}/events", f"{HERE}/mail",
         f"{HERE}/bundles/{SHA256}.zip")  # fmt: skip
PERSONS = (CENTRE, NORDBY, Person("Skovly", "home", OWN, "skovly"), Person("A", "auditor", OWN))


def homes(engine: Engine, ingest: TestClient, folder: Path) -> tuple[Home, Home]:
    """The same in two municipalities, so that what is missing in a statement would show."""
    found = tuple(
        Home.enrolled(engine, ingest, folder / town, town, home, name)
        for town, home, name in ((OWN, "skovly", "lift-a"), (OTHER, "birkebo", "lift-b"))
    )
    for home in found:
        sending(home)
    return found[0], found[1]


def sending(home: Home) -> None:
    """Everything a gateway may tell, and a twin that contradicts it."""
    home.transfers(6)
    record = {"kind": "bed-chair", "carers_actual": 1, "outcome": "interrupted"}
    home.ledger.append(Entry("closed", "a", 1, record, {"outcome": "interrupted"}))
    home.drain()
    again = record | {"outcome": "completed"}
    home.ledger.append(Entry("closed", "a", 2, again, {"outcome": "completed"}))
    home.ledger.append(Entry("correction", "a", 3, {"fields": {"carers_actual": 2}}))
    home.event("trip", row="slack", window={"t_s": [-1, 0]})
    home.event("trend", values={"battery_pct": 80.0})
    home.event("report", mode="ready", latched=[])
    home.drain()
    home.post(_shortened(home))
    twin = home.path.parent / f"{home.path.name}-twin"
    home.close()
    shutil.copytree(home.path, twin)
    home.open()
    home.transfers(1)
    home.drain()
    copy = Home(twin, home.http, home.enrolment, type(home.folder)(twin / "uplink"))
    copy.transfers(1)
    copy.drain()
    copy.close()


def _shortened(home: Home) -> Batch:
    """Rows the centre has, and ends before its newest: an older digest is looked up."""
    return home.batch(most=4)


def mail(engine: Engine, ingest: TestClient) -> None:
    """Orders in, answers, bundles and trails out."""
    public = ROOM.public_key().public_bytes_raw().hex()
    headers = {"authorization": f"Bearer {open_box(engine, OWN, 'lift-a', public)}"}
    asked = client(engine, CENTRE)
    put(asked, order())
    proposal = order(d.Proposal, version=7, base="0" * 16, by="A. Anne", reason="too fast",
                     changes={"title": "Room 9"})  # fmt: skip
    put(asked, proposal)
    assert len(ingest.get(f"/orders/{NAME}", headers=headers).json()) == 2
    for document in (
        d.Answer(controller=NAME, at=1, to="order-SupportRequest", code="LC-OK", text="yes"),
        d.Trail(controller=NAME, at=1, event="granted", detail={}, seq=4),
        d.Bundle(
            controller=NAME,
            at=1,
            to="order-BundleRequest",
            sha256=SHA256,
            contents=(("a", 3),),
            data=b"zip",
        ),
        d.Live(controller=NAME, at=1, picture={}),
    ):
        told = ingest.post(f"/reports/{NAME}", content=report(document), headers=headers)
        assert told.is_success, told.text


def reading(engine: Engine) -> None:
    """Every page as every kind of person, by session and by token."""
    for person in PERSONS:
        asked = client(engine, person)
        for path in PAGES:
            assert asked.get(path).status_code in (200, 403), path
        assert asked.post("/signout", headers={"origin": URL}).is_success
    assert client(engine, CENTRE).get("/api/fleet?municipality=nordby").is_success
    token = people.add_token(engine, NORDBY, 1, datetime.now(UTC))
    asked = client(engine)
    assert asked.get("/api/fleet", headers={"authorization": f"Bearer {token}"}).is_success


def administration(engine: Engine, url: str) -> None:
    """Commands, and what ends what was begun."""
    clear = client(engine, CENTRE).post(
        f"{HERE}/quarantine/clear", json={"why": "it was copied"}, headers={"origin": URL}
    )
    assert clear.json() == {"cleared": True}
    assert all(item["ok"] for item in commands.verify(url))
    invite(engine, OWN, "skovly", "lift-c", datetime.now(UTC))
    with engine.begin() as db:
        add_month(db, OLD_MONTH)
        db.execute(text("UPDATE entry SET received_at = received_at - interval '1 year'"
                        " WHERE seq < 3"))  # fmt: skip
    for what, days in FLOORS.items():
        commands.term(url, OWN, what, days)
    commands.prune(url)
    commands.revoke(url, OTHER, "lift-b")


def walk(engine: Engine, ingest: TestClient, folder: Path, url: str) -> Any:
    """All of it."""
    found = homes(engine, ingest, folder)
    mail(engine, ingest)
    reading(engine)
    administration(engine, url)
    for home in found:
        home.close()
