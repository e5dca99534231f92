"""Who comes in, as whom, and what a stolen or foreign credential reaches."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from sqlalchemy import Engine, text
from starlette.testclient import TestClient

from liftctl.centre import app as console
from liftctl.centre import people, signin
from liftctl.centre.commands import console as serve_console
from liftctl.centre.database import CentreError
from liftctl.centre.people import Person
from liftctl.centre.signin import DEMO, Provider, SignIn
from tests.centre.home import Home
from tests.centre.provider import CLIENT, SECRET, Issuer

URL = "http://127.0.0.1:8200"
NORDBY = Person("Nordby", "municipality", "nordby")
SYDVIG = Person("Sydvig", "municipality", "sydvig")
CENTRE = Person("Technician", "centre")


@pytest.fixture
def two_tenants(engine: Engine, ingest: TestClient, tmp_path: Any) -> tuple[Home, Home]:
    """A home in each of two municipalities, both with transfers, a stop and trends."""
    homes = (
        Home.enrolled(engine, ingest, tmp_path / "a", "nordby", "skovly", "lift-a"),
        Home.enrolled(engine, ingest, tmp_path / "b", "sydvig", "birkebo", "lift-b"),
    )
    for home in homes:
        home.transfers(12)
        home.event("trip", row="slack", window={"t_s": [-1, 0]})
        home.event("trend", values={"battery_pct": 80.0})
        home.event("report", mode="ready", latched=[])
        home.drain()
    return homes


def client(engine: Engine, person: Person | None = None, issuer: str = "") -> TestClient:
    demo = (("p", "P"),) if person else ()
    if person:
        people.add_member(engine, DEMO, "p", person)
    provider = Provider(issuer, CLIENT, SECRET) if issuer else None
    found = TestClient(console.create(engine, SignIn("s" * 32, URL, provider, demo)), URL)
    if person:
        assert found.post("/signin/demo/p", headers={"origin": URL}).status_code == 200
    return found


def test_without_sign_in_nothing_is_shown(engine: Engine) -> None:
    asked = client(engine)
    for path in ("/api/me", "/api/fleet", "/api/evidence", "/api/audit", "/api/devices/a/b"):
        assert asked.get(path).status_code == 401
    assert asked.get("/").status_code == 200


ROUTES = ("/api/me", "/metrics", "/api/fleet", "/api/evidence?days=400", "/api/audit",
          "/api/devices/{m}/{c}", "/api/devices/{m}/{c}/events")  # fmt: skip


@pytest.mark.parametrize("person", [NORDBY, Person("Skovly", "home", "nordby", "skovly")])
def test_a_municipality_asks_for_anothers_data_and_it_is_not_there(
    engine: Engine, two_tenants: tuple[Home, Home], person: Person
) -> None:
    asked = client(engine, person)
    seen = "".join(asked.get(path.format(m="nordby", c="lift-a")).text for path in ROUTES)
    assert "lift-a" in seen
    assert not any(word in seen for word in ("lift-b", "birkebo", "sydvig"))
    assert asked.get("/api/devices/sydvig/lift-b").status_code == 404
    assert asked.get("/api/devices/sydvig/lift-b/events").json() == []
    assert asked.get("/api/fleet?municipality=sydvig").json()["devices"] == []


def test_the_centre_sees_every_device_ordered_by_risk(
    engine: Engine, two_tenants: tuple[Home, Home]
) -> None:
    two_tenants[1].event("report", mode="faulted", latched=["hoist_overspeed"])
    two_tenants[1].drain()
    found = client(engine, CENTRE).get("/api/fleet").json()
    assert [item["controller"] for item in found["devices"]] == ["lift-b", "lift-a"]
    worst, well = found["devices"]
    assert (worst["risk"], worst["reasons"]) == (12.0, ["latched"])
    assert (well["risk"], well["reasons"]) == (0.0, [])
    assert found["summary"]["usual"] == 24.0


@pytest.fixture
def issuer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Issuer]:
    found = Issuer(f"{URL}/signin/callback", tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(found.certificate))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield found
    found.close()


def test_sign_in_with_a_real_provider(engine: Engine, issuer: Issuer) -> None:
    people.add_member(engine, issuer.url, issuer.sub, CENTRE)
    asked = client(engine, issuer=issuer.url)
    assert _sign_in(asked).headers["location"] == "/"
    assert asked.get("/api/me").json()["role"] == "centre"
    issuer.user = "stranger"
    other = client(engine, issuer=issuer.url)
    assert _sign_in(other).status_code == 403
    assert other.get("/api/me").status_code == 401


def _sign_in(asked: TestClient) -> httpx.Response:
    there = asked.get("/signin", follow_redirects=False)
    back = httpx.get(there.headers["location"]).headers["location"]
    path = back.removeprefix(f"{urlsplit(back).scheme}://{urlsplit(back).netloc}")
    return asked.get(path, follow_redirects=False)


def test_a_callback_that_nobody_asked_for_is_refused(engine: Engine, issuer: Issuer) -> None:
    asked = client(engine, issuer=issuer.url)
    answer = asked.get("/signin/callback?code=stolen&state=made-up", follow_redirects=False)
    assert answer.status_code == 401


def test_a_forged_or_removed_session_is_nobody(engine: Engine) -> None:
    asked = client(engine, CENTRE)
    assert asked.get("/api/me").status_code == 200
    with engine.begin() as db:
        db.execute(text("DELETE FROM member"))
    assert asked.get("/api/me").status_code == 401
    people.add_member(engine, DEMO, "p", CENTRE)
    forged = client(engine)
    forged.cookies.set("liftctl_centre", "eyJpc3N1ZXIiOiAiZGVtbyIsICJzdWJqZWN0IjogInAifQ==.x.y")
    assert forged.get("/api/me").status_code == 401


def test_a_cookie_that_was_copied_is_worth_nothing_after_sign_out(engine: Engine) -> None:
    asked = client(engine, CENTRE)
    stolen = asked.cookies["liftctl_centre"]
    assert with_cookie(engine, stolen).get("/api/me").status_code == 200
    assert asked.post("/signout", headers={"origin": URL}).status_code == 200
    assert asked.get("/api/me").status_code == 401
    assert with_cookie(engine, stolen).get("/api/me").status_code == 401
    assert asked.post("/signin/demo/p", headers={"origin": URL}).status_code == 200
    assert asked.get("/api/me").status_code == 200, "and may sign in again"
    with_cookie(engine, stolen).post("/signout", headers={"origin": URL})
    assert asked.get("/api/me").status_code == 200, "an ended session ends no other"


def test_who_is_taken_out_and_put_in_again_has_to_sign_in_again(engine: Engine) -> None:
    old = client(engine, CENTRE)
    with engine.begin() as db:
        db.execute(text("DELETE FROM member"))
    time.sleep(1.1)  # the number begins with the second
    people.add_member(engine, DEMO, "p", CENTRE)
    assert old.get("/api/me").status_code == 401


def test_a_session_ends_after_its_time_however_often_it_is_used(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, now_s = client(engine, CENTRE), signin.now_s()
    for hours, status in ((2, 200), (5, 200), (7.9, 200), (8.1, 401)):
        monkeypatch.setattr(signin, "now_s", lambda hours=hours: now_s + hours * 3600)
        assert asked.get("/api/me").status_code == status, hours


def with_cookie(engine: Engine, cookie: str) -> TestClient:
    found = client(engine)
    found.cookies.set("liftctl_centre", cookie)
    return found


def test_a_token_is_scoped_expires_and_is_worth_nothing_changed(
    engine: Engine, two_tenants: tuple[Home, Home]
) -> None:
    now = datetime.now(UTC)
    good = people.add_token(engine, NORDBY, 1, now)
    old = people.add_token(engine, CENTRE, 1, now - timedelta(days=2))
    asked = client(engine)

    def ask(token: str, path: str = "/api/fleet") -> httpx.Response:
        return asked.get(path, headers={"authorization": f"Bearer {token}"})

    assert [item["controller"] for item in ask(good).json()["devices"]] == ["lift-a"]
    for bad in (old, good[:-1], good.upper(), "", "' OR ''='", "lct_"):
        assert ask(bad).status_code == 401
    with engine.begin() as db:
        assert good not in str(db.execute(text("SELECT * FROM token")).all())
        db.execute(text("UPDATE token SET revoked_at = now()"))
    assert ask(good).status_code == 401


def test_monitoring_reads_sums_with_a_token(engine: Engine, two_tenants: tuple[Home, Home]) -> None:
    token = people.add_token(engine, Person("monitor", "auditor"), 1, datetime.now(UTC))
    asked = client(engine).get("/metrics", headers={"authorization": f"Bearer {token}"})
    assert 'liftctl_centre_controllers{municipality="nordby"} 1.0' in asked.text
    assert "lift-a" not in asked.text
    assert client(engine).get("/metrics").status_code == 401


def test_a_token_reads_and_changes_nothing(engine: Engine, two_tenants: tuple[Home, Home]) -> None:
    token = people.add_token(engine, CENTRE, 1, datetime.now(UTC))
    path = "/api/devices/nordby/lift-a/quarantine/clear"
    asked = client(engine)
    headers = {"authorization": f"Bearer {token}", "origin": URL}
    assert asked.post(path, json={"why": "because"}, headers=headers).status_code == 403


def test_a_change_from_another_sites_page_is_refused(
    engine: Engine, two_tenants: tuple[Home, Home]
) -> None:
    asked = client(engine, CENTRE)
    path = "/api/devices/nordby/lift-a/quarantine/clear"
    for headers in ({}, {"origin": "https://evil.example"}, {"origin": "null"}):
        assert asked.post(path, json={"why": "because"}, headers=headers).status_code == 403


def test_who_clears_a_conflict_stands_in_the_audit_trail(
    engine: Engine, two_tenants: tuple[Home, Home]
) -> None:
    with engine.begin() as db:
        db.execute(text("UPDATE controller SET quarantined_at = now() WHERE municipality='nordby'"))
    path, own = "/api/devices/nordby/lift-a/quarantine/clear", {"origin": URL}
    tenant = client(engine, NORDBY)
    assert tenant.post(path, json={"why": "because"}, headers=own).status_code == 403
    asked = client(engine, CENTRE)
    answer = asked.post(path, json={"why": "the gateway was copied"}, headers=own)
    assert answer.json() == {"cleared": True}
    (row,) = asked.get("/api/audit").json()
    assert (row["who"], row["what"]) == ("Technician", "quarantine cleared")
    assert row["detail"]["why"] == "the gateway was copied"


@pytest.mark.parametrize(
    "person",
    [Person("x", "admin"), Person("x", "municipality"), Person("x", "home", "nordby"),
     Person("x", "centre", "nordby")],
)  # fmt: skip
def test_a_role_that_makes_no_sense_is_refused(engine: Engine, person: Person) -> None:
    with pytest.raises(CentreError):
        people.add_member(engine, "i", "s", person)
    with pytest.raises(CentreError):
        people.add_token(engine, person, 1, datetime.now(UTC))


def test_other_addresses_need_sign_in_and_https(database_url: str) -> None:
    for public, issuer in (("", ""), ("http://x", "http://i"), ("https://x", "")):
        with pytest.raises(CentreError, match="not loopback"):
            serve_console(database_url, "0.0.0.0", 0, public, issuer, "c", "s", "secret")
