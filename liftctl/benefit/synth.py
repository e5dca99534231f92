"""A synthetic year of a home, seeded: records as a ledger holds them, nobody behind them.

Role: material for trying the reports, and for their tests. Process: `liftctl synth`. Must never: be
mistaken for data: every name says synthetic.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from math import exp, log
from zoneinfo import ZoneInfo

from liftctl.records import Block, Stay, TransferRecord

ZONE = ZoneInfo("Europe/Copenhagen")
KINDS = {"bed-chair": 273.6, "chair-bed": 255.0, "bed-toilet": 310.0}
NOW_SHARE = 0.62
SLOTS = (time(7, 15), time(9, 45), time(12, 30), time(15, 30), time(18, 45), time(21, 15))
WARDS = (("North", 0.42), ("South", 0.50), ("Respite", 0.08))
LEARNING_DAYS, LEARNING = 25.0, 0.45
OUTCOMES = (("completed", 0.905), ("fallback2", 0.035), ("aborted", 0.035), ("fault", 0.006),
            ("interrupted", 0.004), ("training", 0.015))  # fmt: skip
WAIT_S, WAIT_SPREAD = 55.0, 0.7
MISREPORTED = 0.05


@dataclass(frozen=True, slots=True)
class Resident:
    """`level`: log of how much longer than others. `two`: two carers by assessment."""

    token: str
    ward: str
    mobility: str
    level: float
    two: bool
    per_day: float


@dataclass(frozen=True, slots=True)
class Made:
    """A record and how many carers were really there."""

    record: TransferRecord
    really: int


def people(rng: random.Random, count: int) -> list[Resident]:
    """A fifth needs two carers; wards in the shares of `WARDS`."""
    made = []
    for number in range(count):
        place, ward = (number + 0.5) / count, WARDS[-1][0]
        for name, share in WARDS:
            if place < share:
                ward = name
                break
            place -= share
        two = number % 5 == 3
        made.append(
            Resident(
                token=f"synthetic-{rng.getrandbits(40):010x}",
                ward=ward,
                mobility="C" if two else rng.choice("AB"),
                level=rng.gauss(0.1 if two else 0.0, 0.22),
                two=two,
                per_day=rng.uniform(1.2, 3.4),
            )
        )
    return made


def year(seed: int, residents: int, days: int, before_days: int, start: date) -> Iterator[Made]:
    """First `before_days` with two carers and the old way, then `days` with one where allowed."""
    rng = random.Random(seed)
    home = people(rng, residents)
    for day in range(before_days + days):
        since = day - before_days
        for number, resident in enumerate(home):
            for slot in _slots(rng, resident, since >= 0):
                began = datetime.combine(start + timedelta(day), slot, ZONE)
                began += timedelta(minutes=rng.uniform(-20, 20))
                name = f"synthetic-{rng.getrandbits(48):012x}"
                yield _transfer(rng, resident, f"room-{number + 1:02}", name, began, since)


def _slots(rng: random.Random, resident: Resident, now: bool) -> list[time]:
    """Moved a little more often once it needs no second carer."""
    mean = resident.per_day * (1.06 if now and not resident.two else 1.0)
    return [slot for slot in SLOTS if rng.random() < mean / len(SLOTS)]


def _transfer(
    rng: random.Random, resident: Resident, room: str, name: str, began: datetime, since: int
) -> Made:
    kind = rng.choices(list(KINDS), (4, 4, 2))[0]
    outcome = _outcome(rng) if since >= 0 else rng.choices(("completed", "aborted"), (97, 3))[0]
    planned = 2 if since < 0 or resident.two else 1
    work_s = KINDS[kind] * exp(resident.level + rng.gauss(0, 0.28) - 0.06)
    if since >= 0 and not resident.two:
        work_s *= NOW_SHARE * (1 + LEARNING * exp(-since / LEARNING_DAYS))
    if outcome == "aborted":
        work_s *= 0.4
    wait_s = exp(log(WAIT_S) + rng.gauss(0, WAIT_SPREAD)) if planned == 2 else 0.0
    elapsed_s = round(max(35.0, work_s + wait_s), 3)
    helped = outcome == "fallback2" or planned == 2
    joined_s = wait_s if planned == 2 else elapsed_s * rng.uniform(0.3, 0.7)
    hidden = not helped and rng.random() < MISREPORTED
    trip = rng.random() < 0.03
    record = TransferRecord(
        id=name,
        municipality="Synthetic municipality",
        home="Synthetic home",
        ward=resident.ward,
        site=room,
        room=room,
        device="lift",
        kind=kind,
        resident=resident.token,
        mobility_class=resident.mobility,
        carers_planned=planned,
        carers_actual=2 if helped else 1,
        carers_present=_stays(elapsed_s, joined_s if helped else None),
        started_utc=began.astimezone(UTC).isoformat(),
        ended_utc=None
        if outcome == "interrupted"
        else (began + timedelta(seconds=elapsed_s)).astimezone(UTC).isoformat(),
        phases={"begin": 0.0, "end": elapsed_s},
        elapsed_s=None if outcome == "interrupted" else elapsed_s,
        blocks=(Block(row="rail_end", at_s=round(elapsed_s / 2, 1)),) if trip else (),
        outcome="completed" if outcome == "training" else outcome,
        exclude=outcome == "training",
        exclude_reason="training" if outcome == "training" else None,
        version="synthetic",
    )
    return Made(record, 2 if helped or hidden else 1)


def _outcome(rng: random.Random) -> str:
    return rng.choices([name for name, _ in OUTCOMES], [share for _, share in OUTCOMES])[0]


def _stays(elapsed_s: float, joined_s: float | None) -> tuple[Stay, ...]:
    first = Stay(joined_s=0.0, left_s=elapsed_s, source="badge")
    if joined_s is None:
        return (first,)
    return first, Stay(joined_s=round(joined_s, 3), left_s=elapsed_s, source="button")
