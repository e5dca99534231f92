"""From gate states to event summaries: reports, trips with their last seconds, trends, cycles.

Role: decides what of a room is worth telling. Process: uplink; pure, time is an argument. Must
never: pass on raw motion data, a resident, or a weight (a load is told in steps of 5 % of the safe
working load).
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field
from typing import Any

from liftctl.ipc import GateState
from liftctl.recorder.ledger import Entry

SAMPLE_NS = 100_000_000
WINDOW = 100  # samples: the last ten seconds
REPORT_NS = 900_000_000_000
CHANGE_NS = 10_000_000_000
TREND_NS = 3_600_000_000_000
SAME_ROW_NS = 60_000_000_000
TRIPS_AN_HOUR = 60
STILL_NS = 5_000_000_000
COMMISSIONING_LIFTS = 20
LEAST_LOAD = 0.2  # of the safe working load: less says nothing about the motor
SHOWN = ("hoist_speed_mm_s", "hoist_current_pct", "hoist_height_mm", "traverse_speed_mm_s",
         "stand_speed_mm_s", "stand_current_a", "stand_stroke_mm", "battery_pct")  # fmt: skip
WATCHED = ("trip", "latch")
COMMS = ("frames_not_believed", "link_")


@dataclass(slots=True)
class Means:
    """Sums of an hour; `hold` what is compared while nothing moves."""

    sums: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    counts: Counter[str] = field(default_factory=Counter)
    worst: dict[str, float] = field(default_factory=dict)

    def add(self, name: str, value: float) -> None:
        self.sums[name] += value
        self.counts[name] += 1

    def keep(self, name: str, value: float) -> None:
        """The largest one."""
        self.worst[name] = max(self.worst.get(name, value), value)

    def values(self) -> dict[str, float]:
        """Rounded means and extremes."""
        means = {name: self.sums[name] / self.counts[name] for name in self.counts}
        return {name: round(value, 2) for name, value in (means | self.worst).items()}


@dataclass(slots=True)
class Watcher:
    """One room. `cycles`: lifts or stands ever; `commissioned`: the baseline is already told;
    `due`: what of inspection and service is due, by the centre's names.
    """

    swl_kg: float
    cycles: int = 0
    commissioned: bool = False
    due: dict[str, Any] = field(default_factory=dict)
    _samples: deque[tuple[int, dict[str, float]]] = field(
        default_factory=lambda: deque(maxlen=WINDOW)
    )
    _told: tuple[Any, ...] = ()
    _reported_ns: int | None = None
    _trend_ns: int | None = None
    _means: Means = field(default_factory=Means)
    _first: Means = field(default_factory=Means)
    _tripped_ns: dict[str, int] = field(default_factory=dict)
    _trips: int = 0
    _unshown: Counter[str] = field(default_factory=Counter)
    _still: tuple[int, float] | None = None
    _comms: int | None = None

    def see(self, state: GateState) -> list[Entry]:
        """What this state adds to the chain; usually nothing."""
        self._sample(state)
        self._measure(state)
        entries = [
            entry
            for kind, detail in state.events
            if kind in WATCHED and (entry := self._trip(state, kind, detail))
        ]
        self.cycles += sum(kind == "pickup" for kind, _ in state.events)
        return [*entries, *self._report(state), *self._hourly(state)]

    def _load_pct(self, state: GateState) -> float | None:
        load = state.values.get("load_kg", state.values.get("feet_load_kg"))
        return None if load is None else 5.0 * round(load / self.swl_kg * 20)

    def _sample(self, state: GateState) -> None:
        if self._samples and state.tick_ns - self._samples[-1][0] < SAMPLE_NS:
            return
        told = {name: value for name in SHOWN if (value := state.values.get(name)) is not None}
        if (load := self._load_pct(state)) is not None:
            told["load_pct_swl"] = load
        self._samples.append((state.tick_ns, told))

    def _trip(self, state: GateState, kind: str, row: str) -> Entry | None:
        since = state.tick_ns - self._tripped_ns.get(row, -SAME_ROW_NS)
        if since < SAME_ROW_NS or self._trips >= TRIPS_AN_HOUR:
            self._unshown[row] += 1
            return None
        self._tripped_ns[row] = state.tick_ns
        self._trips += 1
        payload = {"row": row, "latched": kind == "latch", "moving": state.moving,
                   "active": list(state.active), "window": self._window(state.tick_ns)}  # fmt: skip
        return Entry("trip", "", state.tick_ns, payload)

    def _window(self, now_ns: int) -> dict[str, list[float | None]]:
        names = sorted({name for _, told in self._samples for name in told})
        window: dict[str, list[float | None]] = {
            "t_s": [round((at - now_ns) / 1e9, 2) for at, _ in self._samples]
        }
        for name in names:
            window[name] = [_rounded(told.get(name)) for _, told in self._samples]
        return window

    def _measure(self, state: GateState) -> None:
        values = state.values
        if (battery := values.get("battery_pct")) is not None:
            self._means.add("battery_pct", battery)
        self._motor(state)
        self._drift(state, values.get("hoist_height_mm"))
        bad = sum(n for name, n in state.counters.items() if name.startswith(COMMS))
        if self._comms is not None and bad > self._comms:
            self._means.sums["comms_errors"] += bad - self._comms
            self._means.counts["comms_errors"] = 1  # a sum, not a mean
        self._comms = bad

    def _motor(self, state: GateState) -> None:
        """Motor current while it raises a real load, scaled to the safe working load."""
        load, current = state.values.get("load_kg"), state.values.get("hoist_current_pct")
        raising = state.moving == "UP" and (state.values.get("hoist_speed_mm_s") or 0) > 10
        if not raising or load is None or current is None or load < LEAST_LOAD * self.swl_kg:
            return
        at_swl = current * self.swl_kg / load
        self._means.add("motor_current_pct_at_swl", at_swl)
        if not self.commissioned:
            self._first.add("motor_current_pct_at_swl", at_swl)

    def _drift(self, state: GateState, height: float | None) -> None:
        """How far the load sinks while the brake holds it."""
        if height is None or not state.aloft or state.moving:
            self._still = None
            return
        began_ns, at = self._still or (state.tick_ns, height)
        self._still = (began_ns, at)
        if state.tick_ns - began_ns >= STILL_NS:
            self._means.keep("brake_drift_mm", abs(height - at))

    def _report(self, state: GateState) -> list[Entry]:
        """The reported side of the twin: at a change that stays, and every quarter of an hour."""
        shown = (state.mode == "faulted", state.latched, state.config_hash, state.config_fallback,
                 state.version)  # fmt: skip
        age = REPORT_NS if self._reported_ns is None else state.tick_ns - self._reported_ns
        if age < CHANGE_NS or (shown == self._told and age < REPORT_NS):
            return []
        self._told, self._reported_ns = shown, state.tick_ns
        told = {
            "kind": state.kind, "mode": state.mode, "active": list(state.active),
            "latched": list(state.latched), "quality": dict(state.quality),
            "battery_pct": state.values.get("battery_pct"), "config_hash": state.config_hash,
            "config_fallback": state.config_fallback, "version": state.version,
            "limit_pct_swl": round(100 * state.limit_kg / self.swl_kg),
            "refusing": sorted({row for item in state.motions.values() for row in item.rows}),
            "counters": dict(state.counters), "unshown_trips": dict(self._unshown),
        }  # fmt: skip
        return [Entry("report", "", state.tick_ns, told)]

    def _hourly(self, state: GateState) -> list[Entry]:
        if self._trend_ns is None:
            self._trend_ns = state.tick_ns
        if state.tick_ns - self._trend_ns < TREND_NS:
            return []
        self._trend_ns, self._trips = state.tick_ns, 0
        means, self._means = self._means.values(), Means()
        found = [Entry("trend", "", state.tick_ns, {"values": means})] if means else []
        service = {"cycles": self.cycles, **self.due}
        found.append(Entry("service", "", state.tick_ns, service))
        if not self.commissioned and self.cycles >= COMMISSIONING_LIFTS and self._first.counts:
            self.commissioned = True
            payload = {"values": self._first.values(), "lifts": self.cycles}
            found.append(Entry("commissioned", "", state.tick_ns, payload))
        return found


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
