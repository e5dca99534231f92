"""The uplink against a centre that is away, busy, refusing or wrong."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from config.schema import load
from liftctl import processes
from liftctl.entry import Unusable
from liftctl.recorder.ledger import Entry, Ledger
from liftctl.uplink import protocol
from liftctl.uplink.outbox import Outbox
from liftctl.uplink.protocol import Ack, Batch, FromCentre, Need, Refused
from liftctl.uplink.sender import Sender
from liftctl.uplink.state import Enrolment, Folder, checked

SITE = Path("config/sites/demo-lift.toml")
WALL_NS = 1_790_000_000_000_000_000


class Centre:
    """Answers as told; `seen` are the batches it was sent, `now_ns` the uplink's steady clock."""

    def __init__(self, folder: Path, answer: Callable[[Batch], FromCentre | httpx.Response]):
        self.seen: list[Batch] = []
        self.now_ns = 0
        self._answer = answer
        self.ledger = Ledger(folder / "ledger.sqlite", lambda: WALL_NS)
        for n in range(9):
            self.ledger.append(Entry("closed", f"t{n}", 1, {"kind": "bed-chair"}, {}))
        http = httpx.Client(transport=httpx.MockTransport(self._take))
        uplink = Folder(folder / "uplink")
        box = Outbox(folder / "ledger.sqlite", "transfers")
        who = Enrolment("http://127.0.0.1", "m", "h", "c")
        self.sender = Sender(
            uplink, who, uplink.key(), (box,), lambda: WALL_NS, lambda: self.now_ns, http
        )

    def _take(self, request: httpx.Request) -> httpx.Response:
        batch = protocol.from_home(request.content)
        assert isinstance(batch, Batch)
        public = self.sender.key.public_key().public_bytes_raw()
        assert protocol.signed_by(public, request.content, request.headers[protocol.SIGNATURE])
        self.seen.append(batch)
        answer = self._answer(batch)
        if isinstance(answer, httpx.Response):
            return answer
        return httpx.Response(200, content=protocol.encode(answer))

    @property
    def at(self) -> int:
        return self.sender.at("transfers").seq

    @property
    def trouble(self) -> str:
        return self.sender.at("transfers").trouble


def everything(batch: Batch) -> FromCentre:
    return Ack(batch.epoch, batch.first_seq + len(batch.records) - 1)


@pytest.mark.parametrize(
    "answer",
    [
        lambda _: httpx.Response(502, text="<html>bad gateway</html>"),
        lambda _: httpx.Response(200, content=b""),
        lambda _: httpx.Response(200, content=b"\xc1"),
        lambda _: Refused("busy", "the database is away", 5.0),
        lambda batch: Ack(batch.epoch + 1, 10),
    ],
)
def test_only_an_acknowledgement_moves_it_on_and_the_trouble_is_told(
    tmp_path: Path, answer: Callable[[Batch], FromCentre | httpx.Response]
) -> None:
    centre = Centre(tmp_path, answer)
    assert not centre.sender.step()
    assert (centre.at, bool(centre.trouble)) == (0, True)
    centre._answer = everything
    assert not centre.sender.step()  # not yet: it waits
    centre.now_ns += 600 * 10**9
    assert centre.sender.step()
    assert (centre.at, centre.trouble) == (10, "")


def test_waits_grow_while_the_centre_is_away_and_stay_below_five_minutes(tmp_path: Path) -> None:
    centre = Centre(tmp_path, lambda _: httpx.Response(503))
    waits = []
    for _ in range(14):
        centre.sender.step()
        waits.append(centre.sender._lanes[0].due_ns - centre.now_ns)
        centre.now_ns = centre.sender._lanes[0].due_ns
    assert waits[0] < 2 * 10**9
    assert 100 * 10**9 < waits[-1] <= 300 * 10**9


def test_a_flood_answer_says_when_to_come_back(tmp_path: Path) -> None:
    centre = Centre(tmp_path, lambda _: Refused("flood", "wait", 90.0))
    centre.sender.step()
    assert centre.sender._lanes[0].due_ns >= 90 * 10**9


def test_a_row_the_centre_refuses_is_found_by_halving_and_sealed(tmp_path: Path) -> None:
    def picky(batch: Batch) -> FromCentre:
        places = range(batch.first_seq, batch.first_seq + len(batch.records))
        bad = any(seq == 4 and not item.sealed for seq, item in zip(places, batch.records,
                                                                    strict=True))  # fmt: skip
        return Refused("unacceptable", "row 4") if bad else everything(batch)

    centre = Centre(tmp_path, picky)
    while centre.sender.step():
        pass
    assert centre.at == 10
    assert [seq for seq, _ in centre.sender.at("transfers").set_aside] == [4]
    sealed = [item for batch in centre.seen for item in batch.records if item.sealed]
    assert all(item.digest and not item.header and not item.body for item in sealed)


def test_a_restart_goes_on_where_it_was(tmp_path: Path) -> None:
    centre = Centre(tmp_path, everything)
    centre.sender.step()
    centre.ledger.append(Entry("closed", "new", 1, {}, {}))
    centre.sender.__post_init__()
    centre.now_ns += 10**10
    assert centre.sender.step()
    assert [batch.first_seq for batch in centre.seen] == [1, 11]


@pytest.mark.parametrize("url", ["http://centre.example", "ftp://127.0.0.1", "centre.example", ""])
def test_an_address_without_encryption_is_refused_unless_it_is_this_machine(url: str) -> None:
    with pytest.raises(Unusable):
        checked(url)


def test_this_machine_and_https_are_taken() -> None:
    assert checked("http://127.0.0.1:8201/") == "http://127.0.0.1:8201"
    assert checked("https://centre.example") == "https://centre.example"


def test_the_uplink_runs_only_where_it_was_enrolled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIFTCTL_DATA", str(tmp_path))
    site = load(SITE)
    assert "uplink" not in [item.name for item in processes.service(site, SITE, 0, {})]
    Folder.of(site.name).keep(Enrolment("http://127.0.0.1", "m", "h", "c"))
    assert "uplink" in [item.name for item in processes.service(site, SITE, 0, {})]


def backwards(batch: Batch) -> FromCentre:
    return Ack(batch.epoch, 5) if batch.first_seq == 1 else Need(0, 0)


@pytest.mark.parametrize(
    "answer",
    [
        backwards,
        lambda batch: Ack(batch.epoch, 0),
        lambda batch: Ack(batch.epoch, -5),
        lambda _: Need(2**63, 2**63),
        lambda _: Refused("flood", "x", math.inf),
        lambda _: Refused("flood", "x", math.nan),
        lambda _: Refused("unacceptable", "x"),
    ],
    ids=["needs it again for ever", "acks nothing", "acks less than nothing",
         "needs a number that is none here", "wait for ever",
         "wait for nan", "takes no row"],
)  # fmt: skip
def test_a_centre_that_was_taken_over_makes_it_wait_and_neither_spin_nor_die(
    tmp_path: Path, answer: Callable[[Batch], FromCentre]
) -> None:
    centre = Centre(tmp_path, answer)
    while centre.now_ns < 7200 * 10**9:
        if not centre.sender.step():
            centre.now_ns = max(centre.now_ns + 10**8, centre.sender._lanes[0].due_ns)
        assert len(centre.seen) < 200, "in two hours"
    centre._answer = everything
    centre.now_ns += 3601 * 10**9
    for _ in range(5):
        centre.sender.step()
        centre.now_ns += 10**9
    assert (centre.at, centre.trouble) == (10, ""), "and goes on when the centre is itself again"
