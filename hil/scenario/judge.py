"""Expectations against a finished timeline: the same judge for every plane.

Role: each expectation becomes `passed` or `failed` with what was measured. Must never: ask a plane
or a clock; what the timeline does not hold did not happen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from hil.clock import NS_PER_MS
from hil.scenario.conditions import Condition, Now, quantity
from hil.scenario.model import Doing, Scenario
from hil.scenario.words import still
from hil.timeline import Event, Timeline

STATES = ("plant", "gate", "guard", "controller")
FREE, SLOW = ("NONE", "WARN"), ("SLOW",)
STANDSTILL_NS = 300 * NS_PER_MS
STOPPING_NS = 1500 * NS_PER_MS  # to react and to ramp down


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of one expectation. `value` in `unit`."""

    passed: bool
    text: str
    name: str
    why: str = ""
    value: float | None = None
    unit: str = ""
    low: float | None = None
    high: float | None = None
    t_ns: int = 0


@dataclass(slots=True)
class Tape:
    """A timeline as moments: what was so at each, and when each named moment was."""

    timeline: Timeline
    moments: list[tuple[int, Now]] = field(default_factory=list)
    marks: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        now: Now = {}
        for event in self.timeline.events:
            lane, kind = event["lane"], event["kind"]
            if lane in STATES and kind in ("sample", "change"):
                now = {**now, lane: event}
                self.moments.append((event["t_ns"], now))
            elif lane == "meta" and kind == "mark":
                self.marks[event["name"]] = event["t_ns"]
            elif lane == "fault" and kind in ("armed", "cleared"):
                # from when it was put in, not from when it was proved: the stricter of the two
                name = event["as"] if kind == "armed" else f"{event['as']}_cleared"
                self.marks.setdefault(name, event["t_ns"])
        end_ns = self.moments[-1][0] if self.moments else 0
        self.marks |= {"begin": 0, "end": end_ns}

    def at(self, name: str) -> int:
        """When it was; LookupError if it never came."""
        if name not in self.marks:
            raise LookupError(f"'{name}' never came; moments: {', '.join(sorted(self.marks))}")
        return self.marks[name]

    def between(self, begin_ns: int, end_ns: int) -> Iterator[tuple[int, Now]]:
        """The moments from (and what was so at) one time to another."""
        before: tuple[int, Now] | None = None
        for t_ns, now in self.moments:
            if t_ns < begin_ns:
                before = (t_ns, now)
                continue
            if before is not None:
                yield begin_ns, before[1]
                before = None
            if t_ns > end_ns:
                return
            yield t_ns, now
        if before is not None:
            yield begin_ns, before[1]


def judge(scenario: Scenario, timeline: Timeline) -> list[Judged]:
    """Every expectation, also written into the timeline."""
    tape, found = Tape(timeline), []
    for doing in scenario.expect:
        try:
            judged = HOW[doing.verb](tape, doing, scenario)
        except LookupError as error:
            judged = Judged(False, doing.text, doing.verb, str(error), t_ns=tape.marks["end"])
        found.append(judged)
        timeline.add(
            judged.t_ns,
            "expect",
            "passed" if judged.passed else "failed",
            text=judged.text,
            name=judged.name,
            why=judged.why,
            value=judged.value,
            unit=judged.unit,
            low=judged.low,
            high=judged.high,
            line=doing.line,
        )
    return found


def _span(tape: Tape, args: dict[str, Any]) -> tuple[int, int]:
    begin = tape.at(args.get("from", "start")) + args.get("after", 0)
    return begin, tape.at(args.get("to", "end"))


def _within(tape: Tape, doing: Doing, _scenario: Scenario) -> Judged:
    args, of = doing.args, doing.args.get("of", "fault")
    begin, that = tape.at(of), args["that"]
    limit_ms = args["limit"] / NS_PER_MS
    for t_ns, now in tape.between(begin, tape.marks["end"]):
        if that(now) and _stays(tape, that, t_ns, args.get("stays", 0)):
            took_ms = (t_ns - begin) / NS_PER_MS
            why = "" if took_ms <= limit_ms else f"it took {took_ms:g} ms after {of}"
            return Judged(
                not why, doing.text, that.text, why, took_ms, "ms", None, limit_ms, t_ns
            )  # fmt: skip
    why = f"it never came after {of}"
    return Judged(False, doing.text, that.text, why, None, "ms", None, limit_ms, tape.marks["end"])


def _stays(tape: Tape, that: Condition, t_ns: int, stays_ns: int) -> bool:
    return not stays_ns or all(that(now) for _, now in tape.between(t_ns, t_ns + stays_ns))


def _always(tape: Tape, doing: Doing, _scenario: Scenario) -> Judged:
    begin, end = _span(tape, doing.args)
    that, wanted = doing.args["that"], doing.verb == "always"
    for t_ns, now in tape.between(begin, end):
        if that(now) != wanted:
            why = f"{'not so' if wanted else 'so'} at {t_ns / NS_PER_MS:g} ms"
            return Judged(False, doing.text, that.text, why, t_ns=t_ns)
    return Judged(True, doing.text, that.text, t_ns=end)


def _until(tape: Tape, doing: Doing, _scenario: Scenario) -> Judged:
    that, over = doing.args["that"], doing.args["until"]
    begin = tape.at(doing.args.get("from", "start"))
    for t_ns, now in tape.between(begin, tape.marks["end"]):
        if over(now):
            return Judged(True, doing.text, that.text, t_ns=t_ns)
        if not that(now):
            why = f"ended at {t_ns / NS_PER_MS:g} ms, before: {over.text}"
            return Judged(False, doing.text, that.text, why, t_ns=t_ns)
    return Judged(False, doing.text, that.text, f"never: {over.text}", t_ns=tape.marks["end"])


def _measure(tape: Tape, doing: Doing, _scenario: Scenario) -> Judged:
    args = doing.args
    ask, _ = quantity(args["value"])
    begin, end = _span(tape, args)
    values = [value for _, now in tape.between(begin, end) if (value := ask(now)) is not None]
    if not values:
        raise LookupError(f"'{args['value']}' had no value between the two moments")
    value = AGGREGATES[args.get("of", "max")](values)
    high, low = args.get("max"), args.get("min")
    high_value, low_value = high.value if high else None, low.value if low else None
    why = ""
    if high_value is not None and value > high_value:
        why = f"{value:g} is above {high}"
    if low_value is not None and value < low_value:
        why = f"{value:g} is below {low}"
    unit = next((limit.unit for limit in (high, low) if limit), "")
    return Judged(
        not why,
        doing.text,
        str(args["name"]),
        why,
        round(value, 3),
        unit,
        low_value,
        high_value,
        end,
    )


AGGREGATES: dict[str, Callable[[list[float]], float]] = {
    "max": max,
    "min": min,
    "last": lambda values: values[-1],
    "change": lambda values: max(abs(value - values[0]) for value in values),
    "path": lambda values: sum(abs(b - a) for a, b in pairwise(values)),
}


def _allowed(tape: Tape, doing: Doing, scenario: Scenario) -> Judged:
    """What the gate offers at one moment: exactly these motions, no more and no fewer."""
    args = doing.args
    t_ns = tape.at(args.get("of", "end")) + args.get("after", 0)
    now = next((now for _, now in tape.between(t_ns, t_ns)), {})
    motions = now.get("gate", {}).get("motions", {})
    wanted = dict.fromkeys(scenario.motions, "stopped")
    wanted |= dict.fromkeys(args.get("slow", ()), "slow")
    wanted |= dict.fromkeys(args.get("free", ()), "free")
    found = {name: _offer(motions.get(name, {}).get("act", "")) for name in scenario.motions}
    odd = [
        f"{name} is {found[name]} ({', '.join(motions.get(name, {}).get('rows', ()))}), "
        f"not {wanted[name]}"
        for name in scenario.motions
        if found[name] != wanted[name]
    ]
    return Judged(not odd, doing.text, "allowed motions", "; ".join(odd), t_ns=t_ns)


def _offer(act: str) -> str:
    return "free" if act in FREE else "slow" if act in SLOW else "stopped"


def _alarm(tape: Tape, doing: Doing, _scenario: Scenario) -> Judged:
    args = doing.args
    begin = tape.at(args.get("of", "fault"))
    limit_ms = args.get("limit", 2000 * NS_PER_MS) / NS_PER_MS
    events = [e for e in tape.timeline.lane("alarm") if e["row"] == args["row"]]
    name = f"alarm {args['row']}"
    for event in events:
        if event["kind"] in ("on", "latch", "ack") and event["t_ns"] >= begin:
            took_ms = (event["t_ns"] - begin) / NS_PER_MS
            why = "" if took_ms <= limit_ms else f"it took {took_ms:g} ms"
            if "priority" in args and event["priority"] != args["priority"]:
                why = f"its priority is {event['priority']}"
            return Judged(
                not why, doing.text, name, why, took_ms, "ms", None, limit_ms, event["t_ns"]
            )  # fmt: skip
    return Judged(False, doing.text, name, "it never sounded", t_ns=tape.marks["end"])


def _ledger(tape: Tape, doing: Doing, _scenario: Scenario) -> Judged:
    args = doing.args
    begin = tape.at(args.get("of", "start"))
    end = begin + args.get("limit", 1 << 60)
    name, near = f"ledger {args['entry']}", ""
    for event in tape.timeline.lane("ledger", args["entry"]):
        odd = _differs(event, args.get("with", {}))
        if begin <= event["t_ns"] <= end and not odd:
            return Judged(True, doing.text, name, t_ns=event["t_ns"])
        near = odd or near
    return Judged(False, doing.text, name, near or "no such entry", t_ns=tape.marks["end"])


def _differs(event: Event, wanted: dict[str, Any]) -> str:
    payload = {**event, **event.get("payload", {})}
    odd = [
        f"{key} is {payload.get(key)!r}"
        for key, value in wanted.items()
        if str(payload.get(key)) != str(value)
    ]
    return ", ".join(odd)


def _no_restart(tape: Tape, doing: Doing, _scenario: Scenario) -> Judged:
    """Once everything stands after the moment, it stands until somebody presses anew."""
    begin = tape.at(doing.args.get("of", "fault"))
    presses = [e["t_ns"] for e in tape.timeline.lane("human", "press") if e["t_ns"] > begin]
    end = min(presses, default=tape.marks["end"])
    stood: int | None = None
    for t_ns, now in tape.between(begin, end):
        rests = still(now["plant"])
        if stood is not None and not rests and t_ns - stood >= STANDSTILL_NS:
            return Judged(False, doing.text, "no restart", "it moved again", t_ns=t_ns)
        stood = (stood if stood is not None else t_ns) if rests else None
    why = "" if stood is not None or end - begin < STOPPING_NS else "it never came to rest"
    return Judged(not why, doing.text, "no restart", why, t_ns=end)


def _no_alarm(tape: Tape, doing: Doing, _scenario: Scenario) -> Judged:
    begin, end = _span(tape, doing.args)
    but = doing.args.get("but", ())
    for event in tape.timeline.lane("alarm", "on"):
        if begin <= event["t_ns"] <= end and event["row"] not in but:
            why = f"{event['row']} at {event['t_ns'] / NS_PER_MS:g} ms"
            return Judged(False, doing.text, "no alarm", why, t_ns=event["t_ns"])
    return Judged(True, doing.text, "no alarm", t_ns=end)


HOW: dict[str, Callable[[Tape, Doing, Scenario], Judged]] = {
    "within": _within,
    "always": _always,
    "never": _always,
    "until": _until,
    "measure": _measure,
    "allowed": _allowed,
    "alarm": _alarm,
    "ledger": _ledger,
    "no_restart": _no_restart,
    "no_alarm": _no_alarm,
}
