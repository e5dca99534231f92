"""A home that floods is refused with a reason and a time; others are unharmed."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine, text
from starlette.testclient import TestClient

from liftctl.centre.ingest import app as ingest_app
from liftctl.centre.ingest.limits import Limiter
from liftctl.uplink import protocol
from liftctl.uplink.protocol import Ack, Refused
from tests.centre.home import URL, Home

SECOND_NS = 10**9


def test_a_flooding_home_waits_and_its_neighbour_does_not(engine: Engine, tmp_path: Path) -> None:
    limiter = Limiter(rate_per_s=1000.0, burst=50_000.0)
    with TestClient(ingest_app.create(engine, limiter)) as http:
        loud = Home.enrolled(engine, http, tmp_path / "a", "nordby", "loud", "lift-a")
        twin = Home.enrolled(engine, http, tmp_path / "b", "nordby", "loud", "lift-b")
        calm = Home.enrolled(engine, http, tmp_path / "c", "nordby", "calm", "lift-c")
        for home in (loud, twin, calm):
            home.transfers(3)
        answers = [loud.post(loud.batch()) for _ in range(60)]
        refused = [item for item in answers if isinstance(item, Refused)]
        assert isinstance(answers[0], Ack)
        assert refused
        assert {item.code for item in refused} == {"flood"}
        assert all(0 < item.retry_after_s < 60 for item in refused)
        again = twin.post(twin.batch())
        assert isinstance(again, Refused)  # the limit is the home's, not the gateway's
        assert isinstance(calm.post(calm.batch()), Ack)
    with engine.begin() as db:
        held = db.execute(text("SELECT DISTINCT controller FROM entry")).scalars().all()
    assert sorted(held) == ["lift-a", "lift-c"]


def test_who_is_not_signed_for_costs_a_home_nothing(home: Home, ingest: TestClient) -> None:
    """A stranger who sends in a home's name does not use up its share."""
    home.transfers(1)
    body = protocol.encode(home.batch())
    for _ in range(50):
        ingest.post(URL + protocol.PATH, content=body, headers={protocol.SIGNATURE: "00" * 64})
    assert isinstance(home.post(home.batch()), Ack)


def test_guessing_codes_is_slowed_down(home: Home) -> None:
    public = home.folder.key().public_key().public_bytes_raw()
    answers = [
        home.post(protocol.Enrol(f"aarhus.guess-{n}", public, "lift", "x")) for n in range(40)
    ]
    codes = [item.code for item in answers if isinstance(item, Refused)]
    assert codes.count("code") < 31
    assert codes[-1] == "flood"


def test_a_share_comes_back_with_time() -> None:
    limiter = Limiter(rate_per_s=1000.0, burst=10_000.0, price_per_call=0)
    assert limiter.wait_s("h", 10_000, 0) == 0
    wait_s = limiter.wait_s("h", 4000, 0)
    assert wait_s == 4.0
    assert limiter.wait_s("h", 4000, 4 * SECOND_NS) == 0
    assert limiter.wait_s("other", 10_000, 4 * SECOND_NS) == 0
