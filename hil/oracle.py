"""What must never happen to a person, whatever was injected: judged on plant truth alone.

Role: rules over the plant and human lanes of any timeline, always on. Must never: use what the
service says about itself, or a number of its configuration.

A scenario whose hazard only hardware holds may excuse a rule, by name and with a reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from hil.clock import NS_PER_MS
from hil.timeline import Event, Timeline

MOST_WITHOUT_EVIDENCE_MM = {"hoist": 50.0, "traverse": 200.0, "stander": 20.0}  # design rule 11
FASTEST_MM_S = {"hoist": 150.0, "traverse": 300.0, "stander": 25.0}  # ISO 10535; the actuator's own
SPEED_MARGIN_MM_S = 5.0
STILL_MM_S = 1.0
DEAD_PRESS_MM = 3.0
DEAD_PRESS_NS = 300 * NS_PER_MS
ESTOP_NS = 1000 * NS_PER_MS  # stop category 1: at most half a second of ramp, and a margin
LET_GO_NS = 300 * NS_PER_MS  # until an axis rests whose strap or lever was let go
FALL_MM_S = 300.0
OVERLOAD_KG, OVERLOAD_MM = 250.0, 30.0  # 1.25 of the demo lift's limit; what reacting may take
PARTLY_STOOD_MM, ROLLS_MM_S, ROLLS_NS = 20.0, 50.0, 500 * NS_PER_MS


@dataclass(frozen=True, slots=True)
class Axis:
    """Where an axis is in the truth, and the motions that ask for its two directions."""

    name: str
    position: str
    speed: str
    plus: str
    minus: str
    by_hand: str  # truth field of the emergency lowering that moves it without anybody's button


AXES = (
    Axis("hoist", "height_mm", "speed_mm_s", "UP", "DOWN", "strap"),
    Axis("traverse", "x_mm", "x_speed_mm_s", "RIGHT", "LEFT", ""),
    Axis("stander", "stroke_mm", "stroke_speed_mm_s", "STAND", "SIT", "sit_lever"),
)


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that did not hold."""

    t_ns: int
    rule: str
    why: str


@dataclass(slots=True)
class _Track:
    """One axis through time."""

    axis: Axis
    unasked_mm: float = 0.0
    asked_before: bool = False
    moved: bool = False  # since the newest press
    still_since_ns: int | None = None
    dead: bool = False  # the newest press has moved and stopped
    again_mm: float = 0.0
    last: Event | None = None


@dataclass(slots=True)
class _Judge:
    """`held`: what fingers are on, by station; a STOP ends every one of them."""

    held: dict[str, set[str]] = field(default_factory=dict)
    presses: int = 0
    estop_ns: int | None = None
    rolls_ns: int | None = None
    by_hand_ns: dict[str, int] = field(default_factory=dict)
    risen_mm: float = 0.0
    last: Event | None = None
    tracks: list[_Track] = field(default_factory=list)


def violations(timeline: Timeline) -> list[Violation]:
    """Each rule once, at the moment it broke."""
    judge, found = _Judge(), dict[str, Violation]()
    judge.tracks = [_Track(axis) for axis in AXES]
    for event in timeline.events:
        if event["lane"] == "human":
            _human(judge, event)
        elif event["lane"] == "oracle":
            found.setdefault(
                event["rule"], Violation(event["t_ns"], event["rule"], "the gate's own")
            )
        elif event["lane"] == "plant":
            for rule, why in _plant(judge, event):
                found.setdefault(rule, Violation(event["t_ns"], rule, why))
            judge.last = event
    return sorted(found.values(), key=lambda item: item.t_ns)


def _human(judge: _Judge, event: Event) -> None:
    if event["kind"] == "press":
        judge.held[event["station"]] = set(event["motion"].split("+"))
        judge.presses += 1
        for track in judge.tracks:
            track.dead = track.moved = False
            track.still_since_ns, track.again_mm = None, 0.0
    elif event["kind"] == "release":
        judge.held.pop(event["station"], None)
    elif event["kind"] == "stop":
        judge.held.clear()


def _plant(judge: _Judge, now: Event) -> Iterator[tuple[str, str]]:
    for track in judge.tracks:
        if track.axis.position in now:
            yield from _evidence(judge, track, now)
            yield from _speed(track.axis, now)
            yield from _dead_press(judge, track, now)
            track.last = now
    for needs, rule in RULES.values():
        if all(name in now for name in needs):
            yield from rule(judge, now)


def _asked(judge: _Judge, axis: Axis, speed: float) -> bool:
    wanted = axis.plus if speed > 0 else axis.minus
    return any(wanted in motions for motions in judge.held.values())


def _evidence(judge: _Judge, track: _Track, now: Event) -> Iterator[tuple[str, str]]:
    """Time becomes distance: how far it went though nobody asked."""
    axis, last = track.axis, track.last
    if last is None:
        return
    way, speed = now[axis.position] - last[axis.position], now[axis.speed]
    moves = abs(speed) >= STILL_MM_S
    if (axis.by_hand and now[axis.by_hand]) or (moves and _asked(judge, axis, speed)):
        track.unasked_mm = 0.0
    elif moves or abs(way) > 0.05:
        track.unasked_mm += abs(way)
    limit = MOST_WITHOUT_EVIDENCE_MM[axis.name]
    if track.unasked_mm > limit:
        yield (
            f"{axis.name}_without_evidence",
            f"{track.unasked_mm:.1f} mm without a finger; the limit is {limit:g} mm",
        )


def _speed(axis: Axis, now: Event) -> Iterator[tuple[str, str]]:
    most = FASTEST_MM_S[axis.name] + SPEED_MARGIN_MM_S
    if abs(now[axis.speed]) > most:
        yield f"{axis.name}_too_fast", f"{now[axis.speed]:.0f} mm/s; the limit is {most:g} mm/s"


def _dead_press(judge: _Judge, track: _Track, now: Event) -> Iterator[tuple[str, str]]:
    """A press that moved and stopped is dead for ever: only a fresh one moves again."""
    axis = track.axis
    speed = now[axis.speed]
    moves = abs(speed) >= STILL_MM_S and _asked(judge, axis, speed)
    if not judge.held or track.last is None or (axis.by_hand and now[axis.by_hand]):
        return
    if moves and track.dead:
        track.again_mm += abs(now[axis.position] - track.last[axis.position])
        if track.again_mm > DEAD_PRESS_MM:
            yield f"{axis.name}_restarts", "it moved again under a press that had stopped"
    elif moves:
        track.moved, track.still_since_ns = True, None
    elif track.moved:
        track.still_since_ns = track.still_since_ns or now["t_ns"]
        track.dead = track.dead or now["t_ns"] - track.still_since_ns >= DEAD_PRESS_NS


def _estop(judge: _Judge, now: Event) -> Iterator[tuple[str, str]]:
    for axis in AXES:
        if axis.by_hand and now.get(axis.by_hand):
            judge.by_hand_ns[axis.name] = now["t_ns"]
    if not now["estop"]:
        judge.estop_ns = None
        return
    judge.estop_ns = now["t_ns"] if judge.estop_ns is None else judge.estop_ns
    if now["t_ns"] - judge.estop_ns < ESTOP_NS:
        return
    for axis in AXES:
        let_go_ns = judge.by_hand_ns.get(axis.name, -LET_GO_NS)
        by_hand = now["t_ns"] - let_go_ns < LET_GO_NS
        if axis.speed in now and abs(now[axis.speed]) >= STILL_MM_S and not by_hand:
            yield "moves_under_estop", f"the {axis.name} still moves a second after the e-stop"


def _fall(judge: _Judge, now: Event) -> Iterator[tuple[str, str]]:
    last = judge.last
    if last is None or now["person_mm"] is None or last.get("person_mm") is None:
        return
    fell = (last["person_mm"] - now["person_mm"]) / max(1, now["t_ns"] - last["t_ns"]) * 1e9
    if fell > FALL_MM_S:
        yield "person_falls", f"the person went down at {fell:.0f} mm/s"


def _overload(judge: _Judge, now: Event) -> Iterator[tuple[str, str]]:
    rises = now["load_kg"] > OVERLOAD_KG and now["speed_mm_s"] > STILL_MM_S
    if not rises or judge.last is None:
        judge.risen_mm = 0.0
        return
    judge.risen_mm += now["height_mm"] - judge.last["height_mm"]
    if judge.risen_mm > OVERLOAD_MM:
        yield "rises_overloaded", f"rose {judge.risen_mm:.0f} mm with {now['load_kg']:.0f} kg"


def _rolls(judge: _Judge, now: Event) -> Iterator[tuple[str, str]]:
    rolls = abs(now["drive_mm_s"]) > ROLLS_MM_S
    if not rolls or now["stroke_mm"] <= PARTLY_STOOD_MM:
        judge.rolls_ns = None
        return
    judge.rolls_ns = now["t_ns"] if judge.rolls_ns is None else judge.rolls_ns
    if now["t_ns"] - judge.rolls_ns > ROLLS_NS:
        yield "rolls_while_standing", "the chair rolls with somebody partly stood"


Rule = Callable[[_Judge, Event], Iterator[tuple[str, str]]]
# name -> the fields of the truth it looks at; a sample without them (another rig) is passed over
RULES: dict[str, tuple[tuple[str, ...], Rule]] = {
    "moves_under_estop": (("estop",), _estop),
    "person_falls": (("person_mm",), _fall),
    "rises_overloaded": (("load_kg", "speed_mm_s", "height_mm"), _overload),
    "rolls_while_standing": (("drive_mm_s", "stroke_mm"), _rolls),
}
OF_AN_AXIS = ("without_evidence", "too_fast", "restarts")
NAMES = (
    *(f"{axis.name}_{what}" for axis in AXES for what in OF_AN_AXIS),
    *RULES,
    "minted_outside_whitelist",
)


def blind(unknown: frozenset[str]) -> list[str]:
    """The rules that cannot be judged while these fields of the truth are not known."""
    axes = [axis for axis in AXES if {axis.position, axis.speed} & unknown]
    found = [f"{axis.name}_{what}" for axis in axes for what in OF_AN_AXIS]
    found += [name for name, (needs, _) in RULES.items() if set(needs) & unknown]
    return found + (["moves_under_estop"] if axes and "estop" not in unknown else [])


def record(timeline: Timeline) -> list[Violation]:
    """The violations, also written into the timeline."""
    found = violations(timeline)
    for item in found:
        timeline.add(item.t_ns, "oracle", "violated", rule=item.rule, why=item.why)
    return found


def told(found: list[Violation], excused: dict[str, str]) -> list[str]:
    """A sentence for each that is not excused."""
    return [f"oracle: {v.rule}: {v.why}" for v in found if v.rule not in excused]


def unknown(names: Any) -> list[str]:
    """Names of rules that do not exist."""
    return [name for name in names if name not in NAMES]
