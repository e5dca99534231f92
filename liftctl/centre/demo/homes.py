"""One demo home: its gateways' real ledgers and real uplinks, with made-up transfers.

Role: stands in for rooms that are not there. Process: one for each demo home. Must never: write to
the centre but through the uplink's own protocol.
"""

from __future__ import annotations

import os
import random
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx

from liftctl.centre.demo.cast import HOMES, DemoHome, Gateway
from liftctl.centre.demo.history import Life
from liftctl.entry import Ending, Unusable
from liftctl.recorder.ledger import Ledger
from liftctl.uplink.outbox import Outbox
from liftctl.uplink.protocol import Enrol, Enrolled
from liftctl.uplink.sender import Sender, client, post
from liftctl.uplink.state import Enrolment, Folder

DAYS = 60
DAY_NS = 86_400_000_000_000
TURN_S = 1.0
EVERY_S = 40.0  # a transfer, somewhere in the home
REPORT_S = 60.0


@dataclass(slots=True)
class Clock:
    """The wall clock, set back while history is written."""

    back_ns: int = 0

    def __call__(self) -> int:
        return time.time_ns() - self.back_ns


@dataclass(slots=True)
class Room:
    """One gateway: two chains and the uplink's sender."""

    gateway: Gateway
    life: Life
    clock: Clock
    transfers: Ledger
    events: Ledger
    sender: Sender

    @classmethod
    def open(cls, gateway: Gateway, folder: Path, url: str, code: str) -> Room:
        """Enrolled with its one-time code at its first start."""
        uplink, clock, http = Folder(folder / "uplink"), Clock(), client()
        new = not uplink.enrolled
        if new:
            uplink.keep(_enrol(uplink, gateway, url, code, http))
            clock.back_ns = DAYS * DAY_NS
        seed = random.Random(gateway.name)
        life = Life(gateway, seed, 300 + seed.randrange(1500))
        ledgers = Ledger(folder / "ledger.sqlite", clock), Ledger(uplink.events, clock)
        boxes = Outbox(folder / "ledger.sqlite", "transfers"), Outbox(uplink.events, "events")
        sender = Sender(
            uplink, uplink.enrolment(), uplink.key(), boxes, time.time_ns, time.monotonic_ns, http
        )
        room = cls(gateway, life, clock, *ledgers, sender)
        if new:
            room._history()
        return room

    def _history(self) -> None:
        """Newest facts first at the centre: a report now, then the days up to today."""
        today = datetime.now(UTC).date()
        self.events.append(self.life.commissioned())
        for left in range(DAYS, 0, -1):
            self.clock.back_ns = left * DAY_NS
            for entry in self.life.day(left, today):
                self.events.append(entry)
            if left == DAYS // 2 and self.gateway.character != "overdue":
                self.events.append(self.life.inspected(today))
            for n in range(max(0, round(self.life.rng.gauss(self.gateway.a_day, 1)))):
                self.clock.back_ns = left * DAY_NS - n * DAY_NS // 12
                self.transfers.append(self.life.transfer(f"{self.gateway.name}-{left}-{n}"))
        self.clock.back_ns = 0
        if self.gateway.character == "latched":
            self.events.append(self.life.trip("hoist_overspeed"))
        self.report()

    def report(self) -> None:
        self.events.append(self.life.report())

    def close(self) -> None:
        self.transfers.close()
        self.events.close()


def _enrol(
    folder: Folder, gateway: Gateway, url: str, code: str, http: httpx.Client
) -> Enrolment:  # fmt: skip
    key = folder.key()
    public = key.public_key().public_bytes_raw()
    answer = post(http, url, key, Enrol(code, public, gateway.kind, gateway.title))
    if not isinstance(answer, Enrolled):
        raise Unusable(f"{gateway.name}: {answer}")
    return Enrolment(url, answer.municipality, answer.home, answer.controller)


def live(rooms: list[Room], ending: Ending) -> None:
    """New transfers now and then, a report each minute, until told to end."""
    rng, next_s, reported_s = random.Random(), 0.0, time.monotonic()
    while not ending.asked:
        now_s = time.monotonic()
        if now_s >= next_s:
            next_s = now_s + EVERY_S * rng.uniform(0.5, 1.5)
            room = rng.choice([item for item in rooms if item.gateway.character != "silent"])
            room.transfers.append(room.life.transfer(f"{room.gateway.name}-{time.time_ns()}"))
        if now_s - reported_s > REPORT_S:
            reported_s = now_s
            for room in rooms:
                if room.gateway.character != "silent":
                    room.report()
        for room in rooms:
            room.sender.step()
        time.sleep(TURN_S)


def main(home: DemoHome, folder: Path, url: str, codes: dict[str, str]) -> None:
    """The home until SIGTERM."""
    ending = Ending()
    rooms = []
    for gateway in home.gateways:
        room = Room.open(gateway, folder / gateway.name, url, codes.get(gateway.name, ""))
        rooms.append(room)
        while room.sender.step() and not ending.asked:
            pass
    live(rooms, ending)
    for room in rooms:
        room.close()


if __name__ == "__main__":
    os.nice(5)
    _, _name, _folder, _url = sys.argv
    _codes = dict(item.split("=", 1) for item in os.environ["LIFTCTL_DEMO_CODES"].split(","))
    main(next(item for item in HOMES if item.home == _name), Path(_folder), _url, _codes)
