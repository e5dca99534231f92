"""What is carried, in which order, and what happens while the centre is away."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from liftctl import ipc
from liftctl.entry import Unusable
from liftctl.remote import courier
from liftctl.remote.answer import bounded
from liftctl.remote.courier import Courier, checked
from liftctl.remote.documents import Answer
from liftctl.remote.envelope import Trust, encode, sign
from liftctl.remote.opener import address_of
from tests.remote.centre import TOKEN, Centre

KEY = Ed25519PrivateKey.generate()


@pytest.fixture
def centre() -> Iterator[Centre]:
    found = Centre()
    found.public = KEY.public_key().public_bytes_raw().hex()
    yield found
    found.close()


@pytest.fixture
def ends(centre: Centre, tmp_path: Path) -> Iterator[tuple[Courier, ipc.Channel]]:
    """The courier, and the support process's end of its channel."""
    server = ipc.serve(tmp_path / "outside.sock")
    channel = ipc.connect(tmp_path / "outside.sock")
    support = server.accept()
    assert channel and support
    with httpx.Client(headers={"Authorization": f"Bearer {TOKEN}"}) as http:
        yield Courier(Trust("north-1", centre.url), channel, http), support
    server.close()


def report(text: str) -> bytes:
    said = Answer(controller="north-1", at=1, to="", code="x", text=text)
    return sign(encode(said), [("site", KEY)])


def parcels(channel: ipc.Channel) -> list[tuple[int, bytes]]:
    return [(p.number, p.data) for p in channel.receive() if isinstance(p, ipc.Parcel)]


def test_orders_go_in_and_reports_go_out_and_are_acknowledged(
    centre: Centre, ends: tuple[Courier, ipc.Channel]
) -> None:
    one, support = ends
    centre.ready = [b"sealed"]
    support.send(ipc.Parcel(5, report("a")))
    one.step(0.0, 0.0)
    assert parcels(support) == [(5, b""), (0, b"sealed"), (0, b"")]
    assert [item.text for item in centre.told(Answer)] == ["a"]


def test_nothing_is_lost_while_the_centre_is_away_and_it_is_not_hurried(
    centre: Centre, ends: tuple[Courier, ipc.Channel]
) -> None:
    one, support = ends
    centre.down = True
    for number in (1, 2):
        support.send(ipc.Parcel(number, report(f"r{number}")))
    one.step(0.0, 0.0)
    centre.down = False
    one.step(1.0, 0.0)
    assert parcels(support) == [] and not centre.reports, "it waits longer each time"
    one.step(11.0, 0.0)
    assert parcels(support) == [(1, b""), (2, b""), (0, b"")]


def test_it_waits_for_a_support_process_that_starts_later(tmp_path: Path) -> None:
    """It ended with "cannot work here", and was never started again."""
    found: list[ipc.Channel | None] = []

    class Never:
        asked = False

    path = tmp_path / "outside.sock"
    waiting = threading.Thread(
        target=lambda: found.append(courier._channel(path, Never()))  # type: ignore[arg-type]
    )
    waiting.start()
    server = ipc.serve(path)
    waiting.join(60)
    assert found and found[0] is not None
    server.close()


def test_an_answer_that_is_no_list_of_orders_is_nothing() -> None:
    for content in (b"", b"{}", b'["%%%"]', b"[1]", b"\xff"):
        assert list(courier._orders(content)) == []
    many = b"[" + b",".join([b'"QQ=="'] * 100) + b"]"
    assert len(list(courier._orders(many))) == courier.MOST_ORDERS


@pytest.mark.parametrize("address", ["", "ftp://x", "http://centre.example", "https://", "x:y"])
def test_an_address_that_is_not_fit_is_refused(address: str) -> None:
    with pytest.raises(Unusable, match=r"enrol again|not https"):
        checked(address)
    for address, where in {
        "https://centre.example": ("centre.example", 443),
        "http://127.0.0.1:9000": ("127.0.0.1", 9000),
    }.items():
        assert address_of(checked(address)) == where


def test_a_centre_that_answers_without_end_fills_no_memory() -> None:
    given = []

    def endless() -> Iterator[bytes]:
        while True:
            given.append(1)
            yield b"A" * 65536

    answer = httpx.Response(200, content=endless())
    assert bounded(answer, 1 << 20) == b""
    assert len(given) < 20, "and the rest is not even read"
    assert bounded(httpx.Response(200, content=iter([b"a", b"b"])), 2) == b"ab"
