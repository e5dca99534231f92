"""Who may hold, and whether they still do: presses, neutral-first, ownership (rules 2, 6).

Role: from beats and STOP edges to at most one live press. Must never: revive a press that stopped,
accept a press from a station that was not seen neutral since, or renew evidence from anything but a
fresh echo.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from safety.bounds import Params
from safety.signals import NS_PER_MS
from safety.types import AXIS_OF, Beat, Motion
from safety.verdict import Event

HAND = "hand"
FORGET_NS = 60_000_000_000  # a station that has been silent for a minute is forgotten


@dataclass(frozen=True, slots=True)
class Station:
    """One panel page or the hand control. `press` is the live press, 0 when none."""

    session: str
    press: int = 0
    motion: Motion = Motion.NONE
    press_ns: int = 0  # when the live press began
    last_press: int = 0  # every id up to this one has lived
    neutral: bool = False  # seen neutral since the last press ended
    ever_neutral: bool = False
    echo_ns: int = 0
    rx_ns: int = 0


@dataclass(frozen=True, slots=True)
class Stations:
    """All stations, who owns, and since when the owner has had no live press."""

    by_name: Mapping[str, Station]
    owner: str = ""
    idle_since_ns: int = 0


def live(station: Station, now_ns: int, params: Params) -> bool:
    """Is this station's evidence fresh: echo and receive time both young, neither from the
    future.
    """
    limit = params.evidence_ms * NS_PER_MS
    return 0 <= now_ns - station.echo_ns <= limit and 0 <= now_ns - station.rx_ns <= limit


def pressed(stations: Stations) -> Motion:
    """The one live press, or NONE."""
    owner = stations.by_name.get(stations.owner)
    return owner.motion if owner and owner.press else Motion.NONE


def held_ms(stations: Stations, now_ns: int) -> float:
    """For how long the live press has been held; 0 when there is none."""
    owner = stations.by_name.get(stations.owner)
    return (now_ns - owner.press_ns) / NS_PER_MS if owner and owner.press else 0.0


def kill(stations: Stations, why: str, now_ns: int) -> tuple[Stations, tuple[Event, ...]]:
    """End every live press for ever."""
    if not any(station.press for station in stations.by_name.values()):
        return stations, ()
    ended = {
        name: replace(station, press=0, motion=Motion.NONE, neutral=False)
        if station.press
        else station
        for name, station in stations.by_name.items()
    }
    return Stations(ended, stations.owner, now_ns), (Event("stop", why),)


def gone(stations: Stations, name: str, now_ns: int) -> tuple[Stations, tuple[Event, ...]]:
    """The link died: its press ends, its ownership lapses at once."""
    events: tuple[Event, ...] = ()
    if (station := stations.by_name.get(name)) and station.press:
        stations, events = kill(stations, "station_gone", now_ns)
    rest = dict(stations.by_name)
    if name in rest:  # its spent press ids stay spent
        rest[name] = replace(rest[name], neutral=False, echo_ns=0)
    owner = "" if stations.owner == name else stations.owner
    return Stations(rest, owner, stations.idle_since_ns), events


def beat(
    stations: Stations, given: Beat, now_ns: int, params: Params
) -> tuple[Stations, tuple[Event, ...]]:
    """Digest one beat. A beat whose echo is old, future or absent is no evidence and changes
    nothing.
    """
    known = stations.by_name.get(given.station)
    station = known if known and known.session == given.session else Station(given.session)
    events: tuple[Event, ...] = ()
    if known and known is not station:
        stations, events = gone(stations, given.station, now_ns)
    elif not live(station, now_ns, params):  # nobody knows what it did in between
        station = replace(station, neutral=False)
    seen = replace(
        station,
        echo_ns=max(station.echo_ns, given.echo_ns),
        rx_ns=max(station.rx_ns, given.rx_ns),
    )
    if not live(replace(seen, echo_ns=given.echo_ns, rx_ns=given.rx_ns), now_ns, params):
        return stations, events
    stations, more = _press(stations, given, seen, now_ns)
    return stations, events + more


def _put(stations: Stations, name: str, station: Station) -> Stations:
    return replace(stations, by_name={**stations.by_name, name: station})


def _press(
    stations: Stations, given: Beat, station: Station, now_ns: int
) -> tuple[Stations, tuple[Event, ...]]:
    name = given.station
    if given.motion == Motion.NONE or given.press == 0:
        return _neutral(stations, name, station, now_ns)
    if station.press and given.press == station.press and given.motion == station.motion:
        return _put(stations, name, station), ()
    fresh = given.press > station.last_press
    stations = _put(
        stations, name, replace(station, last_press=max(station.last_press, given.press))
    )
    if station.press:  # a second direction, or a new press without neutral: everything stops
        return kill(stations, "changed_press", now_ns)
    if not fresh or given.motion not in AXIS_OF:
        return stations, ()
    if station.neutral:
        return _fresh_press(stations, given, now_ns)
    # not seen neutral: it cannot move anything, but any press by a non-owner stops (rule 6)
    if name != stations.owner and pressed(stations):
        return kill(stations, f"pressed_by:{name}", now_ns)
    return stations, (Event("refused", "no_neutral"),)


def _neutral(
    stations: Stations, name: str, station: Station, now_ns: int
) -> tuple[Stations, tuple[Event, ...]]:
    idle = now_ns if station.press else stations.idle_since_ns
    events = (Event("release", name),) if station.press else ()
    calm = replace(station, press=0, motion=Motion.NONE, neutral=True, ever_neutral=True)
    return replace(_put(stations, name, calm), idle_since_ns=idle), events


def _fresh_press(
    stations: Stations, given: Beat, now_ns: int
) -> tuple[Stations, tuple[Event, ...]]:
    name = given.station
    spent = replace(stations.by_name[name], neutral=False)
    if stations.owner in ("", name):
        held = replace(spent, press=given.press, motion=given.motion, press_ns=now_ns)
        owned = replace(_put(stations, name, held), owner=name)
        return owned, (Event("press", f"{name}:{given.motion.name}"),)
    stopped, events = kill(_put(stations, name, spent), f"pressed_by:{name}", now_ns)
    if name == HAND:  # the hand control outranks panels: it owns, its next fresh press moves
        stopped = replace(stopped, owner=HAND, idle_since_ns=now_ns)
    return stopped, (*events, Event("refused", "two_stations"))


def expire(
    stations: Stations, now_ns: int, params: Params
) -> tuple[Stations, tuple[Event, ...], bool]:
    """Age everything once a step; the flag says that a live press lost its evidence."""
    owner = stations.by_name.get(stations.owner)
    events: tuple[Event, ...] = ()
    lost = bool(owner and owner.press and not live(owner, now_ns, params))
    if lost:
        stations, events = kill(stations, "evidence_lost", now_ns)
    dead = [name for name, item in stations.by_name.items() if not live(item, now_ns, params)]
    kept = {k: v for k, v in stations.by_name.items() if now_ns - v.rx_ns <= FORGET_NS or v.press}
    stations = replace(stations, by_name=kept)
    idle_ms = (now_ns - stations.idle_since_ns) / NS_PER_MS
    lapsed = not pressed(stations) and (stations.owner in dead or idle_ms > params.ownership_ms)
    if lapsed and stations.owner:
        stations = replace(stations, owner="")
    return stations, events, lost


def held_at_start(stations: Stations, now_ns: int, params: Params) -> bool:
    """A live station that has been pressing ever since it appeared (H3)."""
    return any(
        item.last_press and not item.ever_neutral and live(item, now_ns, params)
        for item in stations.by_name.values()
    )
