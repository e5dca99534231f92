"""Sealed orders reach the one gateway they are for; what it reports stands at both ends."""

from __future__ import annotations

import base64
import hashlib
import socket
import time
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine
from starlette.testclient import TestClient

from liftctl import ipc
from liftctl.centre.mail import address, open_box
from liftctl.centre.people import Person
from liftctl.remote import documents as d
from liftctl.remote.courier import Courier
from liftctl.remote.envelope import Trust, encode, sign
from tests.centre.home import Home
from tests.centre.test_signin import CENTRE, NORDBY, URL, client

TECHNICIAN = Ed25519PrivateKey.generate()
ROOM = Ed25519PrivateKey.generate()
NAME = "nordby.lift-a"
SHA256 = hashlib.sha256(b"zip").hexdigest()


def order(kind: type[d.Order] = d.SupportRequest, controller: str = NAME, **fields: Any) -> bytes:
    now_s = time.time_ns() // 10**9
    head = {"controller": controller, "id": f"order-{kind.__name__}", "issued": now_s,
            "expires": now_s + 600}  # fmt: skip
    if kind is d.SupportRequest:
        fields = {"who": "T. Technician", "reason": "the hoist is slow", **fields}
    return sign(encode(kind(**{**head, **fields})), [("support", TECHNICIAN)])


def report(document: d.Document, key: Ed25519PrivateKey = ROOM) -> bytes:
    return sign(encode(document), [("site", key)])


@pytest.fixture
def box(engine: Engine, ingest: TestClient, tmp_path: Any) -> dict[str, str]:
    """A gateway with a box; the header that opens it."""
    Home.enrolled(engine, ingest, tmp_path / "a", "nordby", "skovly", "lift-a")
    public = ROOM.public_key().public_bytes_raw().hex()
    return {"authorization": f"Bearer {open_box(engine, 'nordby', 'lift-a', public)}"}


def put(asked: TestClient, data: bytes, where: str = "nordby/lift-a") -> Any:
    return asked.post(
        f"/api/devices/{where}/mail",
        json={"envelope": base64.b64encode(data).decode()},
        headers={"origin": URL},
    )


def test_an_order_travels_unchanged_and_its_answer_comes_back(
    engine: Engine, ingest: TestClient, box: dict[str, str]
) -> None:
    asked, sealed = client(engine, CENTRE), order()
    assert put(asked, sealed).status_code == 200
    found = ingest.get(f"/orders/{NAME}", headers=box).json()
    assert [base64.b64decode(item) for item in found] == [sealed]
    answer = d.Answer(controller=NAME, at=1, to="order-SupportRequest", code="LC-OK", text="yes")
    told = ingest.post(f"/reports/{NAME}", content=report(answer), headers=box)
    assert told.status_code == 204
    assert ingest.get(f"/orders/{NAME}", headers=box).json() == []
    (letter,) = asked.get("/api/devices/nordby/lift-a/mail").json()["letters"]
    assert (letter["kind"], letter["code"], letter["told"]) == ("support_request", "LC-OK", "yes")


def test_a_proposal_is_the_desired_side_of_the_twin(engine: Engine, box: dict[str, str]) -> None:
    asked = client(engine, CENTRE)
    proposal = order(d.Proposal, version=7, base="0" * 16, by="A. Anne", reason="too fast",
                     changes={"title": "Room 9"})  # fmt: skip
    assert put(asked, proposal).status_code == 200
    desired = asked.get("/api/devices/nordby/lift-a").json()["desired"]
    assert (desired["version"], desired["changes"]) == (7, {"title": "Room 9"})


def test_what_happened_in_the_room_stands_in_the_audit_trail_once(
    engine: Engine, ingest: TestClient, box: dict[str, str]
) -> None:
    trail = d.Trail(controller=NAME, at=1, event="support granted", detail={"minutes": "30"}, seq=4)
    for _ in range(2):
        assert ingest.post(f"/reports/{NAME}", content=report(trail), headers=box).is_success
    rows = client(engine, NORDBY).get("/api/audit").json()
    assert [(row["who"], row["what"]) for row in rows] == [("the room", "support granted")]


def test_a_bundle_is_fetched_by_those_who_may_see_the_device(
    engine: Engine, ingest: TestClient, box: dict[str, str]
) -> None:
    bundle = d.Bundle(
        controller=NAME,
        at=1,
        to="order-BundleRequest",
        sha256=SHA256,
        contents=(("site.json", 3),),
        data=b"zip",
    )
    assert ingest.post(f"/reports/{NAME}", content=report(bundle), headers=box).is_success
    path = f"/api/devices/nordby/lift-a/bundles/{SHA256}.zip"
    assert client(engine, CENTRE).get(path).content == b"zip"
    other = Person("Sydvig", "municipality", "sydvig")
    assert client(engine, other).get(path).status_code == 404


def test_only_the_gateways_own_token_opens_its_box(
    engine: Engine, ingest: TestClient, box: dict[str, str], tmp_path: Any
) -> None:
    put(client(engine, CENTRE), order())
    Home.enrolled(engine, ingest, tmp_path / "b", "sydvig", "birkebo", "lift-b")
    public = ROOM.public_key().public_bytes_raw().hex()
    other = {"authorization": f"Bearer {open_box(engine, 'sydvig', 'lift-b', public)}"}
    assert ingest.get("/orders/sydvig.lift-b", headers=other).json() == []
    for headers in ({}, other, {"authorization": "Bearer x"}):
        assert ingest.get(f"/orders/{NAME}", headers=headers).status_code == 401
        answer = ingest.post(f"/reports/{NAME}", content=b"x", headers=headers)
        assert answer.status_code == 401


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"no envelope", "no order"),
        (order(controller="sydvig.lift-b"), "is for sydvig.lift-b"),
        (order(expires=1), "has expired; sign a new one"),
        (sign(b'{"type": "move", "controller": "nordby.lift-a"}', [("support", TECHNICIAN)]),
         "no order"),
    ],
)  # fmt: skip
def test_what_is_no_order_for_this_device_is_refused(
    engine: Engine, box: dict[str, str], data: bytes, why: str
) -> None:
    answer = put(client(engine, CENTRE), data)
    assert answer.status_code == 422
    assert why in answer.json()["detail"]


def test_who_may_not_ask_may_not_put_an_order(engine: Engine, box: dict[str, str]) -> None:
    for person in (NORDBY, Person("a", "auditor")):
        assert put(client(engine, person), order()).status_code == 403


def test_a_report_that_the_room_did_not_sign_is_not_believed(
    engine: Engine, ingest: TestClient, box: dict[str, str]
) -> None:
    trail = d.Trail(controller=NAME, at=1, event="x", detail={}, seq=1)
    other = d.Trail(controller="nordby.other", at=1, event="x", detail={}, seq=1)
    false = d.Bundle(
        controller=NAME, at=1, to="", sha256=SHA256, contents=(), data=b"not what the hash says"
    )
    bad = (report(trail, TECHNICIAN), report(other), report(false), b"", b"x" * (5 << 20))
    for data in bad:
        answer = ingest.post(f"/reports/{NAME}", content=data, headers=box)
        assert answer.status_code in (413, 422)
    assert client(engine, CENTRE).get("/api/audit").json() == []


def test_the_gateways_own_courier_fetches_and_carries(
    engine: Engine, ingest: TestClient, box: dict[str, str]
) -> None:
    sealed = order()
    put(client(engine, CENTRE), sealed)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in (ours, theirs):
        end.setblocking(False)
    support = ipc.Channel(theirs)
    ingest.headers.update(box)
    courier = Courier(Trust(NAME, "http://testserver"), ipc.Channel(ours), ingest)
    courier.step(1.0, 0.0)
    heard = [item.data for item in support.receive() if isinstance(item, ipc.Parcel)]
    assert sealed in heard
    answer = d.Answer(controller=NAME, at=1, to="order-SupportRequest", code="LC-OK", text="yes")
    support.send(ipc.Parcel(7, report(answer)))
    courier.step(2.0, 1.0)
    assert ipc.Parcel(7, b"") in support.receive()
    (letter,) = client(engine, CENTRE).get("/api/devices/nordby/lift-a/mail").json()["letters"]
    assert letter["told"] == "yes"


def test_an_order_put_in_twice_counts_once(engine: Engine, box: dict[str, str]) -> None:
    asked, sealed = client(engine, CENTRE), order()
    assert put(asked, sealed).status_code == 200
    assert "before" in put(asked, sealed).json()["detail"]


def test_a_name_in_the_mail_has_one_reading() -> None:
    assert address("nordby", "lift-a").partition(".") == ("nordby", ".", "lift-a")
