"""A gateway for the tests: the recorder's own ledger, the uplink's own sender, no room."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Engine

from liftctl.centre.ingest.directory import invite, put_home
from liftctl.recorder.ledger import Entry, Ledger
from liftctl.uplink import protocol
from liftctl.uplink.outbox import Outbox
from liftctl.uplink.protocol import Batch, Enrol, Enrolled, FromCentre
from liftctl.uplink.sender import Sender, post
from liftctl.uplink.state import Enrolment, Folder

URL = "http://testserver"


def add_home(engine: Engine, municipality: str, home: str) -> None:
    """The tenant's own rows, as `liftctl centre home` makes them."""
    with engine.begin() as db:
        put_home(db, municipality, home, home, municipality)


@dataclass(slots=True)
class Home:
    """One gateway. `clock_off_s`: how wrong its wall clock is."""

    path: Path
    http: httpx.Client
    enrolment: Enrolment
    folder: Folder
    clock_off_s: float = 0.0
    ledger: Ledger = field(init=False)
    events: Ledger = field(init=False)
    jump_ns: int = 0
    heads: Path | None = None  # the second place for signed heads; each head costs a sync

    def __post_init__(self) -> None:
        self.open()

    @classmethod
    def enrolled(
        cls, engine: Engine, http: httpx.Client, path: Path, municipality: str, home: str, name: str
    ) -> Home:
        add_home(engine, municipality, home)
        folder = Folder(path / "uplink")
        code = invite(engine, municipality, home, name, datetime.now(UTC))
        key = folder.key()
        asked = Enrol(code, key.public_key().public_bytes_raw(), "lift", f"Room of {name}")
        answer = post(http, URL, key, asked)
        assert isinstance(answer, Enrolled), answer
        enrolment = Enrolment(URL, answer.municipality, answer.home, answer.controller)
        folder.keep(enrolment)
        return cls(path, http, enrolment, folder)

    def open(self) -> None:
        self.ledger = Ledger(self.path / "ledger.sqlite", self.wall_ns, self.heads)
        self.events = Ledger(self.folder.events, self.wall_ns)
        for chain in (self.ledger, self.events):
            chain.db.execute("PRAGMA synchronous = OFF")  # thousands of rows, no power cut

    def backed_up(self) -> bytes:
        """Its ledger after five transfers, as a backup has it; open again when it returns."""
        self.close()
        self.heads = self.path / "heads"
        self.open()
        self.transfers(5)
        self.close()
        backup = (self.path / "ledger.sqlite").read_bytes()
        self.open()
        return backup

    def restore(self, backup: bytes) -> None:
        """The ledger of the backup in the place of what came since; open when it returns."""
        self.close()
        for name in ("ledger.sqlite-wal", "ledger.sqlite-shm"):
            (self.path / name).unlink(missing_ok=True)
        (self.path / "ledger.sqlite").write_bytes(backup)
        self.open()

    def close(self) -> None:
        self.ledger.close()
        self.events.close()

    def wall_ns(self) -> int:
        return time.time_ns() + int(self.clock_off_s * 1e9)

    def transfers(self, n: int, **fields: Any) -> None:
        """Closed transfers, each with what must not leave the home."""
        for _ in range(n):
            name = f"t-{self.ledger.head[:12]}"
            record = {"id": name, "kind": "bed-chair", "outcome": "completed", "carers_actual": 1,
                      "elapsed_s": 240.0, "staff_s": 240.0, "resident": "r-secret",
                      "peak_load_kg": 83.25, "note": "private words"}  # fmt: skip
            header = {"outcome": "completed"}
            self.ledger.append(Entry("closed", name, 1, record | fields, header))

    def event(self, kind: str, **payload: Any) -> None:
        self.events.append(Entry(kind, "", 1, payload))

    def sender(self) -> Sender:
        """A new one, as after a restart. Its monotonic clock jumps over every waiting time."""
        boxes = (
            Outbox(self.path / "ledger.sqlite", "transfers"),
            Outbox(self.folder.events, "events"),
        )
        return Sender(
            self.folder, self.enrolment, self.folder.key(), boxes, self.wall_ns, self.mono_ns,
            self.http,
        )  # fmt: skip

    def mono_ns(self) -> int:
        self.jump_ns += 3_600_000_000_000
        return self.jump_ns

    def drain(self, sender: Sender | None = None) -> Sender:
        """Send until nothing goes forward any more."""
        sender = sender or self.sender()
        while sender.step():
            pass
        return sender

    def batch(self, after: int = 0, most: int = 500, stream: str = "transfers") -> Batch:
        """What the uplink would send from there."""
        path = self.folder.events if stream == "events" else self.path / "ledger.sqlite"
        who = (self.enrolment.municipality, self.enrolment.controller)
        found = Outbox(path, stream).batch(after, who, self.wall_ns() // 1_000_000, most)
        assert found is not None
        return found

    def post(self, message: protocol.Message) -> FromCentre:
        return post(self.http, URL, self.folder.key(), message)
