"""How late this machine's scheduler is, and which verdicts that is too late for.

Role: measures lateness of a plane in real time; states the uncertainty of each measurement and
refuses what is tighter. Must never: turn a refused verdict into a pass or a fail.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from hil.timeline import Result, Timeline, Verdict

SAMPLE_MS = 10.0  # the plant's truth is looked at this often
SPEEDS = ("speed_mm_s", "x_speed_mm_s", "stroke_speed_mm_s", "drive_mm_s")
LEASE_MS = 250.0  # a finger's evidence is dead after that
DYING_NS = 500_000_000  # until the last that a killed process said is read
RESTART_NS = 1_000_000_000  # liftctl/up.py
AWAY_NS = 3_000_000_000  # a killed process is back sooner, on a machine that can be judged on
LATE = ("evidence_lost", "lag_stop")  # rows of beats and turns that came too late
DECISIVE = (Verdict.PASS, Verdict.FAIL)


@dataclass(slots=True)
class Jitter:
    """Milliseconds between when a step was due and when it was done."""

    late_ms: list[float] = field(default_factory=list)

    def add(self, due_ns: int, done_ns: int) -> None:
        """One wake-up."""
        self.late_ms.append(max(0, done_ns - due_ns) / 1e6)

    def figures(self) -> dict[str, float]:
        """median, p99, max and the count, for the manifest."""
        if not self.late_ms:
            return {}
        ordered = sorted(self.late_ms)
        last = len(ordered) - 1
        told = {"median": ordered[last // 2], "p99": ordered[last * 99 // 100], "max": ordered[-1]}
        return {name: round(value, 3) for name, value in told.items()}

    @property
    def uncertainty_ms(self) -> float:
        """Of a moment: the latest step of this run, and one sample of the truth."""
        return max(self.late_ms, default=0.0) + SAMPLE_MS


def uncertainty(unit: str, jitter: Jitter, fastest_mm_s: float) -> float:
    """Of a value in this unit. A speed or a load is the plant's own figure at its own time."""
    if unit == "ms":
        return round(jitter.uncertainty_ms, 3)
    return round(jitter.uncertainty_ms * fastest_mm_s / 1000, 3) if unit == "mm" else 0.0


def refuse(result: Result, timeline: Timeline, jitter: Jitter) -> Result:
    """The same result with uncertainties, INCONCLUSIVE where they decide.

    A violated invariant or an expectation that failed by more than its uncertainty stays a FAIL.
    """
    if result.verdict not in DECISIVE:
        return result
    if result.verdict is Verdict.FAIL and (how := _starved(timeline, jitter)):
        why = f"this machine was too late for beats and turns ({how}), and nobody asked for that"
        return replace(result, verdict=Verdict.INCONCLUSIVE, reasons=(why, *result.reasons))
    fastest = _fastest(timeline)
    told = tuple(_with(item, jitter, fastest) for item in result.measurements)
    refused = [item for item in told if item["refused"]]
    result = replace(result, measurements=told)
    if not refused or _fails_anyway(timeline, jitter, fastest):
        return result
    reasons = tuple(_why(item) for item in refused)
    return replace(result, verdict=Verdict.INCONCLUSIVE, reasons=reasons)


def _starved(timeline: Timeline, jitter: Jitter) -> str:
    """What says so. Where a process was struck or a person harmed it excuses nothing."""
    if any(True for _ in timeline.lane("oracle", "violated")):
        return ""
    struck = {e["id"]: e["t_ns"] for e in timeline.lane("fault", "armed") if e["id"][:3] == "L9."}
    if struck:
        return _not_back(timeline, struck["L9.kill"]) if "L9.kill" in struck else ""
    latest_ms = max(jitter.late_ms, default=0.0)
    if latest_ms > LEASE_MS:
        return f"{latest_ms:.0f} ms"
    marks = (e["t_ns"] for e in timeline.lane("meta", "mark") if e["name"] == "start")
    ready = (e["t_ns"] for e in timeline.lane("gate", "change") if e.get("mode") == "ready")
    begun = next(marks, next(ready, 1 << 62))  # a gate that boots has been late for ever
    trips = (event for event in timeline.lane("gate", "event") if event["what"] == "trip")
    told = [*timeline.lane("alarm", "on"), *trips]
    rows = (str(e.get("row", e.get("detail"))) for e in told if e["t_ns"] >= begun)
    return next((row for row in rows if row in LATE), "")


def _not_back(timeline: Timeline, killed_ns: int) -> str:
    """A killed gate that was away for as long as its first start took on this machine, and for
    longer than any story waits, says nothing of itself.
    """
    gate = [event["t_ns"] for event in timeline.lane("gate")]
    ends_ns = max(event["t_ns"] for event in timeline.events)
    back_ns = next((t_ns for t_ns in gate if t_ns > killed_ns + DYING_NS), ends_ns)
    if not gate or not AWAY_NS < back_ns - killed_ns <= RESTART_NS + 2 * gate[0]:
        return ""
    return f"the gate needs {gate[0] / 1e9:.0f} s to start"


def _fastest(timeline: Timeline) -> float:
    samples = timeline.lane("plant")
    return max((abs(e.get(name, 0.0)) for e in samples for name in SPEEDS), default=0.0)


def _with(item: dict[str, Any], jitter: Jitter, fastest: float) -> dict[str, Any]:
    u = uncertainty(str(item.get("unit", "")), jitter, fastest)
    return {**item, "uncertainty": u, "refused": _too_tight(item, u)}


def _too_tight(item: dict[str, Any], u: float) -> bool:
    value = item.get("value")
    limits = _limits(item)
    return value is not None and any(abs(value - limit) < u for limit in limits)


def _limits(item: dict[str, Any]) -> list[float]:
    """Of a measurement (min, max) or of an event (low, high)."""
    return [item[name] for name in ("max", "high", "min", "low") if item.get(name) is not None]


def _fails_anyway(timeline: Timeline, jitter: Jitter, fastest: float) -> bool:
    if any(True for _ in timeline.lane("oracle", "violated")):
        return True
    failed: Iterable[dict[str, Any]] = timeline.lane("expect", "failed")
    return any(
        not _too_tight(event, uncertainty(str(event.get("unit", "")), jitter, fastest))
        for event in failed
    )


def _why(item: dict[str, Any]) -> str:
    limit = min(_limits(item), key=lambda limit: abs(limit - item["value"]))
    unit = item.get("unit")
    return (
        f"{item.get('name')}: {item['value']:g} against {limit:g} {unit} is closer than "
        f"this machine's uncertainty of {item['uncertainty']:g} {unit}"
    )
