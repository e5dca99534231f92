"""Who gives permission and evidence, digested from one step's inputs (design rules 2, 6, 10).

Role: keeps the newest lease, plan, guard and recorder beat, and the stations. Must never: extend a
lease; its age is counted from the tick it echoes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from safety import stations
from safety.bounds import Params
from safety.signals import NS_PER_MS
from safety.stations import Stations
from safety.types import (
    Beat,
    Gone,
    GuardBeat,
    KernelInput,
    Lease,
    MarkerDurable,
    Motion,
    Plan,
    PlanSet,
    RecorderBeat,
    Release,
    Reset,
    Stop,
)
from safety.verdict import Event


@dataclass(frozen=True, slots=True)
class Authority:
    """Stations and leases. The fields from `reset` on are this step's edges."""

    stations: Stations = field(default_factory=lambda: Stations({}))
    lease: Lease | None = None
    plan: Plan | None = None
    guard: GuardBeat | None = None
    recorder: RecorderBeat | None = None
    durable_seq: int = 0
    reset: bool = False
    released: tuple[str, ...] = ()
    hard_stop: bool = False
    evidence_lost: bool = False
    key_held: bool = False
    press_long: bool = False

    @property
    def confirmed_pickup(self) -> int:
        """The pick-up whose loops a carer confirmed; 0 when none."""
        return self.lease.confirmed_pickup if self.lease else 0

    def in_transfer(self, carrying: bool) -> bool:
        """Is a transfer under way, by the controller's word or by the load itself."""
        return carrying or bool(self.lease and self.lease.in_transfer)

    def age_ms(self, beat: str, now_ns: int) -> float | None:
        """Milliseconds since the tick that `lease`, `guard` or `recorder` echoed; None when there
        was none, negative from the future.
        """
        item: Lease | GuardBeat | RecorderBeat | None = getattr(self, beat)
        return (now_ns - item.echo_ns) / NS_PER_MS if item else None

    def neutral_seen(self, now_ns: int, params: Params) -> bool:
        """Every live station is at neutral, and there is one."""
        here = [s for s in self.stations.by_name.values() if stations.live(s, now_ns, params)]
        return bool(here) and all(station.neutral for station in here)


def absorb(
    before: Authority,
    inputs: tuple[KernelInput, ...],
    now_ns: int,
    params: Params,
    carrying: bool,
) -> tuple[Authority, tuple[Event, ...]]:
    """Digest the inputs in order, then age what is left. `carrying`: someone hangs or stands."""
    now = replace(before, reset=False, released=(), hard_stop=False)
    events: list[Event] = []
    for item in inputs:
        given = _frozen(now.plan, item, carrying) if isinstance(item, PlanSet) else item
        now, more = _one(now, given, now_ns, params)
        events += more
    held, aged, lost = stations.expire(now.stations, now_ns, params)
    if now.hard_stop:  # also what was pressed behind the STOP in the same turn
        held, more = stations.kill(held, "stop_pressed", now_ns)
        aged += more
    now = replace(
        now,
        stations=held,
        evidence_lost=lost,
        key_held=stations.held_at_start(held, now_ns, params),
        press_long=stations.held_ms(held, now_ns) > params.press_max_ms,
    )
    return now, (*events, *aged)


def _one(
    now: Authority, item: KernelInput, now_ns: int, params: Params
) -> tuple[Authority, tuple[Event, ...]]:
    match item:
        case Beat():
            held, events = stations.beat(now.stations, item, now_ns, params)
            return replace(now, stations=held), events
        case Stop():
            held, events = stations.kill(now.stations, f"stop_pressed:{item.station}", now_ns)
            return replace(now, stations=held, hard_stop=True), events
        case Gone():
            held, events = stations.gone(now.stations, item.station, now_ns)
            return replace(now, stations=held), events
        case Reset():
            return replace(now, reset=True), (Event("reset", item.station),)
        case Release():
            return _release(now, item)
    return _lease(now, item), ()


def _frozen(before: Plan | None, given: PlanSet, carrying: bool) -> PlanSet:
    """In mid-transfer a plan stays, or narrows; a limit that is no number is none at all."""
    plan = given.plan
    if plan and not (math.isfinite(plan.limit_kg) and math.isfinite(plan.sling_kg)):
        plan = replace(plan, limit_kg=0.0, sling_kg=0.0)
    if not carrying or before is None:
        return PlanSet(plan)
    if plan is None:
        return PlanSet(before)
    narrow = replace(
        before,
        limit_kg=min(before.limit_kg, plan.limit_kg),
        sling_kg=min(before.sling_kg, plan.sling_kg),
    )
    return PlanSet(narrow)


def _release(now: Authority, item: Release) -> tuple[Authority, tuple[Event, ...]]:
    if not item.by.strip():
        return now, (Event("release_refused", item.row),)
    released = (*now.released, item.row)
    return replace(now, released=released), (Event("released", f"{item.row}:{item.by}"),)


def _lease(now: Authority, item: KernelInput) -> Authority:
    match item:
        case Lease():
            return replace(now, lease=item)
        case PlanSet():
            return replace(now, plan=item.plan)
        case GuardBeat():
            return replace(now, guard=item)
        case RecorderBeat():
            return replace(now, recorder=item)
        case MarkerDurable(ok=True):
            return replace(now, durable_seq=max(now.durable_seq, item.seq))
    return now


def granted(now: Authority, now_ns: int, params: Params) -> Motion:
    """The motions the controller permits, NONE when its lease is dead."""
    age = now.age_ms("lease", now_ns)
    if now.lease is None or age is None or not 0 <= age <= params.permission_ms:
        return Motion.NONE
    return Motion(now.lease.motions)
