"""`liftctl centre ...` and `liftctl uplink ...` as a person types them."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine, text
from starlette.testclient import TestClient
from typer.testing import CliRunner

from liftctl.centre import fleet
from liftctl.centre.database import everyone
from liftctl.centre.demo import homes as demo
from liftctl.centre.demo.cast import HOMES, PEOPLE, Gateway
from liftctl.centre.demo.history import Life
from liftctl.centre.ingest.directory import invite, put_home
from liftctl.cli import app
from liftctl.places import Places
from liftctl.remote.enrol import read_token, read_trust
from liftctl.uplink import enrol as enrolling
from tests.centre.home import Home

SITE = "config/sites/demo-lift.toml"


@pytest.fixture(autouse=True)
def _environment(
    monkeypatch: pytest.MonkeyPatch, migrated: Engine, database_url: str, tmp_path: Path
) -> None:
    monkeypatch.setenv("LIFTCTL_CENTRE_DATABASE", database_url)
    monkeypatch.setenv("LIFTCTL_DATA", str(tmp_path))


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, list(words))
    return done.exit_code, done.output.strip()


def test_from_an_empty_database_to_a_verified_chain(
    engine: Engine, ingest: TestClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(enrolling, "client", lambda: ingest)
    assert run("centre", "migrate")[0] == 0
    assert run("centre", "home", "nordby", "skovly", "--title", "Skovly")[0] == 0
    status, code = run("centre", "code", "nordby", "skovly", "skovly-1")
    assert status == 0
    words = ("enrol", "site", "--site", SITE, "--centre", "http://127.0.0.1:1", "--code")
    status, said = run(*words, code, "--trust", "support:no key:T. Technician")
    assert (status, "is no Ed25519 key" in said) == (2, True), "and the code is not used up"
    key = Ed25519PrivateKey.generate().public_key().public_bytes_raw().hex()
    status, said = run(*words, code, "--trust", f"support:{key}:T. Technician")
    assert (status, "enrolled as nordby / skovly / skovly-1" in said) == (0, True)
    trust, token = read_trust(Places("demo-lift")), read_token(Places("demo-lift"))
    assert (trust.controller, trust.centre) == ("nordby.skovly-1", "http://127.0.0.1:1")
    assert [(item.role, item.public) for item in trust.keys] == [("support", key)]
    opened = ingest.get("/orders/nordby.skovly-1", headers={"authorization": f"Bearer {token}"})
    assert (opened.status_code, opened.json()) == (200, []), "one code opened the box as well"
    status, said = run(*words, code)
    assert (status, "unknown, used or expired" in said) == (2, True)
    told = json.loads(run("uplink", "status", "--site", SITE)[1])
    assert told["enrolled"] is True
    assert told["chains"]["transfers"]["durable_age_s"] is None
    assert run("centre", "verify") == (0, "[]")
    assert run("centre", "revoke", "nordby", "skovly-1")[0] == 0
    assert run("centre", "revoke", "nordby", "skovly-1")[0] == 2


def test_a_changed_row_at_the_centre_is_found(engine: Engine, home: Home) -> None:
    home.transfers(5)
    home.drain()
    assert run("centre", "verify")[0] == 0
    with engine.begin() as db:
        db.execute(text("UPDATE entry SET header = header || ' ' WHERE seq = 3"))
    status, said = run("centre", "verify")
    assert status == 1
    assert "row 3 does not follow row 2" in said


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("home", "Nord by", "x"), "lower case"),
        (("code", "nordby", "nowhere", "x"), "no home"),
        (("member", "https://i", "s", "boss"), "role 'boss' is unknown"),
        (("member", "https://i", "s", "home"), "needs --municipality"),
        (("token", "t", "auditor", "--days", "9999"), "between"),
        (("console", "--host", "0.0.0.0"), "not loopback"),
        (("migrate", "--database", "postgresql://127.0.0.1:1/x"), "does not answer"),
        (("migrate", "--database", "no url"), "does not answer"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_status_2(words: tuple[str, ...], why: str) -> None:
    status, said = run("centre", *words)
    assert (status, why in said) == (2, True), said
    assert said.count("\n") == 0


def test_a_token_is_printed_once_and_works(engine: Engine) -> None:
    status, token = run("centre", "token", "monitor", "auditor")
    assert status == 0
    assert token.startswith("lct_")


MISSING = """
import sys
sys.modules["sqlalchemy"] = None
from liftctl.cli import app
app(["centre", "migrate", "--database", "x"])
"""
LIGHT = """
import sys
import liftctl.cli
print([name for name in ("sqlalchemy", "psycopg", "alembic", "authlib", "fastapi", "numpy")
       if name in sys.modules])
"""


def test_without_the_extra_the_centre_says_what_is_missing() -> None:
    done = subprocess.run(
        [sys.executable, "-c", MISSING], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "-r requirements/centre.txt" in done.stderr


def test_no_other_command_waits_for_what_only_the_centre_needs() -> None:
    done = subprocess.run([sys.executable, "-c", LIGHT], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_demo_home_fills_the_centre_and_its_characters_are_seen(
    engine: Engine, ingest: TestClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(demo, "client", lambda: ingest)
    monkeypatch.setattr(demo, "DAYS", 3)
    home, now = HOMES[1], datetime.now(UTC)
    with engine.begin() as db:
        put_home(db, home.municipality, home.home, home.title, home.municipality_title)
    for gateway in home.gateways:
        code = invite(engine, home.municipality, home.home, gateway.name, now)
        room = demo.Room.open(gateway, tmp_path / gateway.name, "http://testserver", code)
        while room.sender.step():
            pass
        room.close()
    with everyone(engine) as db:
        found = fleet.fleet(db, PEOPLE["auditor"], datetime.now(UTC), 50, 0)
    reasons = {item["controller"]: item["reasons"] for item in found["devices"]}
    assert reasons["strandhave-a"] == ["latched"]
    assert "inspection_overdue" in reasons["strandhave-c"]
    assert found["devices"][0]["controller"] == "strandhave-a"


def test_the_demos_people_have_one_of_each_role_and_its_texts_are_made_up() -> None:
    assert {person.role for person in PEOPLE.values()} == {
        "centre", "municipality", "home", "auditor"}  # fmt: skip
    life = Life(Gateway("x", "X"), random.Random(1), 0)
    assert life.transfer("a").payload["resident"].startswith("r-")
