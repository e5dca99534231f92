"""The centre's half: orders reach their site, reports are kept as they were signed."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.applications import Starlette

from liftctl import ipc
from liftctl.remote import documents as d
from liftctl.remote.courier import Courier
from liftctl.remote.envelope import MOST_REPORT_BYTES, Trust, encode, sign
from liftctl.remote.office import Office, routes
from liftctl.remote.reasons import Refusal
from liftctl.support.values import Arrived
from tests.panel.house import serving
from tests.support.world import WALL_S, Room, head, signed

KEY = Ed25519PrivateKey.generate()
PUBLIC = KEY.public_key().public_bytes_raw().hex()
Door = Callable[[str], httpx.Client]


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path / "office", lambda: float(WALL_S))


@pytest.fixture
def door(office: Office) -> Iterator[Door]:
    """A client with this token, at the office as a centre would serve it."""
    with serving(Starlette(routes=list(routes(office)))) as port:
        url = f"http://127.0.0.1:{port}"
        yield lambda token: httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"})


def report(kind: type, **fields: Any) -> bytes:
    said = kind(controller="north-1", at=WALL_S, **fields)
    return sign(encode(said), [("site", KEY)])


ANSWER: dict[str, Any] = {"to": "", "code": "granted", "text": ""}


def test_a_room_and_a_centre_meet_over_the_real_courier(
    office: Office, door: Door, tmp_path: Path
) -> None:
    token = office.enrol("north-1", PUBLIC)
    server = ipc.serve(tmp_path / "outside.sock")
    channel = ipc.connect(tmp_path / "outside.sock")
    support = server.accept()
    assert channel and support
    courier = Courier(Trust("north-1", ""), channel, door(token))
    request = d.SupportRequest(**head(), who="T. Technician", reason="noise")
    office.put(signed(request))
    courier.step(0.0, 0.0)
    room = Room()
    for item in support.receive():
        assert isinstance(item, ipc.Parcel)
        if item.data:
            room.turn(Arrived(item.data))
    assert room.state.kept.request == request
    room.press("support_yes", name="Nurse N.", minutes="30")
    for number, told in enumerate(room.told(d.Answer), 1):
        support.send(ipc.Parcel(number, sign(encode(told), [("site", KEY)])))
    courier.step(10.0, 0.0)
    assert [item.code for item in office.reports("north-1") if isinstance(item, d.Answer)] == [
        "taken",
        "granted",
    ]
    assert office.waiting("north-1") == [], "what is answered is not handed out again"
    server.close()


@pytest.mark.parametrize(
    ("name", "token"),
    [
        ("north-1", "wrong"),
        ("north-1", "x"),
        ("south-9", None),
        ("../north-1", None),
        ("%00", None),
    ],
)
def test_nobody_gets_or_leaves_anything_without_the_right_token(
    office: Office, door: Door, name: str, token: str | None
) -> None:
    right = office.enrol("north-1", PUBLIC)
    office.put(signed(d.LiveRequest(**head())))
    http = door(right if token is None else token)
    for answer in (http.get(f"/orders/{name}"), http.post(f"/reports/{name}", content=b"x")):
        assert answer.status_code in (401, 404)
    assert office.reports("north-1") == []


def test_a_new_token_ends_the_old_one(office: Office, door: Door) -> None:
    old = office.enrol("north-1", PUBLIC)
    new = office.enrol("north-1", PUBLIC)
    assert door(old).get("/orders/north-1").status_code == 401
    assert door(new).get("/orders/north-1").json() == []


def test_a_report_that_is_not_the_sites_own_is_not_kept(office: Office, door: Door) -> None:
    http = door(office.enrol("north-1", PUBLIC))
    stranger = Ed25519PrivateKey.generate()
    other = d.Answer(controller="south-9", at=1, **ANSWER)
    mine = d.Answer(controller="north-1", at=1, **ANSWER)
    for data, status in (
        (b"", 422),
        (sign(encode(mine), [("site", stranger)]), 422),
        (sign(encode(other), [("site", KEY)]), 422),
        (b"x" * (MOST_REPORT_BYTES + 1), 413),
        (report(d.Bundle, to="", sha256="0" * 64, contents=(), data=b"other"), 422),
        (report(d.Answer, **ANSWER), 204),
        (report(d.Answer, **ANSWER), 204),
    ):
        assert http.post("/reports/north-1", content=data).status_code == status
    assert len(office.reports("north-1")) == 1, "the same report twice is one"


def test_no_report_reaches_beyond_its_folder(office: Office, door: Door, tmp_path: Path) -> None:
    http = door(office.enrol("north-1", PUBLIC))
    kept = tmp_path / "kept.json"
    kept.write_text("{}")
    for to in ("../../../kept", "/etc/passwd", "a" * 65):
        data = report(d.Answer, to=to, code="x", text="")
        assert http.post("/reports/north-1", content=data).status_code == 422
    assert kept.exists() and office.reports("north-1") == []


def test_a_bundle_can_be_opened_and_a_picture_replaces_the_one_before(
    office: Office, door: Door, tmp_path: Path
) -> None:
    http = door(office.enrol("north-1", PUBLIC))
    room = Room().granted()
    room.order(d.BundleRequest(**head()))
    room.press("bundle_yes", name="Nurse N.")
    (sent,) = room.told(d.Bundle)
    data = sign(encode(sent), [("site", KEY)])
    assert http.post("/reports/north-1", content=data).status_code == 204
    (path,) = (tmp_path / "office").glob("*/bundle-*.zip")
    assert "gate.json" in zipfile.ZipFile(BytesIO(path.read_bytes())).namelist()
    for n in range(3):
        http.post("/reports/north-1", content=report(d.Live, picture={"n": n}))
    assert len(office.reports("north-1")) == 1
    assert len(list((tmp_path / "office").glob("*/live.json"))) == 1


def test_what_is_no_order_for_a_known_site_is_not_laid_ready(office: Office) -> None:
    office.enrol("north-1", PUBLIC)
    for data in (
        b"x",
        sign(b'{"type":"hold"}', [("support", KEY)]),
        signed(d.LiveRequest(**head(controller="south-9"))),
        signed(d.LiveRequest(**head(expires=WALL_S))),
    ):
        with pytest.raises(Refusal):
            office.put(data)
    assert office.waiting("north-1") == []
